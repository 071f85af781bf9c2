from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, head_parameters, linear_layers
from sojourn.models.deep.uncertainty import Dropout
from sojourn.records import FieldLayout, Look

if TYPE_CHECKING:
    from tests.models.deep.conftest import Bench


def _draws(bench: Bench, uncertainty: Dropout, look: Look, n_draws: int, seed: int = 7) -> Tensor:
    """Deviations of one request's candidates under as many masks, (draws, m)."""
    many = Look(
        features=look.features.expand(n_draws, -1, -1),
        embedding=look.embedding.expand(n_draws, -1, -1),
        log_odds=look.log_odds.expand(n_draws, -1),
    )
    return uncertainty.deviation(many, generator=bench.generator(seed))


def test_without_hidden_layers_all_masks_enumerated_give_the_closed_form(bench: Bench) -> None:
    network = bench.network(hidden=())
    look = bench.look(network, bench.features(1, 4))
    rate = 0.3
    mean = torch.zeros(4)
    square = torch.zeros(4)
    for mask in product((0.0, 1.0), repeat=5):
        kept = torch.tensor(mask)
        chance = float((kept * (1 - rate) + (1 - kept) * rate).prod())
        weight = network.output.weight.detach()[0] * kept / (1 - rate)
        moved = look.embedding[0] @ weight + network.output.bias.detach() - look.log_odds[0]
        mean += chance * moved
        square += chance * moved.square()
    torch.testing.assert_close(mean, torch.zeros(4), atol=1e-6, rtol=0)
    torch.testing.assert_close(bench.begun(Dropout(rate=rate), network).spread(look)[0], square.sqrt())


def test_deviations_are_those_of_a_masked_copy_of_the_network(bench: Bench) -> None:
    network = bench.network(hidden=())
    look = bench.look(network, bench.features(60, 6))
    moved = bench.begun(Dropout(rate=0.4), network).deviation(look, generator=bench.generator()) + look.log_odds
    weight, bias = network.output.weight.detach()[0] / 0.6, network.output.bias.detach()
    masks = torch.tensor(list(product((0.0, 1.0), repeat=5)))
    possible = look.embedding @ (masks * weight).T + bias  # (n, m, 32): one mask must explain all six candidates
    worst = (possible - moved.unsqueeze(-1)).abs().amax(1)
    assert worst.amin(-1).max() < 1e-5
    assert len(set(worst.argmin(-1).tolist())) > 5  # and requests differ


def test_a_request_shares_its_mask_and_requests_do_not(bench: Bench) -> None:
    network = bench.network()
    row = bench.look(network, bench.features(1, 1))
    same = Look(
        features=row.features.expand(3, 4, -1),
        embedding=row.embedding.expand(3, 4, -1),
        log_odds=row.log_odds.expand(3, 4),
    )
    moved = bench.begun(Dropout(rate=0.3), network).deviation(same, generator=bench.generator())
    torch.testing.assert_close(moved, moved[:, :1].expand(-1, 4), atol=1e-6, rtol=0)
    assert len(set(moved[:, 0].tolist())) == 3


def _all_on(bench: Bench, hidden: tuple[int, ...]) -> MLP:
    """All hidden units stay far from their kink, so that the log-odds are linear in the weights of each layer."""
    network = bench.network(hidden)
    with torch.no_grad():
        for layer in linear_layers(network, bench.layout)[:-1]:
            layer.bias.add_(10.0)
    return network


def test_with_a_hidden_layer_all_masks_enumerated_give_mean_zero_and_at_a_small_rate_the_closed_form(
    bench: Bench,
) -> None:
    network = _all_on(bench, (2,))  # 10 + 2 weights
    look = bench.look(network, bench.features(1, 3))
    rate = 1e-3
    masks = torch.tensor(list(product((0.0, 1.0), repeat=12)), dtype=torch.float64)
    chance = (masks * (1 - rate) + (1 - masks) * rate).prod(-1)
    layers = linear_layers(network, bench.layout)
    first, last = (layer.weight.detach().double() / (1 - rate) for layer in layers)
    hidden = torch.einsum("me,kue->kmu", look.embedding[0].double(), first * masks[:, :10].view(-1, 2, 5))
    hidden = (hidden + layers[0].bias.detach()).relu()
    log_odds = torch.einsum("kmu,ku->km", hidden, last[0] * masks[:, 10:]) + network.output.bias.detach()
    moved = log_odds - look.log_odds[0]
    torch.testing.assert_close(chance @ moved, torch.zeros(3, dtype=torch.float64), atol=1e-6, rtol=0)
    spread = bench.begun(Dropout(rate=rate), network).spread(look)[0]
    torch.testing.assert_close((chance @ moved.square()).sqrt().float(), spread, rtol=2e-3, atol=0)


def test_deviations_have_mean_zero_and_the_spread_that_is_said(bench: Bench) -> None:
    network = _all_on(bench, (16, 8))
    look = bench.look(network, bench.features(1, 6))
    uncertainty = bench.begun(Dropout(rate=0.002), network)
    n_draws = 20_000
    moved = _draws(bench, uncertainty, look, n_draws)
    z = moved.mean(0) / (moved.std(0) / n_draws**0.5)
    assert z.abs().max() < 4.5
    squares = moved.square()
    error = squares.std(0) / n_draws**0.5
    assert ((squares.mean(0) - uncertainty.spread(look)[0].square()) / error).abs().max() < 4.5


def test_equation_12_divides_by_one_mask_less(bench: Bench) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(1, 3))
    uncertainty = bench.begun(Dropout(rate=0.2, n_masks=4), network)
    moved = _draws(bench, uncertainty, look, 4, seed=0)  # the seed of its masks
    torch.testing.assert_close(uncertainty.spread(look)[0], (moved.square().sum(0) / 3).sqrt())


@pytest.mark.parametrize("n_masks", [None, 5])
def test_spread_is_the_same_in_every_call_and_whatever_else_is_asked_about(bench: Bench, n_masks: int | None) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(3, 4))
    uncertainty = bench.begun(Dropout(rate=0.2, n_masks=n_masks), network)
    spread = uncertainty.spread(look)
    assert spread.shape == (3, 4)
    assert (spread > 0).all()
    torch.testing.assert_close(uncertainty.spread(look), spread, rtol=0, atol=0)
    some = uncertainty.spread(
        Look(features=look.features[1:2], embedding=look.embedding[1:2], log_odds=look.log_odds[1:2])
    )
    torch.testing.assert_close(some, spread[1:2], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_masks", [None, 3])
def test_nothing_is_left_out_at_rate_zero(bench: Bench, n_masks: int | None) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(3, 40))
    uncertainty = bench.begun(Dropout(rate=0.0, n_masks=n_masks), network)
    assert not uncertainty.spread(look).any()
    assert not uncertainty.deviation(look, generator=bench.generator()).any()


def test_chunks_make_no_difference(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(7, 3))
    uncertainty = bench.begun(Dropout(rate=0.3), network)
    monkeypatch.setattr("sojourn.models.deep.uncertainty.dropout._CHUNK", 1)
    one_by_one = uncertainty.deviation(look, generator=bench.generator())
    assert len({tuple(row) for row in one_by_one.tolist()}) == 7
    masked = [
        uncertainty.deviation(
            Look(features=look.features[[i]], embedding=look.embedding[[i]], log_odds=look.log_odds[[i]]), generator=g
        )
        for g in [bench.generator()]
        for i in range(7)
    ]
    torch.testing.assert_close(one_by_one, torch.cat(masked))


def test_biases_stay(bench: Bench) -> None:
    network = bench.network()
    with torch.no_grad():
        for name, value in head_parameters(network, bench.layout).items():
            if name.endswith("weight"):
                value.zero_()
    look = bench.look(network, bench.features(2, 3))
    uncertainty = bench.begun(Dropout(rate=0.5), network)
    assert look.log_odds.abs().min() > 1
    assert not uncertainty.deviation(look, generator=bench.generator()).any()
    assert not uncertainty.spread(look).any()


def test_what_it_reads_it_leaves_as_it_was(bench: Bench) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(2, 3))
    with bench.left_alone(network):
        for uncertainty in (bench.begun(Dropout(), network), bench.begun(Dropout(n_masks=3), network)):
            assert not uncertainty.spread(look).requires_grad
            assert not uncertainty.deviation(look, generator=bench.generator()).requires_grad


def test_no_candidates_give_no_numbers(bench: Bench) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(1, 0))
    for uncertainty in (bench.begun(Dropout(), network), bench.begun(Dropout(n_masks=3), network)):
        assert uncertainty.spread(look).shape == (1, 0)
        assert uncertainty.deviation(look, generator=bench.generator()).shape == (1, 0)


class _WithVector(MLP):
    """A network with a matrix beside its linear layers."""

    def __init__(self, layout: FieldLayout) -> None:
        super().__init__(layout, hidden=(4,))
        self.beside = nn.Parameter(torch.full((1, 5), 2.0))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(embedding) + (embedding * self.beside).sum(-1)


def test_the_closed_form_refuses_parameters_that_it_would_not_see_and_masks_do_not(bench: Bench) -> None:
    network = _WithVector(bench.layout)
    with pytest.raises(InvalidInputError, match="beside"):
        bench.begun(Dropout(), network)
    nn.init.zeros_(network.output.weight)
    look = bench.look(network, bench.features(2, 3))
    assert bench.begun(Dropout(rate=0.5, n_masks=9), network).spread(look).min() > 0


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_rates_that_are_none_are_refused(rate: float) -> None:
    with pytest.raises(InvalidInputError, match=r"rate: expected a probability in \[0, 1\)"):
        Dropout(rate=rate)


def test_one_mask_has_no_spread() -> None:
    with pytest.raises(InvalidInputError, match="n_masks: expected at least 2"):
        Dropout(n_masks=1)
