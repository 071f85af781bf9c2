from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError
from sojourn.exposure import ClickCounts, PositionBasedModel
from sojourn.interfaces import ClickModel
from sojourn.records import LogBatch

BatchOf = Callable[..., LogBatch]
Simulated = Callable[..., LogBatch]
PyClick = {"item_prior": (1.0, 1.0), "position_prior": (1.0, 1.0), "anchor_first": False, "accelerate": False}

W = np.array([1.0, 0.6, 0.3])
G = np.array([0.5, 0.2, 0.4, 0.1])


def em_by_impression(
    batch: LogBatch,
    n_iterations: int,
    item_prior: tuple[float, float],
    position_prior: tuple[float, float],
    anchor: bool,
) -> tuple[dict[int, float], dict[int, float]]:
    """The EM of the literature, one impression after the other."""
    shown = [
        (int(a), int(i), bool(c))
        for a, i, c in zip(batch.item.ravel(), batch.position.ravel(), batch.click.ravel(), strict=True)
        if a != -1
    ]
    w = {i: 0.5 for _, i, _ in shown}
    g = {a: 0.5 for a, _, _ in shown}
    if anchor:
        w[0] = 1.0
    for _ in range(n_iterations):
        seen = {i: list(position_prior) for i in w}  # hits, misses
        drawn = {a: list(item_prior) for a in g}
        for a, i, clicked in shown:
            none = 1.0 - w[i] * g[a]
            e, h = (1.0, 1.0) if clicked else (w[i] * (1.0 - g[a]) / none, g[a] * (1.0 - w[i]) / none)
            seen[i][0] += e
            seen[i][1] += 1.0 - e
            drawn[a][0] += h
            drawn[a][1] += 1.0 - h
        w = {i: 1.0 if anchor and i == 0 else hit / (hit + miss) for i, (hit, miss) in seen.items()}
        g = {a: hit / (hit + miss) for a, (hit, miss) in drawn.items()}
    return w, g


@pytest.mark.parametrize("anchor", [True, False])
@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.3, 0.9)])
def test_aggregated_em_equals_em_by_impression(
    batch_of: BatchOf, rng: np.random.Generator, prior: tuple[float, float], anchor: bool
) -> None:
    batch = batch_of(rng.integers(-1, 6, (60, 4)), rng.random((60, 4)) < 0.3)
    w, g = em_by_impression(batch, 9, prior, (1.0, 1.0), anchor)
    model = PositionBasedModel(
        max_iterations=9, tolerance=0.0, item_prior=prior, anchor_first=anchor, position_prior=(1, 1), accelerate=False
    ).fit(batch)
    np.testing.assert_allclose(model.weights, [w[i] for i in range(4)], rtol=1e-12)
    np.testing.assert_allclose(model.attraction(np.arange(6)), [g[a] for a in range(6)], rtol=1e-12)


def test_first_iteration_by_hand(batch_of: BatchOf) -> None:
    # One item, shown once without a click: w = g = 1/2 give (1/2)(1/2)/(3/4) = 1/3 for both, so (1/3 + 1)/(1 + 2).
    model = PositionBasedModel(max_iterations=1, **PyClick).fit(batch_of([[0]], [[0]]))  # type: ignore[arg-type]
    assert model.weights == pytest.approx([4 / 9])
    assert model.attraction(np.array([0])) == pytest.approx([4 / 9])


def exact_counts(n: int = 10_000) -> ClickCounts:
    """Counts that follow W and G without noise."""
    item, position = (axis.ravel() for axis in np.indices((len(G), len(W))))
    clicks = np.round(n * W[position] * G[item]).astype(np.int64)
    return ClickCounts(item=item, context=position, n_views=np.full(len(item), n), n_clicks=clicks)


@pytest.mark.parametrize("accelerate", [True, False])
def test_noiseless_clicks_give_the_parameters_back(accelerate: bool) -> None:
    model = PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0), tolerance=1e-10, accelerate=accelerate)
    model.fit_counts(exact_counts())
    np.testing.assert_allclose(model.weights, W, atol=1e-6)
    np.testing.assert_allclose(model.attraction(np.arange(4)), G, atol=1e-6)
    assert model.report.converged
    assert model.report.warnings == ()


def test_acceleration_reaches_the_same_point_in_fewer_iterations() -> None:
    rare = ClickCounts(
        item=exact_counts().item,
        context=exact_counts().context,
        n_views=np.full(12, 1_000_000),
        n_clicks=exact_counts().n_clicks,
    )
    fast, plain = (
        PositionBasedModel(max_iterations=20_000, accelerate=accelerate).fit_counts(rare)
        for accelerate in (True, False)
    )
    np.testing.assert_allclose(fast.weights, plain.weights, atol=5e-4)  # a tenth of a standard error
    assert fast.report.n_iterations < 0.2 * plain.report.n_iterations


cells = st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(1, 30), st.integers(0, 30))
pseudo = st.sampled_from([(0.0, 0.0), (0.1, 0.1), (0.02, 0.98), (1.0, 1.0), (5.0, 0.0)])


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(cells, min_size=1, max_size=12, unique_by=lambda row: row[:2]),
    item_prior=pseudo,
    position_prior=pseudo,
    anchor=st.booleans(),
    accelerate=st.booleans(),
)
@example(  # without a prior or a click the free weight of the first position underflows
    rows=[(0, 0, 1, 0), (0, 1, 1, 1), (1, 2, 1, 0)],
    item_prior=(0.0, 0.0),
    position_prior=(0.0, 0.0),
    anchor=False,
    accelerate=True,
)
def test_the_log_posterior_never_falls_and_estimates_stay_probabilities(
    rows: list[tuple[int, int, int, int]],
    item_prior: tuple[float, float],
    position_prior: tuple[float, float],
    anchor: bool,
    accelerate: bool,
) -> None:
    item, position, n_views, n_clicks = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    counts = ClickCounts(item=item, context=position, n_views=n_views, n_clicks=np.minimum(n_clicks, n_views))
    model = PositionBasedModel(
        max_iterations=60,
        item_prior=item_prior,
        position_prior=position_prior,
        anchor_first=anchor,
        accelerate=accelerate,
    ).fit_counts(counts)
    trace = model.report.log_posterior
    assert np.isfinite(trace).all()
    assert np.diff(trace).min() >= -1e-9 * (1.0 + np.abs(trace).max())
    for estimate in (model.weights, model.attraction(np.arange(5))):
        assert estimate.min() >= 0.0
        assert estimate.max() <= 1.0
    if anchor:
        assert model.weights[position.min()] == 1.0
    if item_prior == position_prior == (0.0, 0.0):
        np.testing.assert_array_equal(trace, model.report.log_likelihood)


def test_recovery_and_calibration_of_the_standard_errors(simulated: Simulated, rng: np.random.Generator) -> None:
    w, g = np.array([1.0, 0.7, 0.5, 0.3]), np.linspace(0.05, 0.4, 12)
    z = []
    for _ in range(60):
        model = PositionBasedModel().fit(simulated(w, g, 2_000, rng=rng))
        z.append((model.weights[1:] - w[1:]) / model.report.standard_errors[1:])
    assert np.abs(np.mean(z, axis=0)).max() < 3.5 / np.sqrt(60)  # 3 z-scores and a little of the prior's pull
    # The spread of 60 z-scores has itself a relative error of 1 / sqrt(118) = .092; three of these.
    assert 0.72 < np.std(z, axis=0).min() <= np.std(z, axis=0).max() < 1.28


def test_rare_clicks_on_rare_items_do_not_pull_the_weights_down(simulated: Simulated, rng: np.random.Generator) -> None:
    w, g = np.array([1.0, 0.6, 0.4]), np.full(2_000, 0.02)
    batch = simulated(w, g, 20_000, rng=rng)
    model = PositionBasedModel().fit(batch)
    assert (np.abs(model.weights - w)[1:] < 3 * model.report.standard_errors[1:]).all()
    far_prior = PositionBasedModel(item_prior=(1, 1)).fit(batch)
    assert (far_prior.weights[1:] < 0.5 * w[1:]).all()
    assert any("pseudo-clicks" in warning for warning in far_prior.report.warnings)


@pytest.fixture
def fitted() -> PositionBasedModel:
    return PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0), tolerance=1e-10).fit_counts(exact_counts())


def test_it_is_a_click_model(fitted: PositionBasedModel) -> None:
    assert isinstance(fitted, ClickModel)
    assert fitted.n_parameters == 2 + 4


def test_page_probabilities_sum_to_one(fitted: PositionBasedModel, batch_of: BatchOf) -> None:
    patterns = np.array(list(product([0, 1], repeat=3)))
    pages = batch_of(np.broadcast_to([2, 0, 3], patterns.shape), patterns)
    probability = np.exp(fitted.log_likelihood(pages))
    assert probability.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(probability @ patterns, fitted.click_probability(pages)[0])
    np.testing.assert_allclose(probability @ patterns, W * G[[2, 0, 3]], atol=1e-6)


def test_posterior_examination_is_bayes_rule(fitted: PositionBasedModel, batch_of: BatchOf) -> None:
    page = batch_of([[0, 1, 2]], [[0, 1, 0]])
    posterior = fitted.posterior_examination(page)[0]
    assert posterior[1] == 1.0
    seen_without_click = W[2] * (1 - G[2])
    assert posterior[2] == pytest.approx(seen_without_click / (seen_without_click + (1 - W[2])), abs=1e-6)
    patterns = np.array(list(product([0, 1], repeat=3)))
    pages = batch_of(np.broadcast_to([0, 1, 2], patterns.shape), patterns)
    mean_posterior = np.exp(fitted.log_likelihood(pages)) @ fitted.posterior_examination(pages)
    np.testing.assert_allclose(mean_posterior, fitted.examination(page)[0])


def test_empty_slots_count_for_nothing(fitted: PositionBasedModel, batch_of: BatchOf) -> None:
    ragged, short = batch_of([[0, 1, -1]], [[1, 0, 1]], position=[0, 1, 77]), batch_of([[0, 1]], [[1, 0]])
    for read in (fitted.examination, fitted.posterior_examination, fitted.click_probability):
        assert read(ragged)[0, 2] == 0.0
        np.testing.assert_array_equal(read(ragged)[:, :2], read(short))
    np.testing.assert_array_equal(fitted.log_likelihood(ragged), fitted.log_likelihood(short))
    refit = PositionBasedModel().fit(batch_of([[0, 1, -1], [1, 0, -1]], [[1, 0, 0], [0, 1, 0]], position=[0, 1, 77]))
    assert len(refit.weights) == 2


def test_an_unknown_item_takes_the_pooled_attraction(fitted: PositionBasedModel) -> None:
    unseen, seen = fitted.attraction(np.array([99])), fitted.attraction(np.arange(4))
    np.testing.assert_allclose(unseen, seen.mean())  # all items were shown equally often


def test_an_unknown_position_takes_the_nearest_weight_above(batch_of: BatchOf) -> None:
    page = batch_of([[0, 1], [1, 0]], [[1, 0], [0, 1]], position=[1, 3])
    model = PositionBasedModel().fit(page)
    assert model.weights[0] == model.weights[1] == model.weights[2] == 1.0
    deeper = batch_of([[0, 1]], [[0, 0]], position=[3, 9])
    np.testing.assert_array_equal(model.examination(deeper), np.full((1, 2), model.weights[3]))


def test_fitting_again_starts_anew(simulated: Simulated, rng: np.random.Generator) -> None:
    first, second = (simulated(W, G, 200, rng=rng) for _ in range(2))
    again = PositionBasedModel().fit(first).fit(second)
    np.testing.assert_array_equal(again.weights, PositionBasedModel().fit(second).weights)


def test_one_iteration_costs_cells_not_impressions(simulated: Simulated, rng: np.random.Generator) -> None:
    assert PositionBasedModel().fit(simulated(W, G, 5_000, rng=rng)).report.n_cells == len(W) * len(G)


@pytest.mark.parametrize(
    "settings_",
    [
        {"max_iterations": 0},
        {"tolerance": -1.0},
        {"item_prior": (-1.0, 1.0)},
        {"position_prior": (1.0, -1.0)},
        {"initial_examination": 0.0},
        {"initial_attraction": 1.0},
    ],
)
def test_impossible_settings_are_refused(settings_: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        PositionBasedModel(**settings_)  # type: ignore[arg-type]


def test_an_unfitted_model_says_so(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="call fit"):
        PositionBasedModel().examination(batch_of([[0]], [[0]]))


def test_a_log_without_impressions_is_refused(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="at least one impression"):
        PositionBasedModel().fit(batch_of([[-1]], [[0]]))
