"""Thirty days in which each policy's own log teaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from experiments.closed_loop.contestants import CONTESTANTS, ENGINE, NAIVE, ORACLE, TUNED, WIDE, Build
from experiments.studies import Measures
from sojourn.engine import FeedPolicy
from sojourn.planning import Fatigue, plan_greedy, plan_many, plan_path
from sojourn.records import FloatArray, IntArray, SessionMDP
from sojourn.simulation.live import PRESETS, LiveFeed, LiveSettings, LiveVisits

WORLDS: Final = tuple(PRESETS)
NEW_DAYS: Final = 3
AWARE: Final = "engine, aware of fatigue"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much of everything.

    Parameters
    ----------
    days
        That a feed lives.
    n_sessions
        Of a day.
    """

    days: int = 30
    n_sessions: int = 500


FULL: Final = Sizes()
SMALL: Final = Sizes(days=3, n_sessions=40)


def settings_of(world: str, sizes: Sizes) -> LiveSettings:
    """What a world is like at these sizes."""
    return replace(PRESETS[world], days=sizes.days, n_sessions=sizes.n_sessions)


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """All contestants in one world, with the same people."""
    feed = LiveFeed(settings_of(setting, sizes), seed=seed)
    found = _each_lives(CONTESTANTS, setting, seed, sizes)
    return found | {"oracle without plan": know(feed, planned=False), ORACLE: know(feed, planned=True)}


def play_wide(setting: str, seed: int, sizes: Sizes) -> Measures:
    """The engine with a prior that is too wide, with and without a guard on exploring."""
    return _each_lives(WIDE, setting, seed, sizes)


def tune(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Every strength of every contestant that has one, in one world."""
    feed = LiveFeed(settings_of(setting, sizes), seed=seed)
    return {
        f"{name}, {strength:g}": live(feed, build(feed, seed), rng=np.random.default_rng([seed, *name.encode()]))
        for name, tried in TUNED.items()
        for strength, build in tried.items()
    }


def play_traffic(setting: str, seed: int, sizes: Sizes) -> Measures:
    """The engine in a feed with more visitors, who tell more of each item."""
    world, _, times = setting.partition(" x ")
    settings = settings_of(world, sizes)
    feed = LiveFeed(replace(settings, n_sessions=int(times) * settings.n_sessions), seed=seed)
    found: Measures = {
        name: live(feed, CONTESTANTS[name](feed, seed), rng=np.random.default_rng([seed, *name.encode()]))
        for name in (NAIVE, ENGINE)
    }
    return found | {ORACLE: know(feed, planned=True)}


def play_tired(setting: str, seed: int, sizes: Sizes) -> Measures:
    """The engine in the world of fatigue, with and without plans that know of it; a fifth of the visitors."""
    settings = settings_of(setting, sizes)
    feed = LiveFeed(replace(settings, n_sessions=max(settings.n_sessions // 5, 1)), seed=seed)
    rng = np.random.default_rng([seed, 1])
    found: Measures = {name: live(feed, CONTESTANTS[name](feed, seed), rng=rng) for name in (NAIVE, ENGINE)}
    return found | {AWARE: live(feed, CONTESTANTS[ENGINE](feed, seed), rng=rng, aware=True)}


def _each_lives(contestants: Mapping[str, Build], setting: str, seed: int, sizes: Sizes) -> Measures:
    found: Measures = {}
    for name, build in contestants.items():
        feed = LiveFeed(settings_of(setting, sizes), seed=seed)
        found[name] = live(feed, build(feed, seed), rng=np.random.default_rng([seed, *name.encode()]))
    return found


def live(
    feed: LiveFeed, policy: FeedPolicy, *, rng: np.random.Generator, aware: bool = False
) -> dict[str, float | list[float] | None]:
    """A policy's life: it serves a day, and learns from that day's log; ``aware`` plans know that people tire."""
    book = DayBook(feed)
    for day in range(feed.settings.days):
        visits = feed.visits(day)
        orders = ranked(policy, visits.features, feed.settings.n_steps, rng=rng)
        if aware:
            orders = _for_the_tired(feed, policy, visits, orders, rng=rng)
        book.enter(day, visits, orders)
        policy.update(feed.log(visits, feed.play(visits, orders)))
    return book.measures() | {
        "slope": policy.stay.slope,
        "whole page": float(policy.stay.sight == "whole_page"),
        "doubt": policy.stay.doubt,
    }


def ranked(policy: FeedPolicy, features: FloatArray, n_steps: int, *, rng: np.random.Generator) -> IntArray:
    """The sessions' orders, (b, t), of candidates (b, m, d)."""
    if policy.planner is not plan_greedy:
        return policy.orders(features, n_steps, rng=rng)
    reward, _ = policy.worth(features, n_steps, n_steps, rng=rng)
    return np.argsort(-reward, axis=1, kind="stable")[:, :n_steps]


def _for_the_tired(
    feed: LiveFeed, policy: FeedPolicy, visits: LiveVisits, orders: IntArray, *, rng: np.random.Generator
) -> IntArray:
    """The orders, improved for people who tire as the world's do."""
    settings = feed.settings
    reward, hazard = policy.worth(visits.features, settings.n_steps, settings.n_steps, rng=rng)
    found = np.empty_like(orders)
    for session, order in enumerate(orders):
        mdp = SessionMDP(reward=reward[session], hazard=hazard[session], n_steps=settings.n_steps)
        tired = Fatigue(
            mdp=mdp,
            category=visits.category[session],
            reward_decay=settings.reward_decay,
            hazard_growth=settings.hazard_growth,
            window=settings.window,
        )
        found[session] = plan_path(tired, start=order).order
    return found


def know(feed: LiveFeed, *, planned: bool) -> dict[str, float | list[float] | None]:
    """The same by the truth."""
    book, n_steps = DayBook(feed), feed.settings.n_steps
    for day in range(feed.settings.days):
        visits = feed.visits(day)
        reward = feed.reward_of(visits.user[:, None], visits.item)
        hazard = feed.hazard_of(visits.user[:, None], visits.item)
        by_rate = np.argsort(-reward, axis=1, kind="stable")[:, :n_steps]
        book.enter(day, visits, plan_many(reward, hazard, n_steps).order if planned else by_rate)
    return book.measures()


class DayBook:
    """What every day came to, without luck in clicking and leaving."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed
        self._clicks: list[float] = []
        self._items: list[float] = []
        self._new: list[float] = []

    def enter(self, day: int, visits: LiveVisits, orders: IntArray) -> None:
        """What the orders of a day's sessions are worth."""
        outcome = self._feed.expected(visits, orders)
        item = np.take_along_axis(visits.item, orders, axis=1)[:, : self._feed.settings.page_size]
        self._clicks.append(float(outcome.clicks.sum()))
        self._items.append(float(outcome.items.sum()))
        self._new.append(float((day - self._feed.arrival[item] < NEW_DAYS).mean()))

    def measures(self) -> dict[str, float | list[float] | None]:
        """All days together, and clicks a session of each."""
        n_sessions = len(self._clicks) * self._feed.settings.n_sessions
        clicks, items = sum(self._clicks), sum(self._items)
        return {
            "clicks": clicks / n_sessions,
            "length": items / n_sessions,
            "click rate": 100.0 * clicks / items,
            "new": 100.0 * float(np.mean(self._new)),
            "by day": [each / self._feed.settings.n_sessions for each in self._clicks],
        }
