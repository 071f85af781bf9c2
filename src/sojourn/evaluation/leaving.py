"""How well a quit model foretells, on sessions that it has not seen, after which pages people leave.

The page log-loss is the yardstick: it is proper, so the true hazards have the lowest. The paper's AUC by the best item
of a page is reported too, with its weakness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logit

from sojourn.errors import InvalidInputError
from sojourn.evaluation.calibration import Reliability, reliability
from sojourn.evaluation.metrics import session_mean
from sojourn.evaluation.ranking import auc, auc_stderr, ranks
from sojourn.evaluation.survival_curve import SurvivalCurve, survival_curve
from sojourn.exposure.page_ends import page_numbers
from sojourn.interfaces import QuitModel
from sojourn.models.quit.pages import PageOutcomes
from sojourn.records import BoolArray, Estimate, FloatArray, LogBatch
from sojourn.records.arrays import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class HazardError:
    """How far the hazards of items are from the truth, where it is known.

    Parameters
    ----------
    logit_rmse
        Root mean squared error of the log-odds, over shown items; infinite if a hazard is 0 or 1 where the truth is
        not.
    rank_correlation
        Spearman's, over shown items, -1 to 1; NaN if all hazards are equal.
    """

    logit_rmse: float
    rank_correlation: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LeavingReport:
    """What a quit model achieved on held-out pages.

    Parameters
    ----------
    n_pages, n_left
        Pages whose outcome is known, and those that were left.
    n_not_judged
        Pages that were the last of a session that did not quit; and, where sessions are cut off at a deepest page, all
        pages there: on them only leaving can be seen, so what is known of them is no fair sample; and pages without
        items.
    log_loss
        Mean per page of minus the logarithm of the probability of what happened, in nats; standard error by session.
    auc, auc_stderr
        Of 1 - page survival against leaving; standard error by session.
    bag_auc
        The paper's: of a page's largest 1 - hazard against going on.
    reliability
        Bins of P(leaves) and the share that left; ``reliability.ece`` is the calibration error of the page.
    curve
        Share of sessions still there after so many pages.
    hazard_error
        Of single items; None where the truth was not given.
    """

    n_pages: int
    n_left: int
    n_not_judged: int
    log_loss: Estimate
    auc: float
    auc_stderr: float
    bag_auc: float
    reliability: Reliability
    curve: SurvivalCurve
    hazard_error: HazardError | None

    @property
    def statements(self) -> tuple[str, ...]:
        """What the figures mean, in sentences."""
        said = [
            f"Judged on {self.n_pages:,} pages, of which {self.n_left:,} were left; {self.n_not_judged:,} pages "
            "are not judged, where sessions break off and nobody knows what came after.",
            f"The bag AUC is {self.bag_auc:.3f}: it looks at the one item of a page that is least likely to make the "
            "person leave, and says little of the others; even true hazards may stay near .5. Judge by the log-loss.",
        ]
        if self.curve.gap > 3.0 * self.curve.stderr.max():
            said.append(
                f"The model's survival curve is off by up to {self.curve.gap:.3f}, where chance makes "
                f"{self.curve.stderr.max():.3f}: its level, or its course along the session, does not hold."
            )
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """All figures, for scripts."""
        error = self.hazard_error
        return {
            "n_pages": self.n_pages,
            "n_left": self.n_left,
            "n_not_judged": self.n_not_judged,
            "log_loss": self.log_loss.value,
            "log_loss_stderr": self.log_loss.stderr,
            "auc": self.auc,
            "auc_stderr": self.auc_stderr,
            "bag_auc": self.bag_auc,
            "reliability": self.reliability.to_dict(),
            "curve": self.curve.to_dict(),
            "logit_rmse": None if error is None else error.logit_rmse,
            "rank_correlation": None if error is None else error.rank_correlation,
            "statements": list(self.statements),
        }


def judge_leaving(
    model: QuitModel, batch: LogBatch, *, true_hazard: FloatArray | None = None, n_bins: int = 20
) -> LeavingReport:
    """Judge a fitted quit model on pages of other sessions.

    Parameters
    ----------
    model
    batch
        Pages of at least two sessions; some were left and some were not.
    true_hazard : (n, k) float, optional
        P(leaves | seen) of each shown item, where a simulator knows it.
    n_bins
        Of `reliability`.

    Raises
    ------
    LogError
        If the log holds no session ends, or its pages all ended alike.
    InvalidInputError
        If the model ruled out what happened.
    """
    pages = PageOutcomes.of(batch)
    survival, losses = _survival_and_losses(model, batch, pages)
    hazards = _hazards(model, batch)
    return LeavingReport(
        n_pages=pages.n_pages,
        n_left=int(pages.left.sum()),
        n_not_judged=batch.n_rounds - pages.n_pages,
        log_loss=session_mean(losses, pages.session),
        auc=auc(-survival, pages.left),
        auc_stderr=auc_stderr(-survival, pages.left, pages.session),
        bag_auc=auc(-hazards[pages.rounds].min(axis=1), ~pages.left),
        reliability=reliability(1.0 - survival, pages.left.astype(np.float64), session=pages.session, n_bins=n_bins),
        curve=survival_curve(page_numbers(batch.take(pages.rounds)), pages.left, survival),
        hazard_error=None if true_hazard is None else _hazard_error(hazards, true_hazard, batch.shown),
    )


def paired_page_log_loss(first: QuitModel, second: QuitModel, batch: LogBatch) -> Estimate:
    """Mean over known pages of the log-loss of ``first`` minus that of ``second``; below 0 the first is better.

    The standard error is paired, and clustered by session.
    """
    pages = PageOutcomes.of(batch)
    ours, theirs = (_survival_and_losses(model, batch, pages)[1] for model in (first, second))
    return session_mean(ours - theirs, pages.session)


def _survival_and_losses(model: QuitModel, batch: LogBatch, pages: PageOutcomes) -> tuple[FloatArray, FloatArray]:
    """P(goes on) and the log-loss of each known page, (p,) both."""
    survival = model.page_survival(batch)
    expect_shape(survival, (batch.n_rounds,), "page_survival")
    return survival[pages.rounds], pages.log_losses(survival, model=type(model).__name__)


def _hazards(model: QuitModel, batch: LogBatch) -> FloatArray:
    """Hazard of each shown item, (n, k); 1 where no item is shown, which is never the smallest."""
    hazards, shown = np.ones(batch.item.shape), batch.shown
    for position in np.unique(batch.position[shown]):
        there = shown & (batch.position == position)
        hazards[there] = model.hazard_of(batch.features[there], step=int(position))
    return hazards


def _hazard_error(hazards: FloatArray, truth: FloatArray, shown: BoolArray) -> HazardError:
    expect_shape(truth, hazards.shape, "true_hazard")
    ours, theirs = hazards[shown], truth[shown]
    if not (theirs.min() >= 0.0 and theirs.max() <= 1.0):
        raise InvalidInputError(f"true_hazard: expected values in [0, 1], got {theirs.min()} to {theirs.max()}")
    differs = ours != theirs  # equal ones of 0 or 1 have no difference of log-odds
    error = np.subtract(logit(ours), logit(theirs), out=np.zeros(len(ours)), where=differs)
    constant = min(np.ptp(ours), np.ptp(theirs)) == 0.0
    rank = np.nan if constant else float(np.corrcoef(ranks(ours), ranks(theirs))[0, 1])
    return HazardError(logit_rmse=float(np.sqrt(np.square(error).mean())), rank_correlation=rank)
