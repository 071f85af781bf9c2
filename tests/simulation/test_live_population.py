from __future__ import annotations

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest

from sojourn.errors import ConfigError, InvalidInputError, LogError
from sojourn.logs.datasets import movielens
from sojourn.records import FloatArray
from sojourn.simulation.live import PRESETS, LiveFeed, LiveSettings, Population, movielens_population
from sojourn.simulation.live.gym import FeedEnv, FeedVectorEnv
from sojourn.simulation.live.movielens import RIDGE, standardised
from sojourn.simulation.live.rating_factors import factor_ratings

SETTINGS = LiveSettings(
    days=3, n_live=30, replaced=0.1, n_users=40, n_sessions=20, n_candidates=12, n_steps=6, page_size=3, n_dims=4
)


def _population(rng: np.random.Generator, *, taste: FloatArray | None = None) -> Population:
    return Population(users=rng.standard_normal((40, 4)), items=rng.standard_normal((50, 4)), taste=taste)


def _mean_reward(feed: LiveFeed) -> float:
    return float(feed.reward_of(np.arange(len(feed.users))[:, None], np.arange(1, len(feed.items))).mean())


def test_a_feed_lives_with_the_people_and_some_of_the_items_it_is_given(rng: np.random.Generator) -> None:
    given = _population(rng)
    feed = LiveFeed(SETTINGS, seed=0, population=given)
    np.testing.assert_array_equal(feed.users, given.users)
    rows = [int(np.flatnonzero((given.items == item).all(axis=1)).item()) for item in feed.items[1:]]
    assert len(set(rows)) == SETTINGS.n_items == 36
    assert rows != sorted(rows)
    other = LiveFeed(SETTINGS, seed=1, population=given)
    assert not np.array_equal(other.items, feed.items)
    np.testing.assert_array_equal(LiveFeed(SETTINGS, seed=0, population=given).items, feed.items)
    assert feed.visits(2).features.shape == (20, 12, 9)


def test_the_given_direction_of_taste_decides_what_matches(rng: np.random.Generator) -> None:
    taste = np.array([1.0, 0.0, 0.0, 0.0])
    feed = LiveFeed(replace(SETTINGS, taste_weight=0.8), seed=0, population=_population(rng, taste=taste))
    user, item = np.arange(40)[:, None], np.arange(1, 37)
    rate = feed.reward_of(user, item)
    log_odds = np.log(rate / (1.0 - rate))
    match = feed.users[:, :1] * feed.items[1:, 0]
    of_people = log_odds - 0.8 * match
    np.testing.assert_allclose(of_people, np.broadcast_to(of_people[0], of_people.shape), atol=1e-9)


def test_with_normal_people_means_are_met(rng: np.random.Generator) -> None:
    settings = replace(PRESETS["all"], days=1, n_live=600, n_users=500)
    given = Population(users=rng.standard_normal((500, 10)), items=rng.standard_normal((600, 10)))
    feed = LiveFeed(settings, seed=0, population=given)
    assert _mean_reward(feed) == pytest.approx(settings.reward_mean, rel=0.03)
    assert feed.mean_reward[0] == 0.0
    every = feed.reward_of(np.arange(500)[:, None], np.arange(601))
    z = (every.mean(axis=0) - feed.mean_reward)[1:] / (every.std(axis=0) / np.sqrt(500))[1:]
    assert np.abs(z).max() < 5.0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n_users": 41}, "n_users: expected 40, as the population has, got 41; Population.sized"),
        ({"n_dims": 5}, "n_dims: expected 4"),
        ({"n_live": 45}, "expected at least 53 items, as many as are live in 3 days, got 50; lower n_live"),
    ],
)
def test_sizes_that_do_not_agree_are_refused(change: dict[str, int], told: str, rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match=told):
        LiveFeed(replace(SETTINGS, **change), seed=0, population=_population(rng))  # type: ignore[arg-type]


def test_sized_settings_fit_and_use_up_the_items(rng: np.random.Generator) -> None:
    given = _population(rng)
    settings = given.sized(replace(SETTINGS, n_users=7, n_dims=9, n_live=800, n_candidates=100))
    assert (settings.n_users, settings.n_dims) == (40, 4)
    assert (settings.n_live, settings.n_candidates, settings.n_items) == (42, 42, 50)
    LiveFeed(settings, seed=0, population=given)
    assert given.sized(SETTINGS) == SETTINGS
    with pytest.raises(ConfigError, match="n_steps: expected at most n_candidates"):
        given.sized(replace(PRESETS["all"], days=1, n_steps=72))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"users": np.zeros((3, 1))}, r"users: expected an array of shape \(n_users, d\) with d >= 2, got \(3, 1\)"),
        ({"items": np.zeros((3, 2))}, r"items: expected an array of shape \(n_items, 4\)"),
        ({"items": np.full((3, 4), np.nan)}, "items"),
        ({"taste": np.ones(4)}, "taste: expected weights >= 0 whose squares sum to 1"),
        ({"taste": np.array([-1.0, 0.0, 0.0, 0.0])}, "taste: expected weights >= 0"),
        ({"taste": np.array([1.0])}, "taste"),
    ],
)
def test_what_is_no_population_is_refused(change: dict[str, FloatArray], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        Population(**({"users": np.zeros((2, 4)), "items": np.zeros((3, 4))} | change))


def test_environments_take_a_population(rng: np.random.Generator) -> None:
    given = _population(rng)
    env, envs = FeedEnv(SETTINGS, population=given), FeedVectorEnv(3, SETTINGS, population=given)
    observation, info = env.reset(seed=4)
    np.testing.assert_array_equal(observation["features"][:, :4], env.feed.items[info["item_ids"]])
    assert env.observation_space.contains(observation)
    together, _ = envs.reset(seed=4)
    np.testing.assert_array_equal(together["features"][0], observation["features"])
    np.testing.assert_array_equal(envs.feed.items, env.feed.items)


def test_a_factorisation_finds_what_ratings_are_made_of(rng: np.random.Generator) -> None:
    users, items = rng.standard_normal((60, 2)), rng.standard_normal((50, 2))
    of_user, of_item = rng.standard_normal(60), rng.standard_normal(50)
    user, item = np.nonzero(rng.random((60, 50)) < 0.6)
    truth = 3.0 + of_user[user] + of_item[item] + (users[user] * items[item]).sum(axis=1)
    found = factor_ratings(user, item, truth, n_dims=2, ridge=1e-6, n_users=60, n_items=50, rng=rng)
    np.testing.assert_allclose(found.rating(user, item), truth, atol=0.05)
    unseen = np.nonzero(np.ones((60, 50)))
    planted = 3.0 + of_user[:, None] + of_item + users @ items.T
    assert np.corrcoef(found.rating(*unseen), planted.ravel())[0, 1] > 0.99


def test_without_factors_people_and_items_add_up_and_the_ridge_draws_to_the_mean(rng: np.random.Generator) -> None:
    of_user, of_item = rng.standard_normal(8), rng.standard_normal(6)
    user, item = (each.ravel() for each in np.indices((8, 6)))
    truth = of_user[user] + of_item[item]
    exact = factor_ratings(user, item, truth, n_dims=0, ridge=1e-9, n_users=8, n_items=6, rng=rng)
    np.testing.assert_allclose(exact.rating(user, item), truth, atol=1e-6)
    shrunk = factor_ratings(user, item, truth, n_dims=0, ridge=1.0, n_users=8, n_items=6, rng=rng)
    assert np.var(shrunk.rating(user, item)) < 0.5 * np.var(truth)


def test_standardised_factors_keep_their_matches(rng: np.random.Generator) -> None:
    users = rng.standard_normal((70, 3)) @ rng.standard_normal((3, 3)) + 2.0
    items = rng.standard_normal((90, 3)) @ rng.standard_normal((3, 3)) - 1.0
    found = standardised(users, items)
    assert found.taste is not None
    for each in (found.users, found.items):
        np.testing.assert_allclose(each.mean(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(each.T @ each / len(each), np.eye(3), atol=1e-12)
    assert (np.diff(found.taste) < 0.0).all()
    centred = (users - users.mean(axis=0)) @ (items - items.mean(axis=0)).T
    matches = found.users * found.taste @ found.items.T
    np.testing.assert_allclose(matches / np.linalg.norm(matches), centred / np.linalg.norm(centred), atol=1e-12)


def _ratings(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    users, items = rng.standard_normal((30, 2)), rng.standard_normal((25, 2))
    lines = [
        f"{u + 1}\t{a + 1}\t{np.clip(round(3.0 + users[u] @ items[a]), 1, 5)}\t881250949"
        for u, a in zip(*np.nonzero(rng.random((30, 25)) < 0.8), strict=True)
    ]
    file = folder / "ml-100k.inter"
    file.write_text("\n".join(["user_id:token\titem_id:token\trating:float\ttimestamp:float", *lines]) + "\n")
    return file


def test_ratings_become_a_population_the_same_each_time(tmp_path: Path) -> None:
    file = _ratings(tmp_path)
    found = movielens_population(file, n_dims=3)
    assert (found.users.shape, found.items.shape) == ((30, 3), (25, 3))
    again = movielens_population(file, n_dims=3)
    np.testing.assert_array_equal(found.users, again.users)
    assert movielens_population(file, n_dims=3, seed=1).users.shape == found.users.shape
    feed = LiveFeed(found.sized(replace(SETTINGS, replaced=0.0)), seed=0, population=found)
    assert feed.visits(0).n_sessions == 20
    with pytest.raises(InvalidInputError, match="n_dims: expected 2 to 25, got 26"):
        movielens_population(file, n_dims=26)


@pytest.mark.data
def test_real_tastes_meet_the_settings_means() -> None:
    try:
        distribution("recbole")
    except PackageNotFoundError:
        pytest.skip(f"MovieLens-100K is not installed: {movielens.INSTALL}")
    found = movielens_population()
    settings = found.sized(PRESETS["all"])
    feed = LiveFeed(settings, seed=0, population=found)
    assert (settings.n_users, settings.n_live, settings.n_items) == (943, 690, 1_676)
    assert _mean_reward(feed) == pytest.approx(settings.reward_mean, rel=0.01)


@pytest.mark.data
def test_factors_foretell_ratings_as_well_as_it_is_said() -> None:
    """On one of the three splits: .909 with ten dimensions, .941 with biases alone, give or take .01."""
    try:
        ratings = movielens.read_ratings()
    except LogError as absent:
        pytest.skip(str(absent))
    rows = [np.unique(ratings[name].to_numpy(), return_inverse=True) for name in ("user_id", "item_id")]
    (users, user), (items, item) = rows
    rating = ratings["rating"].to_numpy()
    held_out = np.random.default_rng(0).random(len(rating)) < 0.1
    error = {}
    for n_dims in (0, 10):
        factors = factor_ratings(
            user[~held_out], item[~held_out], rating[~held_out], n_dims=n_dims, ridge=RIDGE,
            n_users=len(users), n_items=len(items), rng=np.random.default_rng(0),
        )  # fmt: skip
        away = factors.rating(user[held_out], item[held_out]) - rating[held_out]
        error[n_dims] = float(np.sqrt((away**2).mean()))
    assert error[10] == pytest.approx(0.909, abs=0.01)
    assert error[0] == pytest.approx(0.941, abs=0.01)
