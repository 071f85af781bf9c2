"""Attention: which impressions were seen, what explains it, and whether the log can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from sojourn.exposure import HeldOut, NeighbourEffect, PositionBasedModel, neighbour_effect
from sojourn.jobs.contest import Contest, hold
from sojourn.jobs.fitting import MAX_LEVELS
from sojourn.logs import EncodedLog, FeatureEncoder, Log
from sojourn.records import IntArray, LogBatch
from sojourn.reporting import Block, Caution, Column, Figure, Section, Table, Text, percent, plots, plus_minus

MOST_SLOTS: Final = 400_000
"""Slots of the pages on which models are compared; of a longer log, pages spread evenly over it."""

MOST_NUMBERS: Final = 2_000_000
"""Slots times features of these pages."""

_UNSURE = 0.05  # p-value above which the log does not tell the positions apart


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Attention:
    """The position-based model of a log, and what else may explain its clicks.

    Parameters
    ----------
    model
        Fitted on the whole log.
    positions : (p,) int
        Those that the log holds; others may lie between or above them.
    contest
        Click models on pages that they have not seen.
    neighbours
        Whether items that resemble one above are clicked less; None where the log cannot tell.
    """

    model: PositionBasedModel
    positions: IntArray
    contest: Contest
    neighbours: NeighbourEffect | None = None

    @property
    def identified(self) -> bool:
        """True if the log can tell examination by position from attraction."""
        report = self.model.report
        linked = np.isfinite(report.standard_errors[self.positions]).all()
        return bool(linked and report.position_effect_p <= _UNSURE)

    @property
    def held_out(self) -> tuple[HeldOut, ...]:
        """How each click model fared, the simplest first."""
        return self.contest.held_out

    @property
    def best(self) -> HeldOut | None:
        """The click model that foretells held-out pages best; None where there was nothing to compare."""
        return self.contest.best

    @property
    def finding(self) -> str:
        """Which impressions were seen, and which click model says so, in a few sentences."""
        said = [self._seen, self.contest.finding(identified=self.identified)]
        if self.neighbours is not None and self.neighbours.warnings:
            said.append("**Items that resemble one above them lose clicks besides**: take `default_bandit`.")
        return " ".join(each for each in said if each)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before the weights are used, in sentences."""
        return (*self.model.report.warnings, *(() if self.neighbours is None else self.neighbours.warnings))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done with only a part of the log, and what the items above do, in sentences."""
        contest, found = self.contest, self.neighbours
        notes = []
        if contest.held_out and contest.n_pages < contest.n_rounds:
            notes.append(
                f"Click models were compared on {contest.n_pages:,} of the {contest.n_rounds:,} pages, spread evenly "
                "over the log; the weights are of all pages."
            )
        if contest.description == "features":
            notes.append(
                "Click models told items apart by their features, which foretell held-out clicks better than their ids."
            )
        if found is not None:
            verdict = "no loss to be seen" if not found.warnings else f"a copy loses about {percent(found.loss, 2)}"
            notes.append(
                f"Items that resemble one above them on the page: {verdict} (z = {found.z:+.1f}, {found.n_pages:,} "
                "pages, within position and item)."
            )
        return tuple(notes)

    @property
    def _seen(self) -> str:
        weights, report = self.model.weights, self.model.report
        if len(self.positions) == 1:
            return "With one position there is no position effect to correct."
        if not self.identified:
            return (
                "**What was seen cannot be told from this log**: its clicks do not separate the positions' effect "
                "from the items'."
            )
        last = len(weights) - 1
        weight = plus_minus(weights[last], report.standard_errors[last], as_percent=True)
        return f"The item at position {last + 1} is looked at {weight} as often as the one at the top."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        report, found = self.model.report, self.neighbours
        return {
            "finding": self.finding,
            "weights": self.model.weights.tolist(),
            "standard_errors": [float(each) if np.isfinite(each) else None for each in report.standard_errors],
            "identified": self.identified,
            "position_effect_p": report.position_effect_p,
            "converged": report.converged,
            "n_iterations": report.n_iterations,
            "warnings": list(self.warnings),
            "best": None if self.best is None else self.best.name,
            "told_apart": len(self.contest.tied) == 1,
            "explained_by": self.contest.family(identified=self.identified),
            "n_pages_compared": self.contest.n_pages,
            "items_by": self.contest.description,
            "held_out": self.contest.to_list(),
            "neighbours": None if found is None else {"z": found.z, "loss": found.loss, "n_pages": found.n_pages},
        }

    def section(self) -> Section:
        """What was seen, for the report."""
        weights, report = self.model.weights, self.model.report
        body: list[Block] = [
            Text(
                "An item is clicked if it is looked at and attracts. The position-based model tells the two apart by "
                "items that were shown at several positions; the weight of the top position is 1 by convention."
            ),
            *(Caution(f"{warning[0].upper()}{warning[1:]}.") for warning in self.warnings),
            Figure(
                plots.examination_weights(
                    weights, np.where(np.isfinite(report.standard_errors), report.standard_errors, 1.0)
                ),
                "Probability that a position is looked at, with 95 % intervals.",
                alt=", ".join(f"position {i + 1}: {percent(w)}" for i, w in enumerate(weights[:12])),
            ),
            *(Text(note) for note in self.notes),
        ]
        if self.held_out:
            body += [self._table(), self._figure()]
        return Section("What was seen", body)

    def _figure(self) -> Figure:
        return Figure(
            plots.model_comparison(
                [each.name for each in self.held_out], np.stack([each.perplexity.by_rank for each in self.held_out])
            ),
            "Perplexity by position on the last fifth of the pages, before any click is known, less the lowest there: "
            "0 is the best model at that position.",
        )

    def _table(self) -> Table:
        best = self.best
        frame = pl.DataFrame(
            [
                {
                    "model": f"**{each['model']}**"
                    if best is not None and each["model"] == best.name
                    else each["model"],
                    "log-likelihood per page": each["log_likelihood"],
                    "ahead of position-based": each["lead"],
                    "stderr": each["lead_stderr"],
                    "perplexity": each["perplexity"],
                    "z": None if each["z"] is None else round(each["z"], 1),
                    "seconds": each["seconds"],
                }
                for each in self.contest.to_list()
            ],
            schema_overrides={"z": pl.Float64},
        )
        return Table(
            frame,
            "Click models on the last fifth of the pages, fitted on the others; the best is in bold. z compares clicks "
            "above the last click with what the model expects there: near 0 if people go down the page as it has it. "
            "“readers”: people differ in how much they click; “skipping”: they pass over slots.",
            {
                "log-likelihood per page": Column(digits=5),
                "ahead of position-based": Column(stderr="stderr"),
                "perplexity": Column(digits=5),
                "z": Column(digits=2),
                "seconds": Column(digits=2),
            },
        )


def attend(log: Log, *, progress: Callable[[int, int], None] | None = None) -> Attention:
    """Fit the position-based model, hold click models against one another, and look at the items above.

    Parameters
    ----------
    log
        Its last pages are those to judge on.
    progress
        Called with (models compared, models in all).
    """
    encoded = log.to_batch()
    batch = encoded.batch
    pages = _pages(log, encoded)
    return Attention(
        model=PositionBasedModel().fit(batch),
        positions=np.unique(batch.position[batch.shown]),
        contest=hold(pages, n_rounds=batch.n_rounds, progress=progress),
        neighbours=neighbour_effect(pages),
    )


def _pages(log: Log, encoded: EncodedLog) -> LogBatch:
    """At most `MOST_SLOTS` slots of a log with their features, whole pages in their order."""
    n, k = encoded.batch.item.shape
    rounds = _spread(n, MOST_SLOTS // k)
    if not log.has_features or k == 1:
        return encoded.batch.take(rounds)
    ids = pl.LazyFrame({"request_id": encoded.request_ids[rounds]})
    some = log.slots.join(ids, on="request_id", how="semi", maintain_order="left")
    part = log if len(rounds) == n else replace(log, slots=some)
    batch = part.to_batch(FeatureEncoder.fit(part, max_levels=MAX_LEVELS)).batch
    return batch.take(_spread(batch.n_rounds, MOST_NUMBERS // (k * batch.features.shape[2])))


def _spread(n: int, most: int) -> IntArray:
    """Rows 0 to n - 1, or as many of them as there may be, spread evenly."""
    return np.linspace(0, n - 1, min(n, max(most, 1))).round().astype(np.int64)
