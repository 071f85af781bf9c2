"""Staying: what plans earn in simulated sessions, where people leave and the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from sojourn.jobs.sessions.staying_section import section_of
from sojourn.records import FloatArray
from sojourn.reporting import Section, percent, plus_minus

PLAN: Final = "plan"
GREEDY: Final = "greedy"
TRUTH: Final = "plan, truth known"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Strategy:
    """What one way to order the candidates does to people.

    Parameters
    ----------
    reward, survival : (b, t) float
        True click rate of each step, and P(seen).
    clicks, items : (b,) float
        Of each person as it happened, clicked and seen until leaving.
    """

    reward: FloatArray
    survival: FloatArray
    clicks: FloatArray
    items: FloatArray

    @property
    def expected_clicks(self) -> FloatArray:
        """Of each person, (b,)."""
        return np.asarray((self.reward * self.survival).sum(axis=1))

    @property
    def click_rate(self) -> float:
        """Expected clicks of all over expected items of all."""
        return float(self.expected_clicks.sum() / self.survival.sum())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Staying:
    """People who were shown planned sessions, and the same people under other orders.

    Parameters
    ----------
    strategies
        By name: `PLAN`, `GREEDY` and `TRUTH`.
    n_logged
        Sessions that the models learned from.
    page_size
        Items of a page; people leave between pages.
    """

    strategies: Mapping[str, Strategy]
    n_logged: int
    page_size: int

    @property
    def n_people(self) -> int:
        """Sessions that were planned."""
        return len(self.strategies[PLAN].clicks)

    @property
    def n_steps(self) -> int:
        """Items of a session at most."""
        return int(self.strategies[PLAN].reward.shape[1])

    @property
    def gain(self) -> float:
        """Expected clicks of the plan over those of the greedy order, less 1."""
        return self._over_greedy(lambda each: float(each.expected_clicks.mean()))

    @property
    def gain_stderr(self) -> float:
        """Standard error of `gain`, by person: how people differ."""
        plan, greedy = (self.strategies[name].expected_clicks for name in (PLAN, GREEDY))
        residual = plan - greedy - self.gain * greedy
        return float(residual.std(ddof=1) / greedy.mean() / np.sqrt(self.n_people))

    @property
    def finding(self) -> str:
        """What planning brings, in a sentence."""
        rate = self._over_greedy(lambda each: each.click_rate)
        stay = self._over_greedy(lambda each: float(each.survival.sum()))
        gain = plus_minus(abs(self.gain), self.gain_stderr, as_percent=True)
        return (
            f"In simulated sessions, where items drive people away, **people who are shown a plan click {gain} "
            f"{_more(self.gain)} in all** than people who are shown the likeliest clicks first: they click "
            f"{percent(abs(rate), 2)} {_more(rate)} of the items they see, and see {percent(abs(stay), 2)} "
            f"{_more(stay)} items before they leave."
        )

    def table(self) -> pl.DataFrame:
        """One row for each strategy: expected and played clicks, items and click rate."""
        return pl.DataFrame(
            [
                {
                    "strategy": name,
                    "expected_clicks": float(each.expected_clicks.mean()),
                    "clicks": float(each.clicks.mean()),
                    "clicks_se": _stderr(each.clicks),
                    "items": float(each.items.mean()),
                    "items_se": _stderr(each.items),
                    "click_rate": each.click_rate,
                }
                for name, each in self.strategies.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "finding": self.finding,
            "n_logged": self.n_logged,
            "n_people": self.n_people,
            "n_steps": self.n_steps,
            "gain": self.gain,
            "gain_stderr": self.gain_stderr,
            "table": self.table().to_dicts(),
        }

    @property
    def missed(self) -> float:
        """By how much more whoever knew the truth would earn than the plan, as a share of the latter."""
        plan, truth = (float(self.strategies[name].expected_clicks.sum()) for name in (PLAN, TRUTH))
        return truth / plan - 1.0

    def section(self) -> Section:
        """What a plan does to a stay, for the report."""
        return section_of(self)

    def _over_greedy(self, figure: Callable[[Strategy], float]) -> float:
        return figure(self.strategies[PLAN]) / figure(self.strategies[GREEDY]) - 1.0


def _more(change: float) -> str:
    return "more" if change >= 0.0 else "fewer"


def _stderr(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
