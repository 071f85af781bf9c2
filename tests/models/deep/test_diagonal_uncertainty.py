from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import head_parameters
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import DiagonalPrecision, GradientNorm

if TYPE_CHECKING:
    from tests.models.deep.conftest import Bench


@pytest.mark.parametrize("hidden", [(), (8, 6)])
def test_it_is_what_explicit_gradients_give(
    bench: Bench, hidden: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.models.deep.uncertainty.diagonal._CHUNK", 7)
    network = bench.network(hidden)
    rows, features = bench.rows(30), bench.features(2, 4)
    uncertainty = bench.begun(DiagonalPrecision(scale=0.7, prior=3.0), network)
    uncertainty.observe(rows, generator=bench.generator())
    chance = bench.look(network, rows.features).log_odds.sigmoid()
    information = (rows.weight * chance * (1 - chance)).unsqueeze(-1)
    parameters = head_parameters(network, bench.layout).values()
    precision = 3.0 + (information * bench.gradients(network, rows.features, parameters).square()).sum(0)
    expected = 0.7 * (bench.gradients(network, features.flatten(0, 1), parameters).square() / precision).sum(-1).sqrt()
    torch.testing.assert_close(uncertainty.spread(bench.look(network, features)), expected.view(2, 4))


def test_blocks_add_up(bench: Bench) -> None:
    network = bench.network()
    rows = bench.rows(50)
    at_once, in_two = bench.begun(DiagonalPrecision(), network), bench.begun(DiagonalPrecision(), network)
    at_once.observe(rows, generator=bench.generator())
    for part in torch.arange(50).split(20):  # type: ignore[no-untyped-call]
        in_two.observe(rows.take(part), generator=bench.generator())
    torch.testing.assert_close(in_two.state(), at_once.state())


def test_without_data_and_at_prior_one_it_is_the_gradient_norm(bench: Bench) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(2, 4))
    torch.testing.assert_close(
        bench.begun(DiagonalPrecision(), network).spread(look), bench.begun(GradientNorm(), network).spread(look)
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.sampled_from([1e-3, 1.0, 100.0]))
def test_data_never_add_to_the_spread(bench: Bench, seed: int, n_rows: int, prior: float) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(1, 8, seed=seed))
    uncertainty = bench.begun(DiagonalPrecision(prior=prior), network)
    before = uncertainty.spread(look)
    for block in range(3):
        uncertainty.observe(bench.rows(n_rows, seed + block), generator=bench.generator())
        after = uncertainty.spread(look)
        assert (after <= before * (1 + 1e-6)).all()
        before = after
    assert torch.isfinite(before).all()


def test_what_was_shown_often_is_known_best(bench: Bench) -> None:
    network = bench.network()
    shown, other = bench.features(1, seed=3), bench.features(1, seed=4)
    look = bench.look(network, torch.stack([shown, other], dim=1))
    uncertainty = bench.begun(DiagonalPrecision(), network)
    before = uncertainty.spread(look)[0]
    rows = TrainRows(features=shown.expand(500, -1), click=torch.zeros(500), weight=torch.ones(500))
    uncertainty.observe(rows, generator=bench.generator())
    left = uncertainty.spread(look)[0] / before
    assert left[0] < 0.7 * left[1]


def test_rows_of_weight_zero_and_no_rows_tell_nothing(bench: Bench) -> None:
    network = bench.network()
    uncertainty = bench.begun(DiagonalPrecision(), network)
    rows = bench.rows(9)
    uncertainty.observe(
        TrainRows(features=rows.features, click=rows.click, weight=torch.zeros(9)), generator=bench.generator()
    )
    uncertainty.observe(rows.take(torch.arange(0)), generator=bench.generator())
    torch.testing.assert_close(uncertainty.state(), bench.begun(DiagonalPrecision(), network).state())


def test_it_stays_finite_where_clicks_are_certain_and_features_large(bench: Bench) -> None:
    network = bench.network()
    uncertainty = bench.begun(DiagonalPrecision(), network)
    rows = bench.rows(9)
    large = TrainRows(features=1e6 * rows.features, click=rows.click, weight=rows.weight)
    uncertainty.observe(large, generator=bench.generator())
    look = bench.look(network, torch.cat([1e6 * bench.features(1, 2), torch.zeros(1, 1, 5)], dim=1))
    assert torch.isfinite(uncertainty.spread(look)).all()
    assert torch.isfinite(uncertainty.deviation(look, generator=bench.generator())).all()


def test_draws_are_normal_with_that_spread_and_independent_by_candidate(bench: Bench) -> None:
    network = bench.network()
    n_draws = 20_000
    one = bench.features(1, 2)
    uncertainty = bench.begun(DiagonalPrecision(), network)
    uncertainty.observe(bench.rows(20), generator=bench.generator())
    moved = uncertainty.deviation(bench.look(network, one.expand(n_draws, -1, -1)), generator=bench.generator(5))
    drawn = (moved / uncertainty.spread(bench.look(network, one))).numpy()
    assert np.abs(drawn.mean(0)).max() < 4.5 / n_draws**0.5
    assert np.abs((drawn**2).mean(0) - 1).max() < 4.5 * (2 / n_draws) ** 0.5
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4.5 / n_draws**0.5


def test_a_state_goes_round_and_later_rows_leave_it_as_it_was(bench: Bench) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(2, 4))
    uncertainty = bench.begun(DiagonalPrecision(), network)
    uncertainty.observe(bench.rows(30), generator=bench.generator())
    state, spread = uncertainty.state(), uncertainty.spread(look)
    uncertainty.observe(bench.rows(30), generator=bench.generator())
    other = bench.begun(DiagonalPrecision(), network)
    other.restore(state)
    torch.testing.assert_close(other.spread(look), spread, rtol=0, atol=0)
    other.observe(bench.rows(30), generator=bench.generator())
    torch.testing.assert_close(other.state(), uncertainty.state(), rtol=0, atol=0)


def test_a_state_of_another_network_is_refused(bench: Bench) -> None:
    uncertainty = bench.begun(DiagonalPrecision(), bench.network())
    with pytest.raises(InvalidInputError, match="state: expected tensors of shapes"):
        uncertainty.restore(bench.begun(DiagonalPrecision(), bench.network((4,))).state())
    with pytest.raises(InvalidInputError, match="state: expected tensors of shapes"):
        uncertainty.restore({})


@pytest.mark.parametrize("prior", [0.0, -1.0, float("inf"), float("nan")])
def test_priors_that_leave_no_bounds_are_refused(prior: float) -> None:
    with pytest.raises(InvalidInputError, match="prior: expected a finite number > 0"):
        DiagonalPrecision(prior=prior)
