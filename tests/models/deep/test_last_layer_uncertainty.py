from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import LastLayer

if TYPE_CHECKING:
    from tests.models.deep.conftest import AnyNetwork, Bench


def _last_gradients(bench: Bench, network: AnyNetwork, features: Tensor) -> NDArray[np.float64]:
    """By the weights and the bias of the last layer, row by row (r, k): what h and the 1 are."""
    return bench.gradients(network, features, network.output.parameters()).double().numpy()


def _precision(bench: Bench, network: AnyNetwork, rows: TrainRows, prior: float) -> NDArray[np.float64]:
    h = _last_gradients(bench, network, rows.features)
    chance = bench.look(network, rows.features).log_odds.double().sigmoid().numpy()
    weight = rows.weight.double().numpy() * chance * (1 - chance)
    precision: NDArray[np.float64] = prior * np.eye(h.shape[1]) + np.einsum("r,ri,rj->ij", weight, h, h)
    return precision


@pytest.mark.parametrize("diagonal", [False, True])
def test_it_is_laplaces_posterior_of_the_last_layer(
    bench: Bench, any_network: AnyNetwork, diagonal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.models.deep.uncertainty.last_layer._CHUNK", 7)
    network = any_network
    rows, features = bench.rows(40), bench.features(2, 4)
    uncertainty = bench.begun(LastLayer(scale=0.7, prior=0.5, diagonal=diagonal), network)
    uncertainty.observe(rows, generator=bench.generator())
    precision = _precision(bench, network, rows, 0.5)
    covariance = np.diag(1 / np.diag(precision)) if diagonal else np.linalg.inv(precision)
    h = _last_gradients(bench, network, features.flatten(0, 1))
    expected = 0.7 * np.sqrt(np.einsum("ri,ij,rj->r", h, covariance, h)).reshape(2, 4)
    np.testing.assert_allclose(uncertainty.spread(bench.look(network, features)).numpy(), expected, rtol=1e-4)


@pytest.mark.parametrize("diagonal", [False, True])
def test_draws_are_joint_over_the_candidates_of_a_request(bench: Bench, diagonal: bool) -> None:
    network = bench.network()
    rows, features = bench.rows(40), bench.features(1, 3)
    uncertainty = bench.begun(LastLayer(scale=0.7, diagonal=diagonal), network)
    uncertainty.observe(rows, generator=bench.generator())
    precision = _precision(bench, network, rows, 1.0)
    covariance = np.diag(1 / np.diag(precision)) if diagonal else np.linalg.inv(precision)
    h = _last_gradients(bench, network, features[0])
    expected = 0.7**2 * h @ covariance @ h.T
    n_draws = 20_000
    look = bench.look(network, features.expand(n_draws, -1, -1))
    drawn = uncertainty.deviation(look, generator=bench.generator(5)).double().numpy()
    variance = np.diag(expected)
    assert (np.abs(drawn.mean(0)) < 4.5 * np.sqrt(variance / n_draws)).all()
    error = np.sqrt((np.outer(variance, variance) + expected**2) / n_draws)  # of a covariance of normal draws
    assert (np.abs(drawn.T @ drawn / n_draws - expected) < 4.5 * error).all()


def test_a_request_shares_its_draw_and_requests_do_not(bench: Bench) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(1, 1).expand(3, 4, -1))
    moved = bench.begun(LastLayer(), network).deviation(look, generator=bench.generator())
    torch.testing.assert_close(moved, moved[:, :1].expand(-1, 4))
    assert len(set(moved[:, 0].tolist())) == 3


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.sampled_from([1e-3, 1.0, 100.0]), st.booleans())
def test_data_never_add_to_the_spread(bench: Bench, seed: int, n_rows: int, prior: float, diagonal: bool) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(1, 8, seed=seed))
    uncertainty = bench.begun(LastLayer(prior=prior, diagonal=diagonal), network)
    before = uncertainty.spread(look)
    for block in range(3):
        uncertainty.observe(bench.rows(n_rows, seed + block), generator=bench.generator())
        after = uncertainty.spread(look)
        assert (after <= before * (1 + 1e-4)).all()
        before = after
    assert torch.isfinite(before).all()


def test_forgetting_fades_what_is_known_and_never_the_prior(bench: Bench) -> None:
    network = bench.network()
    uncertainty = bench.begun(LastLayer(forgetting=0.5), network)
    uncertainty.observe(bench.rows(30, 1), generator=bench.generator())
    first = uncertainty.state()["information"]
    uncertainty.observe(bench.rows(30, 2), generator=bench.generator())
    fresh = bench.begun(LastLayer(), network)
    fresh.observe(bench.rows(30, 2), generator=bench.generator())
    torch.testing.assert_close(uncertainty.state()["information"], 0.5 * first + fresh.state()["information"])
    look = bench.look(network, bench.features(1, 4))
    nothing = TrainRows(features=torch.zeros(1, 5), click=torch.zeros(1), weight=torch.zeros(1))
    for _ in range(100):
        uncertainty.observe(nothing, generator=bench.generator())
    torch.testing.assert_close(uncertainty.spread(look), bench.begun(LastLayer(), network).spread(look))


@pytest.mark.parametrize("times", [1e8, 1e20])  # the second rounds eigenvalues of 0 to far below 0
def test_it_holds_where_hidden_units_say_the_same_over_and_over(bench: Bench, times: float) -> None:
    network = bench.network()
    uncertainty = bench.begun(LastLayer(prior=1e-2), network)
    row = bench.features(1)
    rows = TrainRows(features=row, click=torch.zeros(1), weight=torch.full((1,), times))
    uncertainty.observe(rows, generator=bench.generator())
    look = bench.look(network, torch.stack([row, 1e4 * row], dim=1))
    spread = uncertainty.spread(look)
    assert torch.isfinite(spread).all()
    chance = float(look.log_odds[0, 0].sigmoid())
    assert spread[0, 0] < 2 / (times * chance * (1 - chance)) ** 0.5 + 1e-4
    assert torch.isfinite(uncertainty.deviation(look, generator=bench.generator())).all()


@pytest.mark.parametrize("diagonal", [False, True])
def test_a_state_goes_round_and_later_rows_leave_it_as_it_was(bench: Bench, diagonal: bool) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(2, 4))
    uncertainty = bench.begun(LastLayer(diagonal=diagonal), network)
    uncertainty.observe(bench.rows(30), generator=bench.generator())
    state, spread = uncertainty.state(), uncertainty.spread(look)
    uncertainty.observe(bench.rows(30), generator=bench.generator())
    other = bench.begun(LastLayer(diagonal=diagonal), network)
    other.restore(state)
    torch.testing.assert_close(other.spread(look), spread, rtol=0, atol=0)
    other.observe(bench.rows(30), generator=bench.generator())
    torch.testing.assert_close(other.state(), uncertainty.state(), rtol=0, atol=0)


def test_a_state_of_another_network_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidInputError, match="state: expected tensors of shapes"):
        bench.begun(LastLayer(), bench.network()).restore(bench.begun(LastLayer(), bench.network((4,))).state())


def test_it_leaves_no_hook_and_no_random_state_behind(bench: Bench) -> None:
    network = bench.network()
    state = torch.get_rng_state()
    uncertainty = bench.begun(LastLayer(), network)
    uncertainty.observe(bench.rows(5), generator=bench.generator())
    look = bench.look(network, bench.features(2, 3))
    assert not uncertainty.spread(look).requires_grad
    assert not uncertainty.deviation(look, generator=bench.generator()).requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in network.modules())


def test_no_candidates_give_no_numbers(bench: Bench) -> None:
    network = bench.network()
    uncertainty = bench.begun(LastLayer(), network)
    assert uncertainty.spread(bench.look(network, bench.features(1, 0))).shape == (1, 0)
    assert uncertainty.deviation(bench.look(network, bench.features(1, 0)), generator=bench.generator()).shape == (1, 0)


class _Squashed(MLP):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(embedding).tanh()


@pytest.mark.parametrize("seed", range(20))
def test_a_last_layer_whose_output_is_bent_is_refused(bench: Bench, seed: int) -> None:
    torch.manual_seed(seed)  # some have every hidden unit at rest near 0, where a tanh is straight
    with pytest.raises(InvalidInputError, match="added to the log-odds as it is"):
        bench.begun(LastLayer(), _Squashed(bench.layout, hidden=(4,)))


@pytest.mark.parametrize("forgetting", [0.0, 1.01, float("nan")])
def test_factors_that_do_not_forget_are_refused(forgetting: float) -> None:
    with pytest.raises(InvalidInputError, match="forgetting: expected a factor in"):
        LastLayer(forgetting=forgetting)


def test_the_other_arguments_are_checked() -> None:
    with pytest.raises(InvalidInputError, match="scale"):
        LastLayer(scale=-1.0)
    with pytest.raises(InvalidInputError, match="prior"):
        LastLayer(prior=0.0)
