"""Bandits that plan the page, for feeds whose items drive people away; past the paper."""

from __future__ import annotations

from sojourn.exploration import Optimism
from sojourn.exposure import SurvivalModel
from sojourn.planning import PlannedPolicy
from sojourn.policies import SelfCorrecting
from sojourn.recipes.building import ridge_bandit


def survival_planned(
    *,
    n_features: int,
    n_slots: int,
    alpha: float = 0.3,
    prior_precision: float = 1.0,
    hazard_ridge: float = 20.0,
    first_fit: int = 300,
) -> PlannedPolicy:
    """LinUCB-k that learns from its own clicks what each item drives away, corrects for it, and plans the page.

    A survival model with item-dependent hazards is fitted to the policy's own log; its filter scales the design, and
    `plan_exact` orders the page by worth and hazard. For feeds that people leave because of what they see. Where items
    do not differ in that, the plan costs a little.

    Parameters
    ----------
    n_features, n_slots, alpha, prior_precision
        As in `linucb_k`.
    hazard_ridge
        The survival model's ridge, > 0: large values make all items' hazards alike until the log speaks.
    first_fit
        Rounds before the first fit; until then nothing is corrected or planned.
    """
    slates = ridge_bandit(
        "survival_planned", Optimism(alpha=alpha), n_features=n_features, prior_precision=prior_precision
    )
    click_model = SurvivalModel(attraction="features", hazard=("x",), ridge=hazard_ridge)
    policy = SelfCorrecting(policy=slates, click_model=click_model, first_fit=first_fit, accept_warnings=True)
    return PlannedPolicy(policy=policy, name="survival_planned")
