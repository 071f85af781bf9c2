"""How people leave: what the hazards of a page's items come to."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import BoolArray, FloatArray

Leaving = Literal["page_end", "item_by_item", "any_accepted"]
"""When people leave, q being an item's hazard: P(leaves after a page of this item alone).

``page_end``: the whole page is seen, then the person leaves with ``1 - prod(1 - q)``.
``item_by_item``: after each seen item the person leaves with q; what stands below is not seen.
``any_accepted``: the whole page is seen, and the person goes on if at least one item is accepted, each with 1 - q; so
the page is left with ``prod(q)``.
"""


def page_hazard(hazard: FloatArray, *, leaving: Leaving, shown: BoolArray | None = None) -> FloatArray:
    """P(leaves on a page or at its end), (...), of pages whose items have the hazards (..., k).

    ``shown`` (..., k) is False where a slot holds no item.
    """
    if leaving == "any_accepted":
        return np.asarray(np.where(True if shown is None else shown, hazard, 1.0).prod(axis=-1))
    return np.asarray(1.0 - np.where(True if shown is None else shown, 1.0 - hazard, 1.0).prod(axis=-1))


def step_hazard(hazard: FloatArray, *, page_size: int, leaving: Leaving) -> FloatArray:
    """P(leaves after the step), (..., t), of orders whose items have the hazards (..., t), shown in pages.

    Where pages are seen whole, a step has the hazard of the page if it is the page's last one, else 0. So what is
    known of single steps holds for pages: `sojourn.records.survival_of` of this is the probability that a step is
    seen, and `sojourn.records.value_of` the expected clicks.
    """
    if page_size < 1:
        raise InvalidInputError(f"page_size: expected at least 1, got {page_size}")
    if leaving == "item_by_item":
        return hazard
    n_steps = hazard.shape[-1]
    steps = np.zeros(hazard.shape)
    for first in range(0, n_steps, page_size):
        end = min(first + page_size, n_steps)
        steps[..., end - 1] = page_hazard(hazard[..., first:end], leaving=leaving)
    return steps
