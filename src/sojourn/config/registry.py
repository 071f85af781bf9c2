"""Every name that a configuration may use, and what it builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Unpack

from sojourn import recipes
from sojourn.config.settings import Spec, call
from sojourn.errors import ConfigError, InvalidInputError
from sojourn.exploration import AdversarialGradient, EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.exposure import DesignScaling, NoCorrection, RowWeighting
from sojourn.interfaces import ExposureCorrection, RewardModel
from sojourn.models import BayesianRidge, ItemLogistic
from sojourn.planning import (
    plan_by_assignment,
    plan_by_ratio,
    plan_compromise,
    plan_greedy,
    plan_resorted_compromise,
    plan_session,
)
from sojourn.policies import EpsilonSampler, PlackettLuce, TopK
from sojourn.recipes.building_deep import NetworkSettings, deep_click_rate
from sojourn.recipes.building_feed import leaving_logistic


def _design_scaling(*, weights: list[float]) -> ExposureCorrection:
    return DesignScaling(weights)


def _row_weighting(*, weights: list[float]) -> ExposureCorrection:
    return RowWeighting(weights, posterior=False)


def _bayesian_ridge(
    *, n_features: int, n_slots: int, per_slot: bool = False, prior_precision: float = 1.0
) -> BayesianRidge:
    return BayesianRidge(n_features=n_features, n_slots=n_slots if per_slot else None, prior_precision=prior_precision)


UNCERTAINTIES: Final = {
    "batch_ensemble": "BatchEnsemble",
    "diagonal_precision": "DiagonalPrecision",
    "dropout": "Dropout",
    "ensemble": "Ensemble",
    "gaussian_process": "GaussianProcess",
    "gradient_norm": "GradientNorm",
    "impression_counts": "ImpressionCounts",
    "item_posterior": "ItemPosterior",
    "last_layer": "LastLayer",
    "shared_trunk": "SharedTrunk",
}
"""What a deep model may be unsure by, with the class of `sojourn.models.deep.uncertainty`."""


def _deep_click_rate(
    *,
    n_features: int,
    uncertainty: str = "none",
    gate: bool = False,
    unknown_share: float = 0.0,
    **network: Unpack[NetworkSettings],
) -> RewardModel:
    if uncertainty not in ("none", *UNCERTAINTIES):
        raise InvalidInputError(
            f"uncertainty: expected one among none, {', '.join(UNCERTAINTIES)}; got {uncertainty!r}"
        )
    from sojourn.models.deep import uncertainty as kinds

    doubt = None if uncertainty == "none" else getattr(kinds, UNCERTAINTIES[uncertainty])()
    return deep_click_rate(doubt, n_features=n_features, gate=gate, unknown_share=unknown_share, **network)


REGISTRY: Final[dict[str, dict[str, Callable[..., Any]]]] = {
    "recipe": {name: getattr(recipes, name) for name in recipes.__all__},
    "model": {"bayesian_ridge": _bayesian_ridge, "deep_click_rate": _deep_click_rate},
    "clicks": {"deep_click_rate": _deep_click_rate, "item_logistic": ItemLogistic},
    "leaving": {"item_logistic": leaving_logistic},
    "explorer": {
        "adversarial_gradient": AdversarialGradient,
        "epsilon_greedy": EpsilonGreedy,
        "greedy": Greedy,
        "optimism": Optimism,
        "thompson": Thompson,
    },
    "planner": {
        "assignment": lambda: plan_by_assignment,
        "by_ratio": lambda: plan_by_ratio,
        "compromise": lambda: plan_compromise,
        "exact": lambda: plan_session,
        "greedy": lambda: plan_greedy,
        "resorted_compromise": lambda: plan_resorted_compromise,
    },
    "sampler": {"epsilon": EpsilonSampler, "plackett_luce": PlackettLuce, "top_k": TopK},
    "exposure": {"design_scaling": _design_scaling, "none": NoCorrection, "row_weighting": _row_weighting},
}
"""Every name that a configuration may use, by kind."""


def named(kind: str, name: Any, label: str) -> Callable[..., Any]:
    """What builds the thing of that kind and name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    known = REGISTRY[kind]
    if not isinstance(name, str) or name not in known:
        raise ConfigError(f"{label}: expected one of {', '.join(sorted(known))}; got {name!r}")
    return known[name]


def build_part(key: str, table: Any, shape: Spec, *, kind: str, default: Spec) -> Any:
    """The part of a policy that stands under a key, from its table, as the default is one.

    Raises
    ------
    ConfigError
        If it is no table, or what it says is not known.
    """
    if not isinstance(table, Mapping) or "type" not in table:
        raise ConfigError(f'policy.{key}: expected a table such as {{ type = "{default["type"]}" }}, got {table!r}')
    settings = {name: value for name, value in table.items() if name != "type"}
    return call(f"{key} {table['type']!r}", named(kind, table["type"], key), settings, shape)
