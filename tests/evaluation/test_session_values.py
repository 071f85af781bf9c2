"""Values of whole sessions: what they share with those of pages, and what a prediction, an outcome and a doubt do."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError, LogError, MissingPropensitiesError
from sojourn.evaluation import (
    DoublyRobust,
    InversePropensity,
    RewardPrediction,
    SelfNormalized,
    SessionDoublyRobust,
    SessionEstimate,
    SessionEstimator,
    SessionWeighting,
    WeightedLog,
    WeightedSessions,
    Weighting,
)
from sojourn.evaluation.stays import SessionInterval, SessionPages, SessionTerms
from sojourn.records import NO_ITEM, FloatArray, LogBatch

MakeLog = Callable[..., LogBatch]
RandomLog = Callable[[int, int], tuple[LogBatch, FloatArray]]
SAME: list[tuple[SessionWeighting, Weighting]] = [
    ("trajectory", "slate"),
    ("slate", "slate"),
    ("prefix", "prefix"),
    ("slot", "slot"),
]


def stays(rng: np.random.Generator, make_log: MakeLog, n_sessions: int = 40) -> tuple[LogBatch, FloatArray]:
    """Sessions of 1 to 4 pages whose rows are mixed; the last page of a session may be shorter."""
    n_pages = rng.integers(1, 5, size=n_sessions)
    session = rng.permutation(np.repeat(np.arange(n_sessions), n_pages))
    n = len(session)
    click = (rng.random((n, 3)) < 0.4).astype(np.float64)
    item = np.tile(np.arange(3), (n, 1))
    item[rng.random(n) < 0.3, 2] = NO_ITEM
    return make_log(click, rng.uniform(0.3, 0.9, (n, 3)), item=item, session=session), rng.uniform(0.1, 0.9, (n, 3))


def by_session(batch: LogBatch) -> list[list[int]]:
    return [np.flatnonzero(batch.session == session).tolist() for session in np.unique(batch.session)]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_with_one_page_the_values_are_those_of_pages(
    random_log: RandomLog, ours: SessionWeighting, theirs: Weighting
) -> None:
    batch, target = random_log(50, 3)
    session = SessionEstimator(weighting=ours, normalized=False, interval="normal").estimate(batch, target)
    page = InversePropensity(weighting=theirs, interval="normal").estimate(batch, target)
    assert session.value == pytest.approx(page.value, rel=1e-12)
    assert session.stderr == pytest.approx(page.stderr, rel=1e-12)
    np.testing.assert_allclose(session.interval, page.interval, rtol=1e-12)
    normalized = SessionEstimator(weighting=ours).estimate(batch, target)
    assert normalized.value == pytest.approx(SelfNormalized(weighting=theirs).estimate(batch, target).value, rel=1e-12)


@pytest.mark.parametrize("weighting", ["slate", "prefix"])
def test_with_one_page_dr_is_that_of_pages(
    random_log: RandomLog, rng: np.random.Generator, weighting: Weighting
) -> None:
    batch, target = random_log(50, 3)
    prediction = RewardPrediction(logged=rng.random((50, 3)), target=rng.random((50, 3)))
    page = DoublyRobust(weighting=weighting, prediction=prediction).terms(WeightedLog(batch, target))
    estimator = SessionDoublyRobust(
        weighting="slate" if weighting == "slate" else "prefix", normalized=False, prediction=prediction
    )
    assert estimator.estimate(batch, target).value == pytest.approx(page.value, rel=1e-12)


def test_weights_are_products_along_the_session(rng: np.random.Generator, make_log: MakeLog) -> None:
    batch, target = stays(rng, make_log)
    log = WeightedSessions(batch, target)
    assert batch.propensity is not None
    ratio = np.where(batch.shown, target / batch.propensity, 1.0)
    for session, rows in enumerate(by_session(batch)):
        entry = 1.0
        for row in rows:
            np.testing.assert_allclose(log.weights("slot")[row], entry * ratio[row])
            np.testing.assert_allclose(log.weights("prefix")[row], entry * np.cumprod(ratio[row]))
            np.testing.assert_allclose(log.above[row], entry * np.cumprod([1.0, *ratio[row, :-1]]))
            entry *= ratio[row].prod()
            np.testing.assert_allclose(log.weights("slate")[row], entry)
        np.testing.assert_allclose(log.weights("trajectory")[rows], entry)
        assert log.final[session] == pytest.approx(entry)


def test_a_choice_that_the_target_never_makes_ends_the_weight(make_log: MakeLog) -> None:
    batch = make_log(np.ones((4, 1)), np.full((4, 1), 0.5), session=np.array([0, 0, 0, 1]))
    log = WeightedSessions(batch, np.array([[0.25], [0.0], [1.0], [0.5]]))
    np.testing.assert_array_equal(log.weights("prefix")[:, 0], [0.5, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(log.above[:, 0], [1.0, 0.5, 0.0, 1.0])


def test_what_is_to_come_is_the_rest_of_the_session(rng: np.random.Generator, make_log: MakeLog) -> None:
    batch, _ = stays(rng, make_log)
    values = rng.random(batch.item.shape)
    to_go = SessionPages.of(batch).to_go(values)
    for rows in by_session(batch):
        flat = values[rows].ravel()
        np.testing.assert_allclose(to_go[rows].ravel(), np.cumsum(flat[::-1])[::-1])


@pytest.mark.parametrize("weighting", ["trajectory", "slate", "prefix", "slot"])
@pytest.mark.parametrize("normalized", [False, True])
def test_influences_are_the_jackknifes(
    rng: np.random.Generator, make_log: MakeLog, weighting: SessionWeighting, normalized: bool
) -> None:
    batch, target = stays(rng, make_log, n_sessions=12)
    prediction = RewardPrediction(logged=rng.random(batch.item.shape), target=rng.random(batch.item.shape))
    estimators = [SessionEstimator(weighting=weighting, normalized=normalized)]
    if weighting in {"slate", "prefix"}:
        estimators.append(SessionDoublyRobust(weighting=weighting, normalized=normalized, prediction=prediction))
    for estimator in estimators:
        whole = estimator.estimate(batch, target)
        for session in range(12):
            rest = batch.session != session
            without = estimator
            if isinstance(estimator, SessionDoublyRobust):
                part = RewardPrediction(logged=prediction.logged[rest], target=prediction.target[rest])
                without = SessionDoublyRobust(weighting=weighting, normalized=normalized, prediction=part)
            left = without.estimate(batch.take(rest), target[rest]).value
            assert whole.influence[session] == pytest.approx(11 * (whole.value - left), abs=1e-9)


def test_influences_of_light_sessions_are_the_jackknifes_too(rng: np.random.Generator, make_log: MakeLog) -> None:
    batch, target = stays(rng, make_log, n_sessions=40_000)
    assert batch.propensity is not None
    target = np.clip(batch.propensity * rng.uniform(0.9, 1.1, target.shape), 0.0, 1.0)
    whole = SessionEstimator().estimate(batch, target)
    for session in (0, 1, 2):
        rest = batch.session != session
        left = SessionEstimator().estimate(batch.take(rest), target[rest]).value
        assert whole.influence[session] == pytest.approx(39_999 * (whole.value - left), abs=1e-7)


@pytest.mark.parametrize("normalized", [False, True])
def test_the_logging_policy_earns_its_clicks_whatever_the_order_of_the_rows(
    rng: np.random.Generator, make_log: MakeLog, normalized: bool
) -> None:
    batch, _ = stays(rng, make_log)
    assert batch.propensity is not None
    clicks = np.array([batch.reward[rows][batch.shown[rows]].sum() for rows in by_session(batch)])
    estimate = SessionEstimator(normalized=normalized, interval="normal").estimate(batch, batch.propensity)
    assert estimate.value == pytest.approx(clicks.mean())
    assert estimate.stderr == pytest.approx(clicks.std(ddof=1) / np.sqrt(len(clicks)))


@pytest.mark.parametrize("normalized", [False, True])
def test_perfect_predictions_of_a_sure_world_leave_no_doubt(make_log: MakeLog, normalized: bool) -> None:
    # Two pages of one of two items: the first always pays 1 and keeps people, the other pays 2 and ends the session.
    pay, mu, pi = np.array([1.0, 2.0]), np.array([0.5, 0.5]), np.array([0.8, 0.2])
    paths = [(0, 0), (0, 1), (1,), (1,)]
    item = np.concatenate(paths)[:, None]
    session = np.repeat(np.arange(4), [len(path) for path in paths])
    page = np.array([0, 1, 0, 1, 0, 0])[:, None]
    last = pi @ pay
    to_go = np.stack([pay + np.array([last, 0.0]), pay])  # of each item on each page
    batch = make_log(np.zeros((6, 1)), mu[item], reward=pay[item], item=item, session=session)
    prediction = RewardPrediction(logged=to_go[page, item], target=(to_go @ pi)[page])
    estimate = SessionDoublyRobust(normalized=normalized, prediction=prediction).estimate(batch, pi[item])
    assert estimate.value == pytest.approx(to_go[0] @ pi, abs=1e-14)
    assert estimate.stderr == pytest.approx(0.0, abs=1e-14)
    assert estimate.interval == pytest.approx((estimate.value, estimate.value), abs=1e-12)
    assert SessionEstimator(normalized=normalized).estimate(batch, pi[item]).stderr > 0.05


def test_differences_and_ratios_are_taken_session_by_session(rng: np.random.Generator, make_log: MakeLog) -> None:
    batch, target = stays(rng, make_log, n_sessions=200)
    log = WeightedSessions(batch, target)
    estimator = SessionEstimator(normalized=False)
    clicks, items = estimator.estimate_on(log), estimator.estimate_on(log, np.ones(batch.item.shape))
    assert clicks.minus(clicks).interval == (0.0, 0.0)
    assert clicks.over(clicks).stderr == pytest.approx(0.0, abs=1e-15)
    rate = clicks.over(items)
    ones = np.ones(batch.item.shape)
    totals = [log.pages.totals(log.weights("prefix") * log.shown(each)) for each in (batch.reward, ones)]
    left_out = [(totals[0].sum() - totals[0][i]) / (totals[1].sum() - totals[1][i]) for i in range(200)]
    jackknife = np.sqrt(199.0 / 200.0 * np.square(left_out - np.mean(left_out)).sum())
    assert rate.value == pytest.approx(totals[0].sum() / totals[1].sum())
    assert rate.stderr == pytest.approx(jackknife, rel=0.02)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(-5.0, 5.0))
def test_the_t_interval_is_as_wide_as_the_normal_one_or_wider(seed: int, shift: float) -> None:
    influence = np.random.default_rng(seed).exponential(size=30) - 1.0
    terms = SessionTerms(shift, influence)
    t, normal, bootstrap = (
        SessionEstimate.of(terms, method=method, confidence=0.9, seed=1) for method in ("t", "normal", "studentized")
    )
    assert t.interval[0] <= normal.interval[0] <= shift <= normal.interval[1] <= t.interval[1]
    assert bootstrap.interval[0] < shift < bootstrap.interval[1]
    assert sum(t.interval) == pytest.approx(2 * shift)


def test_the_t_intervals_freedom_is_that_of_the_standard_error() -> None:
    even = SessionEstimate.of(SessionTerms(0.0, np.tile([-1.0, 1.0], 5)), method="t", confidence=0.95, seed=0)
    assert even.interval[1] / even.stderr == pytest.approx(2.262157)  # Student's with 9 degrees of freedom
    one_heavy = np.array([99.0] + [-1.0] * 99)
    heavy = SessionEstimate.of(SessionTerms(0.0, one_heavy), method="t", confidence=0.95, seed=0)
    assert heavy.interval[1] / heavy.stderr == pytest.approx(4.1, abs=0.25)  # 2.06 degrees


def test_without_a_doubt_every_interval_is_a_point() -> None:
    terms = SessionTerms(2.0, np.zeros(5))
    for method in get_args(SessionInterval):
        assert SessionEstimate.of(terms, method=method, confidence=0.95, seed=0).interval == (2.0, 2.0)


def test_bootstrap_intervals_lean_the_way_the_sessions_do() -> None:
    skewed = np.random.default_rng(0).pareto(3.0, size=3_000)
    terms = SessionTerms(0.0, skewed - skewed.mean())
    low, high = SessionEstimate.of(terms, method="studentized", confidence=0.95, seed=0).interval
    assert high > -1.1 * low > 0.0  # more room on the side where a rare session may still come


def test_weights_of_whole_sessions_are_diagnosed(rng: np.random.Generator, make_log: MakeLog) -> None:
    batch, target = stays(rng, make_log)
    found = WeightedSessions(batch, target)
    final = found.final
    assert found.diagnostics.n == 40
    assert found.diagnostics.effective_n == pytest.approx(final.sum() ** 2 / np.square(final).sum())
    assert found.diagnostics.mean == pytest.approx(final.mean())


def test_bad_input_is_refused(rng: np.random.Generator, make_log: MakeLog) -> None:
    batch, target = stays(rng, make_log)
    shape = batch.item.shape
    good = RewardPrediction(logged=np.zeros(shape), target=np.zeros(shape))
    with pytest.raises(InvalidInputError, match=r"weighting: expected one of .*'pages'"):
        SessionEstimator(weighting="pages")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="interval: expected one of"):
        SessionEstimator(interval="bca")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="confidence: expected a number in"):
        SessionEstimator(confidence=1.0)
    with pytest.raises(InvalidInputError, match="weighting: expected slate or prefix, got 'trajectory'"):
        SessionDoublyRobust(weighting="trajectory", prediction=good)
    with pytest.raises(InvalidInputError, match="prediction: expected the log's shape"):
        SessionDoublyRobust(prediction=RewardPrediction(logged=np.zeros((2, 3)), target=np.zeros((2, 3)))).estimate(
            batch, target
        )
    with pytest.raises(InvalidInputError, match="reward: expected the log's shape"):
        SessionEstimator().estimate_on(WeightedSessions(batch, target), np.ones((1, 3)))
    with pytest.raises(InvalidInputError, match="target: expected the log's shape"):
        WeightedSessions(batch, target[:-1])
    with pytest.raises(InvalidInputError, match="weighting: expected one of"):
        WeightedSessions(batch, target).weights("pages")  # type: ignore[arg-type]
    one = batch.take(batch.session == 0)
    with pytest.raises(InvalidInputError, match="at least 2 sessions"):
        SessionEstimator().estimate(one, target[: one.n_rounds])
    estimate = SessionEstimator().estimate(batch, target)
    nothing = SessionEstimate.of(SessionTerms(0.0, np.zeros(40)), method="t", confidence=0.95, seed=0)
    with pytest.raises(InvalidInputError, match="other than 0"):
        estimate.over(nothing)
    with pytest.raises(InvalidInputError, match="the same 40 sessions, got 2"):
        estimate.minus(SessionEstimate.of(SessionTerms(0.0, np.zeros(2)), method="t", confidence=0.95, seed=0))


def test_logs_that_cannot_value_a_target_are_refused(make_log: MakeLog) -> None:
    click, session = np.ones((4, 1)), np.array([0, 0, 1, 1])
    with pytest.raises(MissingPropensitiesError, match="exactly 1"):
        WeightedSessions(make_log(click, np.ones((4, 1)), session=session), click)
    with pytest.raises(MissingPropensitiesError, match="holds no propensities"):
        WeightedSessions(make_log(click, None, session=session), click)
    batch = make_log(click, np.full((4, 1), 0.5), session=session)
    with pytest.raises(LogError, match="all weights of page 1, slot 0 are 0"):
        SessionEstimator().estimate(batch, np.array([[1.0], [0.0], [1.0], [0.0]]))
    fallen = make_log(click, np.full((4, 1), 0.5), session=session)
    fallen.step[:] = [3, 0, 0, 3]
    with pytest.raises(InvalidInputError, match="in session 0 the step falls"):
        WeightedSessions(fallen, click)
    with pytest.raises(InvalidInputError, match="closer to the log"):
        SessionEstimator().estimate(
            make_log(np.ones((800, 1)), np.full((800, 1), 0.1), session=np.arange(800) // 400), np.ones((800, 1))
        )
