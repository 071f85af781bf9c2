"""The contract of `sojourn.interfaces.ExposureCorrection`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Protocol, Self

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.loans import copied, expect_unchanged, read_only
from sojourn.checks.small_worlds import draw_log, padded
from sojourn.interfaces import ClickModel, ExposureCorrection
from sojourn.records import FloatArray, LogBatch, Rows

LOG: Final = read_only(draw_log(generator(81)))
N_ROWS: Final = LOG.item.size
ATTRACTION: Final = 0.4


class MakeExposureCorrection(Protocol):
    """A factory of corrections."""

    def __call__(self, *, click_model: ClickModel) -> ExposureCorrection:
        """A correction that takes examination from the (fitted) click model, if it needs one."""
        ...


@dataclass(frozen=True, slots=True)
class KnownExamination:
    """A position-based click model with the given examination and one attraction for all items.

    Parameters
    ----------
    decay
        Examination at position l is ``decay ** l``; 1 for full examination.
    """

    decay: float

    def fit(self, batch: LogBatch) -> Self:
        """Nothing: the parameters are known."""
        return self

    def examination(self, batch: LogBatch) -> FloatArray:
        """``decay ** position``."""
        return np.where(batch.shown, self.decay ** batch.position.astype(np.float64), 0.0)

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        """The clicks above tell nothing."""
        return self.examination(batch)

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        """Bayes' rule in each slot."""
        examined = self.examination(batch)
        unclicked = examined * (1.0 - ATTRACTION) / (1.0 - examined * ATTRACTION)
        return np.where(batch.shown & (batch.click == 1.0), 1.0, unclicked)

    def click_probability(self, batch: LogBatch) -> FloatArray:
        """Examination times attraction."""
        return self.examination(batch) * ATTRACTION

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        """Slots are independent."""
        p = self.click_probability(batch)
        each = np.log(np.where(batch.click == 1.0, p, 1.0 - p), out=np.zeros_like(p), where=batch.shown)
        total: FloatArray = each.sum(axis=1)
        return total

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        """Slot by slot."""
        return (rng.random(batch.item.shape) < self.click_probability(batch)).astype(np.float64)


def keeps_the_protocol(make: MakeExposureCorrection) -> None:
    """The correction has rows, which gives Rows."""
    correction = _corrected(make)
    rows = correction.rows(LOG)
    expect(
        isinstance(correction, ExposureCorrection) and isinstance(rows, Rows),
        expected="the methods of sojourn.interfaces.ExposureCorrection, and Rows from rows",
        came=f"{type(correction).__name__} and {type(rows).__name__}",
        advice="write the missing ones",
    )


def rows_come_in_order(make: MakeExposureCorrection) -> None:
    """There is one row per shown item, in order of round and slot, and its slot is the position on the page."""
    rows, advice = _corrected(make).rows(LOG), "flatten the log round by round, slot by slot"
    expect(len(rows.slot) == N_ROWS, expected=f"{N_ROWS} rows", came=len(rows.slot), advice=advice)
    expect_close(rows.slot, LOG.position.ravel(), what="slot as the position on the page", advice=advice)
    logged = LOG.features.reshape(N_ROWS, -1)  # of which the first column is 1
    scaled = rows.features[:, :1] * logged
    expect_close(rows.features, scaled, what="the features of the row's item, perhaps scaled", advice=advice)


def full_examination_changes_nothing(make: MakeExposureCorrection) -> None:
    """Where everything is examined, the rows are the log as it is, with weight 1."""
    rows, advice = make(click_model=KnownExamination(1.0)).rows(LOG), "correct for what was not seen, and nothing else"
    expect_close(rows.features, LOG.features.reshape(N_ROWS, -1), what="the logged features", advice=advice)
    expect_close(rows.reward, LOG.reward.ravel(), what="the logged rewards", advice=advice)
    expect_close(rows.weight, 1.0, what="weight", advice=advice)


def weights_are_weights(make: MakeExposureCorrection) -> None:
    """Weights are finite and not negative; rewards and features are finite."""
    rows = _corrected(make).rows(LOG)
    finite = all(np.isfinite(getattr(rows, field.name)).all() for field in fields(rows))
    expect(
        finite and bool((rows.weight >= 0.0).all()),
        expected="finite rows with weights >= 0",
        came=f"weights {rows.weight.min()} to {rows.weight.max()}",
        advice="bound what divides by an examination that may be 0",
    )


def empty_slots_give_no_rows(make: MakeExposureCorrection) -> None:
    """A slot without item gives no row, and what it holds changes no other."""
    correction = _corrected(make)
    _expect_same(correction.rows(padded(LOG)), correction.rows(LOG), advice="leave out slots where shown is False")


def rounds_stand_alone(make: MakeExposureCorrection) -> None:
    """A round gives the same rows on its own, for a learner that sees one at a time, as within a log."""
    correction, whole = _corrected(make), _corrected(make).rows(LOG)
    each = [correction.rows(LOG.take(np.array([row]))) for row in range(LOG.n_rounds)]
    joined = Rows(
        **{field.name: np.concatenate([getattr(rows, field.name) for rows in each]) for field in fields(Rows)}
    )
    _expect_same(joined, whole, advice="take nothing from the rest of the log, and keep nothing between calls")


def an_empty_log_gives_no_rows(make: MakeExposureCorrection) -> None:
    """A log without rounds gives Rows of length 0, with features of the usual width."""
    came = _corrected(make).rows(LOG.take(slice(0))).features.shape
    wanted = (0, LOG.features.shape[2])
    expect(came == wanted, expected=f"features {wanted}", came=came, advice="reshape to (rows, d), also for no rows")


def log_is_left_alone(make: MakeExposureCorrection) -> None:
    """The arrays of the log are not changed, and may be such as cannot be written."""
    lent = copied(LOG)
    _corrected(make).rows(lent)
    expect_unchanged(lent, LOG, call="rows")
    _corrected(make).rows(read_only(LOG))


EXPOSURE_CORRECTION_CHECKS: Final[tuple[Check[MakeExposureCorrection], ...]] = (
    keeps_the_protocol,
    rows_come_in_order,
    full_examination_changes_nothing,
    weights_are_weights,
    empty_slots_give_no_rows,
    rounds_stand_alone,
    an_empty_log_gives_no_rows,
    log_is_left_alone,
)


def check_exposure_correction(make: MakeExposureCorrection) -> tuple[CheckResult, ...]:
    """Run every check of `EXPOSURE_CORRECTION_CHECKS`.

    Parameters
    ----------
    make
        Called as ``make(click_model=...)`` with a fitted model; a correction that needs none ignores it.
    """
    return run_checks(EXPOSURE_CORRECTION_CHECKS, make)


def require_exposure_correction(make: MakeExposureCorrection) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_exposure_correction(make))


def _corrected(make: MakeExposureCorrection) -> ExposureCorrection:
    return make(click_model=KnownExamination(0.6))


def _expect_same(rows: Rows, wanted: Rows, *, advice: str) -> None:
    for field in fields(Rows):
        came = getattr(rows, field.name)
        expect_close(came, getattr(wanted, field.name), what=f"the same {field.name}", advice=advice)
