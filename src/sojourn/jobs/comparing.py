"""Comparing: what two policies would earn until people leave, on one log, session by session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from sojourn import config
from sojourn.errors import ConfigError, LogError
from sojourn.evaluation import SessionEstimator, WeightedSessions, target_propensity, with_states
from sojourn.evaluation.diagnostics import SUSPECT_Z
from sojourn.evaluation.weights import logged_propensity
from sojourn.interfaces import Policy
from sojourn.jobs.estimating import candidates_of, expect_choices_among_shown, expect_propensities
from sojourn.jobs.fitting import doubts_of, fit_policies, flattery, load_fitted
from sojourn.jobs.promotion import ENOUGH, Comparison, SessionValues
from sojourn.logs import Candidates, EncodedLog, Log, rounds
from sojourn.records import LogBatch

Progress = Callable[[int, int], None]

OTHERS: Final[dict[str, SessionEstimator]] = {
    "whole pages": SessionEstimator(weighting="slate"),
    "whole sessions": SessionEstimator(weighting="trajectory"),
    "not normalized": SessionEstimator(normalized=False),
}
"""Estimators of the clicks that stand beside the one that decides, by what they do otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contestant:
    """A policy to compare: the one that logged, unless a folder or a table is given.

    Parameters
    ----------
    name
        How the result calls it.
    folder
        What `sojourn fit --out` wrote.
    spec
        A ``[policy]`` table, to be fitted on the earlier part of the log.
    """

    name: str
    folder: Path | None = None
    spec: config.Spec | None = None


def compare_policies(
    log: Log,
    old: Contestant,
    new: Contestant,
    *,
    candidates: Candidates | None = None,
    train_share: float = 0.5,
    margin: float = 0.0,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Value two policies on the whole sessions of a log.

    If one of them is yet to be fitted, that is done on the earlier part of the log, and both are valued on the sessions
    that begin in the later part.

    Parameters
    ----------
    log
        Must hold propensities.
    old, new
        Who shows now, and who would.
    candidates
        Where the candidates of a round come from, see `sojourn.logs.rounds`; asks the log unless given.
    train_share
        Share of the rounds to fit on, in (0, 1).
    margin
        Clicks per session that ``new`` must earn more than ``old``; below 0, what it may lose.
    confidence
        Of the intervals, in (0, 1).
    seed
        Of all draws.
    progress
        Called with (rounds done, rounds in all).

    Raises
    ------
    MissingPropensitiesError
        If the log holds no propensities, or only ones.
    LogError
        If the log cannot value a policy: it never shows what the policy would, or the weights cannot be right.
    """
    if old.name == new.name:
        raise ConfigError(f"old and new: expected two policies, got {old.name} twice")
    if not np.isfinite(margin):
        raise ConfigError(f"margin: expected clicks per session, a finite number, got {margin}")
    expect_propensities(log)
    where = candidates or candidates_of(log)
    judged, ready, doubts = _ready(log, (old, new), where, train_share)
    batch = next(iter(ready.values()))[1].batch
    logged_propensity(batch)  # refuses a deterministic log before anyone is asked
    if where == "shown":
        expect_choices_among_shown(batch)
    values = []
    for done, contestant in enumerate((old, new)):

        def report(rounds_done: int, _: int, before: int = done * batch.n_rounds) -> None:
            if progress is not None:
                progress(before + rounds_done, 2 * batch.n_rounds)

        policy, encoded = ready.get(contestant.name, (None, next(iter(ready.values()))[1]))
        values.append(_value(contestant.name, policy, encoded, where, confidence, seed, report))
    return Comparison(
        old=values[0],
        new=values[1],
        margin=margin,
        n_cut=judged.n_cut,
        items="shown" if batch.seen is None else "seen",
        doubts=doubts,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """The part of the log to value policies on, in order of steps, and how many sessions had begun before it."""

    log: Log
    n_cut: int

    @classmethod
    def of(cls, log: Log) -> _Judged:
        first = pl.col("step").min().over("session_id")
        began, cut = log.slots.filter(first == 0), log.slots.filter(first > 0)
        n_cut = cut.select(pl.col("session_id").n_unique()).collect().item()
        if began.head(1).collect().is_empty():
            raise LogError(
                f"{log.source}: expected sessions from their first page on (step 0) to value policies on, found none; "
                "give a log of whole sessions, or a smaller share to fit on"
            )
        return cls(replace(log, slots=began.sort("step", maintain_order=True)), int(n_cut))


def _ready(
    log: Log, contestants: tuple[Contestant, ...], where: Candidates, train_share: float
) -> tuple[_Judged, dict[str, tuple[Policy, EncodedLog]], tuple[str, ...]]:
    """What to value on, each policy but the logging one with the log as it reads it, and what its fit says."""
    specs = {each.name: each.spec for each in contestants if each.spec is not None}
    ready: dict[str, tuple[Policy, EncodedLog]] = {}
    doubts: tuple[str, ...] = ()
    whole = log
    if specs:
        train, log = log.split(train_share, by="time" if log.has("timestamp") else "order")
        fitted = fit_policies(train, specs, candidates=where)
        doubts = doubts_of(fitted)
        judged = _Judged.of(log)
        for name, it in fitted.items():
            encoded = judged.log.to_batch(it.learned.encoder, item_ids=it.learned.item_ids)
            _expect_positions(encoded.batch, it.n_slots, log.source)
            ready[name] = it.policy, encoded
    else:
        judged = _Judged.of(log)
    for each in contestants:
        if each.folder is not None:
            ready[each.name] = _loaded(each.folder, judged.log)
            doubts += flattery(each.folder, whole)
    return judged, ready, doubts


def _loaded(folder: Path, log: Log) -> tuple[Policy, EncodedLog]:
    policy, encoder, n_slots = load_fitted(folder)
    encoded = log.to_batch(encoder)
    _expect_positions(encoded.batch, n_slots, log.source)
    return policy, encoded


def _expect_positions(batch: LogBatch, n_known: int, source: str) -> None:
    deepest = int(batch.position[batch.shown].max()) + 1
    if deepest > n_known:
        raise LogError(
            f"{source}: expected pages of up to {n_known} positions, as the policy has learned from, got {deepest}; "
            "fit it on a log with such pages"
        )


def _value(
    name: str,
    policy: Policy | None,
    encoded: EncodedLog,
    where: Candidates,
    confidence: float,
    seed: int,
    progress: Progress,
) -> SessionValues:
    """What a policy would earn per session; the logging one if ``policy`` is None."""
    batch = encoded.batch
    if policy is None:
        target = logged_propensity(batch)
    else:
        asked = with_states(rounds(encoded, where), batch, policy)
        rng = np.random.default_rng(seed)
        target = target_propensity(policy, asked, width=batch.n_slots, rng=rng, progress=progress)
    log = WeightedSessions(batch, target)
    _expect_right_weights(log, name)
    estimator = SessionEstimator(confidence=confidence, seed=seed)
    items = (batch.shown if batch.seen is None else batch.seen).astype(np.float64)
    clicks, browsed = estimator.estimate_on(log, batch.click), estimator.estimate_on(log, items)
    others = {name: replace(each, confidence=confidence, seed=seed) for name, each in OTHERS.items()}
    return SessionValues(
        name=name,
        clicks=clicks,
        items=browsed,
        click_rate=clicks.over(browsed),
        others={name: each.estimate_on(log, batch.click) for name, each in others.items()},
        diagnostics=log.diagnostics,
    )


def _expect_right_weights(log: WeightedSessions, name: str) -> None:
    """Refuse weights that cannot be right: their mean is 1 in a log whose propensities are.

    In a thin log the few large weights are often missing, which says nothing: there only a mean above 1 counts.
    """
    found = log.diagnostics
    if found.mean_z > SUSPECT_Z or (found.mean_z < -SUSPECT_Z and found.effective_n >= ENOUGH):
        side: Literal["above", "below"] = "above" if found.mean_z > 0.0 else "below"
        raise LogError(
            f"{name}: expected weights of 1 on average over the sessions, got {found.mean:.3f}, "
            f"{abs(found.mean_z):.1f} standard errors {side}: the propensities or the candidates of the log are wrong, "
            "or the policy shows what the log never does. Check --candidates and --requests, then the propensities"
        )
