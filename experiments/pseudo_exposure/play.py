"""What a unit of work gives: one record for each contestant."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl

from experiments.pseudo_exposure.knowledge import Known
from experiments.pseudo_exposure.studies import Unit
from experiments.pseudo_exposure.worlds import WORLDS
from experiments.records import Record
from sojourn.evaluation import replay_shown
from sojourn.interfaces import Environment, Policy
from sojourn.records import FloatArray, LogBatch
from sojourn.simulation import Feed, compare

Strengths = Mapping[tuple[str, str, str], float]
"""The tuned strength of each (protocol, world, contestant)."""

N_POINTS: Final = 20
"""Points of a curve."""

_CHOICES: Final = 9  # a stream of random numbers; the worlds have the first ones
_SUMS = ("clicks", "expected_clicks", "regret", "set_reward", "set_regret")


def play(unit: Unit, strengths: Strengths) -> list[Record]:
    """Let the entrants of the unit play, and say how they fared."""
    known = Known(unit.world, seed=unit.seed, n_slots=unit.n_slots, sizes=unit.sizes)
    start = time.process_time()
    used = [_strength(unit, name, alpha, strengths) for name, alpha in unit.entrants]
    outcomes = (_online if unit.protocol == "online" else _replay)(unit, known, used)
    seconds = (time.process_time() - start) / len(unit.entrants)
    return [
        dict(zip(_KEY_AND_MORE, (*unit.key(name, alpha), strength, round(seconds, 3)), strict=True)) | outcome
        for (name, alpha), strength, outcome in zip(unit.entrants, used, outcomes, strict=True)
    ]


_KEY_AND_MORE = ("study", "protocol", "world", "n_slots", "seed", "policy", "alpha", "strength", "seconds")


def _strength(unit: Unit, name: str, alpha: float | None, strengths: Strengths) -> float | None:
    tuned = unit.tuned(name)
    return alpha if alpha is not None or tuned is None else strengths[tuned]


def _policies(unit: Unit, known: Known, used: list[float | None]) -> list[Policy]:
    return [
        unit.contestant(name).make(known, 0.0 if strength is None else strength)
        for (name, _), strength in zip(unit.entrants, used, strict=True)
    ]


def _online(unit: Unit, known: Known, used: list[float | None]) -> list[Record]:
    """True online choice."""
    environment: Environment = known.place.environment
    if unit.study == "worth" and isinstance(environment, Feed):
        environment = replace(environment, viewport=True)
    policies = _policies(unit, known, used)
    names = [str(number) for number in range(len(policies))]
    runs = compare(
        {name: lambda _, policy=policy: policy for name, policy in zip(names, policies, strict=True)},  # type: ignore[misc]
        lambda _: environment,
        n_rounds=unit.n_rounds,
        seeds=[unit.seed],
    ).runs
    return [_online_record(runs.filter(policy=name), unit) for name in names]


def _online_record(run: pl.DataFrame, unit: Unit) -> Record:
    last = run.row(-1, named=True)
    record = {"n_rounds": unit.n_rounds, **{name: round(float(last[name]), 3) for name in _SUMS}}
    record["best"] = round(record["expected_clicks"] + record["regret"], 3)
    if unit.study == "tune":
        return record
    points = np.unique(np.linspace(0, run.height - 1, N_POINTS + 1).round().astype(np.int64)[1:])
    curve = {name: run[name].gather(points).round(2).to_list() for name in ("round", *_SUMS)}
    return record | {"curve": curve}


def _replay(unit: Unit, known: Known, used: list[float | None]) -> list[Record]:
    """The paper's replay: pages without a click dropped, K of the logged items chosen."""
    world = WORLDS[unit.world]
    log = world.logged_pages(unit.n_rounds, seed=unit.seed, n_slots=world.log_slots(unit.n_slots))
    clicked = log.take(np.flatnonzero(log.click.any(axis=1)))
    about = {"n_rounds": clicked.n_rounds, **_hidden(clicked)}
    return [about | _replay_record(policy, clicked, unit) for policy in _policies(unit, known, used)]


def _replay_record(policy: Policy, log: LogBatch, unit: Unit) -> Record:
    result = replay_shown(policy, log, n_slots=unit.n_slots, rng=np.random.default_rng([unit.seed, _CHOICES]))
    clicks, any_click = (result.per_round(metric).cumsum() for metric in ("sum", "set"))
    n = log.n_rounds
    record: dict[str, Any] = {"clicks": clicks[-1], "set_clicks": any_click[-1]}
    record |= {"ctr_sum": round(clicks[-1] / n, 6), "ctr_set": round(any_click[-1] / n, 6)}
    if unit.study == "tune":
        return record
    points = np.unique(np.linspace(0, n - 1, N_POINTS + 1).round().astype(np.int64)[1:])
    curve = {"round": points + 1, "clicks": clicks[points], "set_clicks": any_click[points]}
    return record | {"curve": {name: values.tolist() for name, values in curve.items()}}


def _hidden(log: LogBatch) -> dict[str, float]:
    """The share of pages whose last click is in the last slot, and of slots below the last click."""
    last: FloatArray = log.n_slots - 1.0 - log.click[:, ::-1].argmax(axis=1)
    below = (log.n_slots - 1.0 - last) / log.n_slots
    return {"last_slot": round(float((last == log.n_slots - 1).mean()), 4), "below_last": round(float(below.mean()), 4)}


def missing(unit: Unit, done: set[tuple[Any, ...]]) -> Unit | None:
    """The unit without the entrants whose records are there; None if all are."""
    entrants = tuple((name, alpha) for name, alpha in unit.entrants if unit.key(name, alpha) not in done)
    return replace(unit, entrants=entrants) if entrants else None
