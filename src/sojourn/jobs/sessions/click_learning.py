"""What was learned of leaving from clicks alone, judged on sessions that nothing was learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from sojourn.evaluation import Reliability
from sojourn.exposure import SurvivalReport
from sojourn.jobs.sessions.models import SessionModels
from sojourn.jobs.sessions.parts import told
from sojourn.records import Estimate
from sojourn.reporting import Column, Figure, Points, Section, Table, Text, count, percent, plots, plus_minus

SAME: Final = "the same for all"

_SURPRISING = 3.0  # of z


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClickLearning:
    """What was learned of attraction and leaving from clicks, and how far it holds.

    Parameters
    ----------
    models
        With the survival model that foretold the clicks of sessions best by which it was chosen.
    chosen
        Its name.
    fit
        How its fit went.
    log_likelihood
        Of the clicks of a page, the mean over the last sessions, for each model.
    above_same
        By how much that is above the model in which all items drive away alike.
    clicks
        What the chosen model foretold of the clicks of each slot there, and what came.
    n_sessions
        Sessions that were learned from, chosen by and judged on.
    left_out
        What of the log was left out.
    """

    models: SessionModels
    chosen: str
    fit: SurvivalReport
    log_likelihood: Mapping[str, Estimate]
    above_same: Mapping[str, Estimate]
    clicks: Reliability
    n_sessions: tuple[int, int, int]
    left_out: tuple[str, ...]

    @property
    def finding(self) -> str:
        """How far the clicks tell who leaves, in a sentence."""
        lead = self.above_same[self.chosen]
        later = count(self.n_sessions[2], "later session")
        if self.chosen == SAME:
            return (
                "**The clicks do not tell which items make people leave**: a model in which all drive away alike "
                "foretold later clicks best, so the plan can do no more than put the likeliest clicks first."
            )
        return (
            f"What makes people leave was learned from clicks alone, by the model “{self.chosen}”: it foretells the "
            f"clicks of {later} {plus_minus(lead.value, lead.stderr)} nats a page better than one in which all items "
            f"drive away alike."
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, what the fit rests on, and what speaks against it."""
        rests = (
            "No session ends were used: who left is told by the clicks that do not come further down the page. That "
            "rests on people who look at one item after another, and whose clicks on a page have nothing else in "
            "common than what they saw and, where the model has it so, how much this person clicks."
        )
        if abs(self.fit.z) < _SURPRISING:
            rests += (
                f" Above the last click of a page people clicked about as often as they then should (z = "
                f"{self.fit.z:+.1f}; chance alone makes 2 or less), which does not speak against it."
            )
        return *self.left_out, rests, *(f"The fit warns: {warning}." for warning in self.fit.warnings)

    def table(self) -> pl.DataFrame:
        """One row for each model, the best first."""
        rows = [
            {
                "model": name,
                "log_likelihood": each.value,
                "log_likelihood_se": each.stderr,
                "above_same": self.above_same[name].value,
                "above_same_se": self.above_same[name].stderr,
            }
            for name, each in self.log_likelihood.items()
        ]
        return pl.DataFrame(rows).sort("log_likelihood", descending=True)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "learned_from": "clicks",
            "chosen": self.chosen,
            "n_sessions": dict(zip(("learned", "chosen", "judged"), self.n_sessions, strict=True)),
            "z": self.fit.z,
            "notes": list(self.notes),
            "clicks": self.clicks.to_dict(),
            "survival_models": self.table().to_dicts(),
        }

    def section(self) -> Section:
        """How well the models foretell, for the report."""
        bins = self.clicks
        figure = Figure(
            plots.reliability_diagram(bins.probability, bins.rate, bins.stderr, bins.count, what="clicked"),
            f"Items of later sessions, in {count(len(bins.count), 'group')} by the predicted chance that they are seen "
            "and clicked, with 95 % intervals. On the dotted line predictions are what happened.",
            alt="; ".join(
                f"{percent(said, 2)} predicted, {percent(was, 2)} clicked"
                for said, was in zip(bins.probability, bins.rate, strict=True)
            ),
        )
        columns = {
            "log_likelihood": Column(title="log-likelihood a page", stderr="log_likelihood_se"),
            "above_same": Column(title="above the same for all", stderr="above_same_se"),
        }
        caption = (
            f"Models of clicks and leaving on the sessions to judge by; “{self.chosen}” was chosen by those before. "
            "The nearer to 0 the log-likelihood, the better."
        )
        return Section(
            "How well clicks tell who leaves",
            [
                Text(f"{told(self.n_sessions)} {self.finding}"),
                Table(self.table(), caption, columns),
                figure,
                Points(self.notes),
            ],
        )
