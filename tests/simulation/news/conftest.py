"""A model so simple that a test can do its sums by hand, explorers that do not ask it, and a small world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sojourn.interfaces import Explorer, RewardModel
from sojourn.records import FloatArray, Rows
from sojourn.simulation.news import HITS, NewsWorld

SMALL = replace(HITS, n_users=200, n_candidates=5, n_articles=12, n_blocks=6, block_size=100, n_warm_up=1_000)


class ArticleRates:
    """Click rate of each code, 1 in 20 before any impression is known; features (..., d)."""

    def __init__(self) -> None:
        self.shown = np.full(SMALL.n_articles + 1, 20.0)
        self.clicked = np.ones(SMALL.n_articles + 1)
        self.learned: list[Rows] = []

    def update(self, rows: Rows) -> None:
        codes = rows.features[:, -1].astype(int)
        np.add.at(self.shown, codes, rows.weight)
        np.add.at(self.clicked, codes, rows.reward * rows.weight)
        self.learned.append(rows)

    def mean(self, features: FloatArray) -> FloatArray:
        rate: FloatArray = (self.clicked / self.shown)[features[..., -1].astype(int)]
        return rate

    def std(self, features: FloatArray) -> FloatArray:
        std: FloatArray = (np.sqrt(self.clicked) / self.shown)[features[..., -1].astype(int)]
        return std

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.mean(features), self.std(features)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        mean, std = self.mean_and_std(features)
        return mean + std * rng.standard_normal(mean.shape)

    def at(self, slot: int) -> RewardModel:
        return self


class _Anything:
    """Shows a candidate drawn at random, whatever the model thinks."""

    randomized = True

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return rng.random(features.shape[:-1])


class _Freshest:
    """Shows the newest article."""

    randomized = False

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return features[..., -1].astype(np.float64)


@pytest.fixture(scope="session")
def world() -> NewsWorld:
    return NewsWorld.draw(SMALL, seed=11)


@pytest.fixture
def fresh() -> Callable[[], ArticleRates]:
    return ArticleRates


@pytest.fixture
def anything() -> Explorer:
    return _Anything()


@pytest.fixture
def freshest() -> Explorer:
    return _Freshest()
