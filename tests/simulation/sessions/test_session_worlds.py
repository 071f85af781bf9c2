from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.records import FloatArray, survival_of
from sojourn.simulation.sessions import Leaving, SessionWorld, page_hazard, step_hazard


def test_means_slopes_and_cosine_are_those_asked_for(rng: np.random.Generator) -> None:
    world = SessionWorld.draw(reward_mean=0.11, hazard_mean=0.03, reward_slope=0.7, cosine=-0.4, rng=rng)
    features = rng.standard_normal((200_000, 10))
    for of, mean in ((world.reward_of, 0.11), (world.hazard_of, 0.03)):
        values = of(features)
        assert abs(values.mean() - mean) < 4.0 * values.std() / np.sqrt(len(values))
    assert np.linalg.norm(world.reward_weights) == pytest.approx(0.7)
    assert np.linalg.norm(world.hazard_weights) == pytest.approx(1.0)
    assert world.reward_weights @ world.hazard_weights == pytest.approx(-0.4 * 0.7)


def test_without_slopes_every_item_has_the_mean(rng: np.random.Generator) -> None:
    world = SessionWorld.draw(reward_slope=0.0, hazard_slope=0.0, rng=rng)
    features = rng.standard_normal((4, 3, 10))
    assert_allclose(world.reward_of(features), np.full((4, 3), 0.08))
    assert_allclose(world.hazard_of(features), np.full((4, 3), 1.0 / 57.0))


def test_features_of_another_width_are_refused(rng: np.random.Generator) -> None:
    world = SessionWorld.draw(rng=rng)
    with pytest.raises(InvalidInputError, match=r"features: expected 10 of them, as the world has, got \(5, 4\)"):
        world.hazard_of(np.zeros((5, 4)))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"n_features": 1}, "n_features: expected at least 2"),
        ({"hazard_mean": 0.0}, r"expected probabilities in \(0, 1\)"),
        ({"reward_slope": -1.0}, "expected slopes >= 0"),
        ({"cosine": 1.5}, r"a cosine in \[-1, 1\]"),
        ({"leaving": "never"}, "leaving: expected one of page_end, item_by_item, any_accepted, got 'never'"),
    ],
)
def test_worlds_that_cannot_be_are_refused(parts: dict[str, Any], message: str, rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match=message):
        SessionWorld.draw(**parts, rng=rng)


def test_weights_of_two_widths_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match="expected one shape"):
        replace(SessionWorld.draw(rng=rng), hazard_weights=np.zeros(3))


def by_enumeration(hazard: FloatArray, leaving: Leaving) -> float:
    """P(leaves), over all ways in which the items of a page may each put the person off or not."""
    left = 0.0
    for puts_off in product([False, True], repeat=len(hazard)):
        probability = float(np.where(puts_off, hazard, 1.0 - hazard).prod())
        left += probability * (all(puts_off) if leaving == "any_accepted" else any(puts_off))
    return left


@pytest.mark.parametrize("leaving", get_args(Leaving))
def test_the_hazard_of_a_page_is_that_of_its_items(leaving: Leaving, rng: np.random.Generator) -> None:
    hazard = rng.random((5, 4))
    wanted = [by_enumeration(page, leaving) for page in hazard]
    assert_allclose(page_hazard(hazard, leaving=leaving), wanted)
    shown = np.array([True, True, False, False])
    wanted = [by_enumeration(page[:2], leaving) for page in hazard]
    assert_allclose(page_hazard(hazard, leaving=leaving, shown=np.tile(shown, (5, 1))), wanted)


@pytest.mark.parametrize("leaving", ["page_end", "any_accepted"])
def test_pages_are_left_at_their_last_step(leaving: Leaving, rng: np.random.Generator) -> None:
    hazard = rng.random((3, 8))
    steps = step_hazard(hazard, page_size=3, leaving=leaving)
    assert_array_equal(steps[:, [0, 1, 3, 4, 6]], 0.0)
    for last, page in ((2, slice(0, 3)), (5, slice(3, 6)), (7, slice(6, 8))):
        assert_allclose(steps[:, last], page_hazard(hazard[:, page], leaving=leaving))


def test_at_the_ends_of_pages_both_ways_of_seeing_them_agree(rng: np.random.Generator) -> None:
    hazard = rng.random((3, 9))
    assert_array_equal(step_hazard(hazard, page_size=3, leaving="item_by_item"), hazard)
    whole = survival_of(step_hazard(hazard, page_size=3, leaving="page_end"))
    assert_allclose(whole[:, ::3], survival_of(hazard)[:, ::3])
    assert_allclose(whole[:, 2::3], whole[:, ::3])


def test_pages_without_items_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="page_size: expected at least 1, got 0"):
        step_hazard(np.zeros(3), page_size=0, leaving="page_end")
