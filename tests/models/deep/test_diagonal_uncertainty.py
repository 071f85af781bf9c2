from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, FieldNetwork, head_parameters
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import DiagonalPrecision, GradientNorm
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout, Look

LAYOUT = FieldLayout.of_numbers(5)


def _network(hidden: tuple[int, ...] = (8, 6)) -> MLP:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLP(LAYOUT, hidden=hidden, base_rate=0.2).eval()


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _features(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn((*shape, 5), generator=_generator(seed))


def _look(network: FieldNetwork, features: Tensor) -> Look:
    with torch.no_grad():
        embedding = network.embed(features)
        return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))


def _rows(n_rows: int, seed: int = 2) -> TrainRows:
    generator = _generator(seed)
    return TrainRows(
        features=torch.randn((n_rows, 5), generator=generator),
        click=torch.bernoulli(torch.full((n_rows,), 0.2), generator=generator),
        weight=torch.rand(n_rows, generator=generator) * 2,
    )


def _begun(uncertainty: Uncertainty, network: nn.Module) -> Any:
    uncertainty.begin(network, LAYOUT, lambda layout: network, generator=_generator())
    return uncertainty


def _gradients(network: FieldNetwork, features: Tensor) -> Tensor:
    """Row by row, (r, number of parameters)."""
    parameters = list(head_parameters(network, LAYOUT).values())
    log_odds = (network.from_embedding(network.embed(row)) for row in features)
    rows = (torch.autograd.grad(value, parameters) for value in log_odds)
    return torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])


@pytest.mark.parametrize("hidden", [(), (8, 6)])
def test_it_is_what_explicit_gradients_give(hidden: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.models.deep.uncertainty.diagonal._CHUNK", 7)
    network = _network(hidden)
    rows, features = _rows(30), _features(2, 4)
    uncertainty = _begun(DiagonalPrecision(scale=0.7, prior=3.0), network)
    uncertainty.observe(rows, generator=_generator())
    chance = _look(network, rows.features).log_odds.sigmoid()
    information = (rows.weight * chance * (1 - chance)).unsqueeze(-1)
    precision = 3.0 + (information * _gradients(network, rows.features).square()).sum(0)
    expected = 0.7 * (_gradients(network, features.flatten(0, 1)).square() / precision).sum(-1).sqrt()
    torch.testing.assert_close(uncertainty.spread(_look(network, features)), expected.view(2, 4))


def test_blocks_add_up() -> None:
    network = _network()
    rows = _rows(50)
    at_once, in_two = _begun(DiagonalPrecision(), network), _begun(DiagonalPrecision(), network)
    at_once.observe(rows, generator=_generator())
    for part in torch.arange(50).split(20):  # type: ignore[no-untyped-call]
        in_two.observe(rows.take(part), generator=_generator())
    torch.testing.assert_close(in_two.state(), at_once.state())


def test_without_data_and_at_prior_one_it_is_the_gradient_norm() -> None:
    network = _network()
    look = _look(network, _features(2, 4))
    torch.testing.assert_close(
        _begun(DiagonalPrecision(), network).spread(look), _begun(GradientNorm(), network).spread(look)
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.sampled_from([1e-3, 1.0, 100.0]))
def test_data_never_add_to_the_spread(seed: int, n_rows: int, prior: float) -> None:
    network = _network()
    look = _look(network, _features(1, 8, seed=seed))
    uncertainty = _begun(DiagonalPrecision(prior=prior), network)
    before = uncertainty.spread(look)
    for block in range(3):
        uncertainty.observe(_rows(n_rows, seed + block), generator=_generator())
        after = uncertainty.spread(look)
        assert (after <= before * (1 + 1e-6)).all()
        before = after
    assert torch.isfinite(before).all()


def test_what_was_shown_often_is_known_best() -> None:
    network = _network()
    shown, other = _features(1, seed=3), _features(1, seed=4)
    look = _look(network, torch.stack([shown, other], dim=1))
    uncertainty = _begun(DiagonalPrecision(), network)
    before = uncertainty.spread(look)[0]
    rows = TrainRows(features=shown.expand(500, -1), click=torch.zeros(500), weight=torch.ones(500))
    uncertainty.observe(rows, generator=_generator())
    left = uncertainty.spread(look)[0] / before
    assert left[0] < 0.7 * left[1]


def test_rows_of_weight_zero_and_no_rows_tell_nothing() -> None:
    network = _network()
    uncertainty = _begun(DiagonalPrecision(), network)
    rows = _rows(9)
    uncertainty.observe(
        TrainRows(features=rows.features, click=rows.click, weight=torch.zeros(9)), generator=_generator()
    )
    uncertainty.observe(rows.take(torch.arange(0)), generator=_generator())
    torch.testing.assert_close(uncertainty.state(), _begun(DiagonalPrecision(), network).state())


def test_it_stays_finite_where_clicks_are_certain_and_features_large() -> None:
    network = _network()
    uncertainty = _begun(DiagonalPrecision(), network)
    rows = _rows(9)
    large = TrainRows(features=1e6 * rows.features, click=rows.click, weight=rows.weight)
    uncertainty.observe(large, generator=_generator())
    look = _look(network, torch.cat([1e6 * _features(1, 2), torch.zeros(1, 1, 5)], dim=1))
    assert torch.isfinite(uncertainty.spread(look)).all()
    assert torch.isfinite(uncertainty.deviation(look, generator=_generator())).all()


def test_draws_are_normal_with_that_spread_and_independent_by_candidate() -> None:
    network = _network()
    n_draws = 20_000
    one = _features(1, 2)
    uncertainty = _begun(DiagonalPrecision(), network)
    uncertainty.observe(_rows(20), generator=_generator())
    moved = uncertainty.deviation(_look(network, one.expand(n_draws, -1, -1)), generator=_generator(5))
    drawn = (moved / uncertainty.spread(_look(network, one))).numpy()
    assert np.abs(drawn.mean(0)).max() < 4.5 / n_draws**0.5
    assert np.abs((drawn**2).mean(0) - 1).max() < 4.5 * (2 / n_draws) ** 0.5
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4.5 / n_draws**0.5


def test_a_state_goes_round_and_later_rows_leave_it_as_it_was() -> None:
    network = _network()
    look = _look(network, _features(2, 4))
    uncertainty = _begun(DiagonalPrecision(), network)
    uncertainty.observe(_rows(30), generator=_generator())
    state, spread = uncertainty.state(), uncertainty.spread(look)
    uncertainty.observe(_rows(30), generator=_generator())
    other = _begun(DiagonalPrecision(), network)
    other.restore(state)
    torch.testing.assert_close(other.spread(look), spread, rtol=0, atol=0)
    other.observe(_rows(30), generator=_generator())
    torch.testing.assert_close(other.state(), uncertainty.state(), rtol=0, atol=0)


def test_a_state_of_another_network_is_refused() -> None:
    uncertainty = _begun(DiagonalPrecision(), _network())
    with pytest.raises(InvalidInputError, match="state: expected tensors of shapes"):
        uncertainty.restore(_begun(DiagonalPrecision(), _network((4,))).state())
    with pytest.raises(InvalidInputError, match="state: expected tensors of shapes"):
        uncertainty.restore({})


@pytest.mark.parametrize("prior", [0.0, -1.0, float("inf"), float("nan")])
def test_priors_that_leave_no_bounds_are_refused(prior: float) -> None:
    with pytest.raises(InvalidInputError, match="prior: expected a finite number > 0"):
        DiagonalPrecision(prior=prior)
