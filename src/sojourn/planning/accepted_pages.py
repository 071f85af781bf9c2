"""People who see whole pages and go on if they accepted something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.planning.exact import plan_exact
from sojourn.planning.local_search import plan_path
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP
from sojourn.records.arrays import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AcceptedPages:
    """A `PathModel` of people who decide page by page whether to go on.

    They see every item of a page and earn its reward; then they stay if they accepted any of its items, or all:

        "any":  P(stay) = 1 - prod(1 - a),        "all":  P(stay) = prod(a)   (a noisy or of dislikes 1 - a).

    Seen as steps, nobody leaves within a page, and the whole of 1 - P(stay) falls on its last item. After the session's
    last page it does not matter, so a last page that is not full has hazard 0.

    Parameters
    ----------
    reward : (m,) float
        Expected reward of an item that is seen; finite, >= 0.
    acceptance : (m,) float
        P(accepted | seen) a, in [0, 1].
    page_size
        Items of a page, >= 1.
    n_steps
        Items T that the session shows at most, >= 1.
    stays_if
        Which items must be accepted for the person to go on.
    """

    reward: FloatArray
    acceptance: FloatArray
    page_size: int
    n_steps: int
    stays_if: Literal["any", "all"] = "any"

    def __post_init__(self) -> None:
        expect_shape(self.acceptance, (self.acceptance.size,), "acceptance")
        lowest, highest = self.acceptance.min(initial=1.0), self.acceptance.max(initial=0.0)
        if not (lowest >= 0.0 and highest <= 1.0):  # NaN is neither
            raise InvalidInputError(
                f"acceptance: expected probabilities in [0, 1], got {lowest} to {highest}; calibrate them first"
            )
        expect_shape(self.reward, self.acceptance.shape, "reward")
        if self.page_size < 1:
            raise InvalidInputError(f"page_size: expected at least 1 item, got {self.page_size}")
        if self.stays_if not in ("any", "all"):
            raise InvalidInputError(f"stays_if: expected 'any' or 'all', got {self.stays_if!r}")
        _ = self.item_by_item  # a session of these rewards and steps must exist

    @property
    def n_candidates(self) -> int:
        """Number of candidates m."""
        return len(self.reward)

    @property
    def item_by_item(self) -> SessionMDP:
        """The session of a person who would leave at any item that is not accepted: what ignores the pages."""
        return SessionMDP(reward=self.reward, hazard=1.0 - self.acceptance, n_steps=self.n_steps)

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of each step, both (..., t): the hazards lie on the last items of full pages."""
        hazard = np.zeros(orders.shape)
        n_pages = orders.shape[-1] // self.page_size
        pages = self.acceptance[orders[..., : n_pages * self.page_size]]
        pages = pages.reshape(*orders.shape[:-1], n_pages, self.page_size)
        leave = (1.0 - pages).prod(axis=-1) if self.stays_if == "any" else 1.0 - pages.prod(axis=-1)
        hazard[..., self.page_size - 1 :: self.page_size] = leave
        return self.reward[orders], hazard


def plan_accepted_pages(problem: AcceptedPages) -> Plan:
    """A page-aware plan: `plan_path` from the exact plan that ignores the pages; never worth less than that."""
    blind = plan_exact(problem.item_by_item)
    return plan_path(problem, start=blind.order)
