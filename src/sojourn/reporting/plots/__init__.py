"""Plots: pure functions from plain arrays to Plotly figures, one style, each with a hover that says what a mark is.

What a log holds: `click_curve`, `last_click`, `session_survival`, `propensities`. What was learned of attention:
`examination_weights`, `fit_trace`, `model_comparison`. What a policy would earn: `value_intervals`,
`weight_histogram`. How policies learn: `learning_curves`, `regret_curves`.
"""

from __future__ import annotations

from sojourn.reporting.plots.attention import examination_weights, fit_trace, model_comparison
from sojourn.reporting.plots.learning import learning_curves, regret_curves
from sojourn.reporting.plots.logs import click_curve, last_click, propensities, session_survival
from sojourn.reporting.plots.values import value_intervals, weight_histogram

__all__ = [
    "click_curve",
    "examination_weights",
    "fit_trace",
    "last_click",
    "learning_curves",
    "model_comparison",
    "propensities",
    "regret_curves",
    "session_survival",
    "value_intervals",
    "weight_histogram",
]
