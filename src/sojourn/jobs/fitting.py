"""Fitting: policies that learn from a log, with all that their recipes must know of attention, items and sessions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import polars as pl

from sojourn import config
from sojourn.engine import FeedPolicy
from sojourn.errors import ConfigError
from sojourn.interfaces import Policy
from sojourn.jobs.completing import completed, needs_click_model, with_layout
from sojourn.jobs.feeding import feed
from sojourn.logs import Candidates, EncodedLog, FeatureEncoder, FieldEncoder, Log

Progress = Callable[[int, int], None]

MAX_LEVELS: Final = 8
"""Most levels of a text column that get a feature, or a code, of their own: a policy fitted on few clicks can tell no
more. Items have as many codes as there are."""

GUARDS: Final = ("sight", "slope", "doubt")
"""What `sojourn.engine.StayModel` chooses by what it foretold."""

_ENCODERS: Final[dict[str, type[FeatureEncoder | FieldEncoder]]] = {"features": FeatureEncoder, "codes": FieldEncoder}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fitted:
    """A policy that learned from a log.

    Parameters
    ----------
    policy
    spec
        Its ``[policy]`` table, with what was fitted or found out for it: weights, a click model, layout and steps.
    learned
        The log as the policy reads it: with codes if it takes a layout, else with features.
    n_blocks
        In how many blocks it learned.
    warnings
        What the fit says of itself, and what the log cannot teach.
    """

    policy: Policy
    spec: config.Spec
    learned: EncodedLog
    n_blocks: int
    warnings: tuple[str, ...]

    @property
    def n_slots(self) -> int:
        """Positions that it has learned from."""
        return int(self.learned.batch.position.max()) + 1

    def to_dict(self) -> dict[str, Any]:
        """What it learned from, and the engine's guards at the end, None for other policies: JSON values."""
        batch, stay = self.learned.batch, self.policy.stay if isinstance(self.policy, FeedPolicy) else None
        return {
            "n_features": batch.features.shape[2],
            "n_slots": self.n_slots,
            "rounds": batch.n_rounds,
            "sessions": len(self.learned.session_ids),
            "clicks": int(batch.click.sum()),
            "blocks": self.n_blocks,
            **{guard: getattr(stay, guard, None) for guard in GUARDS},
        }


def fit_policies(
    log: Log, specs: Mapping[str, config.Spec], *, candidates: Candidates, progress: Progress | None = None
) -> dict[str, Fitted]:
    """Let policies learn from a log.

    Recipes that need examination weights or a click model and are given none get those of the log's own, see
    `completed`; those that take a layout, that of the log's columns, and the items of its longest session. An engine
    learns in blocks of whole sessions (`sojourn.jobs.feeding.feed`), the others all at once.

    Parameters
    ----------
    log, specs
        ``[policy]`` tables by name.
    candidates
        Where the candidates of a round come from: unless they are what was shown, features of pairs are left out.
    progress
        Called with (blocks done, blocks in all) by an engine.

    Raises
    ------
    ConfigError
        If a table is not understood, or gives a layout that is not the log's.
    """
    coded = {name: config.takes_layout(spec) for name, spec in specs.items()}
    logs = {
        codes: log.to_batch(field_encoder_for(log, candidates) if codes else encoder_for(log, candidates))
        for codes in set(coded.values())
    }
    return {name: _fitted(log, spec, logs[coded[name]], progress) for name, spec in specs.items()}


def doubts_of(fitted: Mapping[str, Fitted]) -> tuple[str, ...]:
    """The warnings of all fits, each once."""
    return tuple(dict.fromkeys(warning for each in fitted.values() for warning in each.warnings))


def fit_and_save(
    log: Log,
    spec: config.Spec,
    folder: Path,
    *,
    candidates: Candidates | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
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
    fitted = fit_policies(log, {"policy": spec}, candidates=candidates or where, progress=progress)["policy"]
    about, encoder = fitted.to_dict(), fitted.learned.encoder
    kind = next((name for name, each in _ENCODERS.items() if isinstance(encoder, each)), None)
    text = "" if encoder is None else encoder.to_json()
    try:
        config.save_policy(
            folder, fitted.spec, fitted.policy, reads=kind, encoder=text, learned_from=_mark_of(log), **about
        )
    except OSError as error:
        raise ConfigError(f"{folder}: expected a folder for the policy, it cannot be written: {error}") from error
    return {"policy": fitted.policy.name, **about, "warnings": list(fitted.warnings)}


def load_fitted(folder: Path) -> tuple[Policy, FeatureEncoder | FieldEncoder, int]:
    """What `fit_and_save` wrote: the policy, the encoder of its rows, and the positions that it has learned from.

    Raises
    ------
    ConfigError
        If the folder holds no such policy.
    """
    policy, about = config.load_policy(folder)
    try:
        encoder = _ENCODERS[about.get("reads", "features")].from_json(about["encoder"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{folder}: expected in policy.json the encoder that `sojourn fit --out` wrote, cannot read it: {error!r}"
        ) from error
    return policy, encoder, int(about["n_slots"])


def flattery(folder: Path, log: Log) -> tuple[str, ...]:
    """What must be said of valuing the policy of a folder on a log: nothing, unless it learned from this very log."""
    about = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
    if about.get("learned_from") != _mark_of(log):
        return ()
    return (
        f"{folder}: the policy learned from this very log, which flatters it; value it on a later log, or give its "
        "recipe or its TOML file in place of the folder, to have it fitted on the earlier part and valued on the rest",
    )


def _mark_of(log: Log) -> str:
    """Tells a log from others by the requests that it holds."""
    ids = log.slots.select(pl.col("request_id").cast(pl.String).unique().sort()).collect()["request_id"]
    return sha256("\n".join(ids.to_list()).encode()).hexdigest()


def encoder_for(log: Log, candidates: Candidates) -> FeatureEncoder:
    """Features that every candidate has; all of them if the candidates are what was shown."""
    encoder = FeatureEncoder.fit(log, max_levels=MAX_LEVELS)
    if candidates == "shown":
        return encoder
    return FeatureEncoder.fit(log, columns=_common(encoder), max_levels=MAX_LEVELS)


def field_encoder_for(log: Log, candidates: Candidates) -> FieldEncoder:
    """The same with codes, of every item that was shown twice or more."""
    shown = log.slots.group_by("item_id", maintain_order=True).len().filter(pl.col("len") > 1)
    item_ids = shown.collect()["item_id"].to_numpy()
    fit = partial(FieldEncoder.fit, log, max_levels=MAX_LEVELS, n_spare=max(len(item_ids), 1))
    encoder = fit()
    if candidates != "shown" and encoder.pair_columns:
        encoder = fit(columns=_common(encoder))
    return encoder.with_items(item_ids)


def _common(encoder: FeatureEncoder | FieldEncoder) -> list[str]:
    return [each.name for each in encoder.columns if each.belongs != "pair" and each.name != "item_id"]


def _fitted(log: Log, spec: config.Spec, learned: EncodedLog, progress: Progress | None) -> Fitted:
    batch, encoder = learned.batch, learned.encoder
    known = with_layout(spec, encoder.layout, batch) if isinstance(encoder, FieldEncoder) else spec
    complete = completed(known, batch)
    policy = config.build_policy(
        complete.spec, n_features=batch.features.shape[2], n_slots=int(batch.position.max()) + 1
    )
    n_blocks, warnings = 1, complete.warnings
    if isinstance(policy, FeedPolicy):
        n_blocks, untold = feed(policy, log, batch, progress=progress)
        warnings += untold
    else:
        policy.update(batch)
    return Fitted(policy=policy, spec=complete.spec, learned=learned, n_blocks=n_blocks, warnings=warnings)
