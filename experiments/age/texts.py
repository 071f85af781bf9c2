"""Figures as the tables print them."""

from __future__ import annotations

from experiments.age.figures import percent
from experiments.outcomes import Outcomes
from experiments.session_planning.texts import gain, mean

__all__ = ["gain", "mean", "percent", "seeds_of_gain"]


def seeds_of_gain(outcomes: Outcomes, study: str, setting: str, contestant: str, reference: str, measure: str) -> str:
    """Number of seeds behind a paired difference; empty where there is none."""
    found = outcomes.gain(study, setting, contestant, reference, measure)
    return "" if found is None else f"{found.n_seeds}"
