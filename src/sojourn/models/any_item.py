"""Pages on which something happens as soon as one item brings it about: the likelihood, its top and its curvature.

An item brings it about with p_i = sigmoid(z_i), z_i = b + phi.x_i, each on its own; so it happens on a page with
probability 1 - e^-H, H the sum of log(1 + e^z_i) over the page. Leaving is such a thing for `NoisyOr`, going on for
`AnyAccepted`. With y = 1 where it happened, or the probability that it did, and w = 1 / (e^H - 1), the loss of a page
and its derivatives are

    loss = (1 - y) H - y log(1 - e^-H),      d loss / d z_i = (1 - y - y w) p_i,
    d2 loss = y w (1 + w) P P' + (1 - y - y w) sum_i p_i (1 - p_i) x_i x_i',      P = sum_i p_i x_i  (x with a 1).

and pages add up, each times its weight. The expectation of the second derivative, w P P', is never negative. The loss
is not convex; so a step is Newton's where the curvature is positive definite and Fisher's elsewhere, and is halved
until it descends. A log of a few pages may have a second minimum; the steps begin at the hazard that is the same for
all. With one item a page this is logistic regression.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Final, NamedTuple, Self

import numpy as np
from scipy.special import expit, logit

from sojourn.exposure.logistic import damped_step, gram, penalty, softplus
from sojourn.models.arguments import expect_width
from sojourn.models.cholesky import factorized, inverse
from sojourn.models.json_state import read, written
from sojourn.records import BoolArray, FloatArray, IntArray
from sojourn.records.arrays import expect_finite

_MAX_STEPS: Final = 200
_TOLERANCE: Final = 1e-9  # nats
_TINY: Final = np.finfo(np.float64).tiny


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AnyItemFit:
    """p of an item, fitted to pages.

    Parameters
    ----------
    coefficients : (d,) float
    intercept
    covariance : (d + 1, d + 1) float
        Of coefficients and intercept: the inverse of the observed information, ridge included (Laplace).
    n_steps
        Steps taken.
    converged
        False if the steps ran out first.
    """

    coefficients: FloatArray
    intercept: float
    covariance: FloatArray
    n_steps: int
    converged: bool

    def log_odds(self, features: FloatArray) -> FloatArray:
        """z, (...,) of features (..., d)."""
        expect_width(features, len(self.coefficients))
        return np.asarray(features @ self.coefficients + self.intercept)

    def probability_std(self, features: FloatArray) -> FloatArray:
        """Standard error of p, (...,) of features (..., d), by the delta method."""
        p = expit(self.log_odds(features))
        x = np.concatenate([features, np.ones((*features.shape[:-1], 1))], axis=-1)
        return np.asarray(p * (1.0 - p) * np.sqrt(((x @ self.covariance) * x).sum(axis=-1)))

    def to_json(self, kind: str) -> str:
        """The fit as text, for a model of ``kind``."""
        arrays = {"coefficients": self.coefficients.tolist(), "covariance": self.covariance.tolist()}
        return written(kind, asdict(self) | arrays)

    @classmethod
    def from_json(cls, text: str, kind: str) -> Self:
        """The fit that `to_json` wrote."""
        state = read(text, kind, [field.name for field in fields(cls)])
        return cls(**state | {name: np.array(state[name]) for name in ("coefficients", "covariance")})


def any_item_regression(features: FloatArray, page: IntArray, happened: BoolArray, *, ridge: float) -> AnyItemFit:
    """Coefficients of most likelihood, under a normal prior of precision ``ridge`` on each; the intercept is free.

    Parameters
    ----------
    features : (r, d) float
        d may be 0.
    page : (r,) int
        0 to p - 1, never falling; every page has an item.
    happened : (p,) bool
        Both kinds occur.
    ridge
        > 0.
    """
    expect_finite(features, "features")
    loss = AnyItemLoss(features, page, happened, ridge=ridge)
    beta, n_steps, converged = loss.minimum()
    return AnyItemFit(
        coefficients=beta[:-1],
        intercept=float(beta[-1]),
        covariance=inverse(factorized(loss.observed_information(beta))),
        n_steps=n_steps,
        converged=converged,
    )


class Minimum(NamedTuple):
    """Where the steps ended, (d + 1,), how many there were, and False if they ran out first."""

    beta: FloatArray
    n_steps: int
    converged: bool


class AnyItemLoss:
    """Minus the log-likelihood of beta = (coefficients, intercept), plus ridge / 2 |coefficients|^2.

    Parameters are those of `AnyItemPages`, the features (r, d) of its items, and a ridge >= 0.
    """

    def __init__(
        self,
        features: FloatArray,
        page: IntArray,
        happened: BoolArray | FloatArray,
        *,
        weight: FloatArray | None = None,
        ridge: float,
    ) -> None:
        self._features, self._pages = features, AnyItemPages(page, happened, weight)
        self._penalty = penalty(features.shape[1], ridge)

    def minimum(self) -> Minimum:
        """Steps from the hazard that is the same for all, until one gains next to nothing."""
        beta = np.append(np.zeros(self._features.shape[1]), self._pages.constant)
        n_steps, gain = 0, np.inf
        while gain >= _TOLERANCE and n_steps < _MAX_STEPS:
            beta, gain = self.step(beta)
            n_steps += 1
        return Minimum(beta, n_steps, bool(gain < _TOLERANCE))

    def value(self, beta: FloatArray) -> float:
        """The loss."""
        return self._pages.loss(self._log_odds(beta)) + 0.5 * float(self._penalty @ beta**2)

    def gradient(self, beta: FloatArray) -> FloatArray:
        """(d + 1,)."""
        residual = self._pages.gradient(self._log_odds(beta))
        return np.append(residual @ self._features, residual.sum()) + self._penalty * beta

    def expected_information(self, beta: FloatArray) -> FloatArray:
        """(d + 1, d + 1), positive semidefinite."""
        z = self._log_odds(beta)
        root = self._item_sums(z) * np.sqrt(self._pages.weight * self._pages.odds(z))[:, None]
        return np.asarray(root.T @ root + np.diag(self._penalty))

    def observed_information(self, beta: FloatArray) -> FloatArray:
        """(d + 1, d + 1): the second derivative."""
        z = self._log_odds(beta)
        odds, happened = self._pages.odds(z), self._pages.happened
        some = happened > 0.0
        scale = np.sqrt(odds) * np.sqrt(1.0 + odds)  # of two factors, for the odds of a page may be huge
        root = self._item_sums(z)[some] * (scale * np.sqrt(self._pages.weight * happened))[some, None]
        spread = self._pages.gradient(z) * expit(-z)
        return np.asarray(root.T @ root + gram(self._features, spread) + np.diag(self._penalty))

    def step(self, beta: FloatArray) -> tuple[FloatArray, float]:
        """One damped step: where it leads, and the descent, >= 0."""
        curvature = self.observed_information(beta)
        if not _positive_definite(curvature):
            curvature = self.expected_information(beta)
        return damped_step(self.value, beta, start=self.value(beta), gradient=self.gradient(beta), curvature=curvature)

    def _log_odds(self, beta: FloatArray) -> FloatArray:
        return np.asarray(self._features @ beta[:-1] + beta[-1])

    def _item_sums(self, z: FloatArray) -> FloatArray:
        """P, (p, d + 1)."""
        p = expit(z)
        return self._pages.sums(np.column_stack([p[:, None] * self._features, p]))


class AnyItemPages:
    """The loss as a function of the log-odds z (r,) of each item, which trees need as well as lines.

    Parameters
    ----------
    page : (r,) int
        0 to p - 1, never falling; every page has an item.
    happened : (p,) bool or float
        Whether it happened, or the probability that it did.
    weight : (p,) float, optional
        >= 0; 1 unless given.
    """

    def __init__(self, page: IntArray, happened: BoolArray | FloatArray, weight: FloatArray | None = None) -> None:
        self._page, self.happened = page, happened.astype(np.float64)
        self.weight = np.ones(len(happened)) if weight is None else weight
        self._starts = first_rows(page)

    @property
    def constant(self) -> float:
        """The log-odds of what happened per item: about what all items have if all are alike."""
        return float(logit((self.weight @ self.happened) / self.weight[self._page].sum()))

    def loss(self, z: FloatArray) -> float:
        """Minus the log-likelihood."""
        total = self._total(z)
        return float((self.weight * ((1.0 - self.happened) * total - self.happened * log1mexp(total))).sum())

    def gradient(self, z: FloatArray) -> FloatArray:
        """Of the loss by z, (r,)."""
        of_total = self.weight * (1.0 - self.happened - self.happened * self.odds(z))
        return np.asarray(of_total[self._page] * expit(z))

    def odds(self, z: FloatArray) -> FloatArray:
        """The odds w = P(does not happen) / P(happens) of each page, (p,)."""
        total = self._total(z)
        return np.asarray(np.exp(-total) / -np.expm1(-total))

    def sums(self, rows: FloatArray) -> FloatArray:
        """Rows (r, ...) summed over each page, (p, ...)."""
        return np.asarray(np.add.reduceat(rows, self._starts, axis=0))

    def _total(self, z: FloatArray) -> FloatArray:
        return np.maximum(self.sums(softplus(z)), _TINY)


def _positive_definite(matrix: FloatArray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def first_rows(page: IntArray) -> IntArray:
    """First row of each page, (p,), of the pages (r,) of rows, 0 to p - 1 and never falling."""
    return np.flatnonzero(np.diff(page, prepend=-1))


def log1mexp(total: FloatArray) -> FloatArray:
    """log(1 - e^-total) of totals > 0, to the last digits at both ends (Maechler 2012)."""
    near = total < np.log(2.0)
    result = np.empty_like(total)
    result[near] = np.log(-np.expm1(-total[near]))
    result[~near] = np.log1p(-np.exp(-total[~near]))
    return result


def page_total(log_odds: FloatArray, shown: BoolArray) -> FloatArray:
    """H of pages whose slots have the log-odds (n, k), (n,); slots that are not shown add nothing."""
    return np.asarray((softplus(log_odds) * shown).sum(axis=1))
