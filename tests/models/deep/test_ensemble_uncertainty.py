"""A deep ensemble: members trained together are members trained apart, and what is made of them."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

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
from sojourn.records import Categorical, FieldLayout, Numeric

if TYPE_CHECKING:
    from tests.models.deep.conftest import Bench


@pytest.fixture(scope="module")
def layout() -> FieldLayout:
    return FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("taste", 3)), item_id="item")


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_members_trained_in_one_pass_are_members_trained_apart(
    bench: Bench, network: MLP, bootstrap: bool, weight_decay: float
) -> None:
    ensemble = bench.begun(
        Ensemble(size=4, bootstrap=bootstrap, weight_decay=weight_decay, learning_rate=1e-2), network
    )
    alone = [deepcopy(other.network) for other in ensemble._others]
    optimizers = [torch.optim.AdamW(one.parameters(), lr=1e-2, weight_decay=weight_decay) for one in alone]
    ours, theirs = bench.generator(3), bench.generator(3)
    for seed in range(8):
        rows = bench.rows(seed=seed)
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


def test_mean_spread_and_draws_are_those_of_the_members(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(Ensemble(size=5), network)
    for seed in range(3):
        ensemble.step(bench.rows(seed=seed), generator=bench.generator(seed))
    look = bench.look(network, bench.features(7, 4))
    with torch.no_grad():
        members = np.stack([look.log_odds.numpy()] + [one(look.features).numpy() for one in ensemble._others])
    np.testing.assert_allclose(look.log_odds + ensemble.shift(look), members.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ensemble.spread(look), members.std(axis=0, ddof=1), rtol=1e-4)
    draw = (look.log_odds + ensemble.shift(look) + ensemble.deviation(look, generator=bench.generator())).numpy()
    one_member_says_it = np.isclose(draw, members, atol=1e-5).all(axis=2)  # of a whole request
    assert one_member_says_it.sum(axis=0).tolist() == [1] * 7


def test_a_request_picks_its_member_uniformly(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(Ensemble(size=5), network)
    look = bench.look(network, bench.features(1, 2).expand(5000, 2, 4))
    drawn = ensemble.deviation(look, generator=bench.generator(11))
    members = ensemble.members(look)
    picked = (drawn[:, 0] - (members - members.mean(dim=0))[:, :, 0]).abs().argmin(dim=0)
    assert chisquare(np.bincount(picked.numpy(), minlength=5)).pvalue > 1e-3


def test_members_begin_apart_from_one_another_and_from_the_network(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(Ensemble(size=5), network)
    members = ensemble.members(bench.look(network, bench.features(1, 50)))[:, 0]
    distances = torch.cdist(members, members) + 1e9 * torch.eye(5)
    assert distances.min() > 1e-2


def test_the_same_generator_makes_the_same_members(bench: Bench, network: MLP) -> None:
    look = bench.look(network, bench.features(2, 3))
    assert torch.equal(
        bench.begun(Ensemble(), network, seed=4).members(look), bench.begun(Ensemble(), network, seed=4).members(look)
    )
    assert not torch.equal(
        bench.begun(Ensemble(), network, seed=4).members(look), bench.begun(Ensemble(), network, seed=5).members(look)
    )


def test_the_network_and_the_global_generator_are_left_alone(bench: Bench, network: MLP) -> None:
    with bench.left_alone(network):
        ensemble = bench.begun(Ensemble(bootstrap=True), network)
        ensemble.step(bench.rows(), generator=bench.generator())
        ensemble.deviation(bench.look(network, bench.features(2, 3)), generator=bench.generator())


def test_what_was_made_of_a_look_is_made_anew_after_a_step_and_a_restore(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(Ensemble(), network)
    look, state = bench.look(network, bench.features(2, 3)), ensemble.state()
    before = ensemble.spread(look)
    ensemble.step(bench.rows(), generator=bench.generator())
    assert not torch.equal(ensemble.spread(look), before)
    ensemble.restore(state)
    assert torch.equal(ensemble.spread(look), before)


def test_a_restored_ensemble_goes_on_as_the_stored_one(bench: Bench, network: MLP) -> None:
    stored, restored = bench.begun(Ensemble(), network, seed=1), bench.begun(Ensemble(), network, seed=2)
    for seed in range(3):
        stored.step(bench.rows(seed=seed), generator=bench.generator(seed))
    restored.restore(stored.state())
    look = bench.look(network, bench.features(2, 3))
    assert torch.equal(restored.spread(look), stored.spread(look))
    for ensemble in (stored, restored):  # which takes the moments of Adam
        ensemble.step(bench.rows(seed=9), generator=bench.generator(9))
    assert torch.equal(restored.spread(look), stored.spread(look))


def test_a_state_is_a_copy(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(Ensemble(), network)
    ensemble.step(bench.rows(), generator=bench.generator())
    state = ensemble.state()
    before = {name: value.clone() for name, value in state.items()}
    ensemble.step(bench.rows(seed=1), generator=bench.generator())
    assert all(torch.equal(value, before[name]) for name, value in state.items())


def test_the_state_of_another_size_is_refused(bench: Bench, network: MLP) -> None:
    with pytest.raises(InvalidInputError, match=r"expected network\.\S+ of shape .* got .*same arguments"):
        bench.begun(Ensemble(size=5), network).restore(bench.begun(Ensemble(size=4), network).state())


def test_members_do_not_drop_units_though_the_network_does(bench: Bench) -> None:
    class Dropping(MLP):
        def from_embedding(self, embedding: Tensor) -> Tensor:
            return super().from_embedding(nn.functional.dropout(embedding, 0.5, training=self.training))

    network = Dropping(bench.layout, hidden=(8,)).train()
    ensemble = Ensemble(size=2)
    ensemble.begin(network, bench.layout, lambda layout: Dropping(layout, hidden=(8,)), generator=bench.generator())
    ensemble.step(bench.rows(), generator=bench.generator())
    one, again = (bench.look(network.eval(), bench.features(1, 9)) for _ in range(2))
    assert torch.equal(ensemble.members(one), ensemble.members(again))
    assert network.training is False


def test_frozen_parameters_of_the_members_stay_as_they_are(bench: Bench, network: MLP) -> None:
    def with_frozen_tables(layout: FieldLayout) -> nn.Module:
        made = MLP(layout, hidden=(8, 6))
        made.embedding.requires_grad_(False)
        return made

    ensemble = Ensemble(size=3)
    ensemble.begin(network, bench.layout, with_frozen_tables, generator=bench.generator())
    before = ensemble.state()
    ensemble.step(bench.rows(), generator=bench.generator())
    moved = {
        name.partition(".parts")[0] for name, value in before.items() if not torch.equal(value, ensemble.state()[name])
    }
    assert "network.embedding" not in moved
    assert moved


def test_rows_without_weight_teach_nothing(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(Ensemble(), network)
    rows = bench.rows()
    before = ensemble.state()
    nothing = TrainRows(features=rows.features, click=rows.click, weight=torch.zeros(len(rows)))
    ensemble.step(nothing, generator=bench.generator())
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
