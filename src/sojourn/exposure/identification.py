"""Whether a click log can tell examination from attraction, and how sharply.

P(click) = w g is a product: only an item shown at two positions compares their weights. On the graph that joins a
position to each clicked item seen there, a weight is determined by the first position's exactly if a path leads there.
Items without a click say nothing of the weights: no attraction explains them at any position.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.special import chdtrc, xlog1py, xlogy

from sojourn.exposure.cells import Cells
from sojourn.exposure.position_em import PseudoCounts
from sojourn.records import BoolArray, FloatArray

_Z95 = 1.96
_SIGNIFICANT = 0.05
_WIDE = 0.5  # an interval of +- half the weight tells little more than its order of magnitude


def linked_positions(cells: Cells, first: int) -> BoolArray:
    """(k,) True where clicked items lead from position ``first`` to the position, over any others."""
    clicked = cells.by_item(cells.clicks)[cells.item] > 0
    seen = cells.matrix(clicked.astype(np.float64))
    _, component = csgraph.connected_components(seen.T @ seen, directed=False)
    return np.asarray(component == component[first])


def moved_share(cells: Cells) -> float:
    """Share of the views at which an item stood elsewhere than at its most usual position."""
    usual = cells.matrix(cells.views).max(axis=1).toarray()
    return float(1.0 - usual.sum() / cells.views.sum())


def standard_errors(
    cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts, linked: BoolArray, first: int
) -> FloatArray:
    """Of each weight, (k,): 0 at ``first``, inf where the data leave it open.

    The observed information of (w, g) is diagonal in g, so the items are eliminated exactly (Schur complement) and a
    (k, k) system is left. The items' prior counts as information; that of the positions does not.
    """
    errors = np.full(len(w), np.inf)
    errors[first] = 0.0
    free = np.flatnonzero(linked & (np.arange(len(w)) != first) & (w > 0))
    if not free.size:
        return errors
    covariance = _inverse(_profile_information(cells, w, g, item_prior)[np.ix_(free, free)])
    variance = np.diag(covariance)
    errors[free] = np.sqrt(np.where(variance > 0, variance, np.inf))
    return errors


def _profile_information(cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts) -> FloatArray:
    """Minus the second derivative in w of the log-likelihood maximised over g, (k, k)."""
    w_cell, g_cell = w[cells.position], g[cells.item]
    cross = (cells.views - cells.clicks) / np.maximum(1.0 - w_cell * g_cell, 1e-12) ** 2
    positions = _square_ratio(cells.by_position(cells.clicks), w) + cells.by_position(cross * g_cell**2)
    clicked = cells.by_item(cells.clicks) + item_prior[0]
    items = _square_ratio(clicked, g) + cells.by_item(cross * w_cell**2) + _square_ratio(item_prior[1], 1.0 - g)
    # An item without a click, or at g = 1, sits at the end of its range and does not follow the weights.
    follows = np.divide(1.0, items, out=np.zeros_like(items), where=(clicked > 0) & (g < 1))
    links = cells.matrix(cross)
    followed = links.T @ sparse.diags_array(follows) @ links
    return np.asarray(np.diag(positions) - followed.toarray())


def _square_ratio(count: FloatArray | float, p: FloatArray) -> FloatArray:
    return np.divide(count, p**2, out=np.zeros_like(p), where=(np.asarray(count) > 0) & (p > 0))


def _inverse(information: FloatArray) -> FloatArray:
    """The inverse of a symmetric matrix; infinite where it is not positive definite, as at no maximum."""
    values, vectors = np.linalg.eigh(information)
    if values.min() <= 1e-12 * values.max():
        return np.full_like(information, np.inf)
    return np.asarray((vectors / values) @ vectors.T)


def position_effect_p(cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts, linked: BoolArray) -> float:
    """p-value of "all linked positions are examined alike": likelihood ratio, items kept under the same prior."""
    n_free = int(linked.sum()) - 1
    if n_free < 1:
        return 1.0
    hits, views = cells.by_item(cells.clicks), cells.by_item(cells.views)
    alike = (hits + item_prior[0]) / (views + sum(item_prior))
    gain = _log_posterior(cells, w, g, item_prior) - _log_posterior(cells, np.ones_like(w), alike, item_prior)
    return float(chdtrc(n_free, max(0.0, 2.0 * gain)))


def _log_posterior(cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts) -> float:
    p = w[cells.position] * g[cells.item]
    slots = xlogy(cells.clicks, p) + xlog1py(cells.views - cells.clicks, -p)
    return float(slots.sum() + (xlogy(item_prior[0], g) + xlog1py(item_prior[1], -g)).sum())


def identification_warnings(
    *, linked: BoolArray, viewed: BoolArray, w: FloatArray, errors: FloatArray, p: float, n_clicks: int, first: int
) -> tuple[str, ...]:
    """What a person should know before trusting the weights."""
    warnings = []
    apart = np.flatnonzero(viewed & ~linked)
    if apart.size:
        warnings.append(
            f"not identifiable: no chain of clicked items that moved joins position {first} with {apart.tolist()} "
            "(0 is the top); the weights there are the prior's, not the log's. Shuffle some pages"
        )
    if p > _SIGNIFICANT and linked.sum() > 1:
        warnings.append(
            f"the weights cannot be told from 1 nor from one another: {n_clicks} clicks show no effect of the position "
            f"beyond chance (p = {p:.2f}). Use no correction, or a longer log"
        )
    wide = np.flatnonzero(linked & (_Z95 * errors > _WIDE * w))
    if wide.size:
        ranges = ", ".join(f"{i}: {w[i]:.2f} +- {_Z95 * errors[i]:.2f}" for i in wide)
        warnings.append(f"too few clicks to weigh these positions, the top being 0 (95 % range): {ranges}")
    return tuple(warnings)
