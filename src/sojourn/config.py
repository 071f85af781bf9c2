"""From TOML to objects, by the one registry of names.

A policy is named by a recipe or put together from parts::

    [policy]                              [policy]
    recipe = "linucb_k_sw"                name = "mine"
    alpha = 0.3                           model = { type = "bayesian_ridge", per_slot = true }
    weights = [1.0, 0.7, 0.5]             explorer = { type = "thompson", scale = 0.1 }
                                          sampler = { type = "plackett_luce", temperature = 0.05 }
                                          exposure = { type = "design_scaling", weights = [1.0, 0.7, 0.5] }

Deep recipes and the model ``deep_click_rate`` take a layout, as the table that `sojourn.records.FieldLayout` writes::

    [policy]
    recipe = "default_deep_explorer"
    layout.item_id = "item"
    layout.fields = [
        { kind = "categorical", name = "item", n_levels = 500, belongs = "item" },
        { kind = "numeric", name = "user", width = 8 },
    ]

Unknown names and settings are refused with a list of what exists.
"""

from __future__ import annotations

import inspect
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, Unpack, get_args, get_type_hints, runtime_checkable
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sojourn import recipes
from sojourn.errors import ConfigError, SojournError
from sojourn.exploration import AdversarialGradient, EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.exposure import DesignScaling, NoCorrection, RowWeighting
from sojourn.interfaces import ExposureCorrection, Policy, RewardModel
from sojourn.models import BayesianRidge
from sojourn.policies import EpsilonSampler, LoggedOrder, PlackettLuce, SlatePolicy, TopK, Uniform
from sojourn.recipes.building_deep import NetworkSettings, deep_click_rate

Spec = Mapping[str, Any]
"""A table of a TOML file."""


@runtime_checkable
class Learner(Protocol):
    """What can be saved: a model or a policy whose learning is a few arrays."""

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays to store."""
        ...

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        ...


def _design_scaling(*, weights: list[float]) -> ExposureCorrection:
    return DesignScaling(weights)


def _row_weighting(*, weights: list[float]) -> ExposureCorrection:
    return RowWeighting(weights, posterior=False)


def _bayesian_ridge(
    *, n_features: int, n_slots: int, per_slot: bool = False, prior_precision: float = 1.0
) -> BayesianRidge:
    if not isinstance(per_slot, bool):
        raise ConfigError(f"model 'bayesian_ridge': expected true or false for per_slot, got {per_slot!r}")
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
    n_slots: int,
    uncertainty: str = "none",
    gate: bool = False,
    unknown_share: float = 0.0,
    **network: Unpack[NetworkSettings],
) -> RewardModel:
    if uncertainty not in ("none", *UNCERTAINTIES):
        raise ConfigError(
            f"model 'deep_click_rate': expected an uncertainty among none, {', '.join(UNCERTAINTIES)}; "
            f"got {uncertainty!r}"
        )
    if not isinstance(gate, bool):
        raise ConfigError(f"model 'deep_click_rate': expected true or false for gate, got {gate!r}")
    from sojourn.models.deep import uncertainty as kinds

    doubt = None if uncertainty == "none" else getattr(kinds, UNCERTAINTIES[uncertainty])()
    return deep_click_rate(doubt, n_features=n_features, gate=gate, unknown_share=unknown_share, **network)


REGISTRY: Final[dict[str, dict[str, Callable[..., Any]]]] = {
    "recipe": {name: getattr(recipes, name) for name in recipes.__all__},
    "model": {"bayesian_ridge": _bayesian_ridge, "deep_click_rate": _deep_click_rate},
    "explorer": {
        "adversarial_gradient": AdversarialGradient,
        "epsilon_greedy": EpsilonGreedy,
        "greedy": Greedy,
        "optimism": Optimism,
        "thompson": Thompson,
    },
    "sampler": {"epsilon": EpsilonSampler, "plackett_luce": PlackettLuce, "top_k": TopK},
    "exposure": {"design_scaling": _design_scaling, "none": NoCorrection, "row_weighting": _row_weighting},
}
"""Every name that a configuration may use, by kind."""

PARTS: Final = {"model": "bayesian_ridge", "explorer": "greedy", "sampler": "top_k", "exposure": "none"}
"""The parts of a policy, with what stands where a configuration names none."""


def read(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises
    ------
    ConfigError
        If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a TOML file, which cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, got a mistake: {error}") from error


def needs_weights(spec: Spec) -> bool:
    """True if a recipe asks for examination weights that the specification does not give."""
    builder = _named("recipe", spec["recipe"]) if "recipe" in spec else None
    return builder is not None and "weights" in inspect.signature(builder).parameters and "weights" not in spec


def build_policy(spec: Spec, *, n_features: int, n_slots: int) -> Policy:
    """The policy of a ``[policy]`` table.

    Raises
    ------
    ConfigError
        If a name or a setting is not known, or one is missing.
    """
    shape = {"n_features": n_features, "n_slots": n_slots}
    if "recipe" in spec:
        settings = {key: value for key, value in spec.items() if key != "recipe"}
        policy: Policy = _call("recipe", spec["recipe"], settings, shape)
        return policy
    unknown = set(spec) - set(PARTS) - {"name"}
    if unknown:
        raise ConfigError(f"policy: expected recipe, or name and {', '.join(PARTS)}; got {', '.join(sorted(unknown))}")
    parts = {kind: _build_part(kind, spec.get(kind, {"type": default}), shape) for kind, default in PARTS.items()}
    name = spec.get("name", "policy")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"policy.name: expected a text, got {name!r}")
    return SlatePolicy(name=name, **parts)


def save_policy(folder: str | Path, spec: Spec, policy: Policy, **about: Any) -> None:
    """Write a policy as ``policy.json`` (how to build it) and ``model.npz`` (what it learned); no pickle.

    Parameters
    ----------
    folder
        Made if missing.
    spec
        What `build_policy` was given.
    policy
        What it gave, after learning.
    about
        Further JSON values to keep, such as ``n_features`` and ``n_slots``, which `load_policy` needs.

    Raises
    ------
    ConfigError
        If the settings or what was learned cannot be stored.
    """
    try:
        text = json.dumps({"policy": dict(spec), **about}, indent=2)
    except TypeError as error:
        raise ConfigError(
            f"policy: expected settings that JSON can hold, {error}; a policy that was given a fitted click model "
            "cannot be built again from its settings: give it weights as lists (and a layout as its to_dict()), or "
            "keep its model's state() yourself"
        ) from error
    learner = _learner(policy)
    if learner is None and not isinstance(policy, (LoggedOrder, Uniform)):
        raise ConfigError(
            f"policy {policy.name!r}: expected one whose learning is a few arrays, state() and restore(), got "
            f"{type(policy).__name__}; keep the log, and let a fresh policy learn from it"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {} if learner is None else learner.state()
    np.savez(folder / "model.npz", **state)  # type: ignore[arg-type]  # NumPy types the keywords as flags
    (folder / "policy.json").write_text(text, encoding="utf-8")


def load_policy(folder: str | Path) -> tuple[Policy, dict[str, Any]]:
    """What `save_policy` wrote: the policy, and the JSON values kept with it."""
    folder = Path(folder)
    try:
        about = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
        with (folder / "model.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            state = {name: arrays[name] for name in arrays.files}
        policy = build_policy(about["policy"], n_features=about["n_features"], n_slots=about["n_slots"])
    except (OSError, EOFError, BadZipFile, ValueError, TypeError, LookupError) as error:
        raise ConfigError(
            f"{folder}: expected a policy that `sojourn fit --out` wrote (policy.json and model.npz): {error}"
        ) from error
    learner = _learner(policy)
    if learner is not None:
        learner.restore(state)
    return policy, about


def _learner(policy: Policy) -> Learner | None:
    """What of a policy holds what it learned: itself, or its model; None if nothing does."""
    return next((part for part in (policy, getattr(policy, "model", None)) if isinstance(part, Learner)), None)


def _build_part(kind: str, table: Any, shape: dict[str, int]) -> Any:
    if not isinstance(table, Mapping) or "type" not in table:
        raise ConfigError(f'policy.{kind}: expected a table such as {{ type = "{PARTS[kind]}" }}, got {table!r}')
    settings = {key: value for key, value in table.items() if key != "type"}
    return _call(kind, table["type"], settings, shape if kind == "model" else {})


def _named(kind: str, name: str) -> Callable[..., Any]:
    known = REGISTRY[kind]
    if not isinstance(name, str) or name not in known:
        raise ConfigError(f"{kind}: expected one of {', '.join(sorted(known))}; got {name!r}")
    return known[name]


def _call(kind: str, name: str, settings: dict[str, Any], shape: dict[str, int]) -> Any:
    builder = _named(kind, name)
    required = _settings_of(builder)
    allowed = [key for key in required if key not in shape]
    unknown = [key for key in settings if key not in allowed]
    missing = [key for key in allowed if required[key] and key not in settings]
    if unknown or missing:
        raise ConfigError(
            f"{kind} {name!r}: expected settings among {', '.join(allowed) or 'none'}"
            + (f"; not known: {', '.join(unknown)}" if unknown else "")
            + (f"; missing: {', '.join(missing)}" if missing else "")
        )
    try:
        return builder(**settings, **shape)
    except SojournError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{kind} {name!r}: a setting has the wrong type: {error}") from error


def _settings_of(builder: Callable[..., Any]) -> dict[str, bool]:
    """Names of what a builder takes, and whether it cannot do without; those of a ``**`` are in its `TypedDict`."""
    required: dict[str, bool] = {}
    for name, parameter in inspect.signature(builder).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (settings,) = get_args(get_type_hints(builder, include_extras=True)[name])
            required |= dict.fromkeys(settings.__annotations__, False)
        else:
            required[name] = parameter.default is inspect.Parameter.empty
    return required
