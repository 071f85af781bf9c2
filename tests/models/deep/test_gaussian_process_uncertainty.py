"""A sparse Gaussian process on a network, against its formulas in NumPy."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.stats import norm
from torch import Tensor

from sojourn.errors import InvalidInputError, MissingExtraError
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import GaussianProcess
from sojourn.records import FloatArray

if TYPE_CHECKING:
    from tests.models.deep.conftest import Bench


def trained(bench: Bench, network: MLP, n_steps: int = 20, **arguments: Any) -> GaussianProcess:
    process: GaussianProcess = bench.begun(GaussianProcess(**arguments), network)
    for seed in range(n_steps):
        process.step(bench.rows(seed=seed), generator=bench.generator(seed))
    return process


class Formulas:
    """Du et al. (2021), as in the paper: v and S of u itself, not whitened; all float64."""

    def __init__(self, process: GaussianProcess) -> None:
        values = {name: value.detach().double().numpy() for name, value in process.process.named_parameters()}
        kernel = process.process.covar_module
        self.scale = float(kernel.outputscale.detach())
        self.length = float(kernel.base_kernel.lengthscale.detach())
        self.jitter = float(process.process.variational_strategy.jitter_val)
        self.m = float(values["mean_module.raw_constant"])
        self.Z = values["variational_strategy.inducing_points"]
        self.projection = values["projection"]
        self.K = self.k(self.Z, self.Z) + self.jitter * np.eye(len(self.Z))
        root = np.linalg.cholesky(self.K)
        self.whitened = values["variational_strategy._variational_distribution.variational_mean"]
        self.std = values["variational_strategy._variational_distribution._variational_stddev"]
        self.v = self.m + root @ self.whitened
        self.S = root @ np.diag(self.std**2) @ root.T

    def k(self, a: FloatArray, b: FloatArray) -> FloatArray:
        return np.asarray(self.scale * np.exp(-cdist(a, b, "sqeuclidean") / (2.0 * self.length**2)))

    def mean_and_variance(self, places: FloatArray) -> tuple[FloatArray, FloatArray]:
        weights = self.k(places, self.Z) @ np.linalg.inv(self.K)
        mean = self.m + weights @ (self.v - self.m)
        covariance = self.k(places, places) - weights @ (self.K - self.S) @ weights.T
        return mean, np.diag(covariance) + self.jitter

    def divergence(self) -> float:
        inverse, gap = np.linalg.inv(self.K), self.v - self.m
        log_ratio = np.linalg.slogdet(self.K)[1] - np.linalg.slogdet(self.S)[1]
        return float(0.5 * (np.trace(inverse @ self.S) + gap @ inverse @ gap - len(gap) + log_ratio))


def places_of(network: MLP, formulas: Formulas, features: Tensor) -> FloatArray:
    with torch.no_grad():
        hidden = network.hidden(network.embed(features))
    return np.asarray(hidden.double().numpy() @ formulas.projection.T)


@pytest.mark.parametrize("n_candidates", [3, 30])  # fewer and more than inducing points: GPyTorch has two ways
def test_mean_and_spread_are_those_of_the_formulas(bench: Bench, network: MLP, n_candidates: int) -> None:
    process = trained(bench, network, learning_rate=5e-2)
    look = bench.look(network, bench.features(2, n_candidates, seed=99))
    formulas = Formulas(process)
    mean, variance = formulas.mean_and_variance(places_of(network, formulas, look.features.flatten(end_dim=1)))
    np.testing.assert_allclose((look.log_odds + process.shift(look)).flatten(), mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(process.spread(look).flatten().square(), variance, rtol=2e-3, atol=1e-5)


def test_the_loss_is_the_bound_and_the_pull(bench: Bench, network: MLP) -> None:
    process = trained(bench, network, learning_rate=5e-2, pull=0.7)
    process.observe(bench.rows(30), generator=bench.generator())
    process.observe(bench.rows(35), generator=bench.generator())
    rows, formulas = bench.rows(6, seed=5), Formulas(process)
    places = places_of(network, formulas, rows.features)
    cross_entropy = [
        quad(lambda f, m=m, s=s, y=y: norm.pdf(f, m, s) * (np.logaddexp(0.0, f) - y * f), m - 9 * s, m + 9 * s)[0]
        for m, s, y in zip(*_mean_and_std(formulas, places), rows.click.numpy(), strict=True)
    ]
    nearest = cdist(places, formulas.Z, "sqeuclidean").min(axis=1)
    weight = rows.weight.numpy()
    n_rows = float(bench.rows(30).weight.sum() + bench.rows(35).weight.sum())
    expected = weight @ (cross_entropy + 0.7 * nearest) / weight.sum() + formulas.divergence() / n_rows
    hidden, _ = process._hidden.of_features(rows.features)
    assert float(process._loss(hidden, rows).detach()) == pytest.approx(expected, rel=1e-3)


def _mean_and_std(formulas: Formulas, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean, variance = formulas.mean_and_variance(places)
    return mean, np.sqrt(variance)


def test_before_any_step_the_process_is_its_prior(bench: Bench, network: MLP) -> None:
    process = bench.begun(GaussianProcess(), network)
    look = bench.look(network, bench.features(2, 30))
    torch.testing.assert_close(look.log_odds + process.shift(look), torch.zeros(2, 30), atol=1e-5, rtol=0.0)
    scale = process.process.covar_module.outputscale.detach().sqrt()
    torch.testing.assert_close(process.spread(look), scale.expand(2, 30), atol=1e-3, rtol=0.0)


def test_the_first_step_places_inducing_points_at_rows_and_the_mean_at_their_click_rate(
    bench: Bench, network: MLP
) -> None:
    rows = bench.rows(200)
    process = bench.begun(GaussianProcess(learning_rate=1e-9), network)  # so that the step itself moves nothing
    process.step(rows, generator=bench.generator())
    formulas = Formulas(process)
    assert cdist(formulas.Z, places_of(network, formulas, rows.features)).min(axis=1).max() < 1e-5
    rate = float((rows.click * rows.weight).sum() / rows.weight.sum())
    assert expit(formulas.m) == pytest.approx(rate, abs=0.01)


def test_the_spread_grows_away_from_the_data(bench: Bench, network: MLP) -> None:
    near = 0.1 * bench.features(256)
    rows = TrainRows(features=near, click=(near[:, 0] > 0.0).float(), weight=torch.ones(256))
    process = bench.begun(GaussianProcess(learning_rate=3e-2), network)
    for _ in range(20):
        process.observe(rows, generator=bench.generator())
    for seed in range(80):
        process.step(rows, generator=bench.generator(seed))
    direction = torch.ones(5)
    spread = process.spread(
        bench.look(network, torch.stack([t * direction for t in (0.0, 2.0, 5.0, 20.0, 1000.0)])[None])
    )[0]
    assert (spread[1:-1] >= spread[:-2]).all()
    assert float(spread[-1]) > 1.5 * float(spread[0])
    assert float(spread[-1].square()) == pytest.approx(Formulas(process).scale, rel=1e-2)


def test_it_learns_what_the_hidden_units_tell(bench: Bench, network: MLP) -> None:
    features = bench.features(512)
    truth = 3.0 * torch.where(features[:, 0] > 0.0, 1.0, -1.0)
    with torch.no_grad():  # a network whose hidden units tell the sign
        network.get_parameter("hidden.0.weight")[0] = 5.0 * torch.eye(5)[0]
        network.get_parameter("hidden.2.weight")[0] = 5.0 * torch.eye(8)[0]
    rows = TrainRows(features=features, click=truth.sigmoid(), weight=torch.ones(512))
    process = bench.begun(GaussianProcess(learning_rate=0.1), network)
    process.observe(rows, generator=bench.generator())
    look = bench.look(network, features[None])
    for _ in range(80):
        process.step(rows, generator=bench.generator())
    learned = (look.log_odds + process.shift(look))[0]
    assert float(learned[truth > 0.0].mean()) > 1.0
    assert float(learned[truth < 0.0].mean()) < -1.0


def test_draws_are_normal_with_the_spread_each_candidate_by_itself(bench: Bench, network: MLP) -> None:
    process = trained(bench, network)
    look = bench.look(network, bench.features(1, 2).expand(20_000, -1, -1))
    drawn = (process.deviation(look, generator=bench.generator(3)) / process.spread(look)).numpy()
    assert np.abs(drawn.mean(axis=0)).max() < 4.5 / 20_000**0.5
    assert np.abs(drawn.std(axis=0) - 1.0).max() < 4.5 / 40_000**0.5
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4.5 / 20_000**0.5


def test_the_network_and_the_global_generator_are_left_alone(bench: Bench, network: MLP) -> None:
    with bench.left_alone(network):
        process = trained(bench, network, 2)
        process.deviation(bench.look(network, bench.features(2, 3)), generator=bench.generator())


def test_a_restored_process_goes_on_as_the_stored_one(bench: Bench, network: MLP) -> None:
    stored, restored = trained(bench, network, 3), bench.begun(GaussianProcess(), network, seed=2)
    stored.observe(bench.rows(), generator=bench.generator())
    restored.restore(stored.state())
    look = bench.look(network, bench.features(2, 3))
    for process in (stored, restored):  # which takes Adam's moments, the rows counted, and points placed already
        process.step(bench.rows(seed=9), generator=bench.generator(9))
    assert torch.equal(restored.spread(look), stored.spread(look))
    assert torch.equal(restored.shift(look), stored.shift(look))


def test_what_was_made_of_a_look_is_made_anew_after_a_step(bench: Bench, network: MLP) -> None:
    process, look = trained(bench, network, 1), bench.look(network, bench.features(2, 3))
    before = process.spread(look)
    process.step(bench.rows(), generator=bench.generator())
    assert not torch.equal(process.spread(look), before)


@pytest.mark.parametrize("click", [0.0, 1.0])
def test_features_that_never_change_leave_all_finite(bench: Bench, network: MLP, click: float) -> None:
    process = bench.begun(GaussianProcess(learning_rate=0.1), network)
    rows = TrainRows(features=torch.ones(20, 5), click=torch.full((20,), click), weight=torch.ones(20))
    for seed in range(60):
        process.step(rows, generator=bench.generator(seed))
        process.observe(rows, generator=bench.generator(seed))
    look = bench.look(network, torch.stack([torch.ones(3, 5), 1e4 * torch.ones(3, 5)]))
    assert process.spread(look).isfinite().all()
    assert process.shift(look).isfinite().all()


def test_rows_without_weight_leave_all_finite(bench: Bench, network: MLP) -> None:
    process, rows = bench.begun(GaussianProcess(), network), bench.rows()
    process.step(
        TrainRows(features=rows.features, click=rows.click, weight=torch.zeros(40)), generator=bench.generator()
    )
    assert all(value.isfinite().all() for value in process.state().values())


def test_one_inducing_point_will_do(bench: Bench, network: MLP) -> None:
    process = trained(bench, network, 3, n_inducing=1, n_dimensions=1)
    assert process.spread(bench.look(network, bench.features(1, 1))).isfinite().all()


def test_without_gpytorch_the_error_says_what_to_install(
    bench: Bench, network: MLP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "sojourn.models.deep.uncertainty.sparse_gp", raising=False)
    monkeypatch.setitem(sys.modules, "gpytorch", None)
    with pytest.raises(MissingExtraError, match=r"needs gpytorch.*sojourn\[torch\]"):
        bench.begun(GaussianProcess(), network)


@pytest.mark.parametrize("name", ["n_inducing", "n_dimensions", "learning_rate"])
def test_arguments_of_zero_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name}: expected"):
        GaussianProcess(**{name: 0})


def test_a_pull_below_zero_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="pull: expected a finite number >= 0, got -1"):
        GaussianProcess(pull=-1.0)
