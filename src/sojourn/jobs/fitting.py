"""Fitting: policies that learn from a log, with all that their recipes must know of attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sojourn import config
from sojourn.errors import ConfigError
from sojourn.interfaces import Policy
from sojourn.jobs.completing import completed, needs_click_model
from sojourn.logs import Candidates, EncodedLog, FeatureEncoder, Log

MAX_LEVELS: Final = 8
"""Most levels of a text column that get a feature of their own: a policy fitted on few clicks can tell no more."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FittedPolicies:
    """Policies that learned from a log.

    Parameters
    ----------
    policies
        By name.
    specs
        Their ``[policy]`` tables, with the weights or click models that were fitted for them.
    learned
        The log with the features that they learned from.
    warnings
        What the fits of weights and click models say of them, each once.
    """

    policies: dict[str, Policy]
    specs: dict[str, config.Spec]
    learned: EncodedLog
    warnings: tuple[str, ...]


def fit_policies(log: Log, specs: Mapping[str, config.Spec], *, candidates: Candidates) -> FittedPolicies:
    """Let policies learn from a log.

    Recipes that need examination weights or a click model and are given none get those of the log's own, see
    `completed`.
    """
    encoded = log.to_batch(encoder_for(log, candidates))
    batch = encoded.batch
    policies: dict[str, Policy] = {}
    known: dict[str, config.Spec] = {}
    warnings: list[str] = []
    for name, spec in specs.items():
        complete = completed(spec, batch)
        known[name] = complete.spec
        warnings += complete.warnings
        policies[name] = config.build_policy(
            complete.spec, n_features=batch.features.shape[2], n_slots=int(batch.position.max()) + 1
        )
        policies[name].update(batch)
    return FittedPolicies(policies=policies, specs=known, learned=encoded, warnings=tuple(dict.fromkeys(warnings)))


def fit_and_save(log: Log, spec: config.Spec, folder: Path, *, candidates: Candidates | None = None) -> dict[str, Any]:
    """Fit one policy on a log and write it to a folder, with the encoder of its features.

    Unless ``candidates`` says otherwise, whole pages without a table of requests give the policy all features, those
    of shown pairs alone included; with these it can be valued on the shown items only.

    Raises
    ------
    ConfigError
        If the policy cannot be stored, or not there.
    """
    if needs_click_model(spec):
        raise ConfigError(
            f"recipe {spec['recipe']!r}: expected a policy that can be stored, this one keeps a fitted click model, "
            "which policy.json cannot hold. Take linucb_k_sw or ubm_linucb, whose weights it can; `sojourn evaluate` "
            "and `sojourn simulate` take this recipe too"
        )
    where: Candidates = "shown" if log.requests is None and log.whole_pages else "catalogue"
    fitted = fit_policies(log, {"policy": spec}, candidates=candidates or where)
    policy, encoded = fitted.policies["policy"], fitted.learned
    batch = encoded.batch
    about = {
        "n_features": batch.features.shape[2],
        "n_slots": int(batch.position.max()) + 1,
        "rounds": batch.n_rounds,
        "clicks": int(batch.click.sum()),
    }
    encoder = encoded.encoder.to_json() if encoded.encoder is not None else ""
    try:
        config.save_policy(folder, fitted.specs["policy"], policy, encoder=encoder, **about)
    except OSError as error:
        raise ConfigError(f"{folder}: expected a folder for the policy, it cannot be written: {error}") from error
    return {"policy": policy.name, **about, "warnings": list(fitted.warnings)}


def encoder_for(log: Log, candidates: Candidates) -> FeatureEncoder:
    """Features that every candidate has; all of them if the candidates are what was shown."""
    encoder = FeatureEncoder.fit(log, max_levels=MAX_LEVELS)
    if candidates == "shown":
        return encoder
    common = [each.name for each in encoder.columns if each.belongs != "pair"]
    return FeatureEncoder.fit(log, columns=common, max_levels=MAX_LEVELS)
