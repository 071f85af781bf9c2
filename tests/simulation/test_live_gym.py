from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.simulation.live import LiveSettings
from sojourn.simulation.live.gym import ENV_ID, FeedEnv, FeedVectorEnv

_SMALL = LiveSettings(
    days=3,
    n_live=30,
    n_users=40,
    n_candidates=10,
    n_steps=6,
    page_size=3,
    reward_mean=0.3,
    hazard_mean=0.15,
    examination=(1.0, 0.8, 0.5),
)
_STAYING = replace(_SMALL, hazard_mean=0.0, hazard_spread=0.0, examination=None, reward_mean=0.7)


def _equal(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert one.keys() == two.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, two[name], rtol=1e-12, err_msg=name)


def test_the_environment_keeps_gymnasiums_contract() -> None:
    check_env(gymnasium.make(ENV_ID, settings=_SMALL).unwrapped)


@pytest.mark.parametrize("settings", ["narrow", {"preset": "fatigue", "n_live": 200}, _SMALL])
def test_it_is_made_by_name_table_or_settings(settings: Any) -> None:
    env = gymnasium.make(ENV_ID, settings=settings)
    observation, info = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    np.testing.assert_array_equal(observation["features"][:, -1], info["item_ids"])
    observation, *_ = env.step(env.action_space.sample())
    assert env.observation_space.contains(observation)


@pytest.mark.parametrize("tires", [False, True])
def test_many_environments_at_once_are_as_many_single_ones(tires: bool) -> None:
    settings = replace(_SMALL, reward_decay=0.3, hazard_growth=0.3, n_categories=3) if tires else _SMALL
    many = FeedVectorEnv(7, settings, world_seed=2)
    single = SyncVectorEnv([lambda: FeedEnv(settings, world_seed=2)] * 7)
    assert many.observation_space == single.observation_space
    assert many.action_space == single.action_space
    rng = np.random.default_rng(0)
    for one, two in zip(many.reset(seed=5), single.reset(seed=5), strict=True):
        _equal(one, two)
    for _ in range(25):
        actions = rng.integers(10, size=(7, 3))
        answer, other = many.step(actions), single.step(actions)
        _equal(answer[0], other[0])
        for values, others in zip(answer[1:4], other[1:4], strict=True):
            np.testing.assert_array_equal(values, others)
        _equal(answer[4], other[4])


def test_make_vec_makes_the_fast_one() -> None:
    envs = gymnasium.make_vec(ENV_ID, num_envs=3, settings=_SMALL)
    assert isinstance(envs.unwrapped, FeedVectorEnv)
    assert envs.num_envs == 3


def test_the_reward_is_the_clicks_on_what_was_shown() -> None:
    env = FeedEnv(_STAYING)
    observation, info = env.reset(seed=0)
    ids, clicks, shown = info["item_ids"], 0.0, []
    for action in ([4, 1, 7], [2, 0, 9]):
        observation, reward, terminated, truncated, info = env.step(np.array(action))
        np.testing.assert_array_equal(info["shown"], ids[action])
        assert reward == info["click"].sum()
        clicks += reward
        shown += action
        assert not truncated
        assert observation["browsed"] == len(shown)
        assert np.flatnonzero(observation["open"] == 0).tolist() == sorted(shown)
    assert terminated
    assert not info["left"]
    assert clicks > 0.0


def test_a_slot_that_repeats_an_item_stays_empty() -> None:
    env = FeedEnv(_STAYING)
    _, info = env.reset(seed=0)
    ids = info["item_ids"]
    observation, _, _, _, info = env.step(np.array([4, 4, 1]))
    assert info["shown"].tolist() == [ids[4], 0, ids[1]]
    assert info["seen"].tolist() == [True, False, True]
    assert observation["browsed"] == 2
    *_, info = env.step(np.array([1, 2, 2]))
    assert info["shown"].tolist() == [0, ids[2], 0]


def test_an_episode_ends_when_the_person_leaves_or_has_no_slots_left() -> None:
    env = FeedVectorEnv(100, _SMALL)
    env.reset(seed=0)
    action = np.tile(np.array([0, 1, 2]), (100, 1))
    _, _, terminated, _, info = env.step(action)
    np.testing.assert_array_equal(terminated, info["left"])
    assert 0 < terminated.sum() < 100
    _, _, terminated, _, info = env.step(action + 3)
    np.testing.assert_array_equal(terminated, info["_left"])
    assert not info["left"].all()


def test_an_observation_is_not_changed_by_what_comes_later() -> None:
    env = FeedEnv(_STAYING)
    observation, info = env.reset(seed=0)
    before = {name: np.copy(values) for name, values in (observation | info).items()}
    env.step(np.array([4, 1, 7]))
    env.reset()
    _equal(before, observation | info)


def test_the_truth_is_told_and_no_page_is_better_than_the_best() -> None:
    settings = replace(_SMALL, examination=None)
    env = FeedVectorEnv(200, settings)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.tile(np.array([0, 1, 2]), (200, 1)))
    assert (info["expected_clicks"] <= info["best_expected_clicks"] + 1e-12).all()
    assert (info["expected_clicks"] < info["best_expected_clicks"]).any()
    difference = reward - info["expected_clicks"]
    assert abs(difference.mean()) < 4.0 * difference.std() / np.sqrt(200)


def test_the_day_may_be_told() -> None:
    env = FeedEnv(replace(_SMALL, replaced=0.5))
    for day in range(3):
        _, info = env.reset(seed=0, options={"day": day})
        assert np.isin(info["item_ids"], env.feed.live[day]).all()
    with pytest.raises(ConfigError, match="options: expected day alone, got hour"):
        env.reset(options={"hour": 3})


def test_without_a_day_people_come_on_any() -> None:
    env = FeedEnv(replace(_SMALL, replaced=1.0, days=3))
    env.reset(seed=0)
    days = {int(env.feed.arrival[env.reset()[1]["item_ids"][0]]) for _ in range(40)}
    assert days == {0, 1, 2}


def test_the_same_seed_gives_the_same_people() -> None:
    one, two = FeedEnv(_SMALL), FeedEnv(_SMALL)
    for _ in range(3):
        _equal(one.reset(seed=9)[0], two.reset(seed=9)[0])
        _equal(one.reset()[0], two.reset()[0])


def test_what_is_no_action_is_refused() -> None:
    env = FeedEnv(_SMALL)
    env.reset(seed=0)
    with pytest.raises(InvalidInputError, match="action: expected candidates 0 to 9, got 0 to 10"):
        env.step(np.array([0, 10, 1]))
    with pytest.raises(InvalidInputError, match=r"action: expected an array of shape \(1, 3\)"):
        env.step(np.array([0, 1]))


def test_what_are_no_environments_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="num_envs: expected at least 1, got 0"):
        FeedVectorEnv(0, _SMALL)
    with pytest.raises(InvalidInputError, match="seed: expected one number, or 2 of them, got 3"):
        FeedVectorEnv(2, _SMALL).reset(seed=[1, 2, 3])


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_feed_itself_does_not_load_gymnasium() -> None:
    assert _run("import sys, sojourn.simulation.live; print('gymnasium' in sys.modules)") == "False"


def test_gymnasium_finds_it_by_the_package_before_the_name() -> None:
    make = "import gymnasium; print(gymnasium.make('sojourn.simulation.live.gym:sojourn/Feed-v0').spec.id)"
    assert _run(make) == ENV_ID


def test_without_gymnasium_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['gymnasium'] = None\n"
        "from sojourn.errors import MissingExtraError\n"
        "try:\n    import sojourn.simulation.live.gym\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    assert _run(code).endswith("pip install 'sojourn[gym]'")
