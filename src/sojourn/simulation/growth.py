"""How regret grows: the exponent p of ``R(t) ~ c t^p`` on the last part of a run, and the bound to hold it against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.stats import t as student

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.simulation.comparison import Comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Exponent:
    """The exponent of regret, with what chance may have done to it.

    Parameters
    ----------
    value
        p in ``R(t) ~ c t^p``: 0 where regret has stopped growing, 0.5 of a worst-case bound, 1 of a lasting loss.
    coefficient
        c, in clicks.
    stderr
        Standard error of p over seeds.
    interval
        Confidence interval of p, (low, high).
    first_round
        Where the fit begins.
    """

    value: float
    coefficient: float
    stderr: float
    interval: tuple[float, float]
    first_round: int


def regret_exponent(
    comparison: Comparison,
    policy: str,
    *,
    measure: Literal["regret", "set_regret"] = "regret",
    last_part: float = 0.5,
    level: float = 0.95,
) -> Exponent:
    """Fit ``R(t) = c t^p`` to a policy's mean regret over seeds.

    Least squares of log R(t) on log t over the checkpoints of the last part of the run. The standard error is the
    jackknife's: the fit is repeated without each seed in turn. A seed goes with its whole curve, since the regrets
    of its rounds are sums of one another. The interval is Student's, with one degree of freedom less than seeds.

    Parameters
    ----------
    comparison
        Two seeds or more; ten make an interval worth having.
    policy
        One of its policies.
    measure
        Whether clicks are counted, or pages with a click.
    last_part
        Share of the rounds to fit, in (0, 1]. Early rounds tell of the prior rather than of the growth.
    level
        Confidence.

    Raises
    ------
    InvalidInputError
        No such policy, one seed, fewer than two checkpoints in the last part, or a mean regret that is not positive
        there, which has no logarithm.
    """
    rounds, regret = _curves(comparison, policy, measure, last_part)
    mean = regret.mean(axis=0)
    without_one = (regret.sum(axis=0) - regret) / (len(regret) - 1)
    if min(mean.min(), without_one.min()) <= 0.0:
        raise InvalidInputError(
            f"{measure} of {policy!r}: expected a mean over 0 from round {rounds[0]:.0f} on, whichever seed is left "
            f"out, got {min(mean.min(), without_one.min()):.3g}; where nothing is lost nothing grows"
        )
    slopes, intercepts = _lines(np.log(rounds), np.log(np.vstack((mean, without_one))))
    stderr = float(slopes[1:].std() * np.sqrt(len(regret) - 1))
    reach = stderr * float(student.ppf(0.5 + level / 2.0, len(regret) - 1))
    return Exponent(
        value=float(slopes[0]),
        coefficient=float(np.exp(intercepts[0])),
        stderr=stderr,
        interval=(float(slopes[0]) - reach, float(slopes[0]) + reach),
        first_round=int(rounds[0]),
    )


def _curves(comparison: Comparison, policy: str, measure: str, last_part: float) -> tuple[FloatArray, FloatArray]:
    """Rounds (t,) of the last part and the regret of each seed there, (seeds, t)."""
    if policy not in comparison.policies:
        raise InvalidInputError(f"policy: expected one of {', '.join(comparison.policies)}, got {policy!r}")
    runs = comparison.runs.filter(policy=policy)
    if not 0.0 < last_part <= 1.0:
        raise InvalidInputError(f"last_part: expected a share in (0, 1], got {last_part}")
    wide = runs.filter(pl.col("round") >= (1.0 - last_part) * pl.col("round").max()).pivot(
        "seed", index="round", values=measure
    )
    rounds = wide["round"].to_numpy().astype(np.float64)
    regret: FloatArray = wide.drop("round").to_numpy().T
    if len(regret) < 2 or len(rounds) < 2:
        raise InvalidInputError(
            f"comparison: expected at least 2 seeds and 2 checkpoints in the last part, got {len(regret)} and "
            f"{len(rounds)}"
        )
    return rounds, regret


def _lines(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Slopes and intercepts (n,) of the least-squares lines of y (n, t) on x (t,)."""
    centred = x - x.mean()
    slopes = y @ centred / (centred @ centred)
    return slopes, y.mean(axis=1) - slopes * x.mean()


def regret_bound(
    rounds: FloatArray, *, n_slots: int, n_features: int, n_candidates: int, delta: float = 0.05
) -> FloatArray:
    """``K sqrt(T d ln^3(m T ln(T) / delta))`` for each number of rounds T >= 2: up to a constant factor, a bound.

    Chu, Li, Reyzin and Schapire (2011), Theorem 1, bound the regret of one linear bandit with probability
    1 - delta; K slots with a bandit each lose at most K times as much. It is proved for SupLinUCB, of which LinUCB
    is the practical form, and holds for clicks and for pages with a click alike. Only the shape can be compared.

    Parameters
    ----------
    rounds : (t,) float
        T, at least 2 each.
    n_slots, n_features, n_candidates
        K, d and m.
    delta
        Probability that the bound fails, in (0, 1).
    """
    if np.min(rounds) < 2.0 or min(n_slots, n_features, n_candidates) < 1 or not 0.0 < delta < 1.0:
        raise InvalidInputError(
            "expected rounds >= 2, n_slots, n_features and n_candidates >= 1 and delta in (0, 1), got "
            f"rounds from {np.min(rounds)}, {n_slots}, {n_features}, {n_candidates} and {delta}"
        )
    logarithm = np.log(n_candidates * rounds * np.log(rounds) / delta)
    bound: FloatArray = n_slots * np.sqrt(rounds * n_features * logarithm**3)
    return bound
