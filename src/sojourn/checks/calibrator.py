"""The contract of `sojourn.interfaces.Calibrator`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import expit

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.errors import InvalidInputError
from sojourn.interfaces import Calibrator
from sojourn.records import FloatArray

MakeCalibrator = Callable[[], Calibrator]

_N: Final = 600
_GRID: Final[FloatArray] = np.linspace(0.02, 0.98, 97)
_GRID.flags.writeable = False


def probabilities_rise_with_the_score(make: MakeCalibrator) -> None:
    """Scores of any shape give probabilities in [0, 1] of that shape, which never fall as the score rises."""
    calibrator = make().fit(*_sample())
    for scores in (_GRID, _GRID[:96].reshape(4, 24), _GRID[:1]):
        came = calibrator.probability(scores)
        expect(
            came.shape == scores.shape and bool(((came >= 0.0) & (came <= 1.0)).all()),
            expected=f"probabilities of shape {scores.shape}",
            came=f"shape {came.shape}, {came.min()} to {came.max()}",
            advice="answer each score by itself",
        )
    steps = np.diff(calibrator.probability(_GRID))
    expect(
        bool((steps >= -1e-12).all()) and steps.sum() > 0.0,
        expected="probabilities that rise with the score and never fall",
        came=f"steps of {steps.min()} to {steps.max()}",
        advice="fit a curve that cannot turn round",
    )


def level_is_right(make: MakeCalibrator) -> None:
    """On what it was fitted to, the mean probability is the share of outcomes."""
    score, outcome = _sample()
    calibrated = make().fit(score, outcome).probability(score)
    expect_close(
        np.array(calibrated.mean()),
        float(outcome.mean()),
        what="a mean probability",
        advice="let the intercept be free",
        tolerance=0.01,
    )


def weights_count(make: MakeCalibrator) -> None:
    """A row of weight 2 counts as two, one of weight 0 not at all."""
    score, outcome = _sample()
    weight = generator(95).integers(0, 3, _N).astype(np.float64)
    weighted = make().fit(score, outcome, weight=weight).probability(_GRID)
    times = weight.astype(np.int64)
    repeated = make().fit(np.repeat(score, times), np.repeat(outcome, times)).probability(_GRID)
    expect_close(weighted, repeated, what="what rows written out give", advice="weigh each row", tolerance=1e-4)


def order_of_rows_is_nothing(make: MakeCalibrator) -> None:
    """Rows in another order give the same probabilities."""
    score, outcome = _sample()
    shuffled = generator(96).permutation(_N)
    came = make().fit(score[shuffled], outcome[shuffled]).probability(_GRID)
    wanted = make().fit(score, outcome).probability(_GRID)
    expect_close(came, wanted, what="the same probabilities", advice="use all rows alike", tolerance=1e-6)


def a_score_that_misleads_is_refused(make: MakeCalibrator) -> None:
    """If larger scores go with fewer outcomes, fit raises an InvalidInputError."""
    score, outcome = _sample()
    try:
        make().fit(1.0 - score, outcome)
    except InvalidInputError:
        return
    expect(
        False,
        expected="an InvalidInputError where larger scores go with fewer outcomes",
        came="a fit",
        advice="refuse a slope that is not positive: it would turn the order of the items round",
    )


def lent_arrays_are_left_alone(make: MakeCalibrator) -> None:
    """Neither fit nor probability changes what it is given."""
    score, outcome = _sample()
    weight, grid = np.ones(_N), _GRID.copy()
    lent = score.copy(), outcome.copy(), weight.copy()
    make().fit(lent[0], lent[1], weight=lent[2]).probability(grid)
    for came, wanted in zip((*lent, grid), (score, outcome, weight, _GRID), strict=True):
        expect_close(came, wanted, what="the same numbers after the call", advice="copy before writing")


CALIBRATOR_CHECKS: Final[tuple[Check[MakeCalibrator], ...]] = (
    probabilities_rise_with_the_score,
    level_is_right,
    weights_count,
    order_of_rows_is_nothing,
    a_score_that_misleads_is_refused,
    lent_arrays_are_left_alone,
)


def check_calibrator(make: MakeCalibrator) -> tuple[CheckResult, ...]:
    """Run every check of `CALIBRATOR_CHECKS`, on scores in (0, 1), which calibrators of probabilities take too."""
    return run_checks(CALIBRATOR_CHECKS, make)


def require_calibrator(make: MakeCalibrator) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_calibrator(make))


def _sample() -> tuple[FloatArray, FloatArray]:
    """Scores, and outcomes whose log-odds rise with the score's at half its pace."""
    rng = generator(94)
    score = rng.uniform(0.02, 0.98, _N)
    chance = expit(0.5 * np.log(score / (1.0 - score)) - 0.5)
    return score, (rng.random(_N) < chance).astype(np.float64)
