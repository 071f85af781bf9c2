"""The three papers' own systems, as published, on their own logs; each knows what the world tells everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

import numpy as np

from experiments.closed_loop.papers_per_slot import PerSlotBandits
from experiments.closed_loop.papers_planned import PlannedAsPublished
from experiments.closed_loop.play import DayBook, Sizes, settings_of
from experiments.studies import Measures
from sojourn.exploration import AdversarialGradient
from sojourn.exposure import NoCorrection
from sojourn.records import FloatArray, IntArray, LogBatch
from sojourn.simulation.live import LiveFeed

ALPHA, PENALTY, STEP = 0.03, 1e-4, 1e-3
"""Strengths that tuning chose."""

N_GRADIENTS: Final = 3
"""Of PGD, T; the paper does not tell."""


class PaperSystem(Protocol):
    """What serves a day, and learns from its log in the evening."""

    def orders(self, features: FloatArray, n_steps: int, *, rng: np.random.Generator) -> IntArray:
        """The sessions' orders, (b, t), of candidates (b, m, d)."""
        ...

    def update(self, log: LogBatch) -> None:
        """Learn from a day."""
        ...


class AgeAsPublished:
    """AGE-TS (Wu et al. 2022): PGD, probabilities, dropout of the weights and the learned gate.

    Parameters
    ----------
    feed, seed
        Whose features it reads, and of its weights.
    strength
        lambda, >= 0.
    """

    def __init__(self, *, feed: LiveFeed, seed: int, strength: float) -> None:
        from sojourn.models.deep import DeepClickRate, GatingUnit
        from sojourn.models.deep.networks import MLP
        from sojourn.models.deep.uncertainty import Dropout

        network = partial(MLP, embedding_size=8, hidden=(64, 32))
        self.model = DeepClickRate(
            layout=feed.layout, network=network, uncertainty=Dropout(), gate=GatingUnit(), seed=seed
        )
        self.explorer = AdversarialGradient(
            strength=strength, uncertainty_as="sample", n_steps=N_GRADIENTS, gate="learned", space="probability"
        )

    def orders(self, features: FloatArray, n_steps: int, *, rng: np.random.Generator) -> IntArray:
        """The largest scores first."""
        return np.argsort(-self.explorer.score(self.model, features, rng=rng), axis=1, kind="stable")[:, :n_steps]

    def update(self, log: LogBatch) -> None:
        """Whatever was shown counts as seen."""
        self.model.update(NoCorrection().rows(log))


Build = Callable[[LiveFeed, int], PaperSystem]
"""A world and a seed -> a system that knows nothing yet."""


def _per_slot(feed: LiveFeed, seed: int, *, alpha: float) -> PaperSystem:
    return PerSlotBandits(layout=feed.layout, page_size=feed.settings.page_size, alpha=alpha)


def _planned(feed: LiveFeed, seed: int, *, penalty: float) -> PaperSystem:
    return PlannedAsPublished(layout=feed.layout, penalty=penalty, seed=seed)


def _age(feed: LiveFeed, seed: int, *, strength: float) -> PaperSystem:
    return AgeAsPublished(feed=feed, seed=seed, strength=strength)


PER_SLOT, PLANNED, AGE = "IBAHybridUCB+SW as published", "MDP-SSP as published", "AGE as published"

PAPERS: Final[Mapping[str, Build]] = {
    PER_SLOT: partial(_per_slot, alpha=ALPHA),
    AGE: partial(_age, strength=STEP),
    PLANNED: partial(_planned, penalty=PENALTY),
}
"""One for each paper."""

TUNED_PAPERS: Final[Mapping[str, Mapping[float, Build]]] = {
    PER_SLOT: {alpha: partial(_per_slot, alpha=alpha) for alpha in (0.03, 0.1, 0.3)},
    AGE: {strength: partial(_age, strength=strength) for strength in (1e-3, 1.0, 20.0)},
    PLANNED: {penalty: partial(_planned, penalty=penalty) for penalty in (1e-6, 1e-4, 1e-2)},
}
"""Strengths that tuning tries, three for each: alpha, lambda, and C of the support vector machine."""


def live_by_paper(
    feed: LiveFeed, system: PaperSystem, *, rng: np.random.Generator
) -> dict[str, float | list[float] | None]:
    """A system's life, as `experiments.closed_loop.play.live` has it."""
    book = DayBook(feed)
    for day in range(feed.settings.days):
        visits = feed.visits(day)
        orders = system.orders(visits.features, feed.settings.n_steps, rng=rng)
        book.enter(day, visits, orders)
        system.update(feed.log(visits, feed.play(visits, orders)))
    return book.measures()


def play_papers(setting: str, seed: int, sizes: Sizes) -> Measures:
    """The papers' systems in one world, with the people that everyone meets there."""
    feed = LiveFeed(settings_of(setting, sizes), seed=seed)
    return {name: live_by_paper(feed, build(feed, seed), rng=_rng(seed, name)) for name, build in PAPERS.items()}


def tune_papers(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Every strength of every one of them, in one world."""
    feed = LiveFeed(settings_of(setting, sizes), seed=seed)
    return {
        f"{name}, {strength:g}": live_by_paper(feed, build(feed, seed), rng=_rng(seed, name))
        for name, tried in TUNED_PAPERS.items()
        for strength, build in tried.items()
    }


def _rng(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])
