from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.evaluation import log_loss, log_losses, pcoc, reliability
from sojourn.records import FloatArray

PROBABILITY = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.5])
OUTCOME = np.array([0.0, 1.0, 1.0, 1.0, 0.0, 0.0])


def test_bins_by_hand() -> None:
    bins = reliability(PROBABILITY, OUTCOME, n_bins=3)  # {.1, .2}, {.3, .5}, {.8, .9}
    assert_allclose(bins.probability, [0.15, 0.4, 0.85])
    assert_allclose(bins.score, bins.probability)
    assert_allclose(bins.rate, [0.5, 0.0, 1.0])
    assert_array_equal(bins.count, [2, 2, 2])
    assert_allclose(bins.stderr, [np.sqrt(0.5 * 0.5 / 2.0), 0.0, 0.0])
    assert bins.ece == pytest.approx((0.35 + 0.4 + 0.15) / 3.0)
    assert bins.rmse == pytest.approx(np.sqrt((0.35**2 + 0.4**2 + 0.15**2) / 3.0))
    variance = [0.1 * 0.9 + 0.2 * 0.8, 0.3 * 0.7 + 0.25, 0.8 * 0.2 + 0.9 * 0.1]
    assert_allclose(bins.chance, np.sqrt(variance) / 2.0)
    assert bins.rmse_by_chance == pytest.approx(np.sqrt(np.sum(variance) / 4.0 / 3.0))


def test_bins_of_unequal_count_weigh_by_their_rows() -> None:
    probability = np.array([0.2, 0.2, 0.2, 0.6])
    bins = reliability(probability, np.array([0.0, 0.0, 1.0, 1.0]), n_bins=2)
    assert_array_equal(bins.count, [3, 1])
    gaps = np.abs([0.2 - 1.0 / 3.0, 0.6 - 1.0])
    assert bins.ece == pytest.approx((3.0 * gaps[0] + gaps[1]) / 4.0)
    assert bins.rmse == pytest.approx(np.sqrt((3.0 * gaps[0] ** 2 + gaps[1] ** 2) / 4.0))


def test_equal_scores_share_a_bin_whatever_the_order_of_the_log() -> None:
    outcome = np.repeat([0.0, 1.0], 50)  # all that happened came late
    constant = reliability(np.full(100, 0.5), outcome, n_bins=10)
    assert_array_equal(constant.count, [100])
    assert constant.ece == 0.0
    ties = reliability(np.repeat([0.1, 0.4, 0.9], [10, 80, 10]), np.zeros(100), n_bins=10)
    assert_array_equal(ties.count, [10, 80, 10])


def test_bins_hold_equally_many_rows(rng: np.random.Generator) -> None:
    count = reliability(rng.random(1003), np.zeros(1003), n_bins=20).count
    assert len(count) == 20
    assert set(count.tolist()) == {50, 51}


def test_a_score_may_sort_in_place_of_the_probability() -> None:
    score = -PROBABILITY
    bins = reliability(PROBABILITY, OUTCOME, score=score, n_bins=3)
    assert_allclose(bins.probability, [0.85, 0.4, 0.15])
    assert_allclose(bins.score, [-0.85, -0.4, -0.15])


def test_true_probabilities_are_off_by_chance_alone(rng: np.random.Generator) -> None:
    ratio = []
    for _ in range(60):
        p = rng.beta(1.0, 8.0, 4000)
        bins = reliability(p, (rng.random(4000) < p).astype(np.float64))
        ratio.append(bins.rmse**2 / bins.rmse_by_chance**2)
        assert np.abs(bins.rate - bins.probability).max() < 5.0 * bins.chance.max()
    assert np.mean(ratio) == pytest.approx(1.0, abs=4.0 * np.sqrt(2.0 / 20.0 / 60.0))


def test_errors_by_session_see_that_sessions_stick_together(rng: np.random.Generator) -> None:
    session = np.repeat(np.arange(500), 10)
    p = np.repeat(rng.random(500), 10)
    outcome = np.repeat((rng.random(500) < 0.5).astype(np.float64), 10)  # one coin for a whole session
    clustered = reliability(p, outcome, session=session, n_bins=5)
    naive = reliability(p, outcome, n_bins=5)
    assert_allclose(clustered.stderr / naive.stderr, np.sqrt(10.0), rtol=0.02)
    alone = reliability(p, outcome, session=np.arange(5000), n_bins=5)
    assert_allclose(alone.stderr, naive.stderr, rtol=1e-3)


def test_log_loss_by_hand() -> None:
    losses = log_losses(np.array([0.25, 0.25, 1.0, 0.0, 0.5]), np.array([1.0, 0.0, 1.0, 0.0, 0.3]))
    assert_allclose(losses, [np.log(4.0), np.log(4.0 / 3.0), 0.0, 0.0, np.log(2.0)], atol=1e-15)
    assert log_loss(PROBABILITY, OUTCOME) == pytest.approx(log_losses(PROBABILITY, OUTCOME).mean())
    assert log_loss(np.array([0.0, 0.5]), np.array([1.0, 1.0])) == np.inf


def test_pcoc_by_hand() -> None:
    assert pcoc(np.array([0.5, 0.2, 0.3, 0.2]), np.array([1.0, 0.0, 1.0, 0.0])) == pytest.approx(0.6)
    assert pcoc(np.array([0.5, 0.2]), np.zeros(2)) == np.inf


def test_tiny_probabilities_keep_their_digits() -> None:
    assert log_losses(np.array([1e-18]), np.array([0.0]))[0] == pytest.approx(1e-18, rel=1e-9)


def test_the_truth_has_the_lowest_log_loss(rng: np.random.Generator) -> None:
    z = rng.normal(size=50_000) - 2.0
    outcome = (rng.random(50_000) < expit(z)).astype(np.float64)
    losses = [log_loss(expit(slope * z + shift), outcome) for slope, shift in ((1, 0), (0.5, 0), (1, 0.5), (1.5, 0))]
    assert losses[0] == min(losses)


def test_it_becomes_json() -> None:
    told = json.loads(json.dumps(reliability(PROBABILITY, OUTCOME, n_bins=3).to_dict()))
    assert told["ece"] == pytest.approx(0.3)
    assert told["bins"]["count"] == [2, 2, 2]


@pytest.mark.parametrize(
    ("probability", "outcome", "match"),
    [
        (np.array([0.5, 1.1]), np.zeros(2), r"probability: expected values in \[0, 1\], got 0.5 to 1.1"),
        (np.array([0.5, np.nan]), np.zeros(2), "probability"),
        (np.array([0.5, 0.5]), np.array([0.0, -1.0]), "outcome"),
        (np.array([0.5, 0.5]), np.zeros(3), "outcome: expected an array of shape"),
        (np.empty(0), np.empty(0), "no rows"),
        (np.full((2, 1), 0.5), np.zeros(2), "shape"),
    ],
)
def test_bad_rows_are_refused(probability: FloatArray, outcome: FloatArray, match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        reliability(probability, outcome)
    with pytest.raises(InvalidInputError, match=match):
        log_losses(probability, outcome)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="n_bins"):
        reliability(PROBABILITY, OUTCOME, n_bins=0)
    with pytest.raises(InvalidInputError, match="score"):
        reliability(PROBABILITY, OUTCOME, score=np.full(6, np.nan))
    with pytest.raises(InvalidInputError, match="session"):
        reliability(PROBABILITY, OUTCOME, session=np.zeros(5, dtype=np.int64))
    with pytest.raises(InvalidInputError, match="at least 2 sessions"):
        reliability(PROBABILITY, OUTCOME, session=np.zeros(6, dtype=np.int64))
