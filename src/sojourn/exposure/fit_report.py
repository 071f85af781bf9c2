"""How a fit went and what its numbers can carry."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.exposure.ascent import Path
from sojourn.records import FloatArray

_PRIOR_SHARE = 0.1  # pseudo-clicks to clicks above which a prior is worth a warning


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FitReport:
    """How a fit went.

    The *context* of a slot is its position; in a browsing model, its position and that of the last click above it.

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
        Distinct (item, context) cells, or slots where attraction comes from features: what an iteration costs.
    n_clicks
        Clicks in the log.
    moved_share
        Share of the views at which an item stood in another context than its most usual one, 0 to 1. Only what moves
        tells attraction from examination; at 0 nothing does.
    standard_errors : (k,) or (k, k) float
        Of the weights relative to the first, in their shape, from the observed information; 0 at the first, inf where
        the clicks say nothing.
    position_effect_p
        p-value of "all contexts are examined alike" by likelihood ratio. Large: the log cannot tell the weights from 1.
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


def fit_warnings(path: Path, pseudo_clicks: float, n_clicks: int) -> tuple[str, ...]:
    """What to know of the fit itself."""
    warnings = []
    if not path.converged:
        warnings.append(
            f"not converged after {len(path.log_posterior) - 1} iterations: raise max_iterations or tolerance"
        )
    if n_clicks and pseudo_clicks > _PRIOR_SHARE * n_clicks:
        warnings.append(
            f"the items' prior adds {pseudo_clicks:.0f} pseudo-clicks to {n_clicks} clicks and may move the weights: "
            "lower it, or leave out rare items"
        )
    return tuple(warnings)
