from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import rankdata

from sojourn.errors import InvalidInputError
from sojourn.evaluation import auc, auc_stderr, top_jaccard, top_ndcg
from sojourn.evaluation.ranking import ranks
from sojourn.records import FloatArray


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=12))
def test_auc_equals_the_count_of_pairs(rows: list[tuple[int, bool]]) -> None:
    score, happened = np.array([row[0] for row in rows], dtype=np.float64), np.array([row[1] for row in rows])
    if happened.all() or not happened.any():
        return
    pairs = [
        (ours > theirs) + 0.5 * (ours == theirs) for ours in score[happened] for theirs in score[~happened]
    ]  # with many ties
    assert auc(score, happened) == pytest.approx(np.mean(pairs))
    assert auc(-score, happened) == pytest.approx(1.0 - np.mean(pairs))
    assert auc(score**3, happened.astype(np.float64)) == pytest.approx(np.mean(pairs))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12))
def test_ranks_are_scipys(scores: list[int]) -> None:
    assert_allclose(ranks(np.array(scores, dtype=np.float64)), rankdata(scores))


def _sessions(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """Rows of 6 per session that share much of their score, and their outcome."""
    taste = rng.normal(size=(n, 1))
    score = (taste + 0.3 * rng.normal(size=(n, 6))).ravel()
    return score, np.repeat(rng.random(n) < 1.0 / (1.0 + np.exp(1.0 - taste[:, 0])), 6).astype(np.float64)


def test_aucs_error_is_the_spread_of_many_logs() -> None:
    rng, session = np.random.default_rng(4), np.repeat(np.arange(60), 6)
    found = [
        (auc(*rows), auc_stderr(*rows, session), auc_stderr(*rows, np.arange(360)))
        for rows in (_sessions(rng, 60) for _ in range(300))
    ]
    values, told, naive = np.array(found).T
    assert told.mean() / values.std(ddof=1) == pytest.approx(1.0, abs=0.2)
    assert naive.mean() < 0.7 * told.mean()


def test_jaccard_by_hand() -> None:
    first = np.array([[4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
    second = np.array([[4.0, 1.0, 3.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
    assert_allclose(top_jaccard(first, second, 2), [1.0 / 3.0, 0.0])
    assert_allclose(top_jaccard(first, second, 4), [1.0, 1.0])
    assert_allclose(top_jaccard(first, second, 20), [1.0, 1.0])  # all there are


def test_ndcg_by_hand() -> None:
    first = np.array([[4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
    second = np.array([[0.0, 9.0, 8.0, 7.0], [9.0, 0.0, 0.0, 8.0]])  # tops of 3: {1, 2, 3}; {0, 3, 1}, ties to row 1
    gain = 1.0 / np.log2([2.0, 3.0, 4.0])
    expected = [(gain[1] + gain[2]) / gain.sum(), (gain[0] + gain[1]) / gain.sum()]
    assert_allclose(top_ndcg(first, second, 3), expected)
    assert_allclose(top_ndcg(first, first, 3), 1.0)
    assert_allclose(top_ndcg(first, -first, 2), 0.0)


def test_orders_that_have_nothing_to_do_with_each_other_share_by_chance(rng: np.random.Generator) -> None:
    first, second = rng.random((3000, 80)), rng.random((3000, 80))
    shared = 20.0 * 20.0 / 80.0  # on average
    assert top_jaccard(first, second, 20).mean() == pytest.approx(shared / (40.0 - shared), abs=0.01)
    assert top_ndcg(first, second, 20).mean() == pytest.approx(0.25, abs=0.01)


def test_one_person_gives_a_number_and_any_batch_its_shape(rng: np.random.Generator) -> None:
    first, second = rng.random((2, 3, 10)), rng.random((2, 3, 10))
    for measure in (top_jaccard, top_ndcg):
        each = measure(first, second, 4)
        assert each.shape == (2, 3)
        assert measure(first[1, 2], second[1, 2], 4) == each[1, 2]


@pytest.mark.parametrize(
    ("score", "outcome", "match"),
    [
        (np.arange(3.0), np.ones(3), "both of them"),
        (np.arange(3.0), np.zeros(3), "both of them"),
        (np.arange(3.0), np.array([0.0, 0.5, 1.0]), "expected 0 and 1"),
        (np.arange(3.0), np.array([0.0, np.nan, 1.0]), "expected 0 and 1"),
        (np.array([0.0, np.nan, 1.0]), np.array([0.0, 1.0, 1.0]), "finite"),
        (np.arange(3.0), np.array([0.0, 1.0]), "shape"),
    ],
)
def test_bad_rows_are_refused(score: FloatArray, outcome: FloatArray, match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        auc(score, outcome)
    with pytest.raises(InvalidInputError, match=match):
        auc_stderr(score, outcome, np.arange(len(score)))


@pytest.mark.parametrize(
    ("first", "second", "n_top", "match"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), 2, r"one shape .*got \(2, 3\) and \(2, 4\)"),
        (np.zeros((2, 0)), np.zeros((2, 0)), 2, "m >= 1"),
        (np.zeros(3), np.zeros(3), 0, "n_top: expected at least 1, got 0"),
        (np.full(3, np.nan), np.zeros(3), 2, "first"),
        (np.zeros(3), np.full(3, np.inf), 2, "second"),
    ],
)
def test_bad_lists_are_refused(first: FloatArray, second: FloatArray, n_top: int, match: str) -> None:
    for measure in (top_jaccard, top_ndcg):
        with pytest.raises(InvalidInputError, match=match):
            measure(first, second, n_top)
