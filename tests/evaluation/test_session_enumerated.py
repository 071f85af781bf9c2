"""Unbiasedness, proved: every slate, click and leave point of two pages of two slots, weighted by its probability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import pytest

from sojourn.evaluation import (
    RewardPrediction,
    SessionDoublyRobust,
    SessionEstimator,
    SessionWeighting,
    WeightedSessions,
)
from sojourn.evaluation.stays.terms import ratio_terms
from sojourn.records import FloatArray, LogBatch

M, K = 3, 2
Rewards = Literal["later", "page", "cascade", "own"]
Page = tuple[tuple[int, ...], tuple[int, ...], bool]  # items, clicks, goes on
VALID: list[tuple[Rewards, SessionWeighting]] = [
    ("later", "trajectory"),
    ("page", "trajectory"),
    ("page", "slate"),
    ("cascade", "trajectory"),
    ("cascade", "slate"),
    ("cascade", "prefix"),
    ("own", "trajectory"),
    ("own", "slate"),
    ("own", "prefix"),
    ("own", "slot"),
]
INVALID: list[tuple[Rewards, SessionWeighting]] = [
    ("later", "slate"),
    ("page", "prefix"),
    ("cascade", "slot"),
]


@dataclass(frozen=True)
class Show:
    """A policy: what comes next depends on what was clicked on the page before, and on the item above."""

    strength: FloatArray
    repeats: bool  # each slot has its own candidates, whatever stands above

    def next(self, past: tuple[Page, ...], above: tuple[int, ...]) -> FloatArray:
        strength = self.strength[len(past), 0 if self.repeats else len(above)].copy()
        if past:
            strength *= 1.0 + 2.0 * past[0][1][0] * (np.arange(M) == past[0][0][1])
        if not self.repeats:
            strength[list(above)] = 0.0
        share: FloatArray = strength / strength.sum()
        return share


@dataclass(frozen=True)
class World:
    kind: Rewards
    attraction: FloatArray  # (2, K, M)
    hazard: FloatArray  # (M,)

    def sessions(self, policies: tuple[Show, ...]) -> Iterator[tuple[tuple[Page, ...], FloatArray]]:
        """Every session with its probability under each policy."""
        for items, chance in _slates(policies, ()):
            for clicks, goes_on, likely in self._page(items, 0):
                first = (items, clicks, goes_on)
                if not goes_on:
                    yield (first,), chance * likely
                    continue
                for more, then in _slates(policies, (first,)):
                    for later, stays, liable in self._page(more, 1):
                        yield (first, (more, later, stays)), chance * likely * then * liable

    def _page(self, items: tuple[int, ...], page: int) -> Iterator[tuple[tuple[int, ...], bool, float]]:
        """Clicks, whether the person goes on, and the probability; leave points inside the page are summed over."""
        for clicks, left_after in product(product((0, 1), repeat=K), range(K + 1)):
            if left_after == 0 and clicks[1]:
                continue  # slot 1 was not seen
            rates = [self._rate(page, slot, items, clicks) for slot in range(K)]
            seen = K if left_after else 1
            chance = np.prod([rate if click else 1.0 - rate for rate, click in zip(rates[:seen], clicks, strict=False)])
            hazards = [self._leaves(item, click) for item, click in zip(items, clicks, strict=True)]
            stays = (hazards[0], (1.0 - hazards[0]) * hazards[1], (1.0 - hazards[0]) * (1.0 - hazards[1]))[left_after]
            yield clicks, left_after == K, float(chance * stays)

    def _leaves(self, item: int, click: int) -> float:
        """Where a slot's reward may depend on its own item only, nobody leaves inside the page."""
        return float(self.hazard[item] * (0.5 if click else 1.0))

    def _rate(self, page: int, slot: int, items: tuple[int, ...], clicks: tuple[int, ...]) -> float:
        own = self.attraction[page, slot, items[slot]]
        if self.kind == "page":
            return float(own * (0.3 if items[1] == 1 else 1.0))
        if self.kind == "cascade" and slot:
            return float(own * (0.4 if clicks[0] else 1.0) * (0.6 if items[0] == 0 else 1.0))
        return float(own)

    def reward(self, pages: tuple[Page, ...], page: int) -> tuple[float, ...]:
        """The clicks; of what comes later, those on the first page count for less unless the second begins with 2."""
        clicks = pages[page][1]
        late = self.kind == "later" and page == 0 and not (len(pages) == 2 and pages[1][0][0] == 2)
        return tuple(click * (0.3 if late else 1.0) for click in clicks)


class WholePageWorld(World):
    """People see whole pages, so that a slot's clicks depend on its own item alone; they leave at the end."""

    def _page(self, items: tuple[int, ...], page: int) -> Iterator[tuple[tuple[int, ...], bool, float]]:
        for clicks, goes_on in product(product((0, 1), repeat=K), (False, True)):
            rates = [self._rate(page, slot, items, clicks) for slot in range(K)]
            chance = np.prod([rate if click else 1.0 - rate for rate, click in zip(rates, clicks, strict=True)])
            stay = np.prod([1.0 - self._leaves(item, click) for item, click in zip(items, clicks, strict=True)])
            yield clicks, goes_on, float(chance * (stay if goes_on else 1.0 - stay))


def _slates(policies: tuple[Show, ...], past: tuple[Page, ...]) -> Iterator[tuple[tuple[int, ...], FloatArray]]:
    for top, below in product(range(M), repeat=K):
        chance = np.array([each.next(past, ())[top] * each.next(past, (top,))[below] for each in policies])
        if chance.any():
            yield (top, below), chance


@dataclass
class Problem:
    probability: FloatArray  # of each session under the logging policy
    log: WeightedSessions
    truth: float
    seen_truth: float
    prediction: RewardPrediction

    def expectation(self, estimator: SessionEstimator) -> float:
        terms = estimator.terms(self.log, self.log.batch.reward)
        return float(self.probability @ (terms.influence + terms.value))


def problem(kind: Rewards, *, seed: int = 3) -> Problem:
    rng = np.random.default_rng(seed)
    own = kind == "own"
    world = (WholePageWorld if own or kind == "page" else World)(
        kind, rng.uniform(0.2, 0.9, (2, K, M)), rng.uniform(0.1, 0.7, M)
    )
    mu, pi = (Show(rng.uniform(0.3, 2.0, (2, K, M)), repeats=own) for _ in range(2))
    q = rng.uniform(0.0, 2.0, (2, M + 1, M))  # by page, item above and item
    columns: dict[str, list[object]] = {
        name: [] for name in ("item", "click", "reward", "session", "p", "t", "logged", "expected")
    }
    probability, truth, length = [], 0.0, 0.0
    for number, (pages, chance) in enumerate(world.sessions((mu, pi))):
        probability.append(chance[0])
        truth += chance[1] * sum(sum(world.reward(pages, p)) for p in range(len(pages)))
        length += chance[1] * K * len(pages)
        for p, (items, clicks, _) in enumerate(pages):
            above = [items[:slot] for slot in range(K)]
            shares = [[each.next(pages[:p], top) for top in above] for each in (mu, pi)]
            values = [q[p, top[0] if top else M] for top in above]
            columns["item"].append(items)
            columns["click"].append(clicks)
            columns["reward"].append(world.reward(pages, p))
            columns["session"].append(number)
            for name, share in zip("pt", shares, strict=True):
                columns[name].append([share[slot][items[slot]] for slot in range(K)])
            columns["logged"].append([values[slot][items[slot]] for slot in range(K)])
            columns["expected"].append([shares[1][slot] @ values[slot] for slot in range(K)])
    item, click = np.array(columns["item"]), np.array(columns["click"], dtype=np.float64)
    batch = LogBatch(
        item=item,
        features=np.zeros((*item.shape, 0)),
        click=click,
        reward=np.array(columns["reward"]),
        position=np.tile(np.arange(K), (len(item), 1)),
        session=np.array(columns["session"]),
        step=np.zeros(len(item), dtype=np.int64),
        propensity=np.array(columns["p"]),
    )
    prediction = RewardPrediction(logged=np.array(columns["logged"]), target=np.array(columns["expected"]))
    log = WeightedSessions(batch, np.array(columns["t"]))
    return Problem(np.array(probability), log, truth, length, prediction)


@pytest.mark.parametrize("kind", ["later", "page", "cascade", "own"])
def test_the_sessions_are_all_there(kind: Rewards) -> None:
    p = problem(kind)
    assert p.probability.sum() == pytest.approx(1.0, abs=1e-12)
    assert set(p.log.pages.n_pages.tolist()) == {1, 2}


@pytest.mark.parametrize(("kind", "weighting"), VALID)
def test_importance_weighting_is_unbiased_where_its_assumption_holds(
    kind: Rewards, weighting: SessionWeighting
) -> None:
    p = problem(kind)
    estimator = SessionEstimator(weighting=weighting, normalized=False)
    assert p.expectation(estimator) == pytest.approx(p.truth, abs=1e-12)


@pytest.mark.parametrize(("kind", "weighting"), INVALID)
def test_a_weighting_whose_assumption_fails_is_biased(kind: Rewards, weighting: SessionWeighting) -> None:
    p = problem(kind)
    assert abs(p.expectation(SessionEstimator(weighting=weighting, normalized=False)) - p.truth) > 5e-3


@pytest.mark.parametrize(("kind", "weighting"), [pair for pair in VALID if pair[1] in {"slate", "prefix"}])
def test_dr_is_unbiased_whatever_the_prediction(kind: Rewards, weighting: SessionWeighting) -> None:
    p = problem(kind)
    estimator = SessionDoublyRobust(weighting=weighting, normalized=False, prediction=p.prediction)
    assert p.expectation(estimator) == pytest.approx(p.truth, abs=1e-12)


@pytest.mark.parametrize(("kind", "weighting"), VALID)
def test_normalized_estimates_have_the_truth_as_their_limit(kind: Rewards, weighting: SessionWeighting) -> None:
    p = problem(kind)
    of_round = p.probability[p.log.pages.session][:, None]
    reward, weights = p.log.batch.reward, p.log.weights(weighting)
    final = p.log.final
    vars(p.log)["final"] = p.probability * final  # every session as often as it comes
    limit = ratio_terms(p.log, of_round * weights * reward, of_round * weights).value
    assert limit == pytest.approx(p.truth, abs=1e-12)
    vars(p.log)["final"] = np.zeros_like(final)  # and if those that ended did not count
    survivors = ratio_terms(p.log, of_round * weights * reward, of_round * weights).value
    assert survivors > p.truth + 0.05


@pytest.mark.parametrize("weighting", ["trajectory", "slate", "prefix", "slot"])
def test_the_length_of_the_session_is_unbiased_too(weighting: SessionWeighting) -> None:
    p = problem("own")
    shown = np.ones_like(p.log.batch.reward)
    terms = SessionEstimator(weighting=weighting, normalized=False).terms(p.log, shown)
    assert float(p.probability @ (terms.influence + terms.value)) == pytest.approx(p.seen_truth, abs=1e-12)


@pytest.mark.parametrize("weighting", ["slate", "prefix"])
@pytest.mark.parametrize("normalized", [False, True])
def test_dr_without_a_prediction_is_importance_weighting(weighting: SessionWeighting, normalized: bool) -> None:
    p = problem("cascade")
    nothing = np.zeros_like(p.prediction.logged)
    prediction = RewardPrediction(logged=nothing, target=nothing)
    reward = p.log.batch.reward
    ours = SessionDoublyRobust(weighting=weighting, normalized=normalized, prediction=prediction).terms(p.log, reward)
    plain = SessionEstimator(weighting=weighting, normalized=normalized).terms(p.log, reward)
    assert ours.value == pytest.approx(plain.value, abs=1e-12)
    np.testing.assert_allclose(ours.influence, plain.influence, atol=1e-9)
