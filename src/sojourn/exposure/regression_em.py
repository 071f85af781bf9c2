"""Regression EM: the E-step of the position-based and the browsing model, a logistic regression as the M-step.

Letters as in `context_em`, with g = sigmoid(features . coefficients + intercept) of each slot. Given no click, the
slot was not examined with probability (1 - w) / s and its item not attractive with (1 - g) / s (Wang et al. 2018).
EM alone takes many passes over all slots, so a step of Fisher's scoring on the log-posterior itself is tried first,
and an EM step is taken where that does not climb.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, xlog1py, xlogy
from scipy.special import logit as log_odds

from sojourn.exposure.ascent import Point
from sojourn.exposure.context_em import PseudoCounts
from sojourn.exposure.logistic import LogisticLoss, gram, logit, penalty, softplus, solve
from sojourn.exposure.shown_slots import ShownSlots
from sojourn.records import FloatArray

_TINY: Final = 1e-100  # of a probability of no click; its inverse has room to be summed
_ROUNDING: Final = 1e-12  # of a sum over all slots
_STRIDE: Final = 3.0  # most that the logit of a weight moves at once; information is local


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Survey:
    """What the slots say around a point, in [log w, coefficients, intercept]: with the ridge, without the prior of w.

    Parameters
    ----------
    point
        The point.
    gradient : (c + d + 1,) float
    information : (c + d + 1, c + d + 1) float
        Expected, so never negative: p / (1 - p) times the square of the derivative of log p, summed over slots.
    """

    point: Point
    gradient: FloatArray
    information: FloatArray


class LogisticContextEM:
    """Both steps on one log; parameters [w, coefficients, intercept]. The context ``anchor`` is surely examined.

    Parameters
    ----------
    slots
        What the log shows.
    views, clicks : (c,) float
        By context.
    ridge
        Precision of the prior of each coefficient.
    context_prior
        Pseudo-counts (examined, not) of each context but the anchor.
    anchor
        Number of the context whose weight is 1.
    """

    def __init__(
        self,
        slots: ShownSlots,
        *,
        views: FloatArray,
        clicks: FloatArray,
        ridge: float,
        context_prior: PseudoCounts,
        anchor: int,
    ) -> None:
        self._slots = slots
        self._views = views
        self._ridge = ridge
        self._free = views > 0
        self._free[anchor] = False
        self._clicks = clicks
        self._hits, self._misses = (np.where(self._free, pseudo, 0.0) for pseudo in context_prior)
        self._penalty = np.append(np.zeros(len(views)), penalty(slots.features.shape[1], ridge))

    def points(self, theta: FloatArray) -> Iterator[Point]:
        """The points of the climb."""
        here = self.survey(theta)
        while True:
            yield here.point
            here = self._scoring(here) or self.survey(self.em_step(here.point.theta))

    def survey(self, theta: FloatArray) -> Survey:
        """One pass over all slots."""
        w, beta = self._split(theta)
        log_likelihood = float(xlogy(self._clicks, w).sum())
        gradient, information = -self._penalty * theta, np.diag(self._penalty)
        of_beta = slice(len(w), None)
        for block in self._slots.blocks():
            x, c, z = block.features, block.context, logit(block.features, beta)
            g = expit(z)
            p = w[c] * g
            left = np.maximum(1.0 - p, _TINY)
            odds = p / left
            pull = 1.0 - g if block.clicked else (g - 1.0) * odds  # derivative in z
            gradient[c] += len(z) if block.clicked else -odds.sum()
            gradient[of_beta] += np.append(pull @ x, pull.sum())
            link = odds * (1.0 - g)
            information[c, c] += odds.sum()
            information[c, of_beta] += np.append(link @ x, link.sum())
            information[of_beta, of_beta] += gram(x, link * (1.0 - g))
            log_likelihood -= float(softplus(-z).sum() if block.clicked else -np.log(left).sum())
        information[of_beta, : len(w)] = information[: len(w), of_beta].T
        log_posterior = log_likelihood + self._log_prior(theta)
        point = Point(theta=theta, log_likelihood=log_likelihood, log_posterior=log_posterior)
        return Survey(point=point, gradient=gradient, information=information)

    def em_step(self, theta: FloatArray) -> FloatArray:
        """Parameters that raise the log-posterior's expectation given the clicks; the regression takes one step."""
        w, beta = self._split(theta)
        unseen, target = np.zeros(len(w)), []
        for block in self._slots.blocks():
            g = expit(logit(block.features, beta))
            missed = 0.0 * g if block.clicked else 1.0 / np.maximum(1.0 - w[block.context] * g, _TINY)
            unseen[block.context] += (1.0 - w[block.context]) * missed.sum()
            target.append(np.clip(1.0 - (1.0 - g) * missed, 0.0, 1.0))  # rounding must not carry it past 0
        total = np.maximum(self._views + self._hits + self._misses, _TINY)
        seen = np.clip((self._views - unseen + self._hits) / total, 0.0, 1.0)
        attracted = np.concatenate(target)
        loss = LogisticLoss(self._slots.features, attracted, np.ones(len(attracted)), ridge=self._ridge)
        return np.concatenate([np.where(self._free, seen, w), loss.newton_step(beta)[0]])

    def _scoring(self, here: Survey) -> Survey | None:
        """The step of Fisher's scoring in the logits of the weights, if it climbs, or a quarter of it."""
        w, beta = self._split(here.point.theta)
        steepness = np.append(1.0 - w, np.ones(len(beta)))  # from log w to its logit
        gradient = steepness * here.gradient
        information = steepness[:, None] * here.information * steepness
        total, diagonal = self._hits + self._misses, np.arange(len(w))
        # Where a weight is pushed against 1, the bend of the logit outweighs the information.
        bend = w * np.maximum(gradient[: len(w)], 0.0)
        information[diagonal, diagonal] += bend + total * w * (1.0 - w)
        gradient[: len(w)] += self._hits - total * w
        moving = np.append(self._free, np.ones(len(beta), dtype=np.bool_))
        step = np.zeros(len(moving))
        step[moving] = solve(information[np.ix_(moving, moving)], gradient[moving])
        for share in (1.0, 0.25):
            change, beta_change = self._split(share * step)
            moved = np.where(self._free, expit(log_odds(w) + np.clip(change, -_STRIDE, _STRIDE)), w)
            ahead = self.survey(np.concatenate([moved, beta + beta_change]))
            if ahead.point.log_posterior >= here.point.log_posterior - _ROUNDING * abs(here.point.log_posterior):
                return ahead
        return None

    def _split(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        return theta[: len(self._views)], theta[len(self._views) :]

    def _log_prior(self, theta: FloatArray) -> float:
        w, _ = self._split(theta)
        weights = xlogy(self._hits, w) + xlog1py(self._misses, -w)
        return float(weights.sum() - 0.5 * (self._penalty * theta**2).sum())
