from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sojourn.engine import Prequential
from sojourn.errors import InvalidInputError


def test_the_best_foreteller_wins_and_old_blocks_fade() -> None:
    guard = Prequential(np.array([0.0, 0.5, 1.0]), start=1.0, forgetting=0.5)
    assert guard.value == 1.0
    guard.observe(np.array([-10.0, -8.0, -9.0]))
    assert guard.value == 0.5
    guard.observe(np.array([-3.0, -5.0, -4.0]))
    assert_allclose(guard.scores, [-8.0, -9.0, -8.5])
    assert guard.value == 0.0
    assert_allclose(guard.weights, np.exp([0.0, -1.0, -0.5]) / np.exp([0.0, -1.0, -0.5]).sum())


def test_ties_stay_where_they_began() -> None:
    guard = Prequential(np.array([0.0, 1.0, 2.0]), start=1.0)
    guard.observe(np.array([-2.0, -2.0, -2.0]))
    assert guard.value == 1.0
    assert_allclose(guard.weights, 1.0 / 3.0)


def test_scores_far_apart_make_weights_of_one_and_nothing() -> None:
    guard = Prequential(np.array([0.0, 1.0]), start=0.0)
    guard.observe(np.array([-1e6, -10.0]))
    assert_allclose(guard.weights, [0.0, 1.0])


@pytest.mark.parametrize("forgetting", [0.0, 1.1, float("nan")])
def test_bad_forgetting_is_refused(forgetting: float) -> None:
    with pytest.raises(InvalidInputError, match="forgetting: expected a factor in"):
        Prequential(np.array([0.0, 1.0]), start=0.0, forgetting=forgetting)


def test_a_start_outside_the_options_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="start: expected one of the options"):
        Prequential(np.array([0.0, 1.0]), start=0.5)


@pytest.mark.parametrize("scores", [np.array([-1.0]), np.array([-1.0, -np.inf]), np.array([np.nan, 0.0])])
def test_scores_that_are_no_numbers_are_refused(scores: np.ndarray) -> None:
    guard = Prequential(np.array([0.0, 1.0]), start=0.0)
    with pytest.raises(InvalidInputError, match="log_likelihood: expected 2 finite numbers"):
        guard.observe(scores)
    assert_allclose(guard.scores, 0.0)
