"""What a feed's owner knows before a policy starts: exposure, from one log of pages in random order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from experiments.pseudo_exposure.worlds import WORLDS, Place
from sojourn.exposure import BrowsingModel, PositionBasedModel, SurvivalModel, dbn, item_hazard, scroll_depth
from sojourn.records import FloatArray, LogBatch


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is known: pages in random order, and pages of the production ranker."""

    random_pages: int = 10_000
    production_pages: int = 2_000


class Survey:
    """The logs of one world and the click models fitted to them, each made when it is asked for."""

    def __init__(self, world: str, *, seed: int, n_slots: int, sizes: Sizes) -> None:
        self._world, self._seed, self._n_slots, self._sizes = WORLDS[world], seed, n_slots, sizes

    @cached_property
    def random_log(self) -> LogBatch:
        """Pages in random order."""
        return self._world.random_log(self._sizes.random_pages, seed=self._seed, n_slots=self._n_slots)

    @cached_property
    def production_log(self) -> LogBatch:
        """Pages in the order of the production ranker."""
        return self._world.production_log(self._sizes.production_pages, seed=self._seed, n_slots=self._n_slots)

    @cached_property
    def position_model(self) -> PositionBasedModel:
        """PBM."""
        return PositionBasedModel().fit(self.random_log)

    @cached_property
    def browsing_model(self) -> BrowsingModel:
        """UBM."""
        return BrowsingModel().fit(self.random_log)

    @cached_property
    def scroll_model(self) -> SurvivalModel:
        """Scroll depth."""
        return scroll_depth().fit(self.random_log)

    @cached_property
    def dbn(self) -> SurvivalModel:
        """DBN, by the items' features."""
        return dbn(attraction="features").fit(self.random_log)

    @cached_property
    def survival_model(self) -> SurvivalModel:
        """Hazards that depend on the items' features."""
        return item_hazard(attraction="features").fit(self.random_log)


_survey = lru_cache(maxsize=6)(Survey)


class Known:
    """A `Survey`, as policies that fill the upper ``n_slots`` of its pages need it, and the place itself."""

    def __init__(self, world: str, *, seed: int, n_slots: int, sizes: Sizes) -> None:
        self._world, self._seed = WORLDS[world], seed
        self.n_slots = n_slots
        self.survey = _survey(world, seed=seed, n_slots=self._world.log_slots(n_slots), sizes=sizes)

    @cached_property
    def place(self) -> Place:
        """The world and its truth, which only oracles use."""
        return self._world.place(seed=self._seed, n_slots=self.n_slots)

    @property
    def n_features(self) -> int:
        """Width of a feature row."""
        return int(self.survey.production_log.features.shape[2])

    @property
    def position_weights(self) -> FloatArray:
        """P(examined) of each slot by PBM, (k,)."""
        return self.survey.position_model.weights[: self.n_slots]

    @property
    def browsing_weights(self) -> FloatArray:
        """P(examined) by slot and last click above by UBM, (k, k), the last column for none."""
        weights, k = self.survey.browsing_model.weights, self.n_slots
        return np.column_stack((weights[:k, : k - 1], weights[:k, -1]))

    @property
    def true_weights(self) -> FloatArray | None:
        """P(examined) of each slot as it is, where it depends on nothing else."""
        return self.place.weights
