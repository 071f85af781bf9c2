from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from sojourn.checks import require_environment
from sojourn.errors import ConfigError, InvalidInputError
from sojourn.records import Decision, Feedback, FloatArray, IntArray, Request
from sojourn.simulation.clicked_log import clicked_log, last_click_shares
from sojourn.simulation.feed import Feed
from sojourn.simulation.readers import PositionReaders
from sojourn.simulation.shop_catalogue import ShopCatalogue
from sojourn.simulation.taobao_like import taobao_like, taobao_like_log


@pytest.fixture(scope="module")
def feed() -> Feed[PositionReaders]:
    return taobao_like(seed=1)


@pytest.fixture(scope="module")
def catalogue() -> ShopCatalogue:
    return ShopCatalogue(n_items=900, rng=np.random.default_rng(0))


def _click_probability(feed: Feed[PositionReaders], n_pages: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    slots = slice(feed.n_slots)
    attraction = np.stack([feed.attraction(feed.request(rng=rng).features[slots]) for _ in range(n_pages)])
    return feed.readers.examination * attraction


def _share_below(shares: FloatArray) -> float:
    return float(shares @ np.arange(len(shares))[::-1] / len(shares))


def test_shares_of_the_last_click_equal_an_enumeration_of_all_pages(rng: np.random.Generator) -> None:
    probability = rng.uniform(0.0, 0.9, size=(3, 4))
    wanted = np.zeros(4)
    for page in probability:
        for clicks in product([0, 1], repeat=4):
            if any(clicks):
                wanted[max(np.flatnonzero(clicks))] += np.where(clicks, page, 1.0 - page).prod()
    np.testing.assert_allclose(last_click_shares(probability), wanted / wanted.sum())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_published_figures_come_out_in_every_world(seed: int) -> None:
    shares = last_click_shares(_click_probability(taobao_like(seed=seed), 600, seed=100 + seed))
    assert shares.sum() == pytest.approx(1.0)
    assert abs(shares[-1] - 0.062) < 0.005
    assert abs(_share_below(shares) - 0.54) < 0.015


def test_the_log_agrees_with_the_exact_shares(feed: Feed[PositionReaders]) -> None:
    log = clicked_log(feed, 1_200, rng=np.random.default_rng(5))
    probability = _click_probability(feed, 1_200, seed=6)
    last = 11 - np.argmax(log.batch.click[:, ::-1], axis=1)
    wanted = last_click_shares(probability)
    seen = np.bincount(last, minlength=12) / 1_200
    assert (np.abs(seen - wanted) < 4.5 * np.sqrt(2.0 * wanted * (1.0 - wanted) / 1_200)).all()  # both are samples
    no_click = (1.0 - probability).prod(axis=1)
    n_visits = 1_200 + log.n_dropped
    spread = np.sqrt(no_click.mean() * (1.0 - no_click.mean()) / n_visits + no_click.var() / 1_200)
    assert abs(log.n_dropped / n_visits - no_click.mean()) < 4.5 * spread


def test_the_log_holds_records_with_a_click_in_the_order_of_the_ranker(feed: Feed[PositionReaders]) -> None:
    told: list[tuple[int, int]] = []
    log = clicked_log(feed, 50, rng=np.random.default_rng(2), progress=lambda done, total: told.append((done, total)))
    batch = log.batch
    assert batch.features.shape == (50, 12, 56)
    assert batch.click.any(axis=1).all()
    assert batch.propensity is None
    assert batch.quits is None
    np.testing.assert_array_equal(batch.session, np.arange(50))
    np.testing.assert_array_equal(batch.position, np.tile(np.arange(12), (50, 1)))
    assert told == [(done, 50) for done in range(1, 51)]
    requests, _ = np.random.default_rng(2).spawn(2)
    visits = [feed.request(rng=requests) for _ in range(50 + log.n_dropped)]
    shown = {visit.item_ids[:12].tobytes() for visit in visits}
    assert all(page.tobytes() in shown for page in batch.item)


def test_the_same_seed_gives_the_same_log() -> None:
    one, again, other = (taobao_like_log(20, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.batch.features, again.batch.features)
    np.testing.assert_array_equal(one.batch.click, again.batch.click)
    assert one.n_dropped == again.n_dropped
    assert not np.array_equal(one.batch.item, other.batch.item)


def test_it_keeps_the_contract_of_an_environment(feed: Feed[PositionReaders]) -> None:
    require_environment(lambda: feed)


def test_the_best_slate_is_the_best_of_all_for_both_rewards() -> None:
    small = taobao_like(seed=0, n_slots=3, n_items=12)
    request = small.request(rng=np.random.default_rng(1))
    best, slates = small.best_slate(request), [np.array(slate) for slate in permutations(range(12), 3)]
    for value in (small.expected_reward, small.expected_set_reward):
        assert value(request, best) == pytest.approx(max(value(request, slate) for slate in slates), abs=1e-12)


def test_the_ranker_is_decent_and_can_be_beaten(feed: Feed[PositionReaders]) -> None:
    rng = np.random.default_rng(8)
    values = []
    for _ in range(60):
        request = feed.request(rng=rng)
        slates = (rng.permutation(900)[:12], np.arange(12), feed.best_slate(request))
        values.append([feed.expected_reward(request, slate) for slate in slates])
    chance, ranker, best = np.mean(values, axis=0)
    assert 1.2 * chance < ranker < 0.95 * best


def test_contexts_are_what_the_docstring_says(catalogue: ShopCatalogue, rng: np.random.Generator) -> None:
    rows = catalogue.sample(20_000, rng=rng)
    assert rows.shape == (20_000, 56)
    people = catalogue.people(20_000, rng=rng)
    for amounts in (np.log(people[:, :10]), np.log(rows[:, 20:30])):
        assert (np.abs(np.median(amounts, axis=0)) < 5.0 * 0.5 * np.sqrt(np.pi / 2 / 20_000)).all()
        assert amounts.std(axis=0) == pytest.approx(0.5, rel=0.05)
    np.testing.assert_array_equal(rows[:, 10:18].sum(axis=1), 1.0)
    assert set(np.unique(rows[:, 10:18])) == {0.0, 1.0}
    shares = rows[:, [18, 19, *range(30, 38)]]
    assert shares.min() > 0.0
    assert shares.max() < 1.0
    np.testing.assert_allclose(rows[:, 38:], rows[:, :18] * rows[:, 20:38])


def test_a_person_brings_the_same_columns_to_every_item(catalogue: ShopCatalogue, rng: np.random.Generator) -> None:
    person = catalogue.person(rng=rng)
    all_items = catalogue.features(slice(None), person)
    np.testing.assert_array_equal(all_items[:, 20:38], np.tile(person, (900, 1)))
    np.testing.assert_array_equal(catalogue.features(np.array([7, 3]), person), all_items[[7, 3]])
    np.testing.assert_array_equal(catalogue.features(np.array([7, 3]), np.stack([person, person])), all_items[[7, 3]])


class _NobodyClicks:
    """People who look and leave."""

    def request(self, *, rng: np.random.Generator) -> Request:
        return Request(request_id="r", item_ids=np.arange(2), features=np.ones((2, 1)), n_slots=2)

    def feedback(self, request: Request, decision: Decision, *, rng: np.random.Generator) -> Feedback:
        return Feedback(request_id=request.request_id, click=np.zeros(2))

    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        return 0.0

    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        return 0.0

    def best_slate(self, request: Request) -> IntArray:
        return np.arange(2)


def test_a_log_that_nobody_clicks_is_given_up(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="10,000 visits in a row"):
        clicked_log(_NobodyClicks(), 1, rng=rng)


def test_bad_settings_are_refused(feed: Feed[PositionReaders], rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="n_records"):
        clicked_log(feed, 0, rng=rng)
    with pytest.raises(ConfigError, match="n_items"):
        ShopCatalogue(n_items=0, rng=rng)
    with pytest.raises(ConfigError, match="n_slots"):
        taobao_like(seed=0, n_items=11)
