from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from sojourn.engine import StayModel
from sojourn.errors import InvalidInputError
from sojourn.models import ItemLogistic
from sojourn.records import NO_ITEM, Categorical, FieldLayout, FloatArray, LogBatch, Numeric, Rows
from sojourn.simulation.sessions import Leaving

N_ITEMS = 40
LAYOUT = FieldLayout(fields=(Numeric("x", 2), Categorical("item", N_ITEMS + 1, "item")), item_id="item")
CLICK_WEIGHTS, LEAVE_WEIGHTS = np.array([0.8, 0.0]), np.array([0.0, 0.7])


def made(**settings: Any) -> StayModel:
    return StayModel(
        clicks=ItemLogistic(layout=LAYOUT, base_rate=0.2, weight_std=0.5, item_std=0.5),
        leaving=ItemLogistic(layout=LAYOUT, base_rate=0.1, weight_std=0.5, item_std=0.4),
        **settings,
    )


class World:
    """People who go down pages of 6 slots, 3 pages at most."""

    def __init__(self, seed: int, *, leaving: Leaving = "item_by_item", spread: float = 1.0) -> None:
        rng = np.random.default_rng(seed)
        self.leaving, self.spread = leaving, spread
        self.click_effect = np.append(0.0, 0.5 * rng.standard_normal(N_ITEMS))
        self.leave_effect = np.append(0.0, 0.4 * rng.standard_normal(N_ITEMS))

    def rates(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        item = features[..., 2].astype(int)
        click = expit(-1.4 + features[..., :2] @ CLICK_WEIGHTS + self.click_effect[item])
        away = features[..., :2] @ LEAVE_WEIGHTS + self.leave_effect[item]
        return np.asarray(click), np.asarray(expit(-2.2 + self.spread * away))

    def log(self, n_sessions: int, seed: int) -> LogBatch:
        rng = np.random.default_rng(seed)
        shape = (n_sessions, 3, 6)
        item = rng.permuted(np.tile(np.arange(1, N_ITEMS + 1), (n_sessions, 1)), axis=1)[:, :18].reshape(shape)
        features = np.concatenate([rng.standard_normal((*shape, 2)), item[..., None]], axis=-1)
        rate, hazard = self.rates(features)
        if self.leaving == "page_end":
            fires = rng.random(shape) < hazard
            leaves = np.zeros(shape, dtype=bool)
            leaves[..., -1] = fires.any(axis=-1)
        else:
            leaves = rng.random(shape) < hazard
        flat = leaves.reshape(n_sessions, 18)
        gone_before = (np.cumsum(flat, axis=1) - flat > 0).reshape(shape)
        click = ((rng.random(shape) < rate) & ~gone_before).astype(float)
        asked = ~gone_before[..., 0]
        session, page = np.nonzero(asked)
        return LogBatch(
            item=item[asked],
            features=features[asked],
            click=click[asked],
            reward=click[asked],
            position=np.tile(np.arange(6), (len(session), 1)),
            session=session,
            step=6 * page,
            quits=np.asarray((leaves & ~gone_before).any(axis=-1))[asked],
        )

    def fresh(self, n: int = 4_000) -> FloatArray:
        rng = np.random.default_rng(99)
        return np.column_stack([rng.standard_normal((n, 2)), rng.integers(1, N_ITEMS + 1, size=n)])


def test_clicks_and_leaving_are_learned_together_from_the_same_pages() -> None:
    world, model = World(1), made()
    for day in range(6):
        model.update(world.log(1_500, day))
    features = world.fresh()
    rate, hazard = world.rates(features)
    assert np.corrcoef(model.click_rate_of(features), rate)[0, 1] > 0.97
    assert np.corrcoef(model.hazard_of(features), hazard)[0, 1] > 0.93
    assert_allclose(model.click_rate_of(features).mean(), rate.mean(), rtol=0.04)
    assert_allclose(model.hazard_of(features).mean(), hazard.mean(), rtol=0.08)
    assert model.sight == "until_left"
    assert 0.7 <= model.slope <= 1.3


def test_counting_what_was_not_seen_makes_clicks_look_rarer() -> None:
    world = World(1)
    corrected, naive = made(), made(sight="everything_counts")
    for model in (corrected, naive):
        model.update(world.log(3_000, 0))
    features = world.fresh()
    rate = world.rates(features)[0].mean()
    assert naive.click_rate_of(features).mean() < 0.8 * rate < 0.9 * corrected.click_rate_of(features).mean()


def test_where_everything_counts_clicks_are_plain_logistic_regression() -> None:
    log = World(2).log(300, 0)
    model = made(sight="everything_counts")
    alone = deepcopy(model.clicks)
    model.update(log)
    n = log.item.size
    alone.update(
        Rows(
            features=log.features.reshape(n, 3),
            reward=log.click.ravel(),
            weight=np.ones(n),
            slot=np.zeros(n, dtype=np.int64),
        )
    )
    features = World(2).fresh(50)
    assert_allclose(model.clicks.mean(features), alone.mean(features), atol=1e-9)
    assert_allclose(model.clicks.std(features), alone.std(features), atol=1e-9)


@pytest.mark.parametrize(("passes", "tolerance"), [(2, 0.65), (5, 0.3)])
def test_a_stream_of_days_teaches_what_one_long_log_does(passes: int, tolerance: float) -> None:
    """The tolerance is in standard deviations of what is learned."""
    world = World(3)
    log = world.log(4_000, 0)
    whole, stream = made(passes=25), made(passes=passes)
    whole.update(log)
    for day in np.array_split(np.unique(log.session), 8):
        stream.update(log.take(np.isin(log.session, day)))
    features = world.fresh()
    for name in ("clicks", "leaving"):
        one, other = getattr(whole, name), getattr(stream, name)
        away = (one.mean(features) - other.mean(features)) / one.std(features)
        assert np.sqrt((away**2).mean()) < tolerance, name
        assert_allclose(np.median(other.std(features) / one.std(features)), 1.0, atol=0.05)


@pytest.mark.parametrize("seed", [4, 5])
def test_the_doubt_about_leaving_is_honest(seed: int) -> None:
    """Errors over their standard deviations have size 1; guesses counted in full would make them look far surer."""
    world, model = World(seed), made(slope=1.0, sight="until_left")
    for day in range(4):
        model.update(world.log(1_000, seed + day))
    features = np.column_stack([np.zeros((N_ITEMS, 2)), np.arange(1.0, N_ITEMS + 1.0)])
    truth = -2.2 + world.leave_effect[1:]
    z = (truth - model.leaving.mean(features)) / model.leaving.std(features)
    assert 0.6 < np.sqrt((z**2).mean()) < 1.6
    assert np.median(model.leaving.std(features)) > 0.12


def test_a_guard_tells_how_people_look_at_a_page() -> None:
    world, model = World(6, leaving="page_end"), made()
    features = world.fresh()
    for day in range(4):
        model.update(world.log(1_500, day))
    assert model.sight == "whole_page"
    rate, hazard = world.rates(features)
    assert np.corrcoef(model.hazard_of(features), hazard)[0, 1] > 0.9
    assert_allclose(model.hazard_of(features).mean(), hazard.mean(), rtol=0.1)
    assert_allclose(model.click_rate_of(features).mean(), rate.mean(), rtol=0.04)


def test_a_guard_takes_out_hazards_that_carry_nothing() -> None:
    world, model = World(7, spread=0.0), made()
    for day in range(5):
        model.update(world.log(500, day))
    assert model.slope <= 0.3
    features = world.fresh()
    assert np.ptp(model.hazard_of(features)) < 0.5 * np.ptp(expit(model.leaving.mean(features)))


def test_a_guard_takes_out_doubt_about_items_that_hold_no_surprise() -> None:
    worlds = {"surprising": World(13), "told by their features": World(13)}
    worlds["told by their features"].click_effect[:] = 0.0
    found = {}
    for name, world in worlds.items():
        model = made(doubt="learned")
        for day in range(6):
            model.update(world.log(300, day))
        found[name] = model.doubt
    assert found["told by their features"] <= 0.5 < 0.75 <= found["surprising"] <= 1.25


def test_doubt_is_learned_of_items_and_of_models_that_know_some() -> None:
    log = World(14).log(50, 0)
    nobody = FieldLayout.of_numbers(3)
    no_items = StayModel(clicks=ItemLogistic(layout=nobody), leaving=ItemLogistic(layout=nobody), doubt="learned")
    sure = made(doubt="learned")
    sure.clicks.uncertainty = None  # type: ignore[attr-defined]  # as a network has it
    for model in (no_items, sure):
        model.update(log)
        assert model.doubt == 1.0
        assert_array_equal(model.doubts.scores, 0.0)


def test_guards_score_a_block_before_it_is_learned_from() -> None:
    world = World(8)
    model = made(doubt="learned")
    first = world.log(200, 0)
    model.update(first)
    before = deepcopy(model)
    second = world.log(200, 1)
    model.update(second)
    expected = deepcopy(before)
    expected.passes = 7  # what is learned makes no difference to the score
    expected.update(second)
    assert_array_equal(model.slopes.scores, expected.slopes.scores)
    assert_array_equal(model.doubts.scores, expected.doubts.scores)
    assert (model.slopes.scores != before.slopes.scores).any()


def test_settings_that_are_given_are_not_learned() -> None:
    model = made(sight="whole_page", slope=0.5, doubt=0.3)
    model.update(World(9).log(300, 0))
    assert (model.sight, model.slope, model.doubt) == ("whole_page", 0.5, 0.3)
    assert_array_equal(model.slopes.scores, 0.0)
    assert_array_equal(model.doubts.scores, 0.0)
    features = World(9).fresh(20)
    center, log_odds = model.leaving.intercept, model.leaving.mean(features)
    assert_allclose(model.hazard_of(features), expit(center + 0.5 * (log_odds - center)))


def test_impressions_are_counted_by_item_and_empty_slots_are_not() -> None:
    model = made()
    log = World(10).log(50, 0)
    item = log.item.copy()
    item[:, 5] = NO_ITEM
    log = replace(log, item=item, click=np.where(item == NO_ITEM, 0.0, log.click))
    model.update(log)
    model.update(log)
    features = np.column_stack([np.zeros((N_ITEMS, 2)), np.arange(1.0, N_ITEMS + 1.0)])
    expected = 2 * np.bincount(item[item != NO_ITEM], minlength=N_ITEMS + 1)[1:]
    assert_array_equal(model.impressions_of(features), expected)


def test_nothing_is_learned_from_nothing() -> None:
    model = made()
    log = World(11).log(20, 0)
    model.update(log.take(slice(0, 0)))
    assert_array_equal(model.clicks.mean(log.features), made().clicks.mean(log.features))
    assert_array_equal(model.slopes.scores, 0.0)


def test_the_log_is_left_alone() -> None:
    log = World(12).log(50, 0)
    before = deepcopy(log)
    made().update(log)
    for name in ("features", "click", "quits"):
        assert_array_equal(getattr(log, name), getattr(before, name))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"sight": "sideways"}, "sight: expected 'learned' or one of until_left"),
        ({"slope": -0.1}, "slope: expected 'learned' or a number >= 0"),
        ({"slope": float("nan")}, "slope"),
        ({"slope": "steep"}, "slope"),
        ({"doubt": -1.0}, "doubt: expected 'learned' or a number >= 0, got -1.0"),
        ({"passes": 0}, "passes: expected >= 1"),
    ],
)
def test_bad_settings_of_a_stay_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        made(**settings)
