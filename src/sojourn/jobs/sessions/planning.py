"""Planning: the order in which to show the candidates of one session, beside other orders of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.jobs.sessions.planning_section import section_of
from sojourn.records import Plan, SessionMDP
from sojourn.reporting import Report, Section, number, percent

PLAN: Final = "plan"
GREEDY: Final = "greedy"
HELD: Final = "history held"
"""The plan as it would be if nothing that it shows changed what comes after it."""

_SAME: Final = 5e-5
"""Values closer than this share of theirs are called the same."""

_OPTIMAL: Final = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Planning:
    """A planned session.

    Parameters
    ----------
    item_ids : (m,) int or str
        The candidates.
    mdp
        What is known of them as the session stands.
    plans
        By strategy: `PLAN` first, then `GREEDY`, then others; all valued in the same way.
    held
        Where the plan counts what it shows itself: what was planned with the history held as it is, so valued, and with
        its bound if one is known. None where nothing that a plan shows changes what comes after it.
    notes
        What a reader must know of the numbers.
    unit
        What the reward counts, in the plural.
    proviso
        What must hold for the figures to, as the beginning of a sentence; empty if nothing but the numbers given.
    """

    item_ids: NDArray[Any]
    mdp: SessionMDP
    plans: Mapping[str, Plan]
    held: Plan | None = None
    notes: tuple[str, ...] = ()
    unit: str = "clicks"
    proviso: str = ""

    @property
    def plan(self) -> Plan:
        """The order to show."""
        return self.plans[PLAN]

    @property
    def greedy(self) -> Plan:
        """The largest reward first."""
        return self.plans[GREEDY]

    @property
    def gain(self) -> float:
        """By how much the plan is worth more than the greedy order, as a share of the latter; 0 if both are worth 0."""
        return self.plan.value / self.greedy.value - 1.0 if self.greedy.value > 0.0 else 0.0

    @property
    def finding(self) -> str:
        """What planning brings, in a sentence."""
        plan, greedy = self.plan, self.greedy
        if abs(self.gain) < _SAME:
            return self._said(
                f"plan and the greedy order are worth the same**: {number(plan.value)} {self.unit} a session."
            )
        more = f"{percent(abs(self.gain))} {'more' if self.gain > 0 else 'fewer'}"
        rates = (
            f", with {number(plan.click_rate)} {self.unit} an item instead of {number(greedy.click_rate)}"
            if abs(plan.click_rate - greedy.click_rate) > _SAME * greedy.click_rate
            else ""
        )
        return self._said(
            f"plan earns {number(plan.value)} {self.unit} a session, {more} than the greedy order** "
            f"({number(greedy.value)}): people see {number(plan.browse_length)} items instead of "
            f"{number(greedy.browse_length)}{rates}."
        )

    def _said(self, finding: str) -> str:
        return f"{self.proviso}, **the {finding}" if self.proviso else f"**The {finding}"

    @property
    def certificate(self) -> str:
        """What is known of the best order."""
        if self.held is None:
            return self._bounded(self.plan)
        return (
            "**The plan is the best order that a search found; how much better another could be is not known**, since "
            f"what is shown changes what comes after it. {self._simpler(self.held)}"
        )

    def _bounded(self, plan: Plan) -> str:
        if plan.bound is None or plan.gap is None:
            return "How much better another order could be was not worked out."
        if plan.gap < _OPTIMAL:
            return (
                f"**No order of these candidates is worth more than the plan**: {number(plan.value, 4)} is the optimum."
            )
        return (
            f"**No order of these candidates is worth more than {number(plan.bound, 4)} {self.unit}**, "
            f"{percent(plan.gap, 2)} above the plan."
        )

    def _simpler(self, held: Plan) -> str:
        """What is known of the problem in which nothing that is shown matters to what comes after it."""
        if held.gap is None:
            return ""
        beaten = "not" if held.gap < _OPTIMAL else f"by {percent(held.gap, 2)} at most"
        return (
            f"If it did not, the order “{HELD}” would be worth {number(held.value, 4)}, and others could beat it "
            f"{beaten}: that is proved, and no more."
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """What was found, the most important first."""
        return self.finding, self.certificate

    def steps(self, strategy: str) -> pl.DataFrame:
        """The steps of a strategy, one row each; ``step`` counts from 1."""
        plan = self.plans[strategy]
        return pl.DataFrame(
            {
                "step": np.arange(1, len(plan.order) + 1),
                "item_id": self.item_ids[plan.order],
                "reward": plan.reward,
                "hazard": plan.hazard,
                "survival": plan.survival,
                "value_to_go": plan.value_to_go,
            }
        )

    def totals(self) -> pl.DataFrame:
        """What each strategy is worth, one row each."""
        return pl.DataFrame(
            [
                {"strategy": name, "value": each.value, "items": each.browse_length, "click_rate": each.click_rate}
                for name, each in self.plans.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        held = self.held
        return {
            "finding": self.finding,
            "certificate": self.certificate,
            "notes": list(self.notes),
            "n_candidates": self.mdp.n_candidates,
            "n_steps": self.mdp.n_steps,
            "unit": self.unit,
            "gain": self.gain,
            "bound": self.plan.bound,
            "gap": self.plan.gap,
            "history_held": None if held is None else {"value": held.value, "bound": held.bound, "gap": held.gap},
            "strategies": [row | {"steps": self.steps(row["strategy"]).to_dicts()} for row in self.totals().to_dicts()],
        }

    def section(self) -> Section:
        """The planned session, for the report."""
        return section_of(self)

    def report(self, *others: Section, subtitle: str, findings: tuple[str, ...] = ()) -> Report:
        """A report of the plan, with other findings and further sections."""
        return Report(
            title="What to show in this session",
            subtitle=subtitle,
            findings=findings or self.findings,
            sections=[self.section(), *others],
            command="sojourn plan",
            settings={"steps": self.mdp.n_steps},
        )
