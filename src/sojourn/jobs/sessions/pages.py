"""A view of a path model: people who leave page by page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.interfaces import PathModel
from sojourn.records import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PageByPage:
    """A `PathModel` of people who leave after a full page of which they accepted nothing, as `AcceptedPages`.

    Parameters
    ----------
    path
        Its hazard is the chance that an item is not accepted.
    page_size
        Items of a page, >= 1.
    """

    path: PathModel
    page_size: int

    @property
    def n_candidates(self) -> int:
        """Number of candidates m."""
        return self.path.n_candidates

    @property
    def n_steps(self) -> int:
        """Steps T that the session has at most."""
        return self.path.n_steps

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of each step, both (..., t): nobody leaves within a page."""
        reward, refused = self.path.along(orders)
        hazard, n_pages = np.zeros(refused.shape), refused.shape[-1] // self.page_size
        pages = refused[..., : n_pages * self.page_size].reshape(*refused.shape[:-1], n_pages, self.page_size)
        hazard[..., self.page_size - 1 :: self.page_size] = pages.prod(axis=-1)
        return reward, hazard
