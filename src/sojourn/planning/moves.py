"""The best plan that is one move away: two items swapped, or one taken out and put back, or replaced, elsewhere.

The steps i, ..., j - 1 of an order make A_ij + B_ij V of the worth V of what follows them: A_ij is what they earn once
step i is seen, B_ij the probability of getting past them. Every move changes one or two steps and shifts those between
by one, so a table of A and B for the order as it is, one for it a step earlier and one a step later give the exact
worth of all moves in O(t^2 + t m).
"""

from __future__ import annotations

import numpy as np

from sojourn.records import FloatArray, IntArray, survival_of


def best_move(reward: FloatArray, hazard: FloatArray, order: IntArray) -> IntArray:
    """The best order (t,) among those one move away, of rewards and hazards (t, m); it may be worse than ``order``.

    An item from outside is tried at a step only if it is the best there with the rest of the plan as it is.
    """
    here = _Surroundings(reward, 1.0 - hazard, order)
    new, new_worth = here.shifts_of_new_items()
    worths = (here.swaps(), here.shifts_of_own_items(), new_worth)
    best = max(range(3), key=lambda kind: worths[kind].max())
    i, j = np.unravel_index(worths[best].argmax(), worths[best].shape)
    if best == 0:
        swapped = order.copy()
        swapped[[i, j]] = order[[j, i]]
        return swapped
    return np.insert(np.delete(order, i), j, order[i] if best == 1 else new[j])


class _Surroundings:
    """What an order earns before and after each step, and each of its items at each other step."""

    def __init__(self, reward: FloatArray, stays: FloatArray, order: IntArray) -> None:
        self.reward, self.stays, self.order = reward, stays, order
        self.steps = np.arange(len(order))
        self.own_reward, self.own_stays = reward[:, order], stays[:, order]  # (t, t): step, item of the plan
        self.earns, self.goes_on = self.own_reward.diagonal(), self.own_stays.diagonal()
        self.survival = survival_of(1.0 - self.goes_on)
        self.earned = np.concatenate([[0.0], np.cumsum(self.survival * self.earns)[:-1]])  # before each step
        self.ahead = np.zeros(len(order))  # worth of what follows each step, once seen
        for t in range(len(order) - 1, 0, -1):
            self.ahead[t - 1] = self.earns[t] + self.goes_on[t] * self.ahead[t]

    def swaps(self) -> FloatArray:
        """Worth of swapping the items of steps i < j, (t, t); -inf elsewhere."""
        worth = np.full(self.own_reward.shape, -np.inf)
        earns, goes_on = (table[1:, :-1] for table in _pieces(self.earns, self.goes_on))  # of i + 1, ..., j - 1
        later = (self.own_reward + self.own_stays * self.ahead[:, None]).T  # item of step i, at step j
        after = self.own_reward + self.own_stays * (earns + goes_on * later)  # item of step j, at step i
        i, j = np.triu_indices(len(self.order), 1)
        worth[i, j] = (self.earned[:, None] + self.survival[:, None] * after)[i, j]
        return worth

    def shifts_of_own_items(self) -> FloatArray:
        """Worth of taking out the item of step i and showing it at step j, (t, t)."""
        return self._shifts(self.own_reward.T, self.own_stays.T)

    def shifts_of_new_items(self) -> tuple[IntArray, FloatArray]:
        """For each step the best item from outside, (t,), and the worth of it at j, the item of i left out, (t, t)."""
        worth = self.reward + self.stays * self.ahead[:, None]
        worth[:, self.order] = -np.inf
        new = worth.argmax(axis=1)
        if np.isneginf(worth[0, new[0]]):  # all candidates are in the plan
            return new, np.full(self.own_reward.shape, -np.inf)
        return new, self._shifts(self.reward[self.steps, new], self.stays[self.steps, new])

    def _shifts(self, reward: FloatArray, stays: FloatArray) -> FloatArray:
        """Worth of orders without step i's item and with one at step j that has the reward and 1 - hazard [i, j]."""
        earlier = self._moved(by=-1)  # the items of i + 1, ..., j come a step earlier
        up = earlier[0] + earlier[1] * (reward + stays * self.ahead)
        later = self._moved(by=1)  # the items of j, ..., i - 1 come a step later
        down = reward + stays * (later[0] + later[1] * self.ahead).T
        return np.where(
            self.steps[:, None] <= self.steps,
            self.earned[:, None] + self.survival[:, None] * up,
            self.earned + self.survival * down,
        )

    def _moved(self, *, by: int) -> tuple[FloatArray, FloatArray]:
        """A_ij and B_ij, (t, t) each, with all items moved by one step: ``by`` -1 or 1."""
        pieces = _pieces(self.own_reward.diagonal(-by), self.own_stays.diagonal(-by))
        return pieces[0], pieces[1]


def _pieces(reward: FloatArray, stays: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A_ij and B_ij, (n + 1, n + 1) each, of n steps' rewards and 1 - hazards (n,); 0 and 1 where j <= i."""
    n = len(reward)
    inside = ~np.tri(n + 1, n, k=-1, dtype=bool)
    goes_on = np.ones((n + 1, n + 1))
    np.cumprod(np.where(inside, stays, 1.0), axis=1, out=goes_on[:, 1:])
    earns = np.zeros((n + 1, n + 1))
    np.cumsum(np.where(inside, goes_on[:, :-1] * reward, 0.0), axis=1, out=earns[:, 1:])
    return earns, goes_on
