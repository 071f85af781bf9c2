"""A deep ensemble: members trained together are members trained apart, and what is made of them."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import Ensemble
from sojourn.models.deep.uncertainty.members import bootstrap_counts
from sojourn.records import Categorical, FieldLayout, Look, Numeric

LAYOUT = FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("taste", 3)), item_id="item")


def make(layout: FieldLayout) -> nn.Module:
    return MLP(layout, embedding_size=4, hidden=(8, 6))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_features(*shape: int, seed: int = 0) -> Tensor:
    generator = seeded(seed)
    item = torch.randint(6, (*shape, 1), generator=generator).float()
    return torch.cat([item, torch.randn(*shape, 3, generator=generator)], dim=-1)


def some_rows(n_rows: int = 40, seed: int = 0) -> TrainRows:
    generator = seeded(seed)
    click = (torch.rand(n_rows, generator=generator) < 0.3).float()
    return TrainRows(
        features=some_features(n_rows, seed=seed), click=click, weight=torch.rand(n_rows, generator=generator)
    )


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(7)
    return make(LAYOUT).eval()


def begun(network: nn.Module, seed: int = 1, **arguments: object) -> Ensemble:
    ensemble = Ensemble(**arguments)  # type: ignore[arg-type]
    ensemble.begin(network, LAYOUT, make, generator=seeded(seed))
    return ensemble


def look_at(network: nn.Module, features: Tensor) -> Look:
    with torch.no_grad():
        embedding = network.embed(features)  # type: ignore[operator]
        return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))  # type: ignore[operator]


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_members_trained_in_one_pass_are_members_trained_apart(
    network: nn.Module, bootstrap: bool, weight_decay: float
) -> None:
    ensemble = begun(network, size=4, bootstrap=bootstrap, weight_decay=weight_decay, learning_rate=1e-2)
    alone = [deepcopy(other.network) for other in ensemble._others]
    optimizers = [torch.optim.AdamW(one.parameters(), lr=1e-2, weight_decay=weight_decay) for one in alone]
    ours, theirs = seeded(3), seeded(3)
    for seed in range(8):
        rows = some_rows(seed=seed)
        ensemble.step(rows, generator=ours)
        counts = bootstrap_counts(3, rows, generator=theirs) if bootstrap else torch.ones(3, len(rows))
        for one, optimizer, count in zip(alone, optimizers, counts, strict=True):
            optimizer.zero_grad()
            weight = rows.weight * count / rows.weight.sum()
            binary_cross_entropy_with_logits(one(rows.features), rows.click, weight, reduction="sum").backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    for together, apart in zip(ensemble._others, alone, strict=True):
        for (name, ours_now), theirs_now in zip(together.network.named_parameters(), apart.parameters(), strict=True):
            torch.testing.assert_close(ours_now, theirs_now, atol=2e-5, rtol=1e-4, msg=name)


def test_the_network_itself_is_left_alone(network: nn.Module) -> None:
    before = deepcopy(network.state_dict())
    begun(network).step(some_rows(), generator=seeded(0))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_mean_spread_and_draws_are_those_of_the_members(network: nn.Module) -> None:
    ensemble = begun(network, size=5)
    for seed in range(3):
        ensemble.step(some_rows(seed=seed), generator=seeded(seed))
    look = look_at(network, some_features(7, 4))
    with torch.no_grad():
        members = np.stack([look.log_odds.numpy()] + [one(look.features).numpy() for one in ensemble._others])
    np.testing.assert_allclose(look.log_odds + ensemble.shift(look), members.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ensemble.spread(look), members.std(axis=0, ddof=1), rtol=1e-4)
    draw = (look.log_odds + ensemble.shift(look) + ensemble.deviation(look, generator=seeded(0))).numpy()
    one_member_says_it = np.isclose(draw, members, atol=1e-5).all(axis=2)  # of a whole request
    assert one_member_says_it.sum(axis=0).tolist() == [1] * 7


def test_a_request_picks_its_member_uniformly(network: nn.Module) -> None:
    ensemble = begun(network, size=5)
    look = look_at(network, some_features(1, 2).expand(5000, 2, 4))
    drawn = ensemble.deviation(look, generator=seeded(11))
    members = ensemble.members(look)
    picked = (drawn[:, 0] - (members - members.mean(dim=0))[:, :, 0]).abs().argmin(dim=0)
    assert chisquare(np.bincount(picked.numpy(), minlength=5)).pvalue > 1e-3


def test_members_begin_apart_from_one_another_and_from_the_network(network: nn.Module) -> None:
    ensemble = begun(network, size=5)
    members = ensemble.members(look_at(network, some_features(1, 50)))[:, 0]
    distances = torch.cdist(members, members) + 1e9 * torch.eye(5)
    assert distances.min() > 1e-2


def test_the_same_generator_makes_the_same_members(network: nn.Module) -> None:
    look = look_at(network, some_features(2, 3))
    assert torch.equal(begun(network, seed=4).members(look), begun(network, seed=4).members(look))
    assert not torch.equal(begun(network, seed=4).members(look), begun(network, seed=5).members(look))


def test_the_global_generator_is_left_as_it_was(network: nn.Module) -> None:
    before = torch.get_rng_state()
    ensemble = begun(network, bootstrap=True)
    ensemble.step(some_rows(), generator=seeded(0))
    ensemble.deviation(look_at(network, some_features(2, 3)), generator=seeded(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_was_made_of_a_look_is_made_anew_after_a_step_and_a_restore(network: nn.Module) -> None:
    ensemble = begun(network)
    look, state = look_at(network, some_features(2, 3)), ensemble.state()
    before = ensemble.spread(look)
    ensemble.step(some_rows(), generator=seeded(0))
    assert not torch.equal(ensemble.spread(look), before)
    ensemble.restore(state)
    assert torch.equal(ensemble.spread(look), before)


def test_a_restored_ensemble_goes_on_as_the_stored_one(network: nn.Module) -> None:
    stored, restored = begun(network, seed=1), begun(network, seed=2)
    for seed in range(3):
        stored.step(some_rows(seed=seed), generator=seeded(seed))
    restored.restore(stored.state())
    look = look_at(network, some_features(2, 3))
    assert torch.equal(restored.spread(look), stored.spread(look))
    for ensemble in (stored, restored):  # which takes the moments of Adam
        ensemble.step(some_rows(seed=9), generator=seeded(9))
    assert torch.equal(restored.spread(look), stored.spread(look))


def test_a_state_is_a_copy(network: nn.Module) -> None:
    ensemble = begun(network)
    ensemble.step(some_rows(), generator=seeded(0))
    state = ensemble.state()
    before = {name: value.clone() for name, value in state.items()}
    ensemble.step(some_rows(seed=1), generator=seeded(0))
    assert all(torch.equal(value, before[name]) for name, value in state.items())


def test_the_state_of_another_size_is_refused(network: nn.Module) -> None:
    with pytest.raises(InvalidInputError, match=r"expected network\.\S+ of shape .* got .*same arguments"):
        begun(network, size=5).restore(begun(network, size=4).state())


def test_members_do_not_drop_units_though_the_network_does() -> None:
    class Dropping(MLP):
        def from_embedding(self, embedding: Tensor) -> Tensor:
            return super().from_embedding(nn.functional.dropout(embedding, 0.5, training=self.training))

    network = Dropping(LAYOUT, hidden=(8,)).train()
    ensemble = Ensemble(size=2)
    ensemble.begin(network, LAYOUT, lambda layout: Dropping(layout, hidden=(8,)), generator=seeded(0))
    ensemble.step(some_rows(), generator=seeded(0))
    one, again = (look_at(network.eval(), some_features(1, 9)) for _ in range(2))
    assert torch.equal(ensemble.members(one), ensemble.members(again))
    assert network.training is False


def test_frozen_parameters_of_the_members_stay_as_they_are(network: nn.Module) -> None:
    def with_frozen_tables(layout: FieldLayout) -> nn.Module:
        made = make(layout)
        made.embedding.requires_grad_(False)
        return made

    ensemble = Ensemble(size=3)
    ensemble.begin(network, LAYOUT, with_frozen_tables, generator=seeded(0))
    before = ensemble.state()
    ensemble.step(some_rows(), generator=seeded(0))
    moved = {
        name.partition(".parts")[0] for name, value in before.items() if not torch.equal(value, ensemble.state()[name])
    }
    assert "network.embedding" not in moved
    assert moved


def test_rows_without_weight_teach_nothing(network: nn.Module) -> None:
    ensemble = begun(network)
    rows = some_rows()
    before = ensemble.state()
    nothing = TrainRows(features=rows.features, click=rows.click, weight=torch.zeros(len(rows)))
    ensemble.step(nothing, generator=seeded(0))
    assert all(torch.equal(value, ensemble.state()[name]) for name, value in before.items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 1}, "size: expected at least 2"),
        ({"learning_rate": 0.0}, "learning_rate: expected a finite number > 0"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a finite number > 0"),
        ({"weight_decay": -0.1}, "weight_decay: expected a finite number >= 0"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Ensemble(**arguments)  # type: ignore[arg-type]
