"""Whether to believe a fitted model less where its standard errors are large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import expit, logit

from experiments.session_planning.learned import Answer, Audience
from experiments.session_planning.units import Sizes
from experiments.studies import Measures
from sojourn.models import LogisticClickRate
from sojourn.models.quit import NoisyOr
from sojourn.planning import BetaPrior
from sojourn.records import FloatArray
from sojourn.simulation.sessions import SessionWorld, simulate_sessions

SHARES: Final = {"5 % of the log": 0.05, "15 % of the log": 0.15, "the log": 1.0}
SETTINGS: Final = tuple(SHARES)


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """What plans lose by a linear model's answers as they are, and by two ways to account for their errors."""
    world_rng, log_rng, user_rng = np.random.default_rng([seed, 10]).spawn(3)
    world = SessionWorld.draw(rng=world_rng)
    log = simulate_sessions(world, max(2, round(SHARES[setting] * sizes.sessions)), rng=log_rng)
    users = Audience.draw(world, sizes.test_users, rng=user_rng)
    rate, quits = LogisticClickRate().fit(log), NoisyOr().fit(log)
    models: tuple[tuple[Answer, Answer], ...] = (
        (rate.click_rate_of, rate.click_rate_std_of),
        (quits.hazard_of, quits.hazard_std_of),
    )
    shown = log.features[log.shown]
    return {
        "greedy": users.lost(rate.click_rate_of, None),
        "as they are": users.lost(rate.click_rate_of, quits.hazard_of),
        "empirical Bayes": users.lost(*(_shrunk(*model, shown) for model in models)),
        "predictive mean": users.lost(*(_predictive(*model) for model in models)),
    }


def _shrunk(mean: Answer, std: Answer, shown: FloatArray) -> Answer:
    """Posterior means under the prior of the log's items, as if their errors were independent."""
    prior = BetaPrior.fit(mean(shown), std(shown))
    return lambda features: prior.posterior_mean(mean(features), std(features))


def _predictive(mean: Answer, std: Answer) -> Callable[[FloatArray], FloatArray]:
    """The mean of sigmoid(z) over a normal z, by Gauss and Hermite's rule: what the model itself expects.

    MacKay's (1992) closed form is 7 % too large for a hazard of 1/57 whose error is half a logit.
    """

    def answer(features: FloatArray) -> FloatArray:
        p = mean(features)
        error = std(features) / (p * (1.0 - p))
        return np.asarray(expit(logit(p)[..., None] + error[..., None] * _POINTS) @ _WEIGHTS)

    return answer


_POINTS, _COUNTS = np.polynomial.hermite_e.hermegauss(20)
_WEIGHTS: Final = _COUNTS / _COUNTS.sum()
