from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.records import BoolArray, FloatArray, LogBatch
from sojourn.simulation.sessions import Leaving, SessionWorld, page_hazard, simulate_sessions

HAZARD_MEAN = {"page_end": 0.03, "item_by_item": 0.03, "any_accepted": 0.6}


def world_of(leaving: Leaving) -> SessionWorld:
    return SessionWorld.draw(leaving=leaving, hazard_mean=HAZARD_MEAN[leaving], rng=np.random.default_rng(5))


def z_score(came: BoolArray | FloatArray, probability: FloatArray) -> float:
    """Of the number of events, independent with the given probabilities."""
    return float((came - probability).sum() / np.sqrt((probability * (1.0 - probability)).sum()))


def ends_of_sessions(log: LogBatch) -> BoolArray:
    """(n,) True where the next row is of another session."""
    return np.append(np.diff(log.session) != 0, True)


@pytest.mark.parametrize("leaving", get_args(Leaving))
def test_people_click_and_leave_as_the_truth_says(leaving: Leaving, rng: np.random.Generator) -> None:
    world = world_of(leaving)
    log = simulate_sessions(world, 3_000, rng=rng)
    assert log.seen is not None
    assert log.quits is not None
    assert abs(z_score(log.click[log.seen], world.reward_of(log.features)[log.seen])) < 4.0
    hazard = page_hazard(world.hazard_of(log.features), leaving=leaving, shown=log.shown)
    assert abs(z_score(log.quits, hazard)) < 4.0
    above = hazard > np.median(hazard)  # and not only on average
    assert abs(z_score(log.quits[above], hazard[above])) < 4.0


def test_item_by_item_nothing_is_seen_below_the_item_that_drove_the_person_away(rng: np.random.Generator) -> None:
    world = world_of("item_by_item")
    log = simulate_sessions(world, 3_000, rng=rng)
    assert log.seen is not None
    assert log.quits is not None
    seen, depth = log.seen, log.seen.sum(axis=1)
    assert depth.min() == 1
    assert_array_equal(seen, np.arange(log.n_slots) < depth[:, None])  # from the top, without gaps
    assert_array_equal(seen[~log.quits], log.shown[~log.quits])
    assert not log.click[~seen].any()
    left_at = np.zeros(seen.shape)
    left_at[log.quits, depth[log.quits] - 1] = 1.0
    for slot in (0, 3):
        of_slot, left = world.hazard_of(log.features[:, slot])[seen[:, slot]], left_at[seen[:, slot], slot]
        assert abs(z_score(left, of_slot)) < 4.0
        assert abs(z_score(left[of_slot > 0.05], of_slot[of_slot > 0.05])) < 4.0  # it was this item, and no neighbour


@pytest.mark.parametrize("leaving", ["page_end", "any_accepted"])
def test_whole_pages_are_seen(leaving: Leaving, rng: np.random.Generator) -> None:
    log = simulate_sessions(world_of(leaving), 300, rng=rng)
    assert log.seen is not None
    assert_array_equal(log.seen, log.shown)


def test_sessions_are_whole_and_only_the_cut_ones_end_without_a_quit(rng: np.random.Generator) -> None:
    log = simulate_sessions(world_of("page_end"), 500, max_pages=4, rng=rng)
    assert log.quits is not None
    last, n_pages = ends_of_sessions(log), np.bincount(log.session)
    assert_array_equal(np.unique(log.session), np.arange(500))
    assert n_pages.max() == 4
    assert not log.quits[~last].any()
    assert_array_equal(n_pages[~log.quits[last]], 4)
    assert log.quits[last].sum() > 0
    assert (~log.quits[last]).sum() > 0
    items = log.shown.sum(axis=1)
    for session in (0, 17, 499):
        rounds = log.session == session
        assert_array_equal(log.step[rounds], np.append(0, items[rounds].cumsum()[:-1]))


def test_pages_have_the_sizes_asked_for(rng: np.random.Generator) -> None:
    log = simulate_sessions(world_of("page_end"), 400, page_sizes=(4, 10), rng=rng)
    counts = np.bincount(log.shown.sum(axis=1), minlength=11)
    assert_array_equal(counts[:4], 0)
    expected = log.n_rounds / 7.0
    assert np.abs(counts[4:] - expected).max() < 4.5 * np.sqrt(expected)
    assert simulate_sessions(world_of("page_end"), 10, page_sizes=12, rng=rng).shown.all()


def test_items_are_new_draws_with_codes_of_their_own(rng: np.random.Generator) -> None:
    log = simulate_sessions(world_of("page_end"), 300, rng=rng)
    codes = log.item[log.shown]
    assert len(np.unique(codes)) == len(codes)
    features = log.features[log.shown]
    assert np.abs(features.mean(axis=0)).max() < 4.5 / np.sqrt(len(features))
    assert_array_equal(log.features[~log.shown], 0.0)


def test_a_ranker_shows_what_attracts_and_a_noisy_one_less_so(rng: np.random.Generator) -> None:
    world = world_of("page_end")
    exact = simulate_sessions(world, 50, page_sizes=6, n_candidates=30, ranker_noise=0.0, rng=rng)
    assert (np.diff(world.reward_of(exact.features), axis=1) <= 0.0).all()
    noisy, random = (
        simulate_sessions(world, 300, page_sizes=6, n_candidates=n, ranker_noise=1.5, rng=rng) for n in (30, None)
    )
    means = [world.reward_of(log.features).mean() for log in (random, noisy, exact)]
    assert means[0] * 1.2 < means[1] < means[2] / 1.2
    assert world.reward_of(noisy.features[:, 0]).mean() > 1.1 * world.reward_of(noisy.features[:, 5]).mean()


def test_the_generator_decides_everything() -> None:
    one, same, other = (
        simulate_sessions(world_of("item_by_item"), 20, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert_array_equal(one.features, same.features)
    assert_array_equal(one.click, same.click)
    assert one.features.shape != other.features.shape or (one.features != other.features).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_sessions": 0}, "expected at least 1 of each, got 0 and 20"),
        ({"max_pages": 0}, "expected at least 1 of each, got 5 and 0"),
        ({"page_sizes": (5, 4)}, r"page_sizes: expected \(least, most\)"),
        ({"page_sizes": 0}, r"page_sizes: expected \(least, most\)"),
        ({"n_candidates": 9}, "n_candidates: expected at least 10, the largest page, got 9"),
        ({"ranker_noise": -1.0}, "ranker_noise: expected >= 0, got -1.0"),
    ],
)
def test_sizes_out_of_range_are_refused(arguments: dict[str, Any], message: str, rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match=message):
        simulate_sessions(world_of("page_end"), **({"n_sessions": 5} | arguments), rng=rng)
