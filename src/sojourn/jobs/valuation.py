"""Valuation: what policies would have earned on a log, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import polars as pl
from scipy.stats import norm

from sojourn.evaluation import OffPolicyEstimate
from sojourn.evaluation.diagnostics import SUSPECT_Z
from sojourn.records import Estimate
from sojourn.reporting import (
    Block,
    Caution,
    Column,
    Figure,
    Points,
    Section,
    Table,
    Text,
    count,
    number,
    percent,
    plots,
)

FEW_CLICKS: Final = 30
"""Effective clicks below which a bootstrap has too little to draw from, and its interval is too narrow.

Effective clicks are the clicks that the effective rounds would hold at the log's click rate. The clicks that happen to
have a large weight will not do: where none has, the estimate is near 0 and looks sure.
"""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Valued:
    """One policy's estimates: IPS, SNIPS and DR with intervals by the bootstrap, and IPS by empirical Bernstein."""

    policy: str
    estimates: dict[str, OffPolicyEstimate]
    logged: Estimate

    @property
    def headline(self) -> OffPolicyEstimate:
        """The doubly robust estimate."""
        return self.estimates["DR"]

    @property
    def guaranteed(self) -> OffPolicyEstimate:
        """IPS with an interval that holds for any sample size."""
        return self.estimates["IPS, guaranteed"]

    @property
    def effective_clicks(self) -> float:
        """Clicks that the effective rounds would hold at the log's click rate."""
        return self.headline.effective_n * self.logged.value

    @property
    def interval(self) -> tuple[float, float]:
        """The bootstrap's interval of the headline, widened to what so few effective rounds allow.

        A bootstrap cannot draw clicks that did not happen. The log's n rounds give its own clicks per round with a
        standard error s; n' effective rounds have s sqrt(n / n'), whatever happened in them. With one slot, and each
        round a session, that is sqrt(p (1 - p) / n') at click rate p.
        """
        low, high = self.headline.interval
        effective_n = max(self.headline.effective_n, 1.0)
        z = float(norm.ppf(0.5 + self.headline.confidence / 2.0))
        half = z * self.logged.stderr * (self.logged.n / effective_n) ** 0.5
        value = self.headline.value
        return min(low, value - half), max(high, value + half)

    @property
    def doubt(self) -> str:
        """Why the weights cannot be right, if so: their mean is 1 in a log whose propensities are.

        In a thin log the few large weights are often missing, which says nothing: there only a mean above 1 counts.
        """
        diagnostics = self.headline.diagnostics
        thin = self.effective_clicks < FEW_CLICKS
        wrong = diagnostics.mean_z > SUSPECT_Z or (diagnostics.mean_z < -SUSPECT_Z and not thin)
        return diagnostics.statements[-1] if wrong else ""

    @property
    def verdict(self) -> Literal["better", "worse", "undecided"]:
        """How the policy compares with the log."""
        low, high = self.interval
        if self.doubt or self.effective_clicks < FEW_CLICKS or low <= self.logged.value <= high:
            return "undecided"
        return "better" if low > self.logged.value else "worse"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Valuation:
    """What several policies would have earned.

    Parameters
    ----------
    logged
        What the logging policy earned on the rounds valued.
    n_slots
        Slots of the page that were valued, from the top.
    page_width
        Slots of the widest page.
    valued
        The policies that the log can value, in the order given.
    refused
        The others, and why.
    doubts
        What to know of the weights or click models that policies were fitted with, in sentences.
    """

    logged: Estimate
    n_slots: int
    page_width: int
    valued: tuple[Valued, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def finding(self) -> str:
        """Which policy would earn more, in a sentence; that none can be told, if so."""
        if not self.valued:
            return (
                f"**No policy can be valued on this log**: {next(iter(self.refused.values()), 'none was asked for')}."
            )
        better = [each for each in self.valued if each.verdict == "better"]
        if better:
            best = max(better, key=lambda each: each.headline.value)
            low, high = best.interval
            return (
                f"**{best.policy} would earn {self.rate(best.headline.value)}** "
                f"({self.rate(low)} to {self.rate(high)}), more than the {self.rate(self.logged.value)} of the log."
            )
        worse = [each.policy for each in self.valued if each.verdict == "worse"]
        said = (
            f"**No policy can be said to earn more than the log's {self.rate(self.logged.value)}**: "
            "the intervals are too wide to decide"
        )
        return said + (f"; {', '.join(worse)} would earn less." if worse else ".")

    def rate(self, value: float) -> str:
        """A value in words: a click rate for one slot, clicks per page for several."""
        return percent(value) if self.n_slots == 1 else f"{number(value)} clicks a page"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "logged": _plain(self.logged),
            "n_slots": self.n_slots,
            "policies": self.table().to_dicts(),
            "refused": dict(self.refused),
            "doubts": list(self.doubts),
        }

    def table(self) -> pl.DataFrame:
        """One row per policy and estimator."""
        return pl.DataFrame(
            [
                {
                    "policy": each.policy,
                    "estimator": name,
                    **_plain(estimate),
                    "effective_clicks": each.effective_clicks,
                    "verdict": each.verdict,
                    "doubt": each.doubt,
                }
                for each in self.valued
                for name, estimate in each.estimates.items()
            ]
        )

    def blocks(self) -> list[Block]:
        """Figure, caution and table, for the report."""
        refusals = [f"{policy}: {reason}" for policy, reason in self.refused.items()]
        refused: list[Block] = [Caution("Not every policy can be valued on this log."), Points(refusals)]
        if not self.valued:
            return refused
        names = [each.policy for each in self.valued]
        low, high = self.logged.interval
        body: list[Block] = refused if refusals else []
        body.append(
            Figure(
                plots.value_intervals(
                    names,
                    [100.0 * each.headline.value for each in self.valued],
                    [100.0 * each.interval[0] for each in self.valued],
                    [100.0 * each.interval[1] for each in self.valued],
                    logged=100.0 * self.logged.value,
                    x_title="clicks per 100 rounds",
                ),
                "What each policy would have earned: doubly robust estimates with 95 % intervals. The log itself "
                f"earned {self.rate(self.logged.value)} ({self.rate(low)} to {self.rate(high)}). Intervals are the "
                "bootstrap's, or what so few effective rounds allow, whichever is wider.",
                alt="; ".join(f"{each.policy} {self.rate(each.headline.value)}" for each in self.valued),
            )
        )
        thin = [
            f"{each.policy} ({each.effective_clicks:.0f})" for each in self.valued if each.effective_clicks < FEW_CLICKS
        ]
        if thin:
            body.append(
                Caution(
                    f"The log is worth fewer than {FEW_CLICKS} clicks toward {', '.join(thin)}. The bootstrap's "
                    "intervals in the table are too narrow then, and no verdict is given on these policies."
                )
            )
        body += [Caution(f"{each.policy}: {each.doubt}") for each in self.valued if each.doubt]
        body += [Caution(f"{doubt[0].upper()}{doubt[1:]}.") for doubt in self.doubts]
        return [*body, self._report_table()]

    @property
    def _scope(self) -> str:
        if self.n_slots < self.page_width:
            return f"Only the first {count(self.n_slots, 'slot')} of a page of {self.page_width} are valued."
        return "" if self.n_slots == 1 else f"The {self.n_slots} slots of a page are valued together."

    def section(self) -> Section:
        """What a policy would earn, for the report."""
        intro = Text(
            "Each logged click counts for as much more as the policy would have shown the item more often (importance "
            "weights). Policies are fitted on the earlier part of the log and valued on the later part. " + self._scope
        )
        return Section("What other policies would have earned", [intro, *self.blocks()])

    def _report_table(self) -> Table:
        frame = self.table().select(
            "policy",
            "estimator",
            pl.col("value"),
            pl.col("stderr"),
            pl.col("low"),
            pl.col("high"),
            pl.col("effective_n").alias("effective rounds"),
            pl.col("effective_clicks").alias("effective clicks"),
        )
        share = Column(as_percent=True)
        return Table(
            frame,
            "IPS, SNIPS and DR with 95 % intervals by a bootstrap over sessions; the guaranteed interval is by "
            "empirical Bernstein. Effective rounds and clicks are what the weights leave of the log.",
            {
                "value": Column(as_percent=True, stderr="stderr"),
                "low": share,
                "high": share,
                "effective rounds": Column(digits=4),
                "effective clicks": Column(digits=3),
            },
        )


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": estimate.value,
        "stderr": estimate.stderr,
        "low": estimate.interval[0],
        "high": estimate.interval[1],
        "method": estimate.method,
        "effective_n": estimate.effective_n,
        "rounds": estimate.n,
    }
