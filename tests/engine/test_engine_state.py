from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn.engine import Exploring, FeedPolicy, Prequential, StayModel
from sojourn.errors import InvalidInputError
from sojourn.exploration import Optimism, Thompson
from sojourn.interfaces import RewardModel
from sojourn.models import ItemLogistic
from sojourn.models.deep import DeepClickRate, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.uncertainty import ItemPosterior
from sojourn.records import Categorical, FieldLayout, LogBatch, Numeric, Request

N_ITEMS, PAGE = 12, 4
LAYOUT = FieldLayout(fields=(Numeric("x", 2), Categorical("item", N_ITEMS + 1, "item")), item_id="item")
KINDS = ("linear", "deep")


def clicks_of(kind: str, layout: FieldLayout = LAYOUT) -> RewardModel:
    if kind == "linear":
        return ItemLogistic(layout=layout, base_rate=0.2)
    training = StreamTraining(block=32, steps=4)
    network = partial(MLP, embedding_size=2, hidden=(4,))
    return DeepClickRate(layout=layout, network=network, uncertainty=ItemPosterior(), training=training)


def policy_of(kind: str = "linear", *, layout: FieldLayout = LAYOUT, clicks: RewardModel | None = None) -> FeedPolicy:
    stay = StayModel(clicks=clicks or clicks_of(kind, layout), leaving=ItemLogistic(layout=layout, base_rate=0.1))
    return FeedPolicy(
        stay=stay,
        n_steps=8,
        explorer=Thompson(scale=0.5),
        leaving_explorer=Optimism(alpha=0.3),
        exploring=Exploring(newer_than=8),
    )


def log_of(seed: int, n: int = 30) -> LogBatch:
    """Sessions of up to three pages; 120 rows are no whole number of blocks of 32."""
    rng = np.random.default_rng(seed)
    item = np.stack([rng.permutation(N_ITEMS)[:PAGE] for _ in range(n)])
    features = np.concatenate([rng.standard_normal((n, PAGE, 2)), item[..., None] + 1.0], axis=-1)
    click = (rng.random((n, PAGE)) < 0.1 + 0.05 * item).astype(np.float64)
    page = np.arange(n) % 3
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(PAGE), (n, 1)),
        session=np.arange(n) // 3,
        step=page * PAGE,
        quits=(page == 2) & (rng.random(n) < 0.7),
    )


def slates(policy: FeedPolicy) -> list[list[int]]:
    shown = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        item = np.arange(N_ITEMS)
        features = np.column_stack([rng.standard_normal((N_ITEMS, 2)), item + 1.0])
        request = Request(request_id="r", item_ids=item, features=features, n_slots=PAGE)
        shown.append(policy.act(request, rng=rng).chosen.tolist())
    return shown


def assert_same_state(one: FeedPolicy | StayModel, other: FeedPolicy | StayModel) -> None:
    left, right = one.state(), other.state()
    assert left.keys() == right.keys()
    for name, values in left.items():
        assert_array_equal(values, right[name], err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_policy_decides_and_goes_on_learning_as_if_it_had_not_stopped(kind: str) -> None:
    policy, twin = policy_of(kind), policy_of(kind)
    for day in range(3):
        policy.update(log_of(day))
    assert slates(twin) != slates(policy)
    twin.restore(policy.state())
    assert slates(twin) == slates(policy)
    for each in (policy, twin):
        each.update(log_of(3))
    assert_same_state(twin, policy)
    assert slates(twin) == slates(policy)


def test_guards_and_impressions_are_kept() -> None:
    policy, twin = (
        FeedPolicy(
            stay=StayModel(clicks=ItemLogistic(layout=LAYOUT), leaving=ItemLogistic(layout=LAYOUT), doubt="learned"),
            n_steps=8,
        )
        for _ in range(2)
    )
    policy.update(log_of(0))
    twin.restore(policy.state())
    stay, other = policy.stay, twin.stay
    assert stay.sights.scores.all()
    assert stay.slopes.scores.all()
    assert_array_equal(other.sights.scores, stay.sights.scores)
    assert_array_equal(other.slopes.weights, stay.slopes.weights)
    assert stay.doubts.scores.all()
    assert_array_equal(other.doubts.scores, stay.doubts.scores)
    features = log_of(1).features
    assert stay.impressions_of(features).max() > 8  # so that `newer_than` tells items apart
    assert_array_equal(other.impressions_of(features), stay.impressions_of(features))


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_is_a_copy_on_both_ways(kind: str) -> None:
    policy, twin = policy_of(kind), policy_of(kind)
    policy.update(log_of(0))
    kept = policy.state()
    before = {name: values.copy() for name, values in kept.items()}
    twin.restore(kept)
    for each in (policy, twin):
        each.update(log_of(1))
    for name, values in kept.items():
        assert_array_equal(values, before[name], err_msg=name)
    for each, given in ((twin, kept), (policy, policy.state())):
        learned = {name: values.copy() for name, values in each.state().items()}
        for values in given.values():
            values[...] = 1
        for name, values in each.state().items():
            assert_array_equal(values, learned[name], err_msg=name)


@pytest.mark.parametrize("name", sorted(policy_of().state()))
def test_a_state_without_one_of_its_arrays_is_refused_and_changes_nothing(name: str) -> None:
    policy, twin = policy_of(), policy_of()
    policy.update(log_of(0))
    state = policy.state()
    del state[name]
    with pytest.raises(InvalidInputError, match=rf"state\['{name.split('.')[-1]}'\]: expected .* got nothing"):
        twin.restore(state)
    assert_same_state(twin, policy_of())


def test_the_state_of_another_layout_is_refused() -> None:
    more = FieldLayout(fields=(Numeric("x", 2), Categorical("item", N_ITEMS + 2, "item")), item_id="item")
    with pytest.raises(InvalidInputError, match=r"\(14,\) of int64, got \(13,\) of int64; restore into a policy made"):
        policy_of(layout=more).restore(policy_of().state())
    state = policy_of().state()
    state["impressions"] = state["impressions"].astype(np.float64)
    with pytest.raises(InvalidInputError, match=r"of int64, got \(13,\) of float64"):
        policy_of().restore(state)


def test_clicks_that_cannot_be_stored_are_named() -> None:
    class Forgetful:
        """A model of one's own that keeps no arrays."""

    policy = policy_of(clicks=Forgetful())  # type: ignore[arg-type]  # nobody asks it anything else
    with pytest.raises(InvalidInputError, match=r"clicks: expected a model with state\(\) .* got Forgetful; keep the"):
        policy.state()


def test_a_guard_restores_its_scores() -> None:
    guard, twin = (Prequential(np.arange(3.0), start=0.0, forgetting=0.5) for _ in range(2))
    guard.observe(np.array([-3.0, -1.0, -2.0]))
    twin.restore(guard.state())
    assert twin.value == 1.0
    for each in (guard, twin):
        each.observe(np.array([-1.0, -9.0, -2.0]))
    assert_array_equal(twin.scores, [-2.5, -9.5, -3.0])
    assert_array_equal(guard.scores, twin.scores)
    with pytest.raises(InvalidInputError, match=r"state\['scores'\]: expected an array of shape \(2,\)"):
        Prequential(np.arange(2.0), start=0.0).restore(guard.state())
