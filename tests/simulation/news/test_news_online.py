from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sojourn.errors import InvalidInputError, LogError
from sojourn.exploration import Greedy, Thompson
from sojourn.interfaces import Explorer, RewardModel
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.news import (
    NewsBlock,
    NewsRequests,
    NewsResult,
    NewsWorld,
    choose,
    play_online,
    predicted_click_rate,
    replay_lines,
)
from sojourn.simulation.news.result import NewsLedger

Fresh = Callable[[], Any]


def requests_of(item: IntArray, candidate: Any) -> NewsRequests:
    return NewsRequests(
        context=np.zeros((len(item), 2), dtype=np.float32),
        item=item,
        candidate=np.array(candidate, dtype=np.bool_),
        descriptions=np.arange(12.0, dtype=np.float32).reshape(4, 3),
    )


class Fixed:
    """Gives the same scores whatever it is asked."""

    randomized = False

    def __init__(self, scores: FloatArray) -> None:
        self.scores = scores

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return self.scores


def same(one: NewsResult, two: NewsResult) -> None:
    for name in ("offered", "impressions", "clicks", "predicted", "new_impressions", "new_clicks", "new_predicted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    np.testing.assert_array_equal(one.item_impressions, two.item_impressions)
    np.testing.assert_array_equal(one.item_clicks, two.item_clicks)


def test_features_are_context_then_description_then_code() -> None:
    requests = requests_of(np.array([[1, 3]]), [[True, True]])
    np.testing.assert_array_equal(requests.features(), [[[0, 0, 3, 4, 5, 1], [0, 0, 9, 10, 11, 3]]])
    np.testing.assert_array_equal(requests.shown(np.array([1])), [[0, 0, 9, 10, 11, 3]])


def test_only_candidates_are_chosen_and_the_first_of_equals(rng: np.random.Generator, fresh: Fresh) -> None:
    requests = requests_of(np.array([[1, 2, 3], [2, 3, 0], [2, 2, 2]]), [[1, 1, 1], [1, 1, 0], [0, 1, 1]])
    model = fresh()
    model.clicked[:4] = 100.0, 1.0, 5.0, 3.0
    np.testing.assert_array_equal(choose(model, Greedy(), requests, rng=rng), [1, 0, 1])


def test_how_many_are_scored_at_once_makes_no_difference(
    world: NewsWorld, rng: np.random.Generator, fresh: Fresh
) -> None:
    model, requests = fresh(), world.block(4).requests
    model.update(world.warm_up())
    whole = choose(model, Greedy(), requests, rng=rng)
    np.testing.assert_array_equal(choose(model, Greedy(), requests, rng=rng, at_once=7), whole)


def test_scores_of_another_shape_or_nan_are_refused(world: NewsWorld, rng: np.random.Generator, fresh: Fresh) -> None:
    requests = world.block(0).requests
    with pytest.raises(InvalidInputError, match=r"shape \(100, 5\).*ArticleRates must take features \(n, m, d\)"):
        choose(fresh(), Fixed(np.zeros(5)), requests, rng=rng)
    with pytest.raises(InvalidInputError, match="NaN"):
        choose(fresh(), Fixed(np.full((100, 5), np.nan)), requests, rng=rng)


def test_requests_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="at least one in each request"):
        requests_of(np.array([[1, 2], [1, 2]]), [[1, 1], [0, 0]])
    with pytest.raises(InvalidInputError, match="expected shapes"):
        requests_of(np.array([[1, 2]]), [[1]])


def by_hand(world: NewsWorld, model: Any, *, new_until: int) -> list[dict[str, float]]:
    """`play_online` with greedy choices, one visit at a time."""
    warm_up = world.warm_up()
    model.update(warm_up)
    impressions = np.bincount(warm_up.features[:, -1].astype(int), minlength=13)
    rows = []
    for block in world.blocks():
        rate = model.clicked / model.shown
        sums = dict.fromkeys(("clicks", "predicted", "new", "new_clicks", "earned", "best", "uniform"), 0.0)
        for n in range(len(block)):
            items = block.requests.item[n]
            j = max(range(5), key=lambda j: (rate[items[j]], -j))
            a, p = items[j], block.click_probability[n]
            click = float(block.luck[n, 0] < p[j])
            new = impressions[a] < new_until
            impressions[a] += 1
            model.shown[a] += 1.0
            model.clicked[a] += click
            for name, value in (("clicks", click), ("predicted", rate[a]), ("new", new), ("new_clicks", new * click)):
                sums[name] += value
            for name, value in (("earned", p[j]), ("best", p.max()), ("uniform", p.mean())):
                sums[name] += value
        rows.append(sums)
    return rows


def test_playing_online_is_what_it_is_by_hand(world: NewsWorld, rng: np.random.Generator, fresh: Fresh) -> None:
    told: list[tuple[int, int]] = []
    model = fresh()
    result = play_online(
        model, Greedy(), world, rng=rng, new_until=30, progress=lambda done, total: told.append((done, total))
    )
    expected = fresh()
    rows = by_hand(world, expected, new_until=30)
    truth = result.known_truth
    for name, values in (
        ("clicks", result.clicks),
        ("predicted", result.predicted),
        ("new", result.new_impressions),
        ("new_clicks", result.new_clicks),
        ("earned", truth.earned),
        ("best", truth.best),
        ("uniform", truth.uniform),
    ):
        np.testing.assert_allclose(values, [row[name] for row in rows], err_msg=name)
    assert 0.0 < result.new_share < 0.5
    np.testing.assert_array_equal(model.shown, expected.shown)
    np.testing.assert_array_equal(model.clicked, expected.clicked)
    np.testing.assert_array_equal(result.impressions, 100.0)
    assert result.kept_share == 1.0
    assert result.item_impressions.sum() == 600.0
    assert result.item_clicks.sum() == result.clicks.sum()
    assert told == [(done, 6) for done in range(1, 7)]


def test_policies_are_paired_and_the_same_twice(world: NewsWorld, fresh: Fresh) -> None:
    results = [play_online(fresh(), Thompson(), world, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)]
    same(results[0], results[1])
    assert not np.array_equal(results[0].item_impressions, results[2].item_impressions)
    for result in results[1:]:
        np.testing.assert_array_equal(result.known_truth.best, results[0].known_truth.best)


def test_a_random_policy_earns_what_a_uniform_one_does(
    rng: np.random.Generator, world: NewsWorld, fresh: Fresh, anything: Explorer
) -> None:
    world = NewsWorld.draw(replace(world.settings, block_size=4_000), seed=12)
    result = play_online(fresh(), anything, world, rng=rng)
    truth = result.known_truth
    assert abs(result.clicks.sum() - truth.uniform.sum()) < 4.0 * np.sqrt(truth.uniform.sum())
    assert truth.earned.sum() == pytest.approx(truth.uniform.sum(), rel=0.02)
    assert abs(result.gain) < 0.05
    assert result.regret[-1] == pytest.approx(truth.best.sum() - truth.earned.sum())
    assert result.click_rate == pytest.approx(0.036, rel=0.1)


def test_a_model_may_have_been_warmed_up_before(world: NewsWorld, rng: np.random.Generator, fresh: Fresh) -> None:
    cold, warm = fresh(), fresh()
    warm.update(world.warm_up())
    with_it = play_online(fresh(), Greedy(), world, rng=rng)
    same(play_online(warm, Greedy(), world, rng=rng, warm_up=False), with_it)
    without = play_online(cold, Greedy(), world, rng=rng, warm_up=False)
    assert len(cold.learned) == 6
    assert not np.array_equal(without.predicted, with_it.predicted)


def test_half_of_the_log_is_half_of_each_block(
    world: NewsWorld, rng: np.random.Generator, fresh: Fresh, freshest: Explorer
) -> None:
    model = fresh()
    result = play_online(model, freshest, world, rng=rng, share=0.5)
    whole = play_online(fresh(), freshest, world, rng=rng)
    np.testing.assert_array_equal(result.impressions, 50.0)
    assert len(model.learned) == 7
    first = [block.first(50).clicks(np.full(50, 4)).sum() for block in world.blocks()]
    np.testing.assert_array_equal(result.clicks, first)
    assert result.clicks.sum() < whole.clicks.sum()
    for share in (0.0, 1.5):
        with pytest.raises(InvalidInputError, match="share"):
            play_online(model, freshest, world, rng=rng, share=share)


def test_a_model_that_collects_rows_learns_at_the_end_of_each_block(
    world: NewsWorld, rng: np.random.Generator, fresh: Fresh
) -> None:
    model = fresh()
    learn, waiting, flushed = model.update, list[Any](), list[int]()

    def flush() -> None:
        learn(waiting.pop())
        flushed.append(len(waiting))

    model.update, model.flush = waiting.append, flush
    same(play_online(model, Greedy(), world, rng=rng), play_online(fresh(), Greedy(), world, rng=rng))
    assert flushed == [0] * 7  # the warm-up, and six blocks
    replay_lines(model, Greedy(), world, rng=rng, n_warm_up=1_000, block_lines=1_500)
    assert flushed == [0] * 10


def test_pages_that_many_visitors_see_count_for_each_of_them() -> None:
    requests = requests_of(np.array([[1, 2], [2, 3]]), [[1, 1], [1, 1]])
    luck = np.array([[0.05, 0.15, 0.25], [0.05, 0.45, 0.45]])
    block = NewsBlock(requests=requests, click_probability=np.array([[0.1, 0.2], [0.2, 0.4]]), luck=luck)
    np.testing.assert_array_equal(block.clicks(np.array([1, 1])), [2.0, 1.0])
    rows = block.rows(np.array([0, 1]))
    np.testing.assert_allclose(rows.reward, [1 / 3, 1 / 3])
    np.testing.assert_array_equal(rows.weight, 3.0)


def test_new_impressions_are_counted_in_order_of_time() -> None:
    ledger = NewsLedger(n_codes=4, new_until=5)
    ledger.know(np.array([1, 1, 3]), np.array([2.0, 1.0, 9.0]))
    codes, visitors = np.array([2, 1, 2, 3, 1, 2, 2]), np.full(7, 2.0)
    clicks = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0])
    ledger.add(codes, visitors, clicks, 0.5 * visitors, offered=20.0)
    ledger.add(np.array([2, 1]), np.ones(2), np.ones(2), np.ones(2), offered=2.0)
    result = ledger.result()
    # Item 2 had 0, 2, 4 and 6 impressions before, item 1 had 3 and 5, item 3 had 9.
    np.testing.assert_array_equal(result.new_impressions, [8.0, 0.0])
    np.testing.assert_array_equal(result.new_clicks, [2.0, 0.0])
    np.testing.assert_array_equal(result.new_predicted, [4.0, 0.0])
    np.testing.assert_array_equal(result.item_impressions, [0.0, 5.0, 9.0, 2.0])
    np.testing.assert_array_equal(result.item_clicks, [0.0, 2.0, 5.0, 1.0])
    assert result.new_share == 0.5
    assert result.kept_share == pytest.approx(16 / 22)
    assert result.click_rate == 0.5
    assert result.calibration == pytest.approx(9 / 8)
    assert result.new_calibration == 2.0
    with pytest.raises(LogError, match="a log does not know"):
        _ = result.regret
    assert result.to_dict()["clicks"] == 8.0
    assert "gain" not in result.to_dict()


def test_predictions_are_probabilities_where_the_model_speaks_in_log_odds(world: NewsWorld, fresh: Fresh) -> None:
    features = world.warm_up().features[:5]
    model = fresh()
    model.fit, model.click_rate_of = model.update, lambda rows: np.full(len(rows), 0.3)
    np.testing.assert_allclose(predicted_click_rate(model, features), 0.3)
    np.testing.assert_allclose(predicted_click_rate(fresh(), features), 0.05)
