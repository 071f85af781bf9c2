"""Policies in folders: how to build them, as JSON, and what they learned, as arrays; no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from sojourn.config.policies import build_policy
from sojourn.config.settings import Spec
from sojourn.engine.storing import Learner
from sojourn.errors import ConfigError
from sojourn.interfaces import Policy
from sojourn.policies import LoggedOrder, Uniform


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
    state = {} if learner is None else learner.state()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
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
