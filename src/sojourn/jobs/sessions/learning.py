"""What was learned of leaving from where sessions end, judged on sessions that nothing was learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from sojourn.evaluation import LeavingReport
from sojourn.jobs.sessions.models import SessionModels
from sojourn.jobs.sessions.parts import told
from sojourn.records import Estimate
from sojourn.reporting import Column, Figure, Points, Section, Table, Text, count, number, percent, plots


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionLearning:
    """What was learned of a log's sessions, and how far it holds.

    Parameters
    ----------
    models
        With the quit model that foretold the leaving of sessions best by which it was chosen.
    chosen
        Its name.
    judged
        Every quit model's figures on the last sessions.
    above_chosen
        By how much the page log-loss of each is above that of the chosen one there.
    n_sessions
        Sessions that were learned from, chosen by and judged on.
    notes
        What of the log was left out.
    """

    models: SessionModels
    chosen: str
    judged: Mapping[str, LeavingReport]
    above_chosen: Mapping[str, Estimate]
    n_sessions: tuple[int, int, int]
    notes: tuple[str, ...]

    @property
    def report(self) -> LeavingReport:
        """The chosen quit model's figures."""
        return self.judged[self.chosen]

    @property
    def finding(self) -> str:
        """How well leaving is foretold, in a sentence."""
        report = self.report
        return (
            f"What makes people leave was learned from where sessions end, by the model “{self.chosen}”. On "
            f"{count(self.n_sessions[2], 'later session')} its page log-loss is {number(report.log_loss.value, 4)}; "
            f"of a page after which a person left and one after which nobody did, it gives the former the higher "
            f"chance of being left {percent(report.auc, 3)} of the time (AUC); its chances are off by "
            f"{percent(report.reliability.ece, 2)} on average (ECE)."
        )

    def table(self) -> pl.DataFrame:
        """One row for each quit model, the best first."""
        rows = [
            {
                "model": name,
                "log_loss": each.log_loss.value,
                "log_loss_se": each.log_loss.stderr,
                "above_chosen": self.above_chosen[name].value,
                "above_chosen_se": self.above_chosen[name].stderr,
                "auc": each.auc,
                "auc_se": each.auc_stderr,
                "ece": each.reliability.ece,
            }
            for name, each in self.judged.items()
        ]
        return pl.DataFrame(rows).sort("log_loss")

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "learned_from": "session ends",
            "chosen": self.chosen,
            "n_sessions": dict(zip(("learned", "chosen", "judged"), self.n_sessions, strict=True)),
            "notes": list(self.notes),
            "quit_models": {name: each.to_dict() for name, each in self.judged.items()},
        }

    def section(self) -> Section:
        """How well the models foretell, for the report."""
        bins = self.report.reliability
        figure = Figure(
            plots.reliability_diagram(bins.probability, bins.rate, bins.stderr, bins.count, what="left"),
            f"Pages of later sessions, in {count(len(bins.count), 'group')} by the predicted chance that the person "
            "leaves, with 95 % intervals. On the dotted line predictions are what happened.",
            alt="; ".join(
                f"{percent(said, 2)} predicted, {percent(was, 2)} left"
                for said, was in zip(bins.probability, bins.rate, strict=True)
            ),
        )
        return Section(
            "How well leaving is foretold",
            [
                Text(f"{told(self.n_sessions)} {self.finding}"),
                self._table(),
                figure,
                Points((*self.report.statements, *self.notes)),
            ],
        )

    def _table(self) -> Table:
        columns = {
            "log_loss": Column(title="page log-loss", stderr="log_loss_se"),
            "above_chosen": Column(title="above the chosen", stderr="above_chosen_se"),
            "auc": Column(title="AUC", stderr="auc_se"),
            "ece": Column(title="calibration error", as_percent=True),
        }
        caption = (
            f"Quit models on the sessions to judge by; “{self.chosen}” was chosen by those before. The lower the "
            "log-loss, the better; an AUC of .5 is a coin's."
        )
        return Table(self.table(), caption, columns)
