"""The log-likelihood of a log and its gradient, in one pass over blocks of pages that fit the processor's cache.

By Fisher's identity the gradient is that of the E-step: with e_l = P(seen | page) and a, h the logits of R and q,
d log-likelihood / d a_l = e_l (c_l - R_l) and d / d h_l = P(left after l | page) - e_l q_l. A page effect z is summed
over its nodes, and the same holds given z.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from sojourn.exposure.survival.chances import Chances
from sojourn.exposure.survival.description import Described
from sojourn.exposure.survival.kernel import posterior
from sojourn.exposure.survival.layout import Layout, Parameters
from sojourn.exposure.survival.pages import Pages
from sojourn.records import FloatArray, IntArray

_BLOCK: Final = 2048  # pages times nodes: some arrays of (12 slots, block) float64 stay in a cache of 2 MB
_LOWEST: Final = np.finfo(np.float64).min
_TINY: Final = 1e-290


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What one pass finds on some pages.

    Parameters
    ----------
    pages
    log_likelihood : (b,) float
    seen : (L, b) float
        P(seen | page).
    pull, push : (L, b) float
        |d / d logit R| and d / d logit q.
    kappa : (L,) float
        d / d kappa.
    sigma
        d / d sigma.
    """

    pages: slice
    log_likelihood: FloatArray
    seen: FloatArray
    pull: FloatArray
    push: FloatArray
    kappa: FloatArray
    sigma: float


class Objective:
    """The log-likelihood of ``pages``. Parameters are those of `Chances`."""

    def __init__(self, layout: Layout, *, pages: Pages, described: Described, session: IntArray) -> None:
        self._layout, self._pages, self._described, self._session = layout, pages, described, session
        self._scratch: FloatArray | None = None

    @property
    def n_pages(self) -> int:
        """Number of pages n."""
        return self._pages.n_pages

    def __call__(self, vector: FloatArray) -> tuple[float, FloatArray]:
        """Log-likelihood of all pages, and its gradient."""
        if self._scratch is None:  # kept: fresh memory costs as much as the arithmetic
            self._scratch = np.empty((2, *self._pages.item.shape))
        pull, push = self._scratch
        total, sigma, kappa = 0.0, 0.0, np.zeros(self._pages.n_slots)
        for block in self.blocks(vector):
            pull[:, block.pages], push[:, block.pages] = block.pull, block.push
            total += float(block.log_likelihood.sum())
            kappa += block.kappa
            sigma += block.sigma
        gradient = np.zeros(self._layout.size)
        by_name = self._layout.split(gradient)
        self._add_attraction(by_name, pull)
        self._add_hazard(by_name, push)
        chance = expit(self._layout.split(vector)["kappa"])
        by_name["kappa"][...] = kappa[1 : 1 + chance.size] * chance * (1.0 - chance)
        by_name["sigma"][...] = sigma
        return total, gradient

    def blocks(self, vector: FloatArray) -> Iterator[Block]:
        """One pass, block by block."""
        chances = Chances(self._layout, vector, pages=self._pages, described=self._described, session=self._session)
        for pages in self._pages.blocks(_BLOCK // len(chances.z)):
            yield self._block(chances, pages)

    def _block(self, chances: Chances, pages: slice) -> Block:
        click = self._pages.click[:, pages].astype(np.float64)
        unskipped = chances.unskipped(click, pages)
        outcome = chances.outcome(unskipped, click)
        go, leave = chances.continuation(click, pages)
        seen, left = np.empty_like(outcome), np.empty_like(outcome)
        by_node = posterior(
            outcome,
            go[:, None],
            chances.possible(leave, pages)[:, None],
            np.broadcast_to(self._pages.end[pages], outcome.shape[1:]),
            seen=seen,
            left=left,
        )
        log_likelihood, node = _mix(by_node, chances.weights)
        if len(chances.z) > 1:
            seen *= node
            left *= node
        pull, kappa = _pull(chances, unskipped, outcome, seen, click)
        sigma = float(np.einsum("ljb,lb->j", pull, 2.0 * click - 1.0) @ chances.z) if len(chances.z) > 1 else 0.0
        e = _over_nodes(seen)
        push = np.subtract(_over_nodes(left), leave * e)
        return Block(pages, log_likelihood, e, _over_nodes(pull), push, kappa, sigma)

    def _add_attraction(self, gradient: Parameters, pull: FloatArray) -> None:
        skipped, clicked = self._described.sums(pull)
        gradient["t0"][...], gradient["theta"][...] = clicked[0] - skipped[0], clicked[1:] - skipped[1:]

    def _add_hazard(self, gradient: Parameters, push: FloatArray) -> None:
        if not gradient["p0"].size:
            return
        skipped, clicked = self._described.sums(push)
        for name, part in (
            ("p0", skipped[:1] + clicked[:1]),
            ("phi", skipped[1:] + clicked[1:]),
            ("psi", clicked[:1]),
            ("chi", clicked[1:]),
            ("step", push.sum(axis=1)),
        ):
            if gradient[name].size:
                gradient[name][...] = part
        if gradient["click_step"].size:
            gradient["click_step"][...] = np.einsum("ln,ln->l", push, self._pages.click)
        if gradient["session"].size:
            n_sessions = gradient["session"].size
            sums = np.bincount(self._session, weights=push.sum(axis=0), minlength=n_sessions + 1)
            gradient["session"][...] = sums[:n_sessions]


def _pull(
    chances: Chances, unskipped: FloatArray, outcome: FloatArray, seen: FloatArray, click: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """|d / d logit R| of each node, (L, j, b), and d / d kappa, (L,)."""
    pull = np.subtract(1.0, unskipped)
    pull *= seen
    if chances.kappa is None:
        return pull, np.zeros(len(click))
    # A trial step may round P(outcome) down to 0; the node is then ruled out, and its `seen` is 0 as well.
    outcome = np.maximum(outcome, _TINY)
    pull *= chances.kappa[:, None, None] * unskipped / outcome
    return pull, np.einsum("ljb,ljb->l", seen, (unskipped - (1.0 - click)[:, None]) / outcome)


def _mix(by_node: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood (b,) over the nodes, and P(node | page), (j, b); the prior's if the page is impossible."""
    if len(weights) == 1:
        return by_node[0], np.ones_like(by_node)
    top = np.maximum(by_node.max(axis=0), _LOWEST)
    node = np.exp(by_node - top) * weights[:, None]
    total = node.sum(axis=0)
    possible = total > 0.0
    node = np.divide(node, total, out=np.repeat(weights[:, None], len(total), axis=1), where=possible)
    return np.log(total, out=np.full(len(total), -np.inf), where=possible) + top, node


def _over_nodes(values: FloatArray) -> FloatArray:
    return values[:, 0] if values.shape[1] == 1 else values.sum(axis=1)
