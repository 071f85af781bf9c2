"""The share of sessions that is still there after so many pages, as it was and as a quit model has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sojourn.records import BoolArray, FloatArray, IntArray

LEAST_AT_RISK: Final = 20
"""Sessions below which a page no longer counts: a single one that leaves would move the curve by 5 % of its height."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SurvivalCurve:
    """Share of sessions still there after 1, 2, ... pages.

    Parameters
    ----------
    at_risk : (p,) int
        Sessions that saw the page and of whom it is known whether they went on; never below `LEAST_AT_RISK`, but for
        the first page.
    empirical : (p,) float
        Kaplan and Meier's estimate (1958): censored sessions count up to the page before which they were lost.
    stderr : (p,) float
        Of the empirical share (Greenwood 1926).
    predicted : (p,) float
        The same product, of the mean page survival that the model gave those at risk. It equals the empirical share,
        but for chance, if the model is right: each page is foretold for those who saw it.
    """

    at_risk: IntArray
    empirical: FloatArray
    stderr: FloatArray
    predicted: FloatArray

    @property
    def gap(self) -> float:
        """Largest distance of the two curves."""
        return float(np.abs(self.empirical - self.predicted).max())

    def to_dict(self) -> dict[str, Any]:
        """The curves, for scripts."""
        return {"gap": self.gap} | {
            name: getattr(self, name).tolist() for name in ("at_risk", "empirical", "stderr", "predicted")
        }


def survival_curve(page: IntArray, left: BoolArray, survival: FloatArray) -> SurvivalCurve:
    """From pages whose outcome is known.

    Parameters
    ----------
    page : (n,) int
        Number of the page in its session, from 0.
    left : (n,) bool
        Whether the person left after it.
    survival : (n,) float
        P(goes on) as the model has it.
    """
    at_risk = np.bincount(page)
    last = max(1, int(np.argmin(np.append(at_risk >= LEAST_AT_RISK, False))))
    at_risk = at_risk[:last]
    left_after = np.bincount(page, weights=left)[:last]
    expected = np.bincount(page, weights=survival)[:last]
    empirical = np.asarray(np.cumprod(1.0 - left_after / at_risk), dtype=np.float64)
    remain = at_risk * (at_risk - left_after)
    spread = np.cumsum(np.divide(left_after, remain, out=np.zeros(last), where=remain > 0.0))
    return SurvivalCurve(
        at_risk=at_risk,
        empirical=empirical,
        stderr=empirical * np.sqrt(spread),
        predicted=np.asarray(np.cumprod(expected / at_risk), dtype=np.float64),
    )
