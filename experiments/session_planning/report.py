"""``python -m experiments.session_planning.report``: all tables of the README again, from `results.jsonl` alone.

With ``--html PATH`` also a page with the figures, which needs no network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np

from experiments.outcomes import Outcomes
from experiments.records import Results
from experiments.session_planning import tables
from experiments.session_planning.generator import CLICK_MODELS
from experiments.session_planning.noise import LEVELS
from experiments.session_planning.noise import SETTINGS as NOISY
from experiments.session_planning.run import HERE, ROOT
from experiments.session_planning.units import LENGTHS
from experiments.studies import KEY
from sojourn.records import FloatArray
from sojourn.reporting import Block, Figure, Report, Section, plots, write

_GENERATOR: Final = ("generator", "standard")
_SHORT: Final = {
    "beam": "beam",
    "exact": "exact",
    "exact, posterior mean": "posterior mean",
    "exact, posterior sample": "posterior sample",
}
"""Strategies of Figure 6, as short as their labels must be."""

_QUIT: Final = ("MI-SVM, not calibrated", "MI-SVM + Platt (the paper)", "MI-SVM + product Platt", "noisy-or")


def page(outcomes: Outcomes) -> Report:
    """Figures 4 to 6."""
    sections = [
        Section(
            "Figure 4: calibration of the click model", _reliability(outcomes, tuple(CLICK_MODELS), "were clicked")
        ),
        Section("Figure 5: calibration of the quit model, page by page", _reliability(outcomes, _QUIT, "were left")),
        Section("Figure 6: planning under noise", _noise(outcomes)),
    ]
    return Report(
        title="Planning the whole stay",
        subtitle="Figures of the experiment; its tables and verdicts stand in its README",
        sections=[section for section in sections if section.body],
        command="python -m experiments.session_planning.report --html report.html",
    )


def _reliability(outcomes: Outcomes, names: tuple[str, ...], what: str) -> list[Block]:
    """One diagram for each model: means over seeds of the bins of equal count."""
    blocks: list[Block] = []
    for name in names:
        probability, rate, count = (_bins(outcomes, name, each) for each in ("probability", "rate", "count"))
        if len(probability) == 0:
            continue
        error = rate.std(axis=0, ddof=len(rate) > 1) / np.sqrt(len(rate))
        figure = plots.reliability_diagram(
            probability.mean(axis=0), rate.mean(axis=0), error, count.sum(axis=0), what=what
        )
        blocks.append(Figure(figure, f"{name}: mean of {len(rate)} seeds, with 95 % intervals."))
    return blocks


def _bins(outcomes: Outcomes, name: str, measure: str) -> FloatArray:
    """(s, b), of the seeds with all bins: equal scores may have merged some."""
    curves = outcomes.lists(*_GENERATOR, name, measure)
    widest = max(map(len, curves), default=0)
    return np.array([curve for curve in curves if len(curve) == widest])


def _noise(outcomes: Outcomes) -> list[Block]:
    blocks: list[Block] = []
    for setting in NOISY:
        for length in LENGTHS:
            measure = f"value, T = {length}"
            base = outcomes.curves("noise", setting, "greedy", measure)
            if len(base) == 0:
                continue
            percent = {
                label: 100.0 * (outcomes.curves("noise", setting, name, measure) - base) / base.mean(axis=0)
                for name, label in _SHORT.items()
            }
            n_seeds = len(base)
            figure = plots.learning_curves(
                np.array(LEVELS, dtype=np.float64),
                np.stack([each.mean(axis=0) for each in percent.values()]),
                np.stack([each.std(axis=0, ddof=n_seeds > 1) / np.sqrt(n_seeds) for each in percent.values()]),
                list(percent),
                y_title="% more clicks than greedy",
            )
            figure.update_xaxes(title_text="m: errors are uniform in ± .02 m")
            blocks.append(Figure(figure, f"{setting}, T = {length}: mean of {n_seeds} seeds, one standard error."))
    return blocks


def main() -> None:
    """Renew the README, and write the page if asked."""
    parser = argparse.ArgumentParser(prog="python -m experiments.session_planning.report", description=__doc__)
    parser.add_argument("--html", type=Path, help="where to write the page with the figures")
    options = parser.parse_args()
    records = Results(HERE / "results.jsonl", key=KEY).read()
    tables.write(HERE / "README.md", ROOT / tables.GUIDE, records)
    if options.html is not None:
        print(write(page(Outcomes(records)), options.html))


if __name__ == "__main__":
    main()
