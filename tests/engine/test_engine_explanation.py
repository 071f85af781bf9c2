from __future__ import annotations

import itertools
import json
from copy import deepcopy
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit

from sojourn.engine import REASONS, Explanation, Exploring, FeedPolicy, Rules, Sight, StayModel
from sojourn.engine.explaining import Witness
from sojourn.exploration import EpsilonGreedy, Optimism, Thompson
from sojourn.interfaces import SlateSampler
from sojourn.models import ItemLogistic
from sojourn.planning import Fatigue, plan_exact, plan_greedy
from sojourn.policies import EpsilonSampler, PlackettLuce, TopK
from sojourn.policies.slot_scores import FixedScores
from sojourn.records import (
    Categorical,
    FieldLayout,
    FloatArray,
    LogBatch,
    Numeric,
    Request,
    SessionMDP,
    SessionState,
)

LAYOUT = FieldLayout(
    fields=(Numeric("click", 1), Numeric("leaving", 1), Categorical("item", 41, "item")), item_id="item"
)


def known(*, click_std: float = 1e-6, leaving_std: float = 1e-6, **guards: Any) -> StayModel:
    """The first feature is the log-odds of a click, the second those of leaving; items are in doubt by their std."""
    stay = StayModel(
        clicks=ItemLogistic(layout=LAYOUT, base_rate=0.5, intercept_std=1e-6, weight_std=1e-6, item_std=click_std),
        leaving=ItemLogistic(layout=LAYOUT, base_rate=0.5, intercept_std=1e-6, weight_std=1e-6, item_std=leaving_std),
        **guards,
    )
    for model, weights in ((stay.clicks, [0.0, 1.0, 0.0]), (stay.leaving, [0.0, 0.0, 1.0])):
        assert isinstance(model, ItemLogistic)
        model.posterior = replace(model.posterior, weights=np.array(weights))
    return stay


def request_of(reward: Any, hazard: Any, *, n_slots: int, state: SessionState | None = None) -> Request:
    item = np.arange(1, len(reward) + 1)
    return Request(
        request_id="r7",
        item_ids=item + 100,
        features=np.column_stack([logit(np.array(reward)), logit(np.array(hazard)), item]),
        n_slots=n_slots,
        step=0 if state is None else state.n_items,
        state=state,
    )


def some_request(m: int = 12, *, n_slots: int = 4, seed: int = 1, state: SessionState | None = None) -> Request:
    rng = np.random.default_rng(seed)
    return request_of(rng.uniform(0.02, 0.6, m), rng.uniform(0.02, 0.5, m), n_slots=n_slots, state=state)


def rng_of(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def policy_of(**parts: Any) -> FeedPolicy:
    settings: dict[str, Any] = {"stay": known(), "n_steps": 8}
    return FeedPolicy(**settings | parts)


def explain(request: Request, **parts: Any) -> Explanation:
    return policy_of(**parts).explain(request, rng=rng_of())


def worth(reward: FloatArray, hazard: FloatArray) -> float:
    """Of the items in their order, one by one."""
    value, there = 0.0, 1.0
    for each, leaves in zip(reward, hazard, strict=True):
        value, there = value + there * each, there * (1.0 - leaves)
    return value


# The decision


EXPLORERS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "optimism": {"explorer": Optimism(alpha=0.7), "leaving_explorer": Optimism(alpha=0.5)},
    "thompson": {"explorer": Thompson(scale=1.0), "leaving_explorer": Thompson(scale=1.0)},
    "epsilon": {"explorer": EpsilonGreedy(epsilon=0.5), "exploring": Exploring(share=0.5, by_slot=(1.0, 2.0))},
}


@pytest.mark.parametrize("sampler", [TopK(), PlackettLuce(temperature=0.2), EpsilonSampler(epsilon=0.5)])
@pytest.mark.parametrize("explorers", EXPLORERS)
@pytest.mark.parametrize("ruled", [False, True])
def test_it_explains_what_act_shows(sampler: Any, explorers: str, ruled: bool) -> None:
    state = SessionState().after(np.array([103, 105]), np.zeros(2)) if ruled else None
    request = some_request(state=state)
    rules = Rules(blocked=frozenset({101, 999}), pinned={0: 107, 2: 102}) if ruled else Rules()
    policy = policy_of(
        stay=known(click_std=1.0, leaving_std=1.0), sampler=sampler, rules=lambda _: rules, **EXPLORERS[explorers]
    )
    for seed in range(5):
        acting, explaining = rng_of(seed), rng_of(seed)
        decision = policy.act(request, rng=acting)
        why = policy.explain(request, rng=explaining)
        assert_array_equal(why.decision.chosen, decision.chosen)
        assert_array_equal(why.decision.propensity, decision.propensity)
        assert_array_equal(why.page.row, decision.chosen)
        assert_array_equal(why.page.propensity, decision.propensity)
        assert (why.decision.request_id, why.decision.policy) == ("r7", "feed")
        assert why.decision.deterministic == decision.deterministic
        assert acting.bit_generator.state == explaining.bit_generator.state


def test_a_witness_is_the_sampler_that_it_watches(rng: np.random.Generator) -> None:
    sampler, scores = PlackettLuce(temperature=0.2), FixedScores(rng.random(6))
    witness = Witness(sampler=sampler)
    assert isinstance(witness, SlateSampler)
    chosen, propensity = witness.sample(scores, 6, 3, rng=rng)
    assert_allclose(propensity, sampler.propensity(scores, 6, chosen))
    assert_allclose(witness.propensity(scores, 6, chosen), propensity)
    assert_allclose(witness.distribution(scores, 6, chosen[:2]), sampler.distribution(scores, 6, chosen[:2]))
    assert not witness.deterministic


def test_explaining_changes_nothing() -> None:
    request, policy = some_request(), policy_of(stay=known(click_std=1.0), explorer=Thompson(scale=1.0))
    before, features = deepcopy(policy.__dict__), request.features.copy()
    policy.explain(request, rng=rng_of())
    assert_array_equal(request.features, features)
    for name in ("explorer", "leaving_explorer", "exploring", "sampler", "planner", "n_steps"):
        assert getattr(policy, name) == before[name]
    assert_array_equal(policy.stay.clicks.mean(features), before["stay"].clicks.mean(features))
    assert_array_equal(policy.stay.sights.scores, before["stay"].sights.scores)


# The page, by hand


def test_three_items_by_hand() -> None:
    """Reward per hazard is 1, 2 and 1.6, so the plan is 1, 2, 0."""
    why = explain(request_of([0.5, 0.2, 0.4], [0.5, 0.1, 0.25], n_slots=2), stay=known(sight="until_left"))
    assert_array_equal(why.page.row, [1, 2])
    assert_array_equal(why.plan.order, [1, 2, 0])
    assert_allclose(why.page.reward, [0.2, 0.4])
    assert_allclose(why.page.hazard, [0.1, 0.25])
    assert_allclose(why.page.examination, [1.0, 0.9])
    assert_allclose(why.page.survival, [0.9, 0.675])
    assert_allclose(why.page.value_to_go, [0.8975, 0.775])
    assert_allclose(why.plan.value, 0.8975)
    assert_array_equal(why.candidates.step, [2, 0, 1])
    # 0, 1, 2 is worth .5 + .5 (.2 + .9 .4) = .78, and 2, 1, 0 is worth .4 + .75 (.2 + .9 .5) = .8875
    assert_allclose(why.candidates.loss, [0.1175, 0.0, 0.01], atol=1e-12)
    assert why.candidates.reason.tolist() == ["later", "planned", "planned"]
    assert [why.why(row) for row in range(3)] == [
        "later, step 2: would cost 0.12 clicks",
        "1st by reward per hazard, 3rd by reward",
        "2nd by reward per hazard, 2nd by reward",
    ]


def test_an_item_that_the_plan_leaves_out_pushes_out_its_last() -> None:
    """Two steps: 2 then 0 is worth .4 + .75 .5 = .775; 1 then 2 is worth .2 + .9 .4 = .56."""
    why = explain(request_of([0.5, 0.2, 0.4], [0.5, 0.1, 0.25], n_slots=1), n_steps=2)
    assert_array_equal(why.plan.order, [2, 0])
    assert_allclose(why.candidates.loss, [0.775 - 0.7, 0.775 - 0.56, 0.0], atol=1e-12)
    assert_array_equal(why.candidates.step, [1, -1, 0])
    assert why.candidates.reason.tolist() == ["later", "left_out", "planned"]
    assert why.why(1) == "left out: would cost 0.21 clicks"


def test_what_a_planner_missed_is_a_loss_below_0() -> None:
    """The most clicked item first: .5 + .5 (.4 + .75 .2) = .775; 1, 0, 2 is worth .2 + .9 (.5 + .5 .4) = .83."""
    why = explain(request_of([0.5, 0.2, 0.4], [0.5, 0.1, 0.25], n_slots=1), planner=plan_greedy)
    assert_allclose(why.candidates.loss[1], 0.775 - 0.83)
    assert why.why(1) == "later, step 2: would bring 0.055 clicks"


def test_a_pinned_item_counts_by_its_means_where_it_stands() -> None:
    """0 is pinned to the top: 0, 1, 2 is worth .5 + .5 (.2 + .9 .4) = .78, and 0, 2, 1 .5 + .5 (.4 + .75 .2) = .775."""
    request = request_of([0.5, 0.2, 0.4, 0.3], [0.5, 0.1, 0.25, 0.3], n_slots=2)
    rules = Rules(pinned={0: 101}, blocked=frozenset({104}))
    stay = known(sight="until_left", click_std=0.5)
    why = explain(request, stay=stay, rules=lambda _: rules)
    assert_array_equal(why.page.row, [0, 1])
    assert_array_equal(why.plan.order, [0, 1, 2])
    assert_allclose(why.page.reward, [0.5, 0.2])
    assert_allclose(why.page.value_to_go, [0.78, 0.56])
    assert_allclose(why.page.examination, [1.0, 0.5])
    assert_allclose(why.candidates.loss, [np.nan, 0.0, 0.005, np.nan], atol=1e-12)
    assert why.candidates.reason.tolist() == ["pinned", "planned", "later", "blocked"]
    assert [why.why(0), why.why(3)] == ["pinned to slot 0", "blocked by the rules"]
    below = explain(request, stay=stay, rules=lambda _: replace(rules, pinned={1: 101}))
    assert_array_equal(below.plan.order, [1, 0, 2])
    # 1, 0, 2 is worth .2 + .9 (.5 + .5 .4) = .83, and 2, 0, 1 .4 + .75 (.5 + .5 .2) = .85: the plan knows of no pins
    assert_allclose(below.candidates.loss, [np.nan, 0.0, 0.83 - 0.85, np.nan], atol=1e-12)


def test_with_every_slot_pinned_nothing_is_planned() -> None:
    request = request_of([0.5, 0.2, 0.4], [0.5, 0.1, 0.25], n_slots=2)
    rules = Rules(pinned={0: 103, 1: 101})
    why = explain(request, rules=lambda _: rules, explorer=Optimism(alpha=1.0))
    assert_array_equal(why.plan.order, [2, 0])
    assert_allclose(why.page.value_to_go, [0.4 + 0.75 * 0.5, 0.5])
    assert why.candidates.reason.tolist() == ["pinned", "left_out", "pinned"]
    assert why.why(1) == "left out: every slot is pinned"
    for column in (why.candidates.exploration, why.candidates.reward, why.candidates.hazard, why.candidates.loss):
        assert np.isnan(column).all()
    assert "left out: every slot is pinned" in why.as_text()


def test_what_the_session_has_shown_stays_out_and_the_rest_is_shorter() -> None:
    state = SessionState().after(np.array([102, 777]), np.zeros(2))
    request = request_of([0.5, 0.2, 0.4, 0.3], [0.5, 0.1, 0.25, 0.1], n_slots=1, state=state)
    why = explain(request, n_steps=4, rules=lambda _: Rules(blocked=frozenset({102})))
    assert why.candidates.reason[1] == "shown"
    assert why.why(1) == "shown before in this session"
    assert_array_equal(why.candidates.allowed, [True, False, True, True])
    assert_array_equal(why.plan.order, [2, 0])  # two of four steps are left: .4 + .75 .5 = .775; 3, 0 is only .75
    assert np.isnan([why.candidates.loss[1], why.candidates.reward[1], why.candidates.exploration[1]]).all()


def test_a_pinned_item_takes_a_step_of_the_session() -> None:
    """Two of three steps are left, and the second is pinned: one is planned, and two would begin otherwise."""
    state = SessionState().after(np.array([777]), np.zeros(1))
    request = request_of([0.5, 0.2, 0.4, 0.3], [0.5, 0.1, 0.25, 0.1], n_slots=2, state=state)
    why = explain(request, n_steps=3, rules=lambda _: Rules(pinned={1: 102}))
    assert_array_equal(why.plan.order, [0, 1])  # two free steps would be 2, 0
    assert_allclose(why.plan.value, 0.5 + 0.5 * 0.2)
    # 2 in its place would be .4 + .75 .2, and 3 .3 + .9 .2
    assert_allclose(why.candidates.loss, [0.0, np.nan, 0.05, 0.12], atol=1e-12)
    assert why.candidates.reason.tolist() == ["planned", "pinned", "left_out", "left_out"]


# Against enumeration


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    m=st.integers(2, 6),
    k=st.integers(1, 3),
    n_steps=st.integers(1, 7),
    pin=st.none() | st.integers(0, 2),
    sampled=st.booleans(),
)
def test_losses_and_values_are_those_of_the_orders(
    seed: int, m: int, k: int, n_steps: int, pin: int | None, sampled: bool
) -> None:
    k = min(k, m)
    request = some_request(m, n_slots=k, seed=seed)
    pinned = {} if pin is None or pin >= k or k == 1 else {pin: 101}
    sampler = PlackettLuce(temperature=0.3) if sampled else TopK()
    why = explain(request, n_steps=n_steps, rules=lambda _: Rules(pinned=pinned), sampler=sampler)
    reward, hazard = expit(request.features[:, 0]), expit(request.features[:, 1])
    free = [row for row in range(m) if not (pinned and row == 0)]
    n_left = max(n_steps, k)
    best = max(
        itertools.permutations(free, min(max(n_steps, k) - len(pinned), len(free))),
        key=lambda order: worth(reward[list(order)], hazard[list(order)]),
    )

    def road(first: tuple[int, ...]) -> list[int]:
        """The items given, then the plan; the pinned one in its slot."""
        order = [*first, *(row for row in best if row not in first)][: min(n_left - len(pinned), len(best))]
        for slot in pinned:
            order.insert(slot, 0)
        return order

    def value(order: list[int]) -> float:
        return worth(reward[order], hazard[order])

    chosen = [int(row) for row in why.page.row if row in free]
    path = road(tuple(chosen))
    assert why.plan.order.tolist() == path
    for slot in range(k):
        assert why.page.value_to_go[slot] == pytest.approx(value(path[slot:]))
    expected = [value(road(())) - value(road((row,))) if row in free else np.nan for row in range(m)]
    assert_allclose(why.candidates.loss, expected, atol=1e-12)
    if not pinned:
        assert why.candidates.loss.min() > -1e-12
    later = [row for row in path if row not in why.page.row]
    assert np.flatnonzero(why.candidates.reason == "later").tolist() == sorted(later)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), sight=st.sampled_from(get_args(Sight)), temperature=st.floats(0.01, 1.0))
def test_sums_agree(seed: int, sight: Sight, temperature: float) -> None:
    why = explain(
        some_request(seed=seed),
        stay=known(click_std=0.7, sight=sight),
        sampler=PlackettLuce(temperature=temperature),
        explorer=Thompson(scale=1.0),
    )
    page, plan = why.page, why.plan
    assert_allclose(page.value_to_go[0], plan.value)
    assert_allclose(plan.value, plan.reward @ plan.survival)
    assert_allclose(page.value_to_go[:-1], page.reward[:-1] + (1.0 - page.hazard[:-1]) * page.value_to_go[1:])
    assert_array_equal(plan.order[:4], page.row)
    assert len(set(plan.order.tolist())) == len(plan.order) == 8
    assert_allclose(page.survival[-1], np.prod(1.0 - page.hazard))
    assert_allclose(page.reward, why.candidates.reward[page.row])
    assert_allclose(page.hazard, why.candidates.hazard[page.row])
    assert_array_equal(why.candidates.step[plan.order], np.arange(8))
    assert (why.candidates.step >= 0).sum() == 8


@pytest.mark.parametrize(
    ("sight", "examination", "survival"),
    [
        ("until_left", [1.0, 0.9, 0.675], [0.9, 0.675, 0.3375]),
        ("whole_page", [1.0, 1.0, 1.0], [1.0, 1.0, 0.3375]),
        ("everything_counts", [1.0, 1.0, 1.0], [0.9, 0.675, 0.3375]),
    ],
)
def test_what_is_looked_at_is_said_by_the_sight_in_force(
    sight: Sight, examination: list[float], survival: list[float]
) -> None:
    request = request_of([0.5, 0.2, 0.4], [0.5, 0.1, 0.25], n_slots=3)
    why = explain(request, stay=known(sight=sight))
    assert_allclose(why.page.examination, examination)
    assert_allclose(why.page.survival, survival)
    assert_allclose(why.page.value_to_go, [0.8975, 0.775, 0.5])
    assert why.guards["sight"].value == sight


def test_where_people_tire_the_page_counts_along_the_path() -> None:
    request = some_request(6, n_slots=3)
    category = np.array([0, 0, 0, 1, 1, 1])

    def path(part: Request, mdp: SessionMDP) -> Fatigue:
        of = category[np.searchsorted(request.item_ids, part.item_ids)]
        return Fatigue(mdp=mdp, category=of, reward_decay=0.5, hazard_growth=0.8, window=4)

    why = explain(request, path=path, n_steps=6)
    reward, hazard = expit(request.features[:, 0]), expit(request.features[:, 1])
    tired = path(request, SessionMDP(reward=reward, hazard=hazard, n_steps=6))

    def value(order: list[int]) -> float:
        n_alike = [sum(category[before] == category[row] for before in order[:i][-4:]) for i, row in enumerate(order)]
        return worth(
            reward[order] * np.exp(-0.5 * np.array(n_alike)),
            np.minimum(hazard[order] * (1.0 + 0.8 * np.array(n_alike)), 1.0),
        )

    order = why.plan.order.tolist()
    assert why.plan.value == pytest.approx(value(order))
    assert_allclose((why.plan.reward, why.plan.hazard), tired.along(why.plan.order))
    assert (why.page.reward[1:] < reward[why.page.row[1:]] - 1e-3).any()
    assert_allclose(why.candidates.reward, reward)  # of a rested person
    expected = [value(order) - value([row, *(each for each in order if each != row)]) for row in range(6)]
    assert_allclose(why.candidates.loss, expected, atol=1e-12)


def test_a_plan_that_is_kept_is_the_plan_that_is_explained() -> None:
    """With a planner that does not plan, the plan kept in the state is worth more than a new one."""
    request = request_of([0.5, 0.2, 0.4], [0.5, 0.1, 0.25], n_slots=1, state=SessionState(planned=np.array([102, 103])))
    why = explain(request, planner=plan_greedy)
    assert_array_equal(why.plan.order, [1, 2, 0])
    assert_allclose(why.plan.value, 0.8975)
    assert why.candidates.reason[1] == "planned"


# What is believed, and what exploring adds


def test_beliefs_are_those_of_the_models_before_guards_and_explorers() -> None:
    stay = known(click_std=0.6, leaving_std=0.3, slope=0.5)
    request = some_request()
    rules = Rules(blocked=frozenset({101}), pinned={0: 102})
    why = explain(request, stay=stay, explorer=Optimism(alpha=1.0), rules=lambda _: rules).candidates
    for belief, mean, std in ((why.click, request.features[:, 0], 0.6), (why.leaving, request.features[:, 1], 0.3)):
        assert_allclose(belief.rate, expit(mean))
        assert_allclose(belief.std, std, rtol=1e-5)
        assert_allclose(belief.low, expit(mean - 1.96 * std), rtol=1e-5)
        assert_allclose(belief.high, expit(mean + 1.96 * std), rtol=1e-5)
    assert_allclose(why.mean_hazard, expit(0.5 * request.features[:, 1]))  # the intercept is 0


def test_what_optimism_adds_is_what_was_planned_with() -> None:
    stay = known(click_std=0.6, leaving_std=0.3, slope=0.5)
    request = some_request()
    explorers = {"explorer": Optimism(alpha=2.0), "leaving_explorer": Optimism(alpha=1.0)}
    why = explain(request, stay=stay, **explorers)
    click, leaving = request.features[:, 0], request.features[:, 1]
    assert_allclose(why.candidates.exploration, 1.2, rtol=1e-5)
    assert_allclose(why.candidates.reward, expit(click + 1.2), rtol=1e-5)
    assert_allclose(why.candidates.hazard, expit(0.5 * (leaving - 0.3)), rtol=1e-5)
    mdp = SessionMDP(reward=why.candidates.reward, hazard=why.candidates.hazard, n_steps=8)
    assert_array_equal(why.plan.order, plan_exact(mdp).order)
    assert_allclose(why.plan.value, plan_exact(mdp).value)


def test_without_explorers_nothing_is_added() -> None:
    why = explain(some_request(), stay=known(click_std=0.6))
    assert_array_equal(why.candidates.exploration, 0.0)
    assert not np.isin(why.candidates.reason, ["explored", "gave_way", "drawn"]).any()


def test_each_step_has_its_own_exploring() -> None:
    """Only the first two slots of each page of three explore, the second twice as much."""
    exploring = Exploring(by_slot=(1.0, 2.0, 0.0))
    request = some_request(9, n_slots=3)
    why = explain(request, stay=known(click_std=0.6), explorer=Optimism(alpha=1.0), exploring=exploring, n_steps=6)
    assert_allclose(why.candidates.exploration[why.plan.order], [0.6, 1.2, 0.0] * 2, rtol=1e-5, atol=1e-9)
    assert_allclose(why.candidates.exploration[why.candidates.step < 0], 0.6, rtol=1e-5)
    mean = request.features[why.page.row, 0]
    assert_allclose(why.page.reward, expit(mean + np.array([0.6, 1.2, 0.0])), rtol=1e-5)
    assert_allclose(why.candidates.reward[why.page.row], why.page.reward)


# Reasons


def in_doubt() -> tuple[StayModel, Request]:
    """Code 0 is an item that was never met: its std is 1, that of the others next to nothing."""
    stay = known(click_std=1.0)
    assert isinstance(stay.clicks, ItemLogistic)
    stay.clicks.posterior.own[1:] = 1e12
    request = request_of([0.3, 0.25, 0.2, 0.1], [0.1, 0.1, 0.1, 0.1], n_slots=2)
    features = request.features.copy()
    features[2, 2] = 0.0
    return stay, replace(request, features=features)


def test_an_item_that_is_there_for_its_doubt_alone_is_explored() -> None:
    stay, request = in_doubt()
    why = explain(request, stay=stay, explorer=Optimism(alpha=1.0), n_steps=3)
    assert_array_equal(why.page.row, [2, 0])
    assert why.candidates.reason.tolist() == ["planned", "gave_way", "explored", "left_out"]
    assert why.why(2) == "explored: +1.00 log-odds of doubt"
    assert why.why(1).startswith("gave way to doubt: would cost 0.0")
    assert why.candidates.step[1] == 2  # it comes on the next page
    greedy = explain(request, stay=stay, n_steps=3)
    assert greedy.candidates.reason.tolist() == ["planned", "planned", "later", "left_out"]


def test_doubt_of_leaving_is_named() -> None:
    stay = known(leaving_std=1.0)
    stay.leaving.posterior.own[1:] = 1e12
    _, request = in_doubt()
    why = explain(request, stay=stay, leaving_explorer=Optimism(alpha=1.0), n_steps=3)
    assert why.candidates.reason[2] == "explored"
    assert why.why(2) == "explored: +0.00, leaving -1.00 log-odds"


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), explorers=st.sampled_from(sorted(EXPLORERS)), pinned=st.booleans())
def test_reasons_keep_to_their_rules(seed: int, explorers: str, pinned: bool) -> None:
    stay, request = known(click_std=0.8, leaving_std=0.5), some_request(seed=seed)
    rules = Rules(blocked=frozenset({101}), pinned={1: 104} if pinned else {})
    parts = {"stay": stay, "rules": lambda _: rules} | EXPLORERS[explorers]
    policy = policy_of(sampler=EpsilonSampler(epsilon=0.4), **parts)
    why = policy.explain(request, rng=rng_of(seed))
    of, page = why.candidates, why.page
    assert set(of.reason) <= set(REASONS)
    assert (of.reason == "blocked").sum() == 1
    assert_array_equal(of.allowed, ~np.isin(of.reason, ["blocked", "shown", "pinned"]))
    on_page = np.isin(np.arange(12), page.row)
    assert_array_equal(on_page, np.isin(of.reason, ["pinned", "planned", "explored", "drawn"]))
    by_means = policy_of(stay=stay, rules=lambda _: rules).act(request, rng=rng_of()).chosen
    assert np.isin(np.flatnonzero(of.reason == "planned"), by_means).all()
    assert not np.isin(np.flatnonzero(of.reason == "explored"), by_means).any()
    assert np.isin(np.flatnonzero(of.reason == "gave_way"), by_means).all()
    assert (of.step[of.reason == "later"] >= 4).all()
    assert (of.step[of.reason == "left_out"] == -1).all()


def test_an_item_is_drawn_if_the_plan_without_those_above_has_another_next() -> None:
    request, seen = some_request(6, n_slots=3), set()
    plan = explain(request).plan.order.tolist()
    policy = policy_of(sampler=PlackettLuce(temperature=0.3))
    for seed in range(20):
        why = policy.explain(request, rng=rng_of(seed))
        left = list(plan)
        for slot, row in enumerate(why.page.row.tolist()):
            drawn = row != left[0]
            assert (why.candidates.reason[row] == "drawn") == drawn
            if drawn:
                assert why.why(row) == f"drawn against the plan, p = {why.page.propensity[slot]:.2g}"
            left.remove(row)
            seen.add(drawn)
    assert seen == {True, False}


# Guards and impressions


def log_of(n: int) -> LogBatch:
    """Sessions of two pages."""
    rng = np.random.default_rng(0)
    item = np.stack([rng.permutation(np.arange(1, 9))[:3] for _ in range(n)])
    features = np.concatenate([rng.normal(-1.0, 1.0, (n, 3, 2)), item[..., None]], axis=2)
    click = (rng.random((n, 3)) < 0.3).astype(float)
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(3), (n, 1)),
        session=np.arange(n) // 2,
        step=np.arange(n) % 2 * 3,
        quits=np.arange(n) % 2 == 1,
    )


def test_guards_and_impressions_are_those_in_force() -> None:
    stay = StayModel(clicks=ItemLogistic(layout=LAYOUT), leaving=ItemLogistic(layout=LAYOUT))
    policy, request, log = policy_of(stay=stay), some_request(12), log_of(300)
    fresh = policy.explain(request, rng=rng_of())
    assert fresh.candidates.impressions is not None
    assert_array_equal(fresh.candidates.impressions, 0)
    assert fresh.guards["slope"].value == 1.0
    assert_allclose(fresh.guards["sight"].weights, 0.5)
    for _ in range(2):
        policy.update(log)
    why = policy.explain(request, rng=rng_of())
    assert why.candidates.impressions is not None
    assert_array_equal(why.candidates.impressions, [2 * (log.item == item).sum() for item in range(1, 13)])
    sight, slope = why.guards["sight"], why.guards["slope"]
    assert (sight.value, slope.value) == (stay.sight, stay.slope)
    assert sight.options == ("until_left", "whole_page")
    assert_allclose(np.array(slope.options, dtype=np.float64), np.arange(0.0, 1.55, 0.1))
    assert np.ptp(slope.scores) > 0.0
    assert_array_equal(slope.scores, stay.slopes.scores)
    assert slope.options[int(slope.scores.argmax())] == slope.value
    doubt = why.guards["doubt"]
    assert doubt.value == stay.doubt
    assert_array_equal(doubt.scores, stay.doubts.scores)
    for guard in (sight, slope, doubt):
        assert guard.weights.sum() == pytest.approx(1.0)
        assert_allclose(np.log(guard.weights[0] / guard.weights[1]), guard.scores[0] - guard.scores[1])
    assert_allclose(why.candidates.mean_hazard, stay.hazard_of(request.features))


def test_where_nothing_tells_items_apart_there_are_no_impressions() -> None:
    layout = FieldLayout.of_numbers(3)
    stay = StayModel(clicks=ItemLogistic(layout=layout), leaving=ItemLogistic(layout=layout))
    why = explain(some_request(), stay=stay)
    assert why.candidates.impressions is None
    assert why.to_dict()["candidates"]["impressions"] is None


# As JSON, as text


def test_as_json() -> None:
    rules = Rules(blocked=frozenset({101}), pinned={1: 102})
    why = explain(some_request(), rules=lambda _: rules, sampler=PlackettLuce(temperature=0.1))
    told = json.loads(json.dumps(why.to_dict(), allow_nan=False))
    assert (told["request_id"], told["policy"], told["deterministic"]) == ("r7", "feed", False)
    assert told["value"] == why.plan.value
    assert told["page"]["row"] == why.page.row.tolist()
    assert told["page"]["value_to_go"] == why.page.value_to_go.tolist()
    columns = told["candidates"]
    assert columns["item_ids"] == list(range(101, 113))
    assert columns["loss"][:2] == [None, None]
    assert columns["loss"][2:] == why.candidates.loss[2:].tolist()
    assert columns["click"]["std"] == why.candidates.click.std.tolist()
    assert columns["why"] == [why.why(row) for row in range(12)]
    assert told["guards"]["sight"] == {
        "value": "until_left",
        "options": ["until_left", "whole_page"],
        "scores": [0.0, 0.0],
        "weights": [0.5, 0.5],
    }


def test_as_a_table() -> None:
    request = some_request(40, n_slots=4)
    ids = np.array([f"a very long name of an item, number {each}" for each in range(40)])
    why = explain(replace(request, item_ids=ids), stay=known(click_std=0.5), explorer=Thompson(scale=1.0), n_steps=12)
    text = why.as_text(n_more=3)
    head, headings, *lines = text.splitlines()
    assert max(map(len, text.splitlines())) <= 120
    assert head.startswith(f"{why.plan.value:.4g} clicks expected from here on, 40 candidates; sight until_left, slope")
    assert headings.split()[-1] == "why"
    assert len(lines) == 4 + 3
    assert [line.split()[0] for line in lines[:4]] == ["0", "1", "2", "3"]
    at = headings.index("why")
    off_page = [row for row in np.argsort(why.candidates.loss) if row not in why.page.row]
    for line, row in zip(lines, [*why.page.row, *off_page[:3]], strict=True):
        assert why.why(row).startswith(line[at:].removesuffix("…"))
    assert f"{why.page.value_to_go[1]:.3f}" in lines[1]
    assert "a very long…" in lines[0]


def test_a_candidate_in_the_table() -> None:
    why = explain(request_of([0.5, 0.02, 0.4], [0.5, 0.001, 0.25], n_slots=1), n_steps=2)
    assert why.as_text().splitlines()[1:] == [
        "slot  item  click % (95 %)  bonus  reward %  leaves %   seen  to go  prob.  why",
        "   0   103    40.0 (40-40)  +0.00      40.0      25.0  1.000  0.775  1.000  2nd by reward per hazard, "
        "2nd by reward",
        "       101    50.0 (50-50)  +0.00      50.0      50.0                       later, step 1: would cost 0.075 "
        "clicks",
        "       102  2.00 (2.0-2.0)  +0.00      2.00      0.10                       left out: would cost 0.36 clicks",
    ]
