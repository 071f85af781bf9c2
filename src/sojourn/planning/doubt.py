"""Planning when rewards and hazards are estimates: believe each as far as its standard error allows.

A plan looks for the largest rewards and the smallest hazards, so it finds the largest errors. The empirical-Bayes
posterior mean pulls each estimate towards the others, the more the larger its error is beside their true spread::

    plan_exact(posterior_mean(mdp))

The errors must be those of independent estimates, such as a rate counted for each item. The errors of a fitted model
hang together, and its own prior has drawn its answers together once already: plan by them as they are. (On a log of
100 sessions a second shrinkage threw away most of the plan's gain; see the study ``beliefs`` of the experiment
``session_planning``.)

`BetaPrior` is the law of the true values. It is fitted on the session's own candidates, or better on many sessions'.
"""

from __future__ import annotations

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.planning.beta_prior import BetaPrior
from sojourn.records import FloatArray, SessionMDP


def posterior_mean(
    mdp: SessionMDP, *, reward_prior: BetaPrior | None = None, hazard_prior: BetaPrior | None = None
) -> SessionMDP:
    """The session with each reward and hazard replaced by what to expect of it, given its standard error.

    If the errors are independent, an order without repeats is worth under these means what it is worth on average over
    the posterior: its value is linear in each reward and in each hazard.

    Parameters
    ----------
    mdp
        Of rewards that are probabilities, with both standard errors; 0 where a value is known.
    reward_prior, hazard_prior
        Fitted on this session's candidates unless given.

    Returns
    -------
    SessionMDP
        Without standard errors: they have been accounted for.

    Raises
    ------
    InvalidInputError
        If a standard error is missing, or a reward is above 1.
    """
    reward_std, hazard_std = _stds(mdp)
    reward_prior = reward_prior or BetaPrior.fit(mdp.reward, reward_std)
    hazard_prior = hazard_prior or BetaPrior.fit(mdp.hazard, hazard_std)
    return SessionMDP(
        reward=reward_prior.posterior_mean(mdp.reward, reward_std),
        hazard=hazard_prior.posterior_mean(mdp.hazard, hazard_std),
        n_steps=mdp.n_steps,
    )


def posterior_sample(
    mdp: SessionMDP,
    *,
    rng: np.random.Generator,
    reward_prior: BetaPrior | None = None,
    hazard_prior: BetaPrior | None = None,
) -> SessionMDP:
    """A session drawn from the posterior; to plan it is posterior sampling. The rest as in `posterior_mean`."""
    reward_std, hazard_std = _stds(mdp)
    reward_prior = reward_prior or BetaPrior.fit(mdp.reward, reward_std)
    hazard_prior = hazard_prior or BetaPrior.fit(mdp.hazard, hazard_std)
    return SessionMDP(
        reward=reward_prior.posterior_sample(mdp.reward, reward_std, rng=rng),
        hazard=hazard_prior.posterior_sample(mdp.hazard, hazard_std, rng=rng),
        n_steps=mdp.n_steps,
    )


def _stds(mdp: SessionMDP) -> tuple[FloatArray, FloatArray]:
    if mdp.reward_std is None or mdp.hazard_std is None:
        raise InvalidInputError(
            f"{'reward_std' if mdp.reward_std is None else 'hazard_std'}: expected the standard errors of the "
            "estimates, got None; pass them, or zeros where the values are known"
        )
    if mdp.reward.max() > 1.0:
        raise InvalidInputError(
            f"reward: expected probabilities, got {mdp.reward.max()}; divide rewards and their errors by the largest "
            "reward there can be"
        )
    return mdp.reward_std, mdp.hazard_std
