"""The named worlds are what their docstrings say, and answer as their truth foretells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from sojourn.simulation import Feed, PositionReaders, simulate_log, worlds

WORLDS: dict[str, Callable[..., Feed[Any]]] = {
    name: getattr(worlds, name) for name in ("lin", "logit", "weakltr", "scroll", "cannibal", "leaving")
}
MEANS = {"lin": 0.08, "logit": 0.08, "weakltr": 0.08, "scroll": 0.04, "cannibal": 0.10, "leaving": 0.08}


@pytest.mark.parametrize("name", WORLDS)
def test_mean_attraction(name: str) -> None:
    feed, rng = WORLDS[name](seed=11), np.random.default_rng(0)
    attraction = np.stack([feed.attraction(feed.request(rng=rng).features) for _ in range(200)])
    people = attraction.mean(axis=1)
    assert abs(attraction.mean() - MEANS[name]) < 4.0 * people.std() / np.sqrt(200) + 0.03 * MEANS[name]
    assert attraction.min() > 0.0
    assert attraction.max() <= 1.0
    assert attraction.shape == (200, 900)
    if name != "logit":
        assert attraction.std() == pytest.approx(0.75 * MEANS[name], rel=0.15)


@pytest.mark.parametrize("name", WORLDS)
def test_feedback_agrees_with_the_truth(name: str, uniform: Any, first: Any) -> None:
    """z-scores of clicks and of pages with a click, over people; two policies, so that slates differ."""
    feed = WORLDS[name](seed=3, n_slots=6, n_items=60)
    for policy in (uniform(0), first(0)):
        rng = np.random.default_rng(2)
        off = []
        for _ in range(1_500):
            request = feed.request(rng=rng)
            decision = policy.act(request, rng=rng)
            click = feed.feedback(request, decision, rng=rng).click
            off.append(
                (
                    click.sum() - feed.expected_reward(request, decision.chosen),
                    click.any() - feed.expected_set_reward(request, decision.chosen),
                )
            )
        z = np.mean(off, axis=0) / (np.std(off, axis=0) / np.sqrt(len(off)))
        assert (np.abs(z) < 4.5).all()


@pytest.mark.parametrize("name", ["lin", "weakltr", "scroll", "cannibal"])
def test_a_page_of_twelve_hides_as_much_as_the_published_feed(name: str, first: Any) -> None:
    """He et al.: 6.2 % of the pages with a click have one in slot 12, 54 % of their slots are below the last click."""
    clicked = in_last_slot = below_last_click = 0
    for seed in range(2):
        feed = WORLDS[name](seed=seed, n_slots=12)
        click = simulate_log(feed, first(0), 1_500, rng=np.random.default_rng(seed)).click
        below = np.argmax(click[click.any(axis=1)][:, ::-1], axis=1)
        clicked += len(below)
        in_last_slot += int((below == 0).sum())
        below_last_click += int(below.sum())
    assert 0.04 < in_last_slot / clicked < 0.07
    assert 0.52 < below_last_click / (12 * clicked) < 0.58


def test_the_ranker_is_plausible_but_not_perfect_unless_weak() -> None:
    for name, least, most in (("lin", 0.4, 0.6), ("weakltr", 0.05, 0.15)):
        feed, rng = WORLDS[name](seed=5), np.random.default_rng(4)
        requests = [feed.request(rng=rng) for _ in range(50)]
        agreement = [-spearmanr(np.arange(900), feed.attraction(each.features)).statistic for each in requests]
        assert least < np.mean(agreement) < most


def test_the_click_curve_of_the_logged_order_falls() -> None:
    feed, rng = worlds.lin(seed=2, n_slots=6), np.random.default_rng(1)
    requests = [feed.request(rng=rng) for _ in range(600)]
    reached = [[feed.expected_reward(each, np.arange(k)) for k in range(1, 7)] for each in requests]
    curve = np.diff(np.mean(reached, axis=0), prepend=0.0)
    assert (np.diff(curve) < 0.0).all()
    assert curve[5] < 0.4 * curve[0]


def test_similar_items_matter_in_the_world_where_they_should() -> None:
    feed, rng = worlds.cannibal(seed=0), np.random.default_rng(0)
    requests = [feed.request(rng=rng) for _ in range(150)]
    best = sum(feed.expected_reward(each, feed.best_slate(each)) for each in requests)
    blind = sum(feed.expected_reward(each, np.argsort(-feed.attraction(each.features))[:3]) for each in requests)
    assert 0.8 < blind / best < 0.95


def test_mean_hazard_of_the_world_that_drives_people_away() -> None:
    feed, rng = worlds.leaving(seed=4), np.random.default_rng(0)
    hazard = np.stack([feed.readers.hazard(feed.request(rng=rng).features) for _ in range(200)])
    assert hazard.mean() == pytest.approx(0.10, rel=0.1)


def test_position_worlds_show_their_examination() -> None:
    feed: Feed[PositionReaders] = worlds.lin(seed=0, n_slots=4)
    np.testing.assert_allclose(feed.readers.examination, np.arange(1.0, 5.0) ** -0.65)
