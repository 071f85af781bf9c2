from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.exposure import BrowsingModel, ClickCounts, DocumentCTR, PositionBasedModel, RankCTR
from sojourn.interfaces import ClickModel
from sojourn.records import LogBatch
from sojourn.simulation import BrowsingClicks

BatchOf = Callable[..., LogBatch]

W = np.array([[0.0, 0.0, 0.0, 1.0], [0.8, 0.0, 0.0, 0.5], [0.6, 0.9, 0.0, 0.4], [0.3, 0.5, 0.7, 0.2]])
G = np.array([0.5, 0.2, 0.4, 0.1, 0.3, 0.6])


def browsed(batch_of: BatchOf, n_pages: int, rng: np.random.Generator) -> LogBatch:
    """Pages of random items whose clicks follow W and G."""
    item = rng.random((n_pages, len(G))).argsort(axis=1)[:, : len(W)]
    uniform, click = rng.random(item.shape), np.zeros(item.shape)
    last = np.full(n_pages, -1)
    for rank in range(len(W)):
        click[:, rank] = uniform[:, rank] < W[rank, last] * G[item[:, rank]]
        last = np.where(click[:, rank] == 1, rank, last)
    return batch_of(item, click)


def pages_one_by_one(batch: LogBatch) -> list[tuple[int, tuple[int, int], bool]]:
    """(item, (position, last click above), clicked) of each shown slot."""
    slots = []
    for items, positions, clicks in zip(batch.item, batch.position, batch.click, strict=True):
        last = -1
        for a, i, c in zip(items.tolist(), positions.tolist(), clicks.tolist(), strict=True):
            if a != -1:
                slots.append((a, (i, last), c == 1.0))
                last = i if c == 1.0 else last
    return slots


def em_by_impression(
    batch: LogBatch, n_iterations: int, prior: tuple[float, float], anchor: bool
) -> tuple[dict[tuple[int, int], float], dict[int, float]]:
    """The EM of the literature, one impression after the other."""
    slots = pages_one_by_one(batch)
    w, g = {context: 0.5 for _, context, _ in slots}, {a: 0.5 for a, _, _ in slots}
    if anchor:
        w[0, -1] = 1.0
    for _ in range(n_iterations):
        seen, drawn = {context: [*prior] for context in w}, {a: [*prior] for a in g}
        for a, context, clicked in slots:
            none = 1.0 - w[context] * g[a]
            e, h = (1.0, 1.0) if clicked else (w[context] * (1.0 - g[a]) / none, g[a] * (1.0 - w[context]) / none)
            for sums, hit in ((seen[context], e), (drawn[a], h)):
                sums[0] += hit
                sums[1] += 1.0 - hit
        w = {c: 1.0 if anchor and c == (0, -1) else hit / (hit + miss) for c, (hit, miss) in seen.items()}
        g = {a: hit / (hit + miss) for a, (hit, miss) in drawn.items()}
    return w, g


@pytest.mark.parametrize("anchor", [True, False])
@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.3, 0.9)])
def test_aggregated_em_equals_em_by_impression(
    batch_of: BatchOf, rng: np.random.Generator, prior: tuple[float, float], anchor: bool
) -> None:
    batch = batch_of(rng.integers(-1, 6, (80, 4)), rng.random((80, 4)) < 0.4)
    w, g = em_by_impression(batch, 7, prior, anchor)
    model = BrowsingModel(
        max_iterations=7, tolerance=0.0, item_prior=prior, context_prior=prior, anchor_first=anchor, accelerate=False
    ).fit(batch)
    for context, weight in w.items():
        assert model.weights[context] == pytest.approx(weight, rel=1e-12)
    np.testing.assert_allclose(model.attraction(np.arange(6)), [g[a] for a in range(6)], rtol=1e-12)
    assert model.n_parameters == len(w) - anchor + len(g)


@pytest.fixture
def fitted(batch_of: BatchOf, rng: np.random.Generator) -> BrowsingModel:
    return BrowsingModel().fit(browsed(batch_of, 3000, rng))


def test_it_is_a_click_model(fitted: BrowsingModel) -> None:
    assert isinstance(fitted, ClickModel)
    assert fitted.weights.shape == (4, 4)
    assert fitted.weights[0, -1] == 1.0
    assert (fitted.weights[np.triu_indices(3)] == 0.0).all()  # no click can lie at or below the slot
    assert fitted.report.standard_errors.shape == (4, 4)


@pytest.mark.parametrize("position", [[0, 1, 2], [1, 2, 3], [0, 2, 3]])
def test_readings_equal_an_enumeration_of_the_clicks(
    fitted: BrowsingModel, batch_of: BatchOf, position: list[int]
) -> None:
    patterns = np.array(list(product([0, 1], repeat=3)))
    pages = batch_of(np.broadcast_to([2, 0, 5], patterns.shape), patterns, position=position)
    w, g = fitted.weights, fitted.attraction(np.array([2, 0, 5]))
    probability, filtered = np.ones(8), np.zeros((8, 3))
    for row, clicks in enumerate(patterns):
        last = -1
        for slot, (place, clicked) in enumerate(zip(position, clicks, strict=True)):
            filtered[row, slot] = w[place, last]
            p = w[place, last] * g[slot]
            probability[row] *= p if clicked else 1.0 - p
            last = place if clicked else last
    np.testing.assert_allclose(fitted.filtered_examination(pages), filtered)
    np.testing.assert_allclose(np.exp(fitted.log_likelihood(pages)), probability)
    np.testing.assert_allclose(fitted.examination(pages), np.broadcast_to(probability @ filtered, (8, 3)))
    np.testing.assert_allclose(fitted.click_probability(pages)[0], probability @ patterns)
    np.testing.assert_allclose(probability @ fitted.posterior_examination(pages), probability @ filtered)


def test_expected_clicks_are_those_of_the_simulated_readers(fitted: BrowsingModel, batch_of: BatchOf) -> None:
    weights = np.zeros((6, 6))  # six items, of which four are shown
    weights[:4, [0, 1, 2, -1]] = fitted.weights
    readers = BrowsingClicks(attraction=fitted.attraction(np.arange(6)), examination=weights)
    slates = np.array([[0, 1, 2, 3], [5, 0, 4, 2]])
    expected = fitted.click_probability(batch_of(slates, np.zeros((2, 4)))).sum(axis=1)
    np.testing.assert_allclose(readers.expected_clicks(slates), expected)


def test_simulated_clicks_follow_the_model(fitted: BrowsingModel, batch_of: BatchOf, rng: np.random.Generator) -> None:
    n = 20_000
    page = batch_of(np.tile([2, 0, -1, 5], (n, 1)), np.ones((n, 4)), position=[0, 1, 9, 3])
    click = fitted.simulate(page, rng=rng)
    assert set(np.unique(click)) == {0.0, 1.0}
    p = fitted.click_probability(page)[0]
    assert click[:, 2].max() == 0.0
    z = (click.mean(axis=0) - p)[[0, 1, 3]] / np.sqrt(p * (1 - p) / n)[[0, 1, 3]]
    assert np.abs(z).max() < 4.0
    drawn = batch_of(page.item, click, position=[0, 1, 9, 3])  # and the clicks depend on one another as they should
    expected = fitted.filtered_examination(drawn)[:, 3] * fitted.attraction(np.array([5]))
    residual = drawn.click[:, 3] - expected
    for clicked_above in (drawn.click[:, 1] == 1, drawn.click[:, 1] == 0):
        spread = np.sqrt((expected * (1 - expected))[clicked_above].sum())
        assert abs(residual[clicked_above].sum()) < 4.0 * spread


def test_recovery_within_three_standard_errors(batch_of: BatchOf, rng: np.random.Generator) -> None:
    batch = browsed(batch_of, 20_000, rng)
    model = BrowsingModel().fit(batch)
    rank, last = np.array([(i, j) for i in range(1, 4) for j in range(-1, i)]).T
    z = (model.weights - W)[rank, last] / model.report.standard_errors[rank, last]
    assert np.abs(z).max() < 3.0
    np.testing.assert_allclose(model.attraction(np.arange(6)), G, atol=0.02)
    assert model.report.converged
    assert model.report.warnings == ()
    assert model.log_likelihood(batch).sum() > PositionBasedModel().fit(batch).log_likelihood(batch).sum() + 100


def test_what_an_empty_slot_holds_is_ignored(fitted: BrowsingModel, batch_of: BatchOf) -> None:
    ragged = batch_of([[3, -1, 4, -1]], [[1, 1, 0, 1]], position=[0, 77, 2, 0])
    dense = batch_of([[3, 4]], [[1, 0]], position=[0, 2])
    for name in ("examination", "filtered_examination", "posterior_examination", "click_probability"):
        read = getattr(fitted, name)
        np.testing.assert_allclose(read(ragged)[:, [0, 2]], read(dense))
        assert (read(ragged)[:, [1, 3]] == 0.0).all()
    np.testing.assert_allclose(fitted.log_likelihood(ragged), fitted.log_likelihood(dense))
    again = BrowsingModel().fit(ragged)
    np.testing.assert_array_equal(again.weights, BrowsingModel().fit(dense).weights)


def test_an_unknown_context_takes_the_weight_one_position_up(batch_of: BatchOf) -> None:
    # Without clicks at 0 and 1 the pair (2, 1) is unknown; (1, 0), one up, is too; (0, none) is the first.
    model = BrowsingModel().fit(batch_of([[0, 1, 2], [2, 0, 1]], [[0, 0, 1], [0, 0, 0]]))
    w = model.weights
    assert w[2, 1] == w[1, 0] == w[0, -1] == 1.0
    assert w[2, 0] == w[1, -1]


def test_a_page_deeper_than_the_log_moves_up_with_its_last_click(fitted: BrowsingModel, batch_of: BatchOf) -> None:
    deep = batch_of(np.tile(np.arange(6), (2, 1)), [[0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
    w = fitted.weights
    np.testing.assert_array_equal(fitted.filtered_examination(deep)[0, 3:], [w[3, 2], w[3, 1], w[3, 0]])
    np.testing.assert_array_equal(fitted.filtered_examination(deep)[1, 3:], [w[3, -1]] * 3)


def test_a_log_that_starts_below_the_top_is_anchored_at_its_first_position(batch_of: BatchOf) -> None:
    model = BrowsingModel().fit(batch_of([[0, 1], [1, 0]], [[1, 0], [0, 1]], position=[2, 5]))
    assert model.weights.shape == (6, 6)
    assert model.weights[2, -1] == 1.0
    assert model.report.standard_errors[2, -1] == 0.0
    assert np.isinf(model.report.standard_errors[5, 4])


def test_positions_that_do_not_rise_are_refused(fitted: BrowsingModel, batch_of: BatchOf) -> None:
    for page in ([0, 2, 1], [0, 1, 1]):
        batch = batch_of([[0, 1, 2]], [[1, 0, 0]], position=page)
        with pytest.raises(InvalidInputError, match="sort the slots"):
            BrowsingModel().fit(batch)
        for read in (fitted.examination, fitted.filtered_examination):
            with pytest.raises(InvalidInputError, match="expected to rise"):
                read(batch)


def test_a_log_may_come_in_parts(batch_of: BatchOf, rng: np.random.Generator) -> None:
    batch = browsed(batch_of, 300, rng)
    model = BrowsingModel()
    parts = [model.counts(batch.take(part)) for part in (slice(100), slice(100, None))]
    summed = model.fit_counts(parts[0] + parts[1]).weights
    np.testing.assert_array_equal(summed, BrowsingModel().fit(batch).weights)


def test_counts_of_another_kind_are_refused(batch_of: BatchOf) -> None:
    page = batch_of([[0, 1]], [[1, 0]])
    by_position, by_click = ClickCounts.from_batch(page), BrowsingModel().counts(page)
    with pytest.raises(InvalidInputError, match=r"make them with BrowsingModel\.counts"):
        BrowsingModel().fit_counts(by_position)
    for model in (PositionBasedModel(), RankCTR(), DocumentCTR()):
        with pytest.raises(InvalidInputError, match="expected counts by position, got counts by last click"):
            model.fit_counts(by_click)
    with pytest.raises(InvalidInputError, match="one kind"):
        by_position + by_click


@pytest.mark.parametrize("model", [PositionBasedModel, BrowsingModel])
@pytest.mark.parametrize("prior", [None, (0.0, 0.0)])
@pytest.mark.parametrize(
    ("case", "warning"),
    [
        ("one position", "nothing to compare"),
        ("never moved", "not identifiable"),
        ("no click", "not one click in 400 views"),
        ("all clicks", "nothing but clicks in 400 views"),
    ],
)
def test_logs_that_say_little_are_named(
    model: type[PositionBasedModel | BrowsingModel],
    prior: tuple[float, float] | None,
    case: str,
    warning: str,
    batch_of: BatchOf,
    rng: np.random.Generator,
) -> None:
    item, click = rng.integers(0, 9, (100, 4)), rng.random((100, 4)) < 0.4
    logs = {
        "one position": batch_of(item[:, :1], click[:, :1]),
        "never moved": batch_of(np.tile(np.arange(4), (100, 1)), click),
        "no click": batch_of(item, np.zeros((100, 4))),
        "all clicks": batch_of(item, np.ones((100, 4))),
    }
    fitted = model(item_prior=prior).fit(logs[case])
    assert any(warning in each for each in fitted.report.warnings)
    assert not np.isnan(fitted.report.standard_errors).any()
    page = batch_of(item, click)
    for name in ("examination", "filtered_examination", "posterior_examination", "click_probability"):
        read = getattr(fitted, name)(page)
        assert read.min() >= 0.0
        assert read.max() <= 1.0


def test_a_long_list_of_contexts_is_cut(batch_of: BatchOf, rng: np.random.Generator) -> None:
    report = BrowsingModel().fit(batch_of(np.tile(np.arange(5), (200, 1)), rng.random((200, 5)) < 0.5)).report
    joined = next(each for each in report.warnings if "not identifiable" in each)
    assert "1 after a click at 0" in joined
    assert "and 9 more]" in joined


def test_pages_too_long_for_their_pairs_are_refused(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="last click: expected fewer than 10000 contexts"):
        BrowsingModel().fit(batch_of([[0, 1]], [[0, 1]], position=[0, 150]))


def test_an_unfitted_model_says_so(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="BrowsingModel: expected a fitted model"):
        BrowsingModel().examination(batch_of([[0]], [[0]]))


def test_weights_are_a_copy(fitted: BrowsingModel) -> None:
    before = fitted.weights
    fitted.weights[:] = 0.0
    np.testing.assert_array_equal(fitted.weights, before)
