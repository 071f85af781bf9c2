"""A catalogue so small that the value of a policy over whole sessions can be computed, and logs of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from scipy.special import expit

from sojourn.policies import PlackettLuce
from sojourn.policies.slot_scores import FixedScores
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request

PEOPLE: Final = ((1.5, 0.6), (0.6, 1.5))
"""Two kinds of people, equally many: factors of what they click and of how likely they leave."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StayWorld:
    """People see pages of items, none twice, until they leave at the end of a page or have seen ``n_pages``.

    Parameters
    ----------
    features : (m, d) float
    attraction, hazard : (m,) float
        P(click), and P(leaves) after a page of this item alone, of a person between the two kinds.
    page_size, n_pages
    """

    features: FloatArray
    attraction: FloatArray
    hazard: FloatArray
    page_size: int
    n_pages: int

    @classmethod
    def draw(cls, rng: np.random.Generator, *, n_items: int = 12, page_size: int = 3, n_pages: int = 4) -> StayWorld:
        """A world of random items with three features each."""
        features = rng.standard_normal((n_items, 3))
        likes, leaves = (weights / np.linalg.norm(weights) for weights in rng.standard_normal((2, 3)))
        return cls(
            features=features,
            attraction=expit(0.8 * features @ likes - 1.8),
            hazard=expit(features @ leaves - 2.5),
            page_size=page_size,
            n_pages=n_pages,
        )

    def scores(self, *, towards_stay: float) -> FloatArray:
        """Log-strengths (m,) of a policy that likes what is clicked and, so much, what does not make people leave."""
        worth, cost = (_standardized(np.log(each)) for each in (self.attraction, self.hazard))
        return 0.5 * worth - towards_stay * cost

    def log(self, scores: FloatArray, n_sessions: int, *, rng: np.random.Generator) -> LogBatch:
        """Sessions that a Plackett-Luce policy served."""
        k, pages = self.page_size, self.n_pages
        order = np.argsort(-(scores + rng.gumbel(size=(n_sessions, len(scores)))), axis=1)[:, : k * pages]
        order = order.reshape(n_sessions, pages, k)
        likes, leaves = np.array(PEOPLE)[rng.integers(2, size=n_sessions)].T[:, :, None, None]
        click = rng.random(order.shape) < likes * self.attraction[order]
        stays = rng.random((n_sessions, pages)) < (1.0 - leaves * self.hazard[order]).prod(axis=2)
        alive = np.hstack((np.ones((n_sessions, 1), dtype=np.bool_), np.cumprod(stays[:, :-1], axis=1) > 0))
        session, page = np.nonzero(alive)
        clicks = click[alive].astype(np.float64)
        return LogBatch(
            item=order[alive],
            features=self.features[order[alive]],
            click=clicks,
            reward=clicks,
            position=np.tile(np.arange(k), (len(session), 1)),
            session=session,
            step=page * k,
            propensity=self._conditional(scores, order)[alive],
            quits=~stays[alive] & (page < pages - 1),
        )

    def target(self, scores: FloatArray, batch: LogBatch) -> FloatArray:
        """Probability (n, k) of the choices of a log under the Plackett-Luce policy of the scores."""
        order = np.zeros((int(batch.session[-1]) + 1, self.n_pages, self.page_size), dtype=np.int64)
        at = batch.session, batch.step // self.page_size
        order[at] = batch.item
        return self._conditional(scores, order)[at]

    def value(self, scores: FloatArray) -> tuple[float, float]:
        """Exact clicks and items per session."""
        both = [_expected(self, np.exp(scores), likes, leaves) for likes, leaves in PEOPLE]
        clicks, items = np.mean(both, axis=0)
        return float(clicks), float(items)

    def _conditional(self, scores: FloatArray, order: IntArray) -> FloatArray:
        """Of each choice given those before it in the session; pages that did not come may hold anything."""
        strength = np.exp(scores)[order].reshape(len(order), -1)
        left = np.exp(scores).sum() - (np.cumsum(strength, axis=1) - strength)
        share: FloatArray = np.minimum(strength / np.maximum(left, strength), 1.0).reshape(order.shape)
        return share


def _expected(world: StayWorld, strength: FloatArray, likes: float, leaves: float) -> FloatArray:
    """Clicks and items of a kind of people, by going through the sets of items that can have been shown."""
    m, k = len(strength), world.page_size
    reward = np.stack((likes * world.attraction, np.ones(m)), axis=1)
    stay = 1.0 - leaves * world.hazard

    @cache
    def from_slot(shown: int, slot: int, page: int) -> tuple[FloatArray, FloatArray]:
        """What the rest of the page earns, and what comes after it times the chance of staying by its items."""
        if slot == k:
            if page + 1 == world.n_pages:
                return np.zeros(2), np.zeros(2)
            here, later = from_slot(shown, 0, page + 1)
            return np.zeros(2), here + later
        open_items = [item for item in range(m) if not shown >> item & 1]
        chance = strength[open_items] / strength[open_items].sum()
        here, later = np.zeros(2), np.zeros(2)
        for item, p in zip(open_items, chance, strict=True):
            below, after = from_slot(shown | 1 << item, slot + 1, page)
            here += p * (reward[item] + below)
            later += p * stay[item] * after
        return here, later

    here, later = from_slot(0, 0, 0)
    return here + later


def _standardized(values: FloatArray) -> FloatArray:
    standardized: FloatArray = (values - values.mean()) / values.std()
    return standardized


class ScoredPolicy:
    """Plackett-Luce over fixed scores of the items, whose ids are their places."""

    name = "scored"

    def __init__(self, scores: FloatArray) -> None:
        self._scores = scores
        self._sampler = PlackettLuce(temperature=1.0)

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """A page of items drawn by their strengths."""
        chosen, propensity = self._sampler.sample(self._of(request), len(request.item_ids), request.n_slots, rng=rng)
        return Decision(
            request_id=request.request_id, policy=self.name, chosen=chosen, propensity=propensity, deterministic=False
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Exact."""
        return self._sampler.propensity(self._of(request), len(request.item_ids), chosen)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Exact."""
        return self._sampler.distribution(self._of(request), len(request.item_ids), above)

    def update(self, batch: LogBatch) -> None:
        """Nothing to learn."""

    def _of(self, request: Request) -> FixedScores:
        return FixedScores(self._scores[request.item_ids], first_slot=0)


def rounds_of(world: StayWorld, batch: LogBatch) -> Iterator[tuple[Request, IntArray]]:
    """The requests of a log, whose candidates are the items that the session has not shown."""
    shown: set[int] = set()
    for row, (session, step) in enumerate(zip(batch.session.tolist(), batch.step.tolist(), strict=True)):
        shown = set() if step == 0 else shown
        candidates = np.array([item for item in range(len(world.features)) if item not in shown])
        yield (
            Request(
                request_id=str(row),
                item_ids=candidates,
                features=world.features[candidates],
                n_slots=world.page_size,
                session_id=str(session),
                step=step,
            ),
            np.searchsorted(candidates, batch.item[row]),
        )
        shown |= set(batch.item[row].tolist())
