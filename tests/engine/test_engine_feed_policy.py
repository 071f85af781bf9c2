from __future__ import annotations

import itertools
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from sojourn.engine import Exploring, FeedPolicy, Room, Rules, StayModel
from sojourn.errors import InvalidInputError
from sojourn.exploration import AdversarialGradient, EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.models import ItemLogistic
from sojourn.planning import Fatigue, plan_exact, plan_greedy, plan_path, plan_resorted_compromise
from sojourn.policies import EpsilonSampler, PlackettLuce, TopK
from sojourn.records import (
    Categorical,
    Feedback,
    FieldLayout,
    FloatArray,
    LogBatch,
    Numeric,
    Request,
    Rows,
    SessionMDP,
    SessionState,
)

AGE = AdversarialGradient(strength=1.0, uncertainty_as="sample")
LAYOUT = FieldLayout(fields=(Numeric("x", 2), Categorical("item", 31, "item")), item_id="item")


def learned(layout: FieldLayout = LAYOUT, **guards: Any) -> StayModel:
    """A model that has seen something of clicks and leaving."""
    stay = StayModel(
        clicks=ItemLogistic(layout=layout, base_rate=0.2, weight_std=1.0),
        leaving=ItemLogistic(layout=layout, base_rate=0.1, weight_std=1.0),
        **guards,
    )
    rng = np.random.default_rng(0)
    n = 400
    features = features_of(rng.integers(1, 11, size=n), rng)
    for model, weights in ((stay.clicks, [1.0, 0.0]), (stay.leaving, [0.3, 1.0])):
        outcome = (rng.random(n) < expit(features[:, :2] @ weights - 1.5)).astype(float)
        model.update(Rows(features=features, reward=outcome, weight=np.ones(n), slot=np.zeros(n, dtype=np.int64)))
    return stay


def features_of(item: Any, rng: np.random.Generator) -> FloatArray:
    return np.column_stack([rng.standard_normal((len(item), 2)), item])


def request_of(n: int = 12, *, n_slots: int = 4, seed: int = 1, state: SessionState | None = None) -> Request:
    rng = np.random.default_rng(seed)
    item = rng.permutation(np.arange(1, 31))[:n]
    return Request(
        request_id="r",
        item_ids=item,
        features=features_of(item, rng),
        n_slots=n_slots,
        step=0 if state is None else state.n_items,
        state=state,
    )


def policy_of(**settings: Any) -> FeedPolicy:
    parts: dict[str, Any] = {"stay": learned(), "n_steps": 8}
    return FeedPolicy(**parts | settings)


def rng_of(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


# What is shown


def test_it_shows_the_beginning_of_the_exact_plan() -> None:
    policy, request = policy_of(), request_of()
    reward = policy.stay.click_rate_of(request.features)
    hazard = policy.stay.hazard_of(request.features)
    plan = plan_exact(SessionMDP(reward=reward, hazard=hazard, n_steps=8))
    decision = policy.act(request, rng=rng_of())
    assert_array_equal(decision.chosen, plan.order[:4])
    assert decision.deterministic
    assert_array_equal(decision.propensity, 1.0)
    greedy = policy_of(planner=plan_greedy).act(request, rng=rng_of())
    assert_array_equal(greedy.chosen, np.argsort(-reward)[:4])
    assert set(greedy.chosen) != set(decision.chosen)  # so the plan is no ranking by clicks


def test_doubt_counts_for_clicks_and_against_hazards() -> None:
    policy, request = policy_of(explorer=Optimism(alpha=0.7), leaving_explorer=Optimism(alpha=0.4)), request_of()
    clicks, leaving = (each.mean_and_std(request.features) for each in (policy.stay.clicks, policy.stay.leaving))
    reward, hazard = policy.worth(request.features, 8, 4, rng=rng_of())
    assert_allclose(reward, expit(clicks[0] + 0.7 * clicks[1]))
    assert_allclose(hazard, expit(leaving[0] - 0.4 * leaving[1]))


def test_acting_changes_nothing_and_depends_on_the_generator_alone() -> None:
    policy, request = policy_of(explorer=Thompson(scale=1.0), sampler=PlackettLuce(temperature=0.1)), request_of()
    before = deepcopy(policy.stay.clicks)
    first, second = (policy.act(request, rng=rng_of(5)) for _ in range(2))
    assert_array_equal(first.chosen, second.chosen)
    assert_array_equal(first.propensity, second.propensity)
    asked = request.features
    assert_array_equal(policy.stay.clicks.mean_and_std(asked), before.mean_and_std(asked))
    shown = {tuple(policy.act(request, rng=rng_of(seed)).chosen) for seed in range(10)}
    assert len(shown) > 1


def test_nothing_is_shown_twice_in_a_session() -> None:
    policy, request = policy_of(), request_of()
    first = policy.act(request, rng=rng_of()).chosen
    state = SessionState().after(request.item_ids[first], np.zeros(4))
    second = policy.act(request_of(state=state), rng=rng_of()).chosen
    assert not set(first) & set(second)


def test_a_new_item_is_tried_from_the_first_request() -> None:
    """Code 0 was never met; by optimism its doubt puts it above what is known to be no better."""
    layout = FieldLayout(fields=(Categorical("item", 4, "item"),), item_id="item")
    stay = StayModel(clicks=ItemLogistic(layout=layout), leaving=ItemLogistic(layout=layout))
    n = 500
    known = np.repeat([[1.0], [2.0], [3.0]], n, axis=0)
    stay.clicks.update(
        Rows(features=known, reward=np.full(3 * n, 0.05), weight=np.ones(3 * n), slot=np.zeros(3 * n, dtype=np.int64))
    )
    policy = FeedPolicy(stay=stay, n_steps=4, explorer=Optimism(alpha=1.0))
    request = Request(
        request_id="r", item_ids=np.array([1, 2, 3, 99]), features=np.array([[1.0], [2.0], [3.0], [0.0]]), n_slots=1
    )
    assert policy.act(request, rng=rng_of()).chosen.tolist() == [3]


def test_thousands_of_candidates_are_planned() -> None:
    layout = FieldLayout(fields=(Numeric("x", 2), Categorical("item", 5_001, "item")), item_id="item")
    policy = FeedPolicy(stay=learned(layout), n_steps=50, explorer=Optimism(alpha=0.5))
    item = np.arange(1, 5_001)
    request = Request(request_id="r", item_ids=item, features=features_of(item, rng_of()), n_slots=20)
    assert len(set(policy.act(request, rng=rng_of()).chosen.tolist())) == 20


# Rules


def test_pinned_items_stand_where_they_must_and_blocked_ones_nowhere() -> None:
    request = request_of()
    best = policy_of().act(request, rng=rng_of()).chosen
    ids = request.item_ids
    rules = Rules(blocked=frozenset({int(ids[best[0]]), 777}), pinned={2: int(ids[11])})
    decision = policy_of(rules=lambda _: rules).act(request, rng=rng_of())
    assert decision.chosen[2] == 11
    assert best[0] not in decision.chosen
    assert len(set(decision.chosen)) == 4
    everything = Rules(pinned={slot: int(ids[slot + 3]) for slot in range(4)})
    assert policy_of(rules=lambda _: everything).act(request, rng=rng_of()).chosen.tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("rules", "match"),
    [
        (Rules(pinned={4: 1}), "pinned: expected slots from 0 to 3, got 4"),
        (Rules(pinned={0: 999}), "not among the candidates"),
        (Rules(pinned={0: "A"}), "not among the candidates"),
        (Rules(pinned={0: "first", 1: "first"}), "pinned: expected each item in one slot"),
        (Rules(pinned={0: "first"}, blocked=frozenset({"first"})), "it is blocked"),
        (Rules(blocked=frozenset({"all"})), "expected at least 4 candidates for the slots that are not pinned, got 0"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(rules: Rules, match: str) -> None:
    request = request_of()
    first = int(request.item_ids[0])
    blocked = {first if item == "first" else item for item in rules.blocked}
    if "all" in blocked:
        blocked = set(request.item_ids.tolist())
    pinned = {slot: first if item == "first" else item for slot, item in rules.pinned.items()}
    policy = policy_of(rules=lambda _: Rules(blocked=frozenset(blocked), pinned=pinned))
    with pytest.raises(InvalidInputError, match=match):
        policy.act(request, rng=rng_of())


def test_an_item_that_was_shown_cannot_be_pinned() -> None:
    request = request_of()
    state = SessionState().after(request.item_ids[:2], np.zeros(2))
    policy = policy_of(rules=lambda _: Rules(pinned={0: int(request.item_ids[0])}))
    with pytest.raises(InvalidInputError, match="the session has shown it"):
        policy.act(request_of(state=state), rng=rng_of())


# Propensities


@pytest.mark.parametrize("sampler", [PlackettLuce(temperature=0.3), EpsilonSampler(epsilon=0.4)])
def test_propensities_are_those_of_the_slate_and_sum_to_1(sampler: Any) -> None:
    request = request_of(5, n_slots=3)
    pinned = Rules(pinned={1: int(request.item_ids[2])})
    policy = policy_of(sampler=sampler, rules=lambda _: pinned)
    total = 0.0
    for slate in itertools.permutations(range(5), 3):
        probability = policy.slate_probability(request, np.array(slate), rng=rng_of())
        total += probability.prod()
        if slate[1] != 2:
            assert probability.prod() == 0.0
    assert_allclose(total, 1.0)
    decision = policy.act(request, rng=rng_of())
    assert_allclose(decision.propensity, policy.slate_probability(request, decision.chosen, rng=rng_of()))


def test_with_an_explorer_that_draws_the_probability_is_the_share_of_draws() -> None:
    policy, request = policy_of(explorer=Thompson(scale=1.0), n_draws=400), request_of(6, n_slots=2)
    chosen = policy.act(request, rng=rng_of(0)).chosen
    asked = policy.slate_probability(request, chosen, rng=rng_of(1)).prod()
    rng = rng_of(2)
    share = np.mean([(policy.act(request, rng=rng).chosen == chosen).all() for _ in range(400)])
    assert 0.0 < asked < 1.0
    assert abs(asked - share) < 4.0 * np.sqrt(2.0 * asked * (1.0 - asked) / 400)


def test_what_the_session_has_shown_is_never_shown() -> None:
    request = request_of()
    state = SessionState().after(request.item_ids[:1], np.zeros(1))
    slate = np.array([1, 0, 2, 3])
    probability = policy_of(sampler=PlackettLuce(temperature=1.0)).slate_probability(
        request_of(state=state), slate, rng=rng_of()
    )
    assert probability[0] > 0.0
    assert_array_equal(probability[1:], 0.0)


@pytest.mark.parametrize("sampler", [TopK(), PlackettLuce(temperature=0.3), EpsilonSampler(epsilon=0.2)])
@pytest.mark.parametrize("pinned", [(), (0,), (1, 2), (3,), (0, 1, 2, 3)])
def test_a_slots_distribution_is_what_each_candidate_is_likely_to_be(sampler: Any, pinned: tuple[int, ...]) -> None:
    request = request_of(9)
    rules = Rules(
        pinned={slot: int(request.item_ids[slot]) for slot in pinned}, blocked=frozenset({int(request.item_ids[8])})
    )
    policy = policy_of(sampler=sampler, explorer=Optimism(alpha=0.5), rules=lambda _: rules)
    page = policy.act(request, rng=rng_of()).chosen
    pages = {"shown": page, "others": np.roll(page, 1), "barred": np.array([8, 7, 6, 5])}
    for chosen in pages.values():
        for slot in range(4):
            above = chosen[:slot]
            found = policy.slot_distribution(request, above, rng=rng_of())
            one_by_one = [
                float(np.prod(policy.slate_probability(request, np.append(above, row), rng=rng_of())[slot:]))
                * policy.slate_probability(request, above, rng=rng_of()).all()
                if row not in above
                else 0.0
                for row in range(9)
            ]
            assert_allclose(found, np.array(one_by_one, dtype=np.float64), atol=1e-12)
            assert np.isclose(found.sum(), 1.0) or not found.any()


def test_a_drawn_slots_distribution_is_the_ratio_of_how_often_pages_are_shown() -> None:
    request = request_of(5, n_slots=2)
    policy = policy_of(sampler=PlackettLuce(temperature=0.3), explorer=Thompson(), n_draws=1_500)
    first = policy.slot_distribution(request, np.array([], dtype=np.int64), rng=rng_of(1))
    top = int(first.argmax())
    second = policy.slot_distribution(request, np.array([top]), rng=rng_of(2))
    pages = [tuple(policy.act(request, rng=rng_of(seed)).chosen.tolist()) for seed in range(100, 1_100)]
    share = np.bincount([page[0] for page in pages], minlength=5) / len(pages)
    below = np.bincount([page[1] for page in pages if page[0] == top], minlength=5)
    for found, seen, n in ((first, share, len(pages)), (second, below / below.sum(), int(below.sum()))):
        assert found.sum() == pytest.approx(1.0)
        assert np.all(np.abs(found - seen) < 4.5 * np.sqrt(found * (1.0 - found) * (1.0 / n + 1.0 / 1_500)) + 1e-9)


# Where it explores


def worth_of(exploring: Exploring, request: Request, *, seed: int = 3) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-odds planned with, those predicted, and those explored."""
    policy = policy_of(explorer=Optimism(alpha=1.0), exploring=exploring)
    reward, _ = policy.worth(request.features, 8, 4, rng=rng_of(seed))
    mean, std = policy.stay.clicks.mean_and_std(request.features)
    return np.log(reward / (1.0 - reward)), mean, mean + std


def test_slots_explore_by_their_factor() -> None:
    log_odds, mean, explored = worth_of(Exploring(by_slot=(0.0, 0.5)), request_of())
    assert log_odds.shape == (8, 12)
    for step, factor in enumerate([0.0, 0.5, 0.5, 0.5] * 2):
        assert_allclose(log_odds[step], mean + factor * (explored - mean))


def test_slots_around_pinned_ones_explore_as_what_they_are() -> None:
    request = request_of()
    room = Room.of(request, Rules(pinned={0: int(request.item_ids[3]), 2: int(request.item_ids[5])}))
    assert room.slots_ahead(7).tolist() == [1, 3, 0, 1, 2, 3, 0]
    assert room.slots_ahead(1).tolist() == [1]
    explorer, rules = Optimism(alpha=20.0), Rules(pinned={0: int(request.item_ids[3])})
    parts = {"explorer": explorer, "planner": plan_greedy, "rules": lambda _: rules}
    top_alone = policy_of(exploring=Exploring(by_slot=(1.0, 0.0)), **parts).act(request, rng=rng_of())
    still = policy_of(exploring=Exploring(share=0.0), **parts).act(request, rng=rng_of())
    everywhere = policy_of(**parts).act(request, rng=rng_of())
    assert_array_equal(top_alone.chosen, still.chosen)  # the slot that explores is pinned
    assert (everywhere.chosen != still.chosen).any()


def test_a_share_of_the_slots_explores() -> None:
    request = request_of()
    part = np.concatenate(
        [
            np.isclose(np.broadcast_to(log_odds, (8, 12)), explored).all(axis=1)
            for log_odds, _, explored in (worth_of(Exploring(share=0.3), request, seed=seed) for seed in range(60))
        ]
    )
    assert abs(part.mean() - 0.3) < 4.0 * np.sqrt(0.21 / len(part))
    nothing, mean, _ = worth_of(Exploring(share=0.0), request)
    assert_allclose(nothing, mean)


def test_items_that_are_known_do_not_explore() -> None:
    stay, request = learned(), request_of()
    shown = request_of(4, seed=1)  # the first of the same candidates
    log = LogBatch(
        item=shown.item_ids[None],
        features=shown.features[None],
        click=np.zeros((1, 4)),
        reward=np.zeros((1, 4)),
        position=np.arange(4)[None],
        session=np.zeros(1, dtype=np.int64),
        step=np.zeros(1, dtype=np.int64),
    )
    for _ in range(3):
        stay.update(log)
    policy = FeedPolicy(stay=stay, n_steps=8, explorer=Optimism(alpha=1.0), exploring=Exploring(newer_than=3))
    reward, _ = policy.worth(request.features, 8, 4, rng=rng_of())
    mean, std = stay.clicks.mean_and_std(request.features)
    old = np.isin(request.item_ids, shown.item_ids)
    assert old.sum() == 4
    assert_allclose(reward, expit(mean + np.where(old, 0.0, stay.doubt * std)))


def test_what_an_explorer_adds_counts_by_the_doubt_in_force() -> None:
    stay, request = learned(doubt="learned"), request_of()
    stay.doubts.observe((stay.doubts.options == 0.5).astype(float))
    assert stay.doubt == 0.5
    mean, std = stay.clicks.mean_and_std(request.features)
    bound, drawn = (
        FeedPolicy(stay=stay, n_steps=8, explorer=explorer).worth(request.features, 8, 4, rng=rng_of())[0]
        for explorer in (Optimism(alpha=1.0), Thompson())
    )
    assert_allclose(bound, expit(mean + 0.5 * std))
    in_full = Thompson().score(stay.clicks, request.features, rng=rng_of())
    assert_allclose(drawn, expit(0.5 * (mean + in_full)))


@pytest.mark.parametrize(
    ("parts", "match"),
    [
        (
            {"explorer": AGE},
            "^explorer: adversarial_gradient .* a ItemLogistic, has none",
        ),
        ({"leaving_explorer": AGE}, "^leaving_explorer: "),
        ({"exploring": Exploring(share=0.5), "planner": plan_resorted_compromise}, "^planner: resorted_compromise"),
    ],
)
def test_parts_that_contradict_each_other_make_no_policy(parts: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        FeedPolicy(stay=learned(), n_steps=8, **parts)


def test_slots_explore_where_no_field_tells_items_apart() -> None:
    stay = StayModel(
        clicks=ItemLogistic(layout=FieldLayout.of_numbers(3)), leaving=ItemLogistic(layout=FieldLayout.of_numbers(3))
    )
    policy = FeedPolicy(stay=stay, n_steps=8, explorer=Optimism(alpha=1.0), exploring=Exploring(by_slot=(0.0, 1.0)))
    assert len(policy.act(request_of(), rng=rng_of()).chosen) == 4


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"by_slot": ()}, "by_slot: expected at least one finite factor"),
        ({"by_slot": (1.0, -1.0)}, "by_slot"),
        ({"share": 1.5}, "share: expected a share of slots"),
        ({"newer_than": 0}, "newer_than: expected impressions >= 1"),
    ],
)
def test_bad_ways_to_explore_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        Exploring(**settings)


# Side by side, along paths, and learning


@pytest.mark.parametrize("explorer", [Greedy(), Optimism(alpha=0.5)])
def test_many_sessions_at_once_are_planned_as_one_by_one(explorer: Any) -> None:
    policy = policy_of(explorer=explorer, leaving_explorer=explorer)
    requests = [request_of(seed=seed) for seed in range(6)]
    orders = policy.orders(np.stack([each.features for each in requests]), 8, rng=rng_of())
    for request, order in zip(requests, orders, strict=True):
        assert_array_equal(policy.act(request, rng=rng_of()).chosen, order[:4])


def test_what_cannot_be_planned_side_by_side_is_refused() -> None:
    features = np.stack([request_of().features])
    for exploring in (Exploring(share=0.5), Exploring(by_slot=(1.0, 0.0))):
        with pytest.raises(InvalidInputError, match="orders: expected a policy without a path"):
            policy_of(exploring=exploring).orders(features, 8, rng=rng_of())


def test_people_who_tire_are_planned_for() -> None:
    request = request_of()
    category = np.arange(12) % 2

    def tired(_: Request, mdp: SessionMDP) -> Fatigue:
        return Fatigue(mdp=mdp, category=category, reward_decay=0.8, hazard_growth=0.5, window=3)

    policy = policy_of(path=tired)
    mdp = SessionMDP(
        reward=policy.stay.click_rate_of(request.features),
        hazard=policy.stay.hazard_of(request.features),
        n_steps=8,
    )
    expected = plan_path(tired(request, mdp), start=plan_exact(mdp).order)
    chosen = policy.act(request, rng=rng_of()).chosen
    assert_array_equal(chosen, expected.order[:4])
    assert (chosen != policy_of().act(request, rng=rng_of()).chosen).any()


def test_it_learns_from_its_own_log() -> None:
    policy, request = policy_of(), request_of()
    decision = policy.act(request, rng=rng_of())
    top = request.features[decision.chosen[:1]]
    before = float(policy.stay.click_rate_of(top)[0])
    for _ in range(30):
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=np.array([0.0, 0.0, 0.0, 1.0]))))
    assert policy.stay.click_rate_of(top)[0] < 0.7 * before


def test_randomness_is_told() -> None:
    assert not policy_of().randomized
    assert policy_of(explorer=EpsilonGreedy(epsilon=0.5)).randomized
    assert policy_of(leaving_explorer=Thompson(scale=1.0)).randomized
    assert policy_of(exploring=Exploring(share=0.5)).randomized


@pytest.mark.parametrize("settings", [{"n_steps": 0}, {"n_draws": 0}])
def test_bad_numbers_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError, match="n_steps, n_draws: expected at least 1 of each"):
        policy_of(**settings)
