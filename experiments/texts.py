"""Figures as the tables print them."""

from __future__ import annotations

from experiments.outcomes import Outcomes


def mean(
    outcomes: Outcomes,
    study: str,
    setting: str,
    contestant: str,
    measure: str,
    places: int,
    *,
    factor: float = 1.0,
) -> str:
    """Mean over seeds ± its standard error; empty where there is none."""
    found = outcomes.mean(study, setting, contestant, measure)
    if found is None:
        return ""
    value = f"{factor * found.value:,.{places}f}"
    return value if found.stderr is None else f"{value} ± {factor * found.stderr:.{places}f}"


def gain(outcomes: Outcomes, study: str, setting: str, contestant: str, reference: str, measure: str) -> str:
    """Per cent over the reference, paired by seed; empty where there is none."""
    found = outcomes.gain(study, setting, contestant, reference, measure)
    return "" if found is None else str(found)


def seeds_of_gain(outcomes: Outcomes, study: str, setting: str, contestant: str, reference: str, measure: str) -> str:
    """Number of seeds behind a paired difference; empty where there is none."""
    found = outcomes.gain(study, setting, contestant, reference, measure)
    return "" if found is None else f"{found.n_seeds}"
