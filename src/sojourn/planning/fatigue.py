"""People tire of more of the same: rewards fall and hazards rise with what was shown just before.

::

    tired = Fatigue(mdp=mdp, category=category, reward_decay=0.15, hazard_growth=0.15, window=10)
    plan = plan_path(tired, start=plan_exact(mdp).order)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray, SessionMDP
from sojourn.records.arrays import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fatigue:
    """A `PathModel` of people who tire of a category.

    With n items of its category among the ``window`` items before it, an item of reward R and hazard q has

        R e^{-psi n},    min(1, q (1 + phi n)).

    Parameters
    ----------
    mdp
        Rewards and hazards of the rested person.
    category : (m,) int
        Of each candidate; any numbers.
    reward_decay
        psi >= 0.
    hazard_growth
        phi >= 0.
    window
        How many of the last items are remembered, >= 1.
    shown : (s,) int
        Categories of the items that the session showed before the plan, the latest last; none unless given.
    """

    mdp: SessionMDP
    category: IntArray
    reward_decay: float
    hazard_growth: float
    window: int
    shown: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _code: NDArray[np.integer] = field(init=False, repr=False)  # (m,), categories as small numbers
    _before: NDArray[np.integer] = field(init=False, repr=False)  # the same of what the window still holds

    def __post_init__(self) -> None:
        expect_shape(self.category, (self.mdp.n_candidates,), "category")
        expect_shape(self.shown, (self.shown.size,), "shown")
        for value, name in ((self.reward_decay, "reward_decay"), (self.hazard_growth, "hazard_growth")):
            if not 0.0 <= value < np.inf:
                raise InvalidInputError(f"{name}: expected a finite number >= 0, got {value}")
        if self.window < 1:
            raise InvalidInputError(f"window: expected at least 1 item, got {self.window}")
        names, code = np.unique(np.concatenate([self.category, self.shown]), return_inverse=True)
        code = code.astype(np.min_scalar_type(len(names)))
        object.__setattr__(self, "_code", code[: self.n_candidates])
        object.__setattr__(self, "_before", code[self.n_candidates :][-self.window :])

    @property
    def n_candidates(self) -> int:
        """Number of candidates m."""
        return self.mdp.n_candidates

    @property
    def n_steps(self) -> int:
        """Steps T that the session has at most."""
        return self.mdp.n_steps

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of each step, both (..., t), of a person who tires."""
        reward, hazard = self.mdp.along(orders)
        alike = self.n_alike(orders)
        levels = np.arange(self.window + 1)
        reward = reward * np.exp(-self.reward_decay * levels).take(alike)
        hazard = hazard * (1.0 + self.hazard_growth * levels).take(alike)
        return reward, np.minimum(hazard, 1.0, out=hazard)

    def n_alike(self, orders: IntArray) -> IntArray:
        """Items of the same category among the last ones before each step, (..., t)."""
        n_before = len(self._before)
        trail = np.empty((*orders.shape[:-1], n_before + orders.shape[-1]), dtype=self._code.dtype)
        trail[..., :n_before], trail[..., n_before:] = self._before, self._code[orders]
        alike = np.zeros(trail.shape, dtype=np.min_scalar_type(self.window))  # small numbers: four times as fast
        for lag in range(1, min(self.window, trail.shape[-1] - 1) + 1):
            alike[..., lag:] += trail[..., lag:] == trail[..., :-lag]
        return alike[..., n_before:].astype(np.int64)
