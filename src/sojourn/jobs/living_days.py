"""The days of one policy in one live feed, in memory or in a folder that a stopped run goes on from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sojourn import config
from sojourn.engine import FeedPolicy
from sojourn.errors import ConfigError
from sojourn.interfaces import Policy
from sojourn.jobs.fitting import GUARDS
from sojourn.jobs.living_policies import Inhabitant
from sojourn.simulation.live import DayFiles, LiveDay, LiveFeed, play_days

Row = dict[str, Any]
"""A day as JSON values: those of `LiveDay`, and the `GUARDS`, None where a policy has none."""

_RUN: Final = "run.json"
_DAY: Final = "day.json"  # written last: a day that has it is complete


def days_of(who: Inhabitant, feed: LiveFeed, folder: Path | None = None) -> Iterator[Row]:
    """Let a policy live in a feed, day by day.

    With a folder, each day gets a folder of its own, ``day-00``, ``day-01``, ...: its log, the policy in the evening,
    which `sojourn.config.load_policy` reads, and what the day came to (``day.json``). A run that was stopped goes on
    behind its last complete day, and comes to the same results.

    Raises
    ------
    ConfigError
        If the policy cannot be built, or the folder holds another run or cannot be written.
    """
    if folder is None:
        policy = who.build(feed)
        for day in play_days(policy, feed):
            yield _row(policy, day)
        return
    _expect_same_run(folder, _run_of(who, feed))
    files = DayFiles(folder, feed)
    done = _complete_days(files)
    yield from done
    policy = _as_of_evening(who, files, len(done))
    for day in play_days(policy, feed, first_day=len(done), exchange=files.exchange):
        row = _row(policy, day)
        _publish(who, policy, row, files)
        yield row


def _row(policy: Policy, day: LiveDay) -> Row:
    stay = policy.stay if isinstance(policy, FeedPolicy) else None
    return asdict(day) | {guard: getattr(stay, guard, None) for guard in GUARDS}


def _run_of(who: Inhabitant, feed: LiveFeed) -> Row:
    run = {"policy": who.spec_for(feed) or who.name, "seed": feed.seed, "feed": asdict(feed.settings)}
    return dict(json.loads(json.dumps(run)))  # tuples become lists, as they do in the file


def _expect_same_run(folder: Path, run: Mapping[str, Any]) -> None:
    """Note down what runs in the folder; refuse one where something else did."""
    file = folder / _RUN
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(run, indent=2), encoding="utf-8")
        before = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder}: expected a folder for the logs of a live feed: {error}") from error
    if before != run:
        others = [key for key in run if not isinstance(before, dict) or before.get(key) != run[key]]
        raise ConfigError(
            f"{folder}: expected a new folder, or one where the same run was stopped; there was a run with another "
            f"{' and '.join(others)}: take another folder, or remove this one"
        )


def _complete_days(files: DayFiles) -> list[Row]:
    found: list[Row] = []
    while (file := files.day(len(found)) / _DAY).exists():
        try:
            found.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{file}: expected a day as it was written, remove it to live it again: {error}"
            ) from error
    return found


def _as_of_evening(who: Inhabitant, files: DayFiles, n_days: int) -> Policy:
    """The policy as it was after so many days."""
    if not n_days or who.spec is None:  # the oracle learns nothing
        return who.build(files.feed)
    policy, _ = config.load_policy(files.day(n_days - 1))
    return policy


def _publish(who: Inhabitant, policy: Policy, row: Row, files: DayFiles) -> None:
    folder, feed = files.day(row["day"]), files.feed
    folder.mkdir(parents=True, exist_ok=True)
    spec = who.spec_for(feed)
    if spec is not None:
        shape = {"n_features": feed.layout.n_columns, "n_slots": feed.settings.page_size}
        config.save_policy(folder, spec, policy, **shape)
    part = folder / f"{_DAY}.part"
    part.write_text(json.dumps(row), encoding="utf-8")
    part.replace(folder / _DAY)
