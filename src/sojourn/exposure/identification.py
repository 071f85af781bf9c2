"""Whether a click log can tell examination from attraction, and how sharply.

P(click) = w g is a product: only an item shown in two contexts compares their weights. On the graph that joins a
context to each clicked item seen there, a weight is determined by the first context's exactly if a path leads there.
Items without a click say nothing of the weights: no attraction explains them in any context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.special import chdtrc, xlog1py, xlogy

from sojourn.exposure.cells import Cells
from sojourn.exposure.context_em import PseudoCounts
from sojourn.exposure.contexts import Contexts
from sojourn.records import BoolArray, FloatArray, IntArray

_Z95 = 1.96
_SIGNIFICANT = 0.05
_LISTED = 5  # contexts that a warning names
_WIDE = 0.5  # an interval of +- half the weight tells little more than its order of magnitude


def linked_contexts(cells: Cells, first: int) -> BoolArray:
    """(c,) True where clicked items lead from context ``first`` to the context, over any others."""
    clicked = cells.by_item(cells.clicks)[cells.item] > 0
    seen = cells.matrix(clicked.astype(np.float64))
    _, component = csgraph.connected_components(seen.T @ seen, directed=False)
    return np.asarray(component == component[first])


def moved_share(cells: Cells) -> float:
    """Share of the views at which an item stood in another context than its most usual one."""
    usual = cells.matrix(cells.views).max(axis=1).toarray()
    return float(1.0 - usual.sum() / cells.views.sum())


def standard_errors(
    cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts, linked: BoolArray, first: int
) -> FloatArray:
    """Of each weight, (c,): 0 at ``first``, inf where the data leave it open.

    The observed information of (w, g) is diagonal in g, so the items are eliminated exactly (Schur complement) and a
    (k, k) system is left. The items' prior counts as information; that of the positions does not.
    """
    errors = np.full(len(w), np.inf)
    errors[first] = 0.0
    free = np.flatnonzero(linked & (np.arange(len(w)) != first) & (w > 0))
    if not free.size:
        return errors
    covariance = inverse(_profile_information(cells, w, g, item_prior)[np.ix_(free, free)])
    variance = np.diag(covariance)
    errors[free] = np.sqrt(np.where(variance > 0, variance, np.inf))
    return errors


def _profile_information(cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts) -> FloatArray:
    """Minus the second derivative in w of the log-likelihood maximised over g, (c, c)."""
    w_cell, g_cell = w[cells.context], g[cells.item]
    cross = (cells.views - cells.clicks) / np.maximum(1.0 - w_cell * g_cell, 1e-12) ** 2
    contexts = _square_ratio(cells.by_context(cells.clicks), w) + cells.by_context(cross * g_cell**2)
    clicked = cells.by_item(cells.clicks) + item_prior[0]
    items = _square_ratio(clicked, g) + cells.by_item(cross * w_cell**2) + _square_ratio(item_prior[1], 1.0 - g)
    # An item without a click, or at g = 1, sits at the end of its range and does not follow the weights.
    follows = np.divide(1.0, items, out=np.zeros_like(items), where=(clicked > 0) & (g < 1))
    links = cells.matrix(cross)
    followed = links.T @ sparse.diags_array(follows) @ links
    return np.asarray(np.diag(contexts) - followed.toarray())


def _square_ratio(count: FloatArray | float, p: FloatArray) -> FloatArray:
    return np.divide(count, p**2, out=np.zeros_like(p), where=(np.asarray(count) > 0) & (p > 0))


def inverse(information: FloatArray) -> FloatArray:
    """The inverse of a symmetric matrix; infinite where it is not positive definite, as at no maximum."""
    values, vectors = np.linalg.eigh(information)
    if values.min() <= 1e-12 * values.max():
        return np.full_like(information, np.inf)
    return np.asarray((vectors / values) @ vectors.T)


def context_effect_p(cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts, linked: BoolArray) -> float:
    """p-value of "all linked contexts are examined alike": likelihood ratio, items kept under the same prior."""
    n_free = int(linked.sum()) - 1
    if n_free < 1:
        return 1.0
    hits, views = cells.by_item(cells.clicks), cells.by_item(cells.views)
    alike = (hits + item_prior[0]) / (views + sum(item_prior))
    gain = _log_posterior(cells, w, g, item_prior) - _log_posterior(cells, np.ones_like(w), alike, item_prior)
    return float(chdtrc(n_free, max(0.0, 2.0 * gain)))


def _log_posterior(cells: Cells, w: FloatArray, g: FloatArray, item_prior: PseudoCounts) -> float:
    p = w[cells.context] * g[cells.item]
    slots = xlogy(cells.clicks, p) + xlog1py(cells.views - cells.clicks, -p)
    return float(slots.sum() + (xlogy(item_prior[0], g) + xlog1py(item_prior[1], -g)).sum())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Identification:
    """What a log says of the weights, (c,) by context number.

    Parameters
    ----------
    contexts
        What the numbers stand for.
    first
        The context whose weight is 1 by convention.
    views : (c,) float
        Times that each was shown.
    linked : (c,) bool
        True where it can be compared with the first.
    weights, errors : (c,) float
        Relative to the first, and their standard errors.
    effect_p
        p-value of "all contexts are examined alike".
    n_clicks
        Clicks in the log.
    """

    contexts: Contexts
    first: int
    views: FloatArray
    linked: BoolArray
    weights: FloatArray
    errors: FloatArray
    effect_p: float
    n_clicks: int

    def warnings(self) -> tuple[str, ...]:
        """What a person should know before trusting the weights."""
        n_views = int(self.views.sum())
        if self.n_clicks in (0, n_views):
            which = "not one click" if self.n_clicks == 0 else "nothing but clicks"
            return (f"not identifiable: {which} in {n_views} views, so the weights are the prior's. Use no correction",)
        if np.count_nonzero(self.views) == 1:
            place = self.contexts.label(self.first)
            return (f"nothing to compare: the log holds position {place} alone, whose weight is 1 by convention",)
        return (*self._apart(), *self._alike(), *self._wide())

    def _apart(self) -> Iterator[str]:
        apart = np.flatnonzero((self.views > 0) & ~self.linked)
        if apart.size:
            yield (
                "not identifiable: no chain of clicked items that moved joins position "
                f"{self.contexts.label(self.first)} with [{self._listed(apart, self.contexts.label)}] (0 is the top); "
                "the weights there are the prior's, not the log's. Shuffle some pages"
            )

    def _alike(self) -> Iterator[str]:
        if self.effect_p > _SIGNIFICANT and self.linked.sum() > 1:
            yield (
                f"the weights cannot be told from 1 nor from one another: {self.n_clicks} clicks show no effect of the "
                f"position beyond chance (p = {self.effect_p:.2f}). Use no correction, or a longer log"
            )

    def _wide(self) -> Iterator[str]:
        wide = np.flatnonzero(self.linked & (_Z95 * self.errors > _WIDE * self.weights))
        if wide.size:
            share = self.views[wide].sum() / self.views.sum()
            ranges = self._listed(wide, self._range)
            yield (
                "too few clicks to weigh these positions, the top being 0 (95 % range): "
                f"{ranges}; they hold {100.0 * share:.1f} % of the views"
            )

    def _range(self, context: int) -> str:
        weight, error = self.weights[context], self.errors[context]
        return f"{self.contexts.label(context)}: {weight:.2f} +- {_Z95 * error:.2f}"

    def _listed(self, contexts: IntArray, name: Callable[[int], str]) -> str:
        most_viewed = contexts[np.argsort(-self.views[contexts], kind="stable")[:_LISTED]]
        named = ", ".join(name(int(context)) for context in np.sort(most_viewed))
        return named if len(contexts) <= _LISTED else f"{named} and {len(contexts) - _LISTED} more"
