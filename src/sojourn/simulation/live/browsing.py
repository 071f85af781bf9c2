"""How people go through their pages: which slots they look at, when they leave, and what tires them."""

from __future__ import annotations

import numpy as np

from sojourn.planning import Fatigue
from sojourn.records import BoolArray, FloatArray, IntArray, SessionMDP, survival_of
from sojourn.simulation.live.settings import LiveSettings
from sojourn.simulation.sessions import step_hazard
from sojourn.simulation.sessions.outcomes import patience_used, used_before


class Browsing:
    """The settings' way to go through pages of k slots.

    Parameters
    ----------
    settings
    category : (n + 1,) int
        By item code; that of code 0, no item, is none of the others.

    Attributes
    ----------
    of_slots : (k,) float
        P(looks | reached) of each slot of a page.
    """

    def __init__(self, settings: LiveSettings, category: IntArray) -> None:
        self._page_size, self._leaving = settings.page_size, settings.leaving
        examination = settings.examination
        self.of_slots: FloatArray = np.ones(settings.page_size) if examination is None else np.array(examination)
        nothing = np.zeros(len(category))
        self._tires = Fatigue(
            mdp=SessionMDP(reward=nothing, hazard=nothing, n_steps=1),
            category=category,
            reward_decay=settings.reward_decay,
            hazard_growth=settings.hazard_growth,
            window=settings.window,
        )

    def examination(self, shown: BoolArray) -> FloatArray:
        """P(looks | reached) of each step, (p, t), of orders that begin with a page; 0 where nothing is shown."""
        return np.resize(self.of_slots, shown.shape[1]) * shown

    def n_alike(self, path: IntArray) -> IntArray:
        """Items of the same category just before each step, (p, t), of item codes in the order of their steps."""
        return self._tires.n_alike(path)

    def tired(self, reward: FloatArray, hazard: FloatArray, alike: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard with so many items of the same category before."""
        reward = reward * np.exp(-self._tires.reward_decay * alike)
        return reward, np.minimum(hazard * (1.0 + self._tires.hazard_growth * alike), 1.0)

    def looked_at(self, hazard: FloatArray, shown: BoolArray) -> FloatArray:
        """P(looks at the step), (p, t), of people at the top of the first page, whose steps have the hazards (p, t)."""
        examination = self.examination(shown)
        return examination * survival_of(self._steps(examination * hazard))

    def goes(
        self, hazard: FloatArray, looks: BoolArray, used: FloatArray, patience: FloatArray
    ) -> tuple[BoolArray, FloatArray]:
        """Where people get to on a page.

        Parameters
        ----------
        hazard : (p, k) float
        looks : (p, k) bool
            Whether the person looks at the slot, once there.
        used, patience : (p,) float
            Of the patience, what earlier pages used, and all of it.

        Returns
        -------
        seen : (p, k) bool
        used : (p,) float
            At the end of the page; who used more than the patience has left.
        """
        steps = self._steps(np.where(looks, hazard, 0.0))
        before = used[:, None] + used_before(steps)
        return looks & (before <= patience[:, None]), before[:, -1] + patience_used(steps[:, -1])

    def _steps(self, hazard: FloatArray) -> FloatArray:
        return step_hazard(hazard, page_size=self._page_size, leaving=self._leaving)
