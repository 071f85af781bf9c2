"""Many sessions at once as a vectorised Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from sojourn.errors import InvalidInputError
from sojourn.records import BoolArray, FloatArray, IntArray
from sojourn.simulation.live.gym.episodes import Episodes, Observation, day_of, feed_of, spaces_of
from sojourn.simulation.live.population import Population
from sojourn.simulation.live.settings import LiveSettings


class FeedVectorEnv(VectorEnv[Observation, IntArray, Any]):
    """``num_envs`` times `FeedEnv`, of one feed; the same as `gymnasium.vector.SyncVectorEnv` gives of such, sooner.

    An episode that is over begins anew with the next step, whose action is ignored and whose reward is 0
    (`AutoresetMode.NEXT_STEP`).

    Parameters
    ----------
    num_envs
        >= 1.
    settings, world_seed, population
        As `FeedEnv` takes them. `reset` with a seed gives episode i the seed ``seed + i``.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(
        self,
        num_envs: int = 1,
        settings: LiveSettings | Mapping[str, Any] | str = "all",
        *,
        world_seed: int = 0,
        population: Population | None = None,
        render_mode: None = None,
    ) -> None:
        if num_envs < 1:
            raise InvalidInputError(f"num_envs: expected at least 1, got {num_envs}")
        self.render_mode, self.num_envs = render_mode, num_envs
        self.feed = feed_of(settings, world_seed, population)
        single = spaces_of(self.feed)
        self.single_observation_space, self.single_action_space = single
        self.observation_space, self.action_space = (batch_space(space, num_envs) for space in single)
        self._episodes = Episodes(self.feed, num_envs)
        self._rngs = [seeding.np_random()[0] for _ in range(num_envs)]
        self._over = np.ones(num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """New people everywhere."""
        seeds = (
            [None if seed is None else seed + i for i in range(self.num_envs)]
            if not isinstance(seed, Sequence)
            else seed
        )
        if len(seeds) != self.num_envs:
            raise InvalidInputError(f"seed: expected one number, or {self.num_envs} of them, got {len(seeds)}")
        for row, own in enumerate(seeds):
            if own is not None:
                self._rngs[row] = seeding.np_random(own)[0]
            self._episodes.start(row, day=day_of(options), rng=self._rngs[row])
        self._over = np.zeros(self.num_envs, dtype=np.bool_)
        return self._episodes.observe(), self._info({}, ~self._over)

    def step(self, actions: IntArray) -> tuple[Observation, FloatArray, BoolArray, BoolArray, dict[str, Any]]:
        """The next page of each session, or the next person where the last session is over."""
        going, reward, over = ~self._over, np.zeros(self.num_envs), np.zeros(self.num_envs, dtype=np.bool_)
        for row in np.flatnonzero(self._over):
            self._episodes.start(int(row), day=None, rng=self._rngs[row])
        known: dict[str, Any] = {}
        if going.any():
            step = self._episodes.show(np.flatnonzero(going), actions[going])
            reward[going], over[going], known = step.reward, step.over, step.info
        self._over = over
        return self._episodes.observe(), reward, over, np.zeros(self.num_envs, dtype=np.bool_), self._info(known, going)

    def _info(self, known: dict[str, Any], going: BoolArray) -> dict[str, Any]:
        """What is known of the rows that are ``going``, with 0 in the others, and masks as Gymnasium wants them."""
        info: dict[str, Any] = {
            "item_ids": self._episodes.item_ids,
            "_item_ids": np.ones(self.num_envs, dtype=np.bool_),
        }
        for name, values in known.items():
            everywhere = np.zeros((self.num_envs, *values.shape[1:]), dtype=values.dtype)
            everywhere[going] = values
            info |= {name: everywhere, f"_{name}": going}
        return info
