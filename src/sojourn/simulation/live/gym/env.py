"""One session as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from sojourn.records import IntArray
from sojourn.simulation.live.gym.episodes import Episodes, Observation, day_of, feed_of, spaces_of
from sojourn.simulation.live.population import Population
from sojourn.simulation.live.settings import LiveSettings

_ROW = np.zeros(1, dtype=np.int64)


class FeedEnv(gymnasium.Env[Observation, IntArray]):
    """A session of a `LiveFeed`: each action is a page, until the person leaves or has no slots left.

    An observation holds ``features`` (m, d) of the candidates, which of them are still ``open`` (m,), and how many
    items the person has ``browsed``. An action names a candidate for each slot of the page, (k,); a slot that repeats
    one above it, or an item shown before, stays empty. The reward is the page's clicks.

    ``info`` holds ``item_ids`` (m,) of the candidates, and after a page the items ``shown`` (k,) (0 in an empty slot),
    ``click`` (k,), ``seen`` (k,), whether the person ``left``, the ``expected_clicks`` of the page, and
    ``best_expected_clicks``, those of `LiveFeed.best_page`.

    Parameters
    ----------
    settings
        Settings, a table as `live_settings` takes it, or the name of a preset.
    world_seed
        Draws the feed. The seed of `reset` draws its people; its option ``day`` says on which day they come, else they
        come on any.
    population
        People and items in place of drawn ones.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(
        self,
        settings: LiveSettings | Mapping[str, Any] | str = "all",
        *,
        world_seed: int = 0,
        population: Population | None = None,
        render_mode: None = None,
    ) -> None:
        self.render_mode = render_mode
        self.feed = feed_of(settings, world_seed, population)
        self.observation_space, self.action_space = spaces_of(self.feed)
        self._episodes = Episodes(self.feed, 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """The next person."""
        super().reset(seed=seed)
        self._episodes.start(0, day=day_of(options), rng=self.np_random)
        return self._observe(), {"item_ids": self._episodes.item_ids[0]}

    def step(self, action: IntArray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """The next page."""
        step = self._episodes.show(_ROW, np.asarray(action)[None])
        info = {"item_ids": self._episodes.item_ids[0]}
        info |= {name: values[0] if values.ndim > 1 else values[0].item() for name, values in step.info.items()}
        return self._observe(), float(step.reward[0]), bool(step.over[0]), False, info

    def _observe(self) -> Observation:
        return {name: values[0] for name, values in self._episodes.observe().items()}
