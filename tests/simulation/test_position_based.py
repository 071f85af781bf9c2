from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.interfaces import Environment
from sojourn.records import Decision, Request
from sojourn.simulation import FeedConfig, LinearAttraction, LogitAttraction, PositionBasedFeed, worlds


def _small(**settings: object) -> PositionBasedFeed:
    config = {"n_items": 40, "attraction": LinearAttraction(mean=0.2, sd=0.15)} | settings
    return PositionBasedFeed(FeedConfig(**config), seed=3)  # type: ignore[arg-type]


def _decision(request: Request, *chosen: int) -> Decision:
    return Decision(
        request_id=request.request_id,
        policy="test",
        chosen=np.array(chosen),
        propensity=np.ones(len(chosen)),
        deterministic=True,
    )


def test_it_is_an_environment() -> None:
    assert isinstance(_small(), Environment)


def test_features_follow_the_formula(rng: np.random.Generator) -> None:
    feed = _small(n_factors=2, n_features=4, attraction=LogitAttraction())
    request = feed.request(rng=np.random.default_rng(8))
    user = np.random.default_rng(8).standard_normal(2)
    mixing = np.random.default_rng(3).normal(scale=0.5, size=(6, 4))
    items = feed._items[request.item_ids]
    hidden = np.hstack([items, np.tile(0.6 * user, (40, 1)), items * user]) @ mixing
    np.testing.assert_allclose(request.features, np.maximum(hidden + 0.25, 0.0) + 0.01)


@pytest.mark.parametrize("world", [worlds.lin, worlds.logit])
def test_presets_have_the_mean_attraction_of_the_findings(world: type) -> None:
    rng = np.random.default_rng(0)
    feed: PositionBasedFeed = world(seed=11)
    attraction = np.stack([feed.attraction(feed.request(rng=rng).features) for _ in range(300)])
    people = attraction.mean(axis=1)
    assert abs(attraction.mean() - 0.08) < 4.0 * people.std() / np.sqrt(300) + 0.002
    assert attraction.min() > 0.0
    assert attraction.max() <= 1.0
    assert feed.config.m == 900
    assert attraction.shape == (300, 900)


def test_lin_has_the_spread_of_the_findings() -> None:
    rng = np.random.default_rng(0)
    feed = worlds.lin(seed=11)
    sd = np.concatenate([feed.attraction(feed.request(rng=rng).features) for _ in range(300)]).std()
    assert sd == pytest.approx(0.06, rel=0.1)


def test_examination_falls_as_a_power_of_the_slot() -> None:
    np.testing.assert_allclose(_small(n_slots=4, eta=0.5).examination, [1.0, 0.5**0.5, 3.0**-0.5, 0.5])


def test_the_click_curve_of_the_logged_order_falls() -> None:
    feed = worlds.lin(seed=2, n_slots=6)
    rng = np.random.default_rng(1)
    curve = np.mean([feed._click_probability(feed.request(rng=rng), np.arange(6)) for _ in range(600)], axis=0)
    assert (np.diff(curve) < 0.0).all()
    assert curve[5] < 0.4 * curve[0]


def test_lin_has_the_share_of_pseudo_exposure_of_the_published_feed() -> None:
    feed = worlds.lin(seed=0, n_slots=12)
    rng = np.random.default_rng(3)
    probability = np.array([feed._click_probability(feed.request(rng=rng), np.arange(12)) for _ in range(3_000)])
    click = rng.random(probability.shape) < probability
    click = click[click.any(axis=1)]
    below_last = click[:, ::-1].argmax(axis=1)
    assert click[:, -1].mean() == pytest.approx(0.06, abs=0.02)
    assert below_last.mean() / 12.0 == pytest.approx(0.54, abs=0.04)


def test_the_ranker_is_plausible_but_not_perfect() -> None:
    feed = worlds.lin(seed=5)
    rng = np.random.default_rng(4)
    requests = [feed.request(rng=rng) for _ in range(200)]
    best = np.mean([feed.expected_reward(request, feed.best_slate(request)) for request in requests])
    logged = np.mean([feed.expected_reward(request, np.arange(3)) for request in requests])
    chance = np.mean([feed.expected_reward(request, np.arange(300, 303)) for request in requests])
    assert 1.2 < best / logged < 1.6
    assert logged > 2.0 * chance


def test_without_noise_the_ranker_is_the_oracle() -> None:
    feed = _small(ranker_noise=0.0)
    request = feed.request(rng=np.random.default_rng(0))
    np.testing.assert_array_equal(feed.best_slate(request), [0, 1, 2])


def test_click_frequencies_are_the_exact_probabilities(rng: np.random.Generator) -> None:
    feed = _small()
    request = feed.request(rng=rng)
    decision = _decision(request, 4, 0, 9)
    clicks = np.stack([feed.feedback(request, decision, rng=rng).click for _ in range(5_000)])
    wanted = np.array([1.0, 2.0, 3.0]) ** -0.65 * feed.attraction(request.features[[4, 0, 9]])
    assert (np.abs(clicks.mean(axis=0) - wanted) < 4.5 * np.sqrt(wanted * (1.0 - wanted) / 5_000)).all()
    assert feed.expected_reward(request, decision.chosen) == pytest.approx(wanted.sum())


@pytest.mark.parametrize("attraction", [LinearAttraction(mean=0.2, sd=0.15), LogitAttraction(mean=0.2)])
def test_the_best_slate_is_the_best_of_all_slates(attraction: LinearAttraction | LogitAttraction) -> None:
    feed = _small(n_items=6, attraction=attraction)
    rng = np.random.default_rng(2)
    for _ in range(10):
        request = feed.request(rng=rng)
        values = [feed.expected_reward(request, np.array(slate)) for slate in permutations(range(6), 3)]
        assert feed.expected_reward(request, feed.best_slate(request)) == pytest.approx(max(values), abs=1e-12)


def test_some_candidates_of_the_catalogue() -> None:
    feed = _small(n_candidates=12)
    rng = np.random.default_rng(0)
    shown = [feed.request(rng=rng).item_ids for _ in range(30)]
    assert all(len(set(ids.tolist())) == 12 for ids in shown)
    assert set(np.concatenate(shown).tolist()) == set(range(40))


def test_the_same_seeds_give_the_same_world_and_people() -> None:
    one, two, other = worlds.lin(seed=1), worlds.lin(seed=1), worlds.lin(seed=2)
    requests = [feed.request(rng=np.random.default_rng(7)) for feed in (one, two, other)]
    np.testing.assert_array_equal(requests[0].features, requests[1].features)
    np.testing.assert_array_equal(requests[0].item_ids, requests[1].item_ids)
    assert requests[0].request_id == requests[1].request_id
    assert not np.array_equal(requests[0].features, requests[2].features)


def test_attractions_over_one_are_refused_not_clipped() -> None:
    feed = _small(n_items=900, attraction=LinearAttraction(mean=0.8, sd=0.5))
    with pytest.raises(ConfigError, match="attractions over 1"):
        feed.request(rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_slots": 0}, "n_slots"),
        ({"n_slots": 5, "n_candidates": 4}, "n_slots"),
        ({"n_candidates": 41}, "n_slots"),
        ({"n_factors": 0}, "n_factors"),
        ({"n_features": 0}, "n_features"),
        ({"eta": -0.1}, "eta"),
        ({"ranker_noise": float("nan")}, "ranker_noise"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _small(**settings)


def test_a_slate_longer_than_the_page_is_refused() -> None:
    feed = _small()
    request = feed.request(rng=np.random.default_rng(0))
    with pytest.raises(InvalidInputError, match="at most 3 items"):
        feed.expected_reward(request, np.arange(4))
