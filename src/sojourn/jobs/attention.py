"""Attention: which impressions were seen, and whether the log can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sojourn.exposure import DocumentCTR, HeldOut, PositionBasedModel, RankCTR, compare
from sojourn.logs import Log
from sojourn.records import IntArray
from sojourn.reporting import Block, Caution, Column, Figure, Section, Table, Text, percent, plots, plus_minus

_HELD_OUT = 0.2
_UNSURE = 0.05  # p-value above which the log does not tell the positions apart


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Attention:
    """The position-based model of a log, and how it fares on pages it has not seen.

    Parameters
    ----------
    model
        Fitted on the whole log.
    positions : (p,) int
        Those that the log holds; others may lie between or above them.
    held_out
        Fitted on the first four fifths and judged on the last, beside two baselines; empty for a log too small.
    """

    model: PositionBasedModel
    positions: IntArray
    held_out: tuple[HeldOut, ...]

    @property
    def identified(self) -> bool:
        """True if the log can tell examination from attraction."""
        report = self.model.report
        linked = np.isfinite(report.standard_errors[self.positions]).all()
        return bool(linked and report.position_effect_p <= _UNSURE)

    @property
    def finding(self) -> str:
        """Which impressions were seen, in a sentence."""
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
        report = self.model.report
        return {
            "weights": self.model.weights.tolist(),
            "standard_errors": [float(each) if np.isfinite(each) else None for each in report.standard_errors],
            "identified": self.identified,
            "position_effect_p": report.position_effect_p,
            "converged": report.converged,
            "n_iterations": report.n_iterations,
            "warnings": list(report.warnings),
            "held_out": [
                {
                    "model": each.name,
                    "log_likelihood": each.log_likelihood,
                    "perplexity": each.perplexity.mean,
                    "seconds": each.seconds,
                }
                for each in self.held_out
            ],
        }

    def section(self) -> Section:
        """What was seen, for the report."""
        weights, report = self.model.weights, self.model.report
        body: list[Block] = [
            Text(
                "An item is clicked if it is looked at and attracts. The position-based model tells the two apart by "
                "items that were shown at several positions; the weight of the top position is 1 by convention."
            ),
            *(Caution(f"{warning[0].upper()}{warning[1:]}.") for warning in report.warnings),
            Figure(
                plots.examination_weights(
                    weights, np.where(np.isfinite(report.standard_errors), report.standard_errors, 1.0)
                ),
                "Probability that a position is looked at, with 95 % intervals.",
                alt=", ".join(f"position {i + 1}: {percent(w)}" for i, w in enumerate(weights[:12])),
            ),
        ]
        if self.held_out:
            body += [
                Figure(
                    plots.model_comparison(
                        [each.name for each in self.held_out],
                        np.stack([each.perplexity.by_rank for each in self.held_out]),
                    ),
                    "Perplexity by position on the last fifth of the pages: 1 is certainty, lower is better.",
                ),
                self._table(),
            ]
        return Section("What was seen", body)

    def _table(self) -> Table:
        frame = pl.DataFrame(
            [
                {
                    "model": each.name,
                    "log-likelihood per page": each.log_likelihood,
                    "gain over the first": each.gain,
                    "stderr": each.gain_stderr,
                    "perplexity": each.perplexity.mean,
                    "seconds": each.seconds,
                }
                for each in self.held_out
            ]
        )
        return Table(
            frame,
            "Click models on the last fifth of the pages, fitted on the others.",
            {
                "log-likelihood per page": Column(digits=5),
                "gain over the first": Column(stderr="stderr"),
                "perplexity": Column(digits=5),
                "seconds": Column(digits=2),
            },
        )


def attend(log: Log, *, progress: Callable[[int, int], None] | None = None) -> Attention:
    """Fit the position-based model and hold it against click rates by position and by item."""
    batch = log.to_batch().batch
    cut = round((1.0 - _HELD_OUT) * batch.n_rounds)
    held_out: tuple[HeldOut, ...] = ()
    if batch.n_rounds - cut >= 2:
        held_out = compare(
            {"rank CTR": RankCTR(), "document CTR": DocumentCTR(), "position-based": PositionBasedModel()},
            batch.take(slice(cut)),
            batch.take(slice(cut, None)),
            progress=progress,
        )
    positions = np.unique(batch.position[batch.shown])
    return Attention(model=PositionBasedModel().fit(batch), positions=positions, held_out=held_out)
