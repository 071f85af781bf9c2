"""Which of very many candidates a best plan can need at all."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.records import FloatArray, IntArray

_CELLS: Final = np.linspace(0.0, 1.0, 4)[1:] ** 2
"""Right ends of the cells that values fall into, as shares of the largest value. Most planned values that rank items
differently are small, so the first cells are narrow."""


def needed_candidates(reward: FloatArray, hazard: FloatArray, n_steps: int, most: float) -> IntArray:
    """Rows of the candidates, ascending, that some best plan of n_steps items does without the others.

    What follows an item is worth some V in [0, most], and the item with it R + (1 - q) V: up to V, which all items
    share, the line f(V) = R - q V. [0, most] is cut into cells. For each let S be any n_steps items; here those with
    the largest f in the middle of the cell. The smallest f in S is a concave function of V, so within the cell it lies
    above its chord. An item outside S whose line is nowhere above the chord, so at neither end of the cell, is worth no
    more than each item of S wherever V falls into the cell. If this holds in every cell, the item is not needed.

    Proof: take a best plan, and go through it from its last step up. If its item at a step is not needed, consider the
    cell of the V that follows. The n_steps items of that cell's S cannot all be in the plan, which holds one outside S;
    put one that is missing in its place. The value from this step on does not fall, nor does that from any step
    before, and the item put in is kept, as all of each S are.

    Parameters
    ----------
    reward, hazard : (m,) float
    n_steps
        1 to m.
    most
        No n_steps - 1 items are worth more.
    """
    rest = len(reward) - n_steps
    needed = np.zeros(len(reward), dtype=np.bool_)
    left = reward
    for value in _CELLS * most:
        right = reward - value * hazard
        best = np.argpartition(left + right, rest)[rest:]
        needed[best] = True
        needed |= left > left[best].min()
        needed |= right > right[best].min()
        left = right
    return np.flatnonzero(needed)
