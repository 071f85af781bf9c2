"""From parameters to the probabilities that the kernel asks for, on blocks of pages."""

from __future__ import annotations

import numpy as np

from sojourn.exposure.survival.description import Described
from sojourn.exposure.survival.layout import Layout, attraction_line, hazard_lines, kappas, step_logits
from sojourn.exposure.survival.pages import Pages
from sojourn.records import FloatArray, IntArray


class Chances:
    """What happens on ``pages`` under one vector of parameters; whatever can be tabulated is, once.

    Parameters
    ----------
    layout
    vector
    pages
    described
        The same pages as x.
    session : (n,) int
        Row of each page's session among the parameters; one past the last if it is unknown.
    """

    def __init__(
        self, layout: Layout, vector: FloatArray, *, pages: Pages, described: Described, session: IntArray
    ) -> None:
        parameters = layout.split(vector)
        self._structure, self._pages, self._described, self._session = layout.structure, pages, described, session
        self.z, self.weights = layout.structure.nodes
        self.sigma = parameters["sigma"].sum()  # 0 without a page effect
        self.kappa = kappas(parameters, pages.n_slots) if layout.structure.kappa else None
        line = attraction_line(parameters)
        self._against = described.table(np.stack([line, -line]))
        self._hazard = described.table(hazard_lines(parameters))
        has = layout.structure.hazard
        self._step = (
            np.exp(step_logits(parameters, pages.n_slots))[:, :, None] if has & {"step", "click*step"} else None
        )
        self._of_session = np.exp(np.append(parameters["session"], 0.0)) if "session" in has else None

    def unskipped(self, click: FloatArray, block: slice) -> FloatArray:
        """P(what happened | seen, not skipped) for each node, (L, j, b): R where clicked and 1 - R elsewhere."""
        odds = self._described.odds(self._against, block)[:, None]
        if self._structure.page_effect:
            up = np.exp(self.sigma * self.z)[:, None]
            factor = np.multiply(click[:, None], 1.0 / up - up)
            factor += up
            odds = np.multiply(odds, factor, out=factor)
        odds += 1.0
        return np.divide(1.0, odds, out=odds)

    def outcome(self, unskipped: FloatArray, click: FloatArray) -> FloatArray:
        """P(what happened | seen) for each node, (L, j, b)."""
        if self.kappa is None:
            return unskipped
        kappa = self.kappa[:, None, None]
        return np.asarray(kappa * unskipped + (1.0 - kappa) * (1.0 - click)[:, None])

    def continuation(self, click: FloatArray, block: slice) -> tuple[FloatArray, FloatArray]:
        """P(goes on), P(leaves) after what happened, both (L, b)."""
        if self._structure.leaves in {"at_click", "never"}:
            leave = click * (self._structure.leaves == "at_click")
            return 1.0 - leave, leave
        odds = self._described.odds(self._hazard, block)
        if self._step is not None:
            skip, after_click = self._step
            odds *= skip if "click*step" not in self._structure.hazard else skip + (after_click - skip) * click
        if self._of_session is not None:
            odds *= self._of_session[self._session[block]]
        if self._structure.leaves == "after_click":
            odds *= click
        go = odds + 1.0
        np.divide(1.0, go, out=go)
        return go, np.multiply(odds, go, out=odds)

    def possible(self, leave: FloatArray, block: slice) -> FloatArray:
        """P(leaves), 0 where the page itself says that the reader went on; (L, b)."""
        return np.multiply(leave, self._pages.slot >= self._pages.sure[block] - 1)
