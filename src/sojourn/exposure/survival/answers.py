"""What a fitted model says of pages before their clicks are known, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from sojourn.exposure.survival.description import Described
from sojourn.exposure.survival.kernel import marginal
from sojourn.exposure.survival.layout import Layout, attraction_line, hazard_lines, kappas, step_logits
from sojourn.exposure.survival.pages import Pages
from sojourn.records import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Probabilities of each slot, given that it is seen; all 0 where no item is shown.

    Parameters
    ----------
    weights : (j,) float
        Of the nodes of the page effect.
    attraction : (j, L, n) float
        P(click | seen, not skipped, page effect).
    click : (j, L, n) float
        P(click | seen, page effect).
    hazard : (2, L, n) float
        P(leave) after a skip and after a click.
    """

    weights: FloatArray
    attraction: FloatArray
    click: FloatArray
    hazard: FloatArray

    @classmethod
    def of(
        cls, layout: Layout, vector: FloatArray, *, pages: Pages, described: Described, session: IntArray
    ) -> Answers:
        """What the parameters say of ``pages``, which are ``described`` as x."""
        parameters = layout.split(vector)
        z, weights = layout.structure.nodes
        logits = described.logits(attraction_line(parameters))
        attraction = expit(logits + (parameters["sigma"].sum() * z)[:, None, None]) * pages.shown
        kappa = kappas(parameters, pages.n_slots)[:, None] if layout.structure.kappa else 1.0
        of_session = np.append(parameters["session"], 0.0).take(session, mode="clip")
        after = np.stack([described.logits(line) for line in hazard_lines(parameters)])
        hazard = expit(after + step_logits(parameters, pages.n_slots)[:, :, None] + of_session)
        if layout.structure.leaves != "anywhere":
            hazard[0] = 0.0
        if layout.structure.leaves in {"at_click", "never"}:
            hazard[1] = layout.structure.leaves == "at_click"
        return cls(weights, attraction, attraction * kappa, hazard * pages.shown)

    @property
    def survival(self) -> FloatArray:
        """(n,) P(leaves none of the slots): who goes on sees the empty slot that is put below the page."""
        below = ((0, 0), (0, 1), (0, 0))
        seen, _ = marginal(self.weights, np.pad(self.click, below), 1.0 - np.pad(self.hazard, below))
        return np.asarray(seen[-1])

    @property
    def mean_attraction(self) -> FloatArray:
        """(L, n) attraction on average over the page effect."""
        return np.asarray(np.einsum("j,jln->ln", self.weights, self.attraction))

    def mean_hazard(self, click: bool | None) -> FloatArray:
        """(L, n) hazard after a click, after none, or on average over both."""
        if click is not None:
            return np.asarray(self.hazard[int(click)])
        chance = np.einsum("j,jln->ln", self.weights, self.click)
        return np.asarray(chance * self.hazard[1] + (1.0 - chance) * self.hazard[0])

    def simulate(self, *, rng: np.random.Generator) -> FloatArray:
        """Clicks (L, n) of readers whose page effect is one of the nodes, drawn by their weights."""
        _, n_slots, n_pages = self.click.shape
        node = rng.choice(len(self.weights), size=n_pages, p=self.weights)
        clicks, leaves = rng.random((2, n_slots, n_pages))
        drawn = np.zeros((n_slots, n_pages))
        reading = np.ones(n_pages, dtype=np.bool_)
        for slot in range(n_slots):
            clicked = reading & (clicks[slot] < self.click[node, slot, np.arange(n_pages)])
            drawn[slot] = clicked
            reading &= leaves[slot] >= np.where(clicked, self.hazard[1, slot], self.hazard[0, slot])
        return drawn
