"""Promotion: whether a new policy should take the place of an old one, by what people click until they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Literal

import polars as pl
from scipy.special import ndtri

from sojourn.evaluation import SessionEstimate, WeightDiagnostics
from sojourn.reporting import (
    Block,
    Caution,
    Column,
    Figure,
    Section,
    Table,
    Text,
    count,
    interval,
    number,
    percent,
    plots,
    plus_minus,
)

Verdict = Literal["ship", "do not ship", "not enough data"]

ENOUGH: Final = 100
"""Effective sessions below which no verdict is given: intervals cover less there (`experiments/session_values`)."""

POWER: Final = 0.8
"""Chance that the sessions asked for decide, if the difference is what it seems."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionValues:
    """What a policy would earn per session.

    Parameters
    ----------
    name
    clicks
        Clicks per session, which decide.
    items
        Items browsed per session.
    click_rate
        Clicks per item browsed: ``clicks`` over ``items``.
    others
        Clicks per session by other estimators, by name.
    diagnostics
        What the weights of whole sessions are worth; its rounds are sessions.
    """

    name: str
    clicks: SessionEstimate
    items: SessionEstimate
    click_rate: SessionEstimate
    others: Mapping[str, SessionEstimate]
    diagnostics: WeightDiagnostics


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison:
    """Two policies on the same sessions.

    Parameters
    ----------
    old, new
    margin
        Clicks per session that ``new`` must earn more than ``old``.
    n_cut
        Sessions left out because their beginning is not in the part valued.
    items
        What counts as browsed: items ``seen``, or ``shown`` where the log has no such signal.
    doubts
        What to know of the weights or click models that policies were fitted with, in sentences.
    """

    old: SessionValues
    new: SessionValues
    margin: float = 0.0
    n_cut: int = 0
    items: Literal["seen", "shown"] = "shown"
    doubts: tuple[str, ...] = ()

    @property
    def difference(self) -> SessionEstimate:
        """Clicks per session that ``new`` earns more, paired by session."""
        return self.new.clicks.minus(self.old.clicks)

    @property
    def n(self) -> int:
        """Sessions valued."""
        return self.new.clicks.n

    @property
    def effective_n(self) -> float:
        """Effective sessions of the policy that has fewer."""
        return min(self.old.diagnostics.effective_n, self.new.diagnostics.effective_n)

    @property
    def verdict(self) -> Verdict:
        """``ship`` if the whole interval of the difference is above the margin, ``do not ship`` if none of it is."""
        low, high = self.difference.interval
        if self.effective_n < ENOUGH or low <= self.margin < high:
            return "not enough data"
        return "ship" if low > self.margin else "do not ship"

    @property
    def more_sessions(self) -> int | None:
        """Sessions that are missing for a verdict; 0 if there is one, None if no number of them would give one.

        With as many, the interval would leave out the margin with probability `POWER`, if the difference and the spread
        between sessions are what they seem: n ((z_confidence + z_power) stderr / |difference - margin|)^2 in all.
        """
        if self.verdict != "not enough data":
            return 0
        found = self.difference
        away = abs(found.value - self.margin)
        if away == 0.0:
            return None
        z = float(ndtri((1.0 + found.confidence) / 2.0) + ndtri(POWER))
        decisive = self.n * (z * found.stderr / away) ** 2
        carrying = self.n * ENOUGH / max(self.effective_n, 1.0)
        return max(ceil(max(decisive, carrying)) - self.n, 1)

    @property
    def disagree(self) -> bool:
        """True if clicks per session and click rate go opposite ways, at least one of them beyond chance."""
        clicks, rate = self.difference, self.new.click_rate.minus(self.old.click_rate)
        return clicks.value * rate.value < 0.0 and (0.0 not in clicks or 0.0 not in rate)

    @property
    def answer(self) -> str:
        """The verdict in one line."""
        found = self.difference
        side = "more" if found.value >= 0.0 else "less"
        asked = f", asked for {number(self.margin)} more" if self.margin else ""
        said = (
            f"{self.new.name} earns {plus_minus(abs(found.value), found.stderr)} clicks a session {side} than "
            f"{self.old.name}{asked} (difference {interval(*found.interval)}, {percent(found.confidence, 2)})"
        )
        if self.verdict == "not enough data":
            said += f"; {self._missing}"
        return f"**{self.verdict.upper()}**: {said}."

    @property
    def _missing(self) -> str:
        more = self.more_sessions
        if more is None:
            return "no number of sessions tells such policies apart"
        about = f"{float(f'{more:.2g}'):,.0f}"
        if self.effective_n < ENOUGH:
            return (
                f"the log is worth {self.effective_n:,.0f} whole sessions of them where {ENOUGH} are needed, so about "
                f"{about} more sessions, or a log with more exploration"
            )
        return f"about {about} more sessions would tell, if the difference stays what it seems"

    @property
    def notes(self) -> tuple[str, ...]:
        """What else to know, in sentences."""
        said = []
        if self.disagree:
            said.append(
                f"Clicks and click rate disagree: clicks a session {_changed(self.old.clicks, self.new.clicks)}, "
                f"clicks an item {_changed(self.old.click_rate, self.new.click_rate)}, for people stay for "
                f"{_changed(self.old.items, self.new.items, noun='items')}. Clicks a session decide."
            )
        said.append(
            f"The {count(self.n, 'session')} of the log are worth {self.new.diagnostics.effective_n:,.0f} of "
            f"{self.new.name} and {self.old.diagnostics.effective_n:,.0f} of {self.old.name}."
        )
        if self.n_cut:
            said.append(f"{count(self.n_cut, 'session')} left out, whose beginning is not in the part valued.")
        return (*said, *(f"{doubt[0].upper()}{doubt[1:]}." for doubt in self.doubts))

    def table(self) -> pl.DataFrame:
        """One row per outcome: old, new and the difference with its doubt."""
        names = {
            "clicks a session": "clicks",
            f"items {self.items} a session": "items",
            "clicks an item": "click_rate",
        }
        rows = []
        for label, name in names.items():
            old, new = getattr(self.old, name), getattr(self.new, name)
            rows.append({"outcome": label, "old": old.value, "new": new.value, **_doubted(new.minus(old))})
        return pl.DataFrame(rows)

    def other_estimates(self) -> pl.DataFrame:
        """The difference in clicks a session by the estimator that decides, and by others."""
        found = {"item by item": self.difference}
        found |= {name: new.minus(self.old.others[name]) for name, new in self.new.others.items()}
        return pl.DataFrame([{"estimator": name, **_doubted(each)} for name, each in found.items()])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "verdict": self.verdict,
            "more_sessions": self.more_sessions,
            "old": self.old.name,
            "new": self.new.name,
            "margin": self.margin,
            "confidence": self.difference.confidence,
            "sessions": self.n,
            "sessions_left_out": self.n_cut,
            "effective_sessions": {
                "old": self.old.diagnostics.effective_n,
                "new": self.new.diagnostics.effective_n,
            },
            "outcomes": self.table().to_dicts(),
            "estimators": self.other_estimates().to_dicts(),
            "clicks_and_click_rate_disagree": self.disagree,
            "notes": list(self.notes),
        }

    def section(self) -> Section:
        """Figure and tables, for the report."""
        both = (self.old, self.new)
        clicks = [each.clicks for each in both]
        figure = plots.value_intervals(
            [each.name for each in both],
            [each.value for each in clicks],
            [each.interval[0] for each in clicks],
            [each.interval[1] for each in clicks],
            x_title="clicks per session",
        )
        confidence = percent(self.difference.confidence, 2)
        body: list[Block] = [
            Text(
                "Each logged session counts for as much more as the policy would have led there more often: choice by "
                "choice, with all that was shown before. Sessions that the policy would have kept for longer are among "
                "them. " + " ".join(self.notes)
            ),
            Figure(
                figure, f"Clicks until people leave, with {confidence} intervals. The difference is surer than both."
            ),
            Table(
                self.table(),
                f"What people do in a session; differences are paired by session, with {confidence} intervals.",
                {"difference": Column(stderr="stderr")},
            ),
            Table(
                self.other_estimates(),
                "The difference in clicks a session, by the estimator that decides and by others: with weights of "
                "whole pages or whole sessions, which assume less and vary more, and without normalizing.",
                {"difference": Column(stderr="stderr")},
            ),
        ]
        if self.effective_n < ENOUGH:
            body.insert(0, Caution(f"Below {ENOUGH} effective sessions the intervals are too narrow."))
        return Section(f"{self.new.name} in the place of {self.old.name}", body)


def _doubted(difference: SessionEstimate) -> dict[str, float]:
    low, high = difference.interval
    return {"difference": difference.value, "stderr": difference.stderr, "low": low, "high": high}


def _changed(old: SessionEstimate, new: SessionEstimate, *, noun: str = "") -> str:
    """By how many per cent, as in "go up by 3.1 %", or "3.1 % more items"."""
    share = percent(abs(new.value / old.value - 1.0), 2) if old.value else number(abs(new.value - old.value))
    more = new.value >= old.value
    return f"{share} {'more' if more else 'fewer'} {noun}" if noun else f"go {'up' if more else 'down'} by {share}"
