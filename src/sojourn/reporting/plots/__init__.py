"""Plots: pure functions from plain arrays to Plotly figures, one style, each with a hover that says what a mark is.

What a log holds: `click_curve`, `last_click`, `session_survival`, `propensities`. What was learned of attention:
`examination_weights`, `fit_trace`, `model_comparison`. What a policy would earn: `value_intervals`,
`weight_histogram`. How policies learn: `learning_curves`, `regret_curves`. What a planned session is worth:
`survival_curves`, `cumulative_clicks`, `reward_and_hazard`; and whether its probabilities hold: `reliability_diagram`.
How like a simulated feed is to a log: `curves_beside`.
"""

from __future__ import annotations

from sojourn.reporting.plots.attention import examination_weights, fit_trace, model_comparison
from sojourn.reporting.plots.calibration import reliability_diagram
from sojourn.reporting.plots.learning import learning_curves, regret_curves
from sojourn.reporting.plots.likeness import curves_beside
from sojourn.reporting.plots.logs import click_curve, last_click, propensities, session_survival
from sojourn.reporting.plots.sessions import cumulative_clicks, reward_and_hazard, survival_curves
from sojourn.reporting.plots.values import value_intervals, weight_histogram

__all__ = [
    "click_curve",
    "cumulative_clicks",
    "curves_beside",
    "examination_weights",
    "fit_trace",
    "last_click",
    "learning_curves",
    "model_comparison",
    "propensities",
    "regret_curves",
    "reliability_diagram",
    "reward_and_hazard",
    "session_survival",
    "survival_curves",
    "value_intervals",
    "weight_histogram",
]
