"""How a fit went and what its numbers can carry."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FitReport:
    """How a fit of the position-based model went.

    Parameters
    ----------
    n_iterations
        EM iterations taken.
    converged
        False if the iterations ran out first.
    log_likelihood : (n_iterations + 1,) float
        Natural logarithm of the probability of all clicks, before each iteration and at the end.
    log_posterior : (n_iterations + 1,) float
        The same with the priors, up to a constant: what EM maximises, so it never falls. Equal to the likelihood where
        there are no priors.
    n_cells
        Distinct (item, position) cells: what an iteration costs.
    n_clicks
        Clicks in the log.
    moved_share
        Share of the views at which an item stood elsewhere than at its most usual position, 0 to 1. Only what moves
        tells attraction from examination; at 0 nothing does.
    standard_errors : (k,) float
        Of the weights relative to the first position, from the observed information; 0 at the first, inf where the
        clicks say nothing.
    position_effect_p
        p-value of "all positions are examined alike" by likelihood ratio. Large: the log cannot tell the weights
        from 1.
    warnings
        What to know before the weights are used, in sentences; empty if all is well.
    """

    n_iterations: int
    converged: bool
    log_likelihood: FloatArray
    log_posterior: FloatArray
    n_cells: int
    n_clicks: int
    moved_share: float
    standard_errors: FloatArray
    position_effect_p: float
    warnings: tuple[str, ...]
