"""The papers' own systems in the closed loop: their vectorised rankings and plans, and what they learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from experiments.closed_loop import papers, play
from experiments.closed_loop.papers_logs import joined
from experiments.closed_loop.papers_per_slot import WEIGHED_DAYS, PerSlotBandits
from experiments.closed_loop.papers_planned import HELD_OUT, ROUNDS, PlannedAsPublished, compromise
from sklearn.svm import LinearSVC

from sojourn import recipes
from sojourn.exposure import RegressionEM
from sojourn.models import HybridRidge, Platt
from sojourn.models.quit import MultiInstance
from sojourn.planning import plan_compromise, plan_greedy
from sojourn.records import (
    BoolArray,
    Categorical,
    FieldLayout,
    FloatArray,
    IntArray,
    LogBatch,
    Numeric,
    Request,
    SessionMDP,
)
from sojourn.simulation.live import LiveFeed, LiveSettings

SETTINGS: Final = LiveSettings(
    days=3,
    n_live=30,
    n_users=40,
    n_sessions=20,
    n_candidates=12,
    n_steps=10,
    page_size=5,
    n_dims=2,
    reward_mean=0.2,
    hazard_mean=0.1,
    hazard_spread=1.0,
)
DRIVES_AWAY: Final = 7


@pytest.fixture(scope="module")
def feed() -> LiveFeed:
    return LiveFeed(SETTINGS, seed=3)


@pytest.mark.parametrize("name", papers.PAPERS)
def test_a_paper_lives_to_the_end_and_again_just_so(feed: LiveFeed, name: str) -> None:
    first, second = (
        papers.live_by_paper(feed, papers.PAPERS[name](feed, 3), rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert first == second
    by_day = first["by day"]
    assert isinstance(by_day, list)
    assert len(by_day) == SETTINGS.days
    assert min(by_day) > 0.0
    assert {"clicks", "length", "click rate", "new"} <= first.keys()


def test_papers_meet_the_people_of_the_other_studies() -> None:
    sizes = play.Sizes(days=1, n_sessions=30)
    feed = LiveFeed(play.settings_of("all", sizes), seed=4)
    by_rate = play.know(feed, planned=False)
    assert papers.live_by_paper(feed, _Knowing(feed), rng=np.random.default_rng(0)) == by_rate
    names = papers.play_papers("all", 4, sizes)
    again = papers.live_by_paper(feed, papers.PAPERS[papers.PLANNED](feed, 4), rng=np.random.default_rng(0))
    assert names[papers.PLANNED] == again


class _Knowing:
    """Ranks the first day's candidates by the truth."""

    def __init__(self, feed: LiveFeed) -> None:
        visits = feed.visits(0)
        self._reward = feed.reward_of(visits.user[:, None], visits.item)

    def orders(self, features: FloatArray, n_steps: int, *, rng: np.random.Generator) -> IntArray:
        return np.argsort(-self._reward, axis=1, kind="stable")[:, :n_steps]

    def update(self, log: LogBatch) -> None:
        assert log.propensity is None


def test_the_studies_have_everyone_and_every_strength() -> None:
    sizes = play.Sizes(days=2, n_sessions=12)
    assert [*papers.play_papers("narrow", 0, sizes)] == [papers.PER_SLOT, papers.AGE, papers.PLANNED]
    tuned = papers.tune_papers("narrow", 1000, sizes)
    assert len(tuned) == 9
    assert tuned[f"{papers.PER_SLOT}, 0.03"] != tuned[f"{papers.PER_SLOT}, 0.3"]


# IBAHybridUCB+SW


def learned(feed: LiveFeed, alpha: float) -> PerSlotBandits:
    bandits = PerSlotBandits(layout=feed.layout, page_size=SETTINGS.page_size, alpha=alpha)
    for day in range(2):
        bandits.update(log_of(feed, bandits, day))
    return bandits


def log_of(feed: LiveFeed, bandits: PerSlotBandits, day: int) -> LogBatch:
    visits = feed.visits(day)
    orders = bandits.orders(visits.features, SETTINGS.n_steps, rng=np.random.default_rng(0))
    return feed.log(visits, feed.play(visits, orders))


@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_all_sessions_at_once_rank_as_the_recipe_does_page_by_page(feed: LiveFeed, alpha: float) -> None:
    bandits, features = learned(feed, alpha), feed.visits(2).features
    found = bandits.orders(features, SETTINGS.n_steps, rng=np.random.default_rng(0))
    for session, order in enumerate(found):
        context, left = bandits.context(features[session]), np.arange(SETTINGS.n_candidates)
        for page in np.split(order, SETTINGS.n_steps // SETTINGS.page_size):
            request = Request(request_id="r", item_ids=left, features=context[left], n_slots=SETTINGS.page_size)
            decision = bandits.policy.act(request, rng=np.random.default_rng(0))
            assert left[decision.chosen].tolist() == page.tolist()
            left = np.setdiff1d(left, page)


def test_doubt_and_similarity_change_the_ranking(feed: LiveFeed) -> None:
    features, rng = feed.visits(2).features, np.random.default_rng(0)
    orders = [learned(feed, alpha).orders(features, SETTINGS.n_steps, rng=rng) for alpha in (0.0, 2.0)]
    assert (orders[0] != orders[1]).any()
    bandits = learned(feed, 0.0)
    model = bandits.policy.model
    assert isinstance(model, HybridRidge)
    model._beta = model._beta + 5.0
    assert (bandits.orders(features, SETTINGS.n_steps, rng=rng) != orders[0]).any()


def test_each_day_is_learned_under_the_weights_of_its_evening(feed: LiveFeed) -> None:
    bandits = PerSlotBandits(layout=feed.layout, page_size=SETTINGS.page_size, alpha=0.1)
    expected = recipes.iba_hybrid_ucb_sw(n_features=5, n_slots=SETTINGS.page_size, weights=np.ones(5), alpha=0.1)
    for day in range(2):
        log = log_of(feed, bandits, day)
        bandits.update(log)
        assert bandits.weights[0] == 1.0
        assert bandits.weights.min() < 0.95
        expected.exposure = recipes.iba_hybrid_ucb_sw(
            n_features=5, n_slots=SETTINGS.page_size, weights=bandits.weights
        ).exposure
        expected.update(replace(log, features=bandits.context(log.features)))
    both = joined(bandits._logs)
    assert both.n_rounds > log.n_rounds
    np.testing.assert_allclose(bandits.weights, RegressionEM().fit(both).weights, atol=0.01)
    mine, theirs = bandits.policy.model, expected.model
    assert isinstance(mine, HybridRidge)
    assert isinstance(theirs, HybridRidge)
    assert np.array_equal(mine.theta, theirs.theta)
    assert np.array_equal(mine.beta, theirs.beta)


def test_bandits_know_items_by_their_features_alone(feed: LiveFeed) -> None:
    bandits, features = learned(feed, 0.5), feed.visits(2).features
    renamed = features.copy()
    renamed[..., -1] = 1.0
    first, second = (
        bandits.orders(each, SETTINGS.n_steps, rng=np.random.default_rng(0)) for each in (features, renamed)
    )
    assert np.array_equal(first, second)
    assert bandits.context(features).shape[-1] == 1 + 2 * SETTINGS.n_dims


# MDP-SSP

LAYOUT: Final = FieldLayout(
    fields=(Numeric("description", 2, "item"), Categorical("item_id", 13, "item")), item_id="item_id"
)


def pages(n_sessions: int, *, n_pages: int, seed: int = 0) -> LogBatch:
    """Pages of four of twelve items that nothing but their code tells apart; one of them drives people away."""
    rng = np.random.default_rng(seed)
    item = np.argsort(rng.random((n_sessions, 12)), axis=1)[:, : 4 * n_pages].reshape(n_sessions, n_pages, 4) + 1
    leaves = rng.random((n_sessions, n_pages)) < np.where((item == DRIVES_AWAY).any(axis=2), 0.9, 0.1)
    shown: BoolArray = np.cumsum(leaves, axis=1) - leaves == 0
    session, number = np.nonzero(shown)
    item, n = item[shown], int(shown.sum())
    features = np.concatenate([np.zeros((n, 4, 2)), item[..., None]], axis=2)
    click = (rng.random((n, 4)) < 0.1 + 0.05 * item / 12).astype(np.float64)
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(4), (n, 1)),
        session=session,
        step=4 * number,
        quits=leaves[shown],
    )


def every_item() -> FloatArray:
    return np.column_stack([np.zeros((12, 2)), np.arange(1.0, 13.0)])


@pytest.mark.parametrize("penalty", [1e-4, 1e-2])
def test_the_item_that_drives_people_away_has_the_largest_hazard(penalty: float) -> None:
    planned = PlannedAsPublished(layout=LAYOUT, penalty=penalty, seed=0)
    planned.update(pages(1_500, n_pages=2))
    assert planned.hazards is not None
    assert planned.hazards.hazard_of(every_item()).argmax() == DRIVES_AWAY - 1
    assert planned.hazards.hazard_of(every_item()[None]).shape == (1, 12)
    order = planned.orders(every_item()[None], 6, rng=np.random.default_rng(0))[0]
    assert DRIVES_AWAY - 1 not in order


def test_hazards_on_sparse_rows_are_those_of_the_house_on_dense_ones() -> None:
    log = pages(400, n_pages=2)
    planned = PlannedAsPublished(layout=LAYOUT, penalty=1e-2, seed=5)
    planned.update(log)
    assert planned.hazards is not None
    marks = np.eye(13)
    svm = LinearSVC(C=1e-2, class_weight="balanced", dual=False)
    dense = MultiInstance(svm, Platt(), held_out_share=HELD_OUT, max_iterations=ROUNDS, seed=5)
    dense.fit(replace(log, features=np.concatenate([log.features[..., :2], marks[log.item]], axis=2)))
    assert dense.n_iterations > 2
    expected = dense.hazard_of(np.concatenate([np.zeros((12, 2)), marks[1:]], axis=1))
    np.testing.assert_allclose(planned.hazards.hazard_of(every_item()), expected, rtol=1e-6)


def test_without_bags_of_both_kinds_plans_are_the_order_by_click_rate() -> None:
    planned = PlannedAsPublished(layout=LAYOUT, penalty=1e-2, seed=0)
    planned.update(pages(300, n_pages=1))
    assert planned.hazards is None
    assert planned.refused == 1
    order = planned.orders(every_item()[None], 12, rng=np.random.default_rng(0))[0]
    assert np.array_equal(order, np.argsort(-planned.clicks.click_rate_of(every_item()), kind="stable"))


def test_many_compromises_are_the_planner_s() -> None:
    rng = np.random.default_rng(1)
    reward, hazard = rng.beta(2.0, 30.0, size=(40, 15)), rng.beta(1.0, 4.0, size=(40, 15))
    found = compromise(reward, hazard, 8)
    mdps = [SessionMDP(reward=r, hazard=q, n_steps=8) for r, q in zip(reward, hazard, strict=True)]
    assert [order.tolist() for order in found] == [plan_compromise(each).order.tolist() for each in mdps]
    assert [order.tolist() for order in found] != [plan_greedy(each).order.tolist() for each in mdps]


def test_logs_of_some_days_are_joined_in_their_order(feed: LiveFeed) -> None:
    bandits = PerSlotBandits(layout=feed.layout, page_size=SETTINGS.page_size, alpha=0.1)
    logs = [log_of(feed, bandits, day) for day in range(2)]
    both = joined(logs)
    assert both.n_rounds == sum(log.n_rounds for log in logs)
    assert np.array_equal(both.item, np.concatenate([log.item for log in logs]))
    assert both.propensity is None
    for _ in range(WEIGHED_DAYS + 1):
        bandits.update(logs[0])
    assert len(bandits._logs) == WEIGHED_DAYS
