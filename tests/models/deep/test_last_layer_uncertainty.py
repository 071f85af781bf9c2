from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, DCNv2, DeepFM, FieldNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import LastLayer
from sojourn.records import FieldLayout, Look

LAYOUT = FieldLayout.of_numbers(5)
NETWORKS: dict[str, Callable[[], FieldNetwork]] = {
    "MLP": lambda: MLP(LAYOUT, hidden=(8, 6), base_rate=0.2),
    "no hidden layer": lambda: MLP(LAYOUT, hidden=(), base_rate=0.2),
    "DeepFM": lambda: DeepFM(LAYOUT, embedding_size=3, hidden=(8,)),
    "DCN": lambda: DCNv2(LAYOUT, embedding_size=3, hidden=(8,)),
}


def _network(name: str = "MLP") -> FieldNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NETWORKS[name]().eval()


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


def _begun(uncertainty: LastLayer, network: nn.Module) -> LastLayer:
    uncertainty.begin(network, LAYOUT, lambda layout: network, generator=_generator())
    return uncertainty


def _last_gradients(network: FieldNetwork, features: Tensor) -> NDArray[np.float64]:
    """By the weights and the bias of the last layer, row by row (r, k): what h and the 1 are."""
    parameters = list(network.get_submodule("output").parameters())
    rows = (torch.autograd.grad(network.from_embedding(network.embed(row)), parameters) for row in features)
    return torch.stack([torch.cat([part.flatten() for part in row]) for row in rows]).double().numpy()


def _precision(network: FieldNetwork, rows: TrainRows, prior: float) -> NDArray[np.float64]:
    h = _last_gradients(network, rows.features)
    chance = _look(network, rows.features).log_odds.double().sigmoid().numpy()
    weight = rows.weight.double().numpy() * chance * (1 - chance)
    precision: NDArray[np.float64] = prior * np.eye(h.shape[1]) + np.einsum("r,ri,rj->ij", weight, h, h)
    return precision


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_laplaces_posterior_of_the_last_layer(name: str, diagonal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.models.deep.uncertainty.last_layer._CHUNK", 7)
    network = _network(name)
    rows, features = _rows(40), _features(2, 4)
    uncertainty = _begun(LastLayer(scale=0.7, prior=0.5, diagonal=diagonal), network)
    uncertainty.observe(rows, generator=_generator())
    precision = _precision(network, rows, 0.5)
    covariance = np.diag(1 / np.diag(precision)) if diagonal else np.linalg.inv(precision)
    h = _last_gradients(network, features.flatten(0, 1))
    expected = 0.7 * np.sqrt(np.einsum("ri,ij,rj->r", h, covariance, h)).reshape(2, 4)
    np.testing.assert_allclose(uncertainty.spread(_look(network, features)).numpy(), expected, rtol=1e-4)


@pytest.mark.parametrize("diagonal", [False, True])
def test_draws_are_joint_over_the_candidates_of_a_request(diagonal: bool) -> None:
    network = _network()
    rows, features = _rows(40), _features(1, 3)
    uncertainty = _begun(LastLayer(scale=0.7, diagonal=diagonal), network)
    uncertainty.observe(rows, generator=_generator())
    precision = _precision(network, rows, 1.0)
    covariance = np.diag(1 / np.diag(precision)) if diagonal else np.linalg.inv(precision)
    h = _last_gradients(network, features[0])
    expected = 0.7**2 * h @ covariance @ h.T
    n_draws = 20_000
    look = _look(network, features.expand(n_draws, -1, -1))
    drawn = uncertainty.deviation(look, generator=_generator(5)).double().numpy()
    variance = np.diag(expected)
    assert (np.abs(drawn.mean(0)) < 4.5 * np.sqrt(variance / n_draws)).all()
    error = np.sqrt((np.outer(variance, variance) + expected**2) / n_draws)  # of a covariance of normal draws
    assert (np.abs(drawn.T @ drawn / n_draws - expected) < 4.5 * error).all()


def test_a_request_shares_its_draw_and_requests_do_not() -> None:
    network = _network()
    look = _look(network, _features(1, 1).expand(3, 4, -1))
    moved = _begun(LastLayer(), network).deviation(look, generator=_generator())
    torch.testing.assert_close(moved, moved[:, :1].expand(-1, 4))
    assert len(set(moved[:, 0].tolist())) == 3


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.sampled_from([1e-3, 1.0, 100.0]), st.booleans())
def test_data_never_add_to_the_spread(seed: int, n_rows: int, prior: float, diagonal: bool) -> None:
    network = _network()
    look = _look(network, _features(1, 8, seed=seed))
    uncertainty = _begun(LastLayer(prior=prior, diagonal=diagonal), network)
    before = uncertainty.spread(look)
    for block in range(3):
        uncertainty.observe(_rows(n_rows, seed + block), generator=_generator())
        after = uncertainty.spread(look)
        assert (after <= before * (1 + 1e-4)).all()
        before = after
    assert torch.isfinite(before).all()


def test_forgetting_fades_what_is_known_and_never_the_prior() -> None:
    network = _network()
    uncertainty = _begun(LastLayer(forgetting=0.5), network)
    uncertainty.observe(_rows(30, 1), generator=_generator())
    first = uncertainty.state()["information"]
    uncertainty.observe(_rows(30, 2), generator=_generator())
    fresh = _begun(LastLayer(), network)
    fresh.observe(_rows(30, 2), generator=_generator())
    torch.testing.assert_close(uncertainty.state()["information"], 0.5 * first + fresh.state()["information"])
    look = _look(network, _features(1, 4))
    nothing = TrainRows(features=torch.zeros(1, 5), click=torch.zeros(1), weight=torch.zeros(1))
    for _ in range(100):
        uncertainty.observe(nothing, generator=_generator())
    torch.testing.assert_close(uncertainty.spread(look), _begun(LastLayer(), network).spread(look))


@pytest.mark.parametrize("times", [1e8, 1e20])  # the second rounds eigenvalues of 0 to far below 0
def test_it_holds_where_hidden_units_say_the_same_over_and_over(times: float) -> None:
    network = _network()
    uncertainty = _begun(LastLayer(prior=1e-2), network)
    row = _features(1)
    rows = TrainRows(features=row, click=torch.zeros(1), weight=torch.full((1,), times))
    uncertainty.observe(rows, generator=_generator())
    look = _look(network, torch.stack([row, 1e4 * row], dim=1))
    spread = uncertainty.spread(look)
    assert torch.isfinite(spread).all()
    chance = float(look.log_odds[0, 0].sigmoid())
    assert spread[0, 0] < 2 / (times * chance * (1 - chance)) ** 0.5 + 1e-4
    assert torch.isfinite(uncertainty.deviation(look, generator=_generator())).all()


@pytest.mark.parametrize("diagonal", [False, True])
def test_a_state_goes_round_and_later_rows_leave_it_as_it_was(diagonal: bool) -> None:
    network = _network()
    look = _look(network, _features(2, 4))
    uncertainty = _begun(LastLayer(diagonal=diagonal), network)
    uncertainty.observe(_rows(30), generator=_generator())
    state, spread = uncertainty.state(), uncertainty.spread(look)
    uncertainty.observe(_rows(30), generator=_generator())
    other = _begun(LastLayer(diagonal=diagonal), network)
    other.restore(state)
    torch.testing.assert_close(other.spread(look), spread, rtol=0, atol=0)
    other.observe(_rows(30), generator=_generator())
    torch.testing.assert_close(other.state(), uncertainty.state(), rtol=0, atol=0)


def test_a_state_of_another_network_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="state: expected tensors of shapes"):
        _begun(LastLayer(), _network()).restore(_begun(LastLayer(), _network("DCN")).state())


def test_it_leaves_no_hook_and_no_random_state_behind() -> None:
    network = _network()
    state = torch.get_rng_state()
    uncertainty = _begun(LastLayer(), network)
    uncertainty.observe(_rows(5), generator=_generator())
    look = _look(network, _features(2, 3))
    assert not uncertainty.spread(look).requires_grad
    assert not uncertainty.deviation(look, generator=_generator()).requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in network.modules())


def test_no_candidates_give_no_numbers() -> None:
    network = _network()
    uncertainty = _begun(LastLayer(), network)
    assert uncertainty.spread(_look(network, _features(1, 0))).shape == (1, 0)
    assert uncertainty.deviation(_look(network, _features(1, 0)), generator=_generator()).shape == (1, 0)


class _Squashed(MLP):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(embedding).tanh()


def test_a_last_layer_whose_output_is_bent_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="added to the log-odds as it is"):
        _begun(LastLayer(), _Squashed(LAYOUT, hidden=(4,)))


@pytest.mark.parametrize("forgetting", [0.0, 1.01, float("nan")])
def test_factors_that_do_not_forget_are_refused(forgetting: float) -> None:
    with pytest.raises(InvalidInputError, match="forgetting: expected a factor in"):
        LastLayer(forgetting=forgetting)


def test_the_other_arguments_are_checked() -> None:
    with pytest.raises(InvalidInputError, match="scale"):
        LastLayer(scale=-1.0)
    with pytest.raises(InvalidInputError, match="prior"):
        LastLayer(prior=0.0)
