from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.interfaces import SlateSampler, SlotDistribution
from sojourn.planning import PlannedScores, SessionPolicy, plan_exact, plan_session
from sojourn.policies import EpsilonSampler, PlackettLuce, TopK
from sojourn.records import FloatArray, IntArray, LogBatch, Plan, Request, SessionMDP, SessionState, value_of

SAMPLERS: dict[str, SlateSampler] = {
    "TopK": TopK(),
    "EpsilonSampler": EpsilonSampler(epsilon=0.3),
    "PlackettLuce": PlackettLuce(temperature=0.2),
}


def reward_and_hazard(request: Request, n_steps: int) -> SessionMDP:
    """Both stand in the features."""
    return SessionMDP(reward=request.features[:, 1], hazard=0.4 * request.features[:, 2], n_steps=n_steps)


def best_of_all(mdp: SessionMDP) -> Plan:
    orders = np.array(list(permutations(range(mdp.n_candidates), mdp.length)))
    return Plan.of(mdp, orders[value_of(*mdp.along(orders)).argmax()])


def session_policy(sampler: SlateSampler, *, n_steps: int = 6) -> SessionPolicy[SessionMDP]:
    return SessionPolicy(mdp_of=reward_and_hazard, planner=plan_session, sampler=sampler, n_steps=n_steps)


def draw_request(
    rng: np.random.Generator, *, m: int = 12, n_slots: int = 3, state: SessionState | None = None
) -> Request:
    state = SessionState() if state is None else state
    return Request(
        request_id="r",
        item_ids=np.arange(m) + 100,
        features=rng.random((m, 3)),
        n_slots=n_slots,
        step=state.n_items,
        state=state,
    )


def shown(*item_ids: int) -> SessionState:
    return SessionState().after(np.array(item_ids), np.zeros(len(item_ids)))


def test_it_gives_all_choices_of_a_slot_at_once() -> None:
    assert isinstance(session_policy(TopK()), SlotDistribution)


def test_without_sampling_the_page_is_the_beginning_of_the_plan(rng: np.random.Generator) -> None:
    policy = session_policy(TopK())
    for _ in range(50):
        request = draw_request(rng)
        decision = policy.act(request, rng=rng)
        plan = plan_exact(reward_and_hazard(request, 6)).order
        assert_array_equal(decision.chosen, plan[:3])
        assert_array_equal(decision.propensity, 1.0)
        assert decision.deterministic
        assert_array_equal(policy.rest_of_plan(request, decision.chosen), request.item_ids[plan[3:]])


def test_what_is_left_of_a_plan_does_not_depend_on_where_the_page_came_from(rng: np.random.Generator) -> None:
    policy, request = session_policy(EpsilonSampler(epsilon=1.0)), draw_request(rng)
    plan = plan_exact(reward_and_hazard(request, 6)).order
    stranger = np.setdiff1d(np.arange(12), plan)[0]
    rest = policy.rest_of_plan(request, np.array([stranger, plan[5], plan[1]]))
    assert_array_equal(rest, request.item_ids[plan[[0, 2, 3, 4]]])


def test_nothing_is_likely_below_what_is_never_shown(rng: np.random.Generator) -> None:
    policy, request = session_policy(TopK()), draw_request(rng)
    plan = plan_exact(reward_and_hazard(request, 6)).order
    assert_array_equal(policy.slot_distribution(request, plan[1:2], rng=rng), 0.0)
    assert policy.slot_distribution(request, plan[:1], rng=rng)[plan[1]] == 1.0


def test_scores_are_what_the_session_is_worth_if_an_item_is_next(rng: np.random.Generator) -> None:
    for _ in range(20):
        mdp = reward_and_hazard(draw_request(rng), 6)
        plan = plan_exact(mdp)
        scores = PlannedScores(mdp=mdp, order=plan.order)
        for step in range(6):
            came, planned = scores(plan.order[:step]), plan.order[step]
            ahead = plan.value_to_go[step + 1] if step < 5 else 0.0
            unplaced = np.setdiff1d(np.arange(12), plan.order[:step])
            others = unplaced[unplaced != planned]
            assert_allclose(came[others], (mdp.reward + (1.0 - mdp.hazard) * ahead)[others])
            assert came[planned] > came[others].max()
            assert came[planned] == pytest.approx(max(plan.value_to_go[step], came[others].max()))


def test_the_plan_is_on_top_also_where_another_item_has_the_larger_score() -> None:
    mdp = SessionMDP(reward=np.array([0.9, 1.0]), hazard=np.array([0.1, 0.5]), n_steps=2)
    scores = PlannedScores(mdp=mdp, order=np.array([0, 1]))
    assert 0.9 + 0.9 * 1.0 > 1.0 + 0.5 * 0.9  # so this is the plan, and 1 + .5 * 1 < 1.8
    assert_allclose(scores(np.array([], dtype=np.int64)), [1.8, 1.5])
    greedy = PlannedScores(mdp=replace(mdp, hazard=np.array([0.5, 0.5])), order=np.array([0, 1]))
    came = greedy(np.array([], dtype=np.int64))
    assert_allclose(came, [1.5, 1.5])  # .9 + .5 raised to 1 + .5
    assert came[0] > came[1]


def test_a_plan_says_beforehand_what_filling_slot_by_slot_comes_to(rng: np.random.Generator) -> None:
    for n_slots in (1, 4, 6):
        mdp = reward_and_hazard(draw_request(rng), 6)
        scores = PlannedScores(mdp=mdp, order=rng.permutation(12)[:6])
        at_once, _ = TopK().sample(scores, 12, n_slots, rng=rng)
        slot_by_slot, _ = TopK().sample(scores.__call__, 12, n_slots, rng=rng)
        assert_array_equal(at_once, slot_by_slot)
        assert not np.shares_memory(at_once, scores.order)


def test_after_another_item_the_planned_ones_move_down(rng: np.random.Generator) -> None:
    mdp = reward_and_hazard(draw_request(rng), 6)
    plan = plan_exact(mdp).order
    scores = PlannedScores(mdp=mdp, order=plan)
    stranger = np.setdiff1d(np.arange(12), plan)[:1]
    assert scores(stranger)[plan].argmax() == 0
    came = scores(np.append(stranger, plan[1]))  # the first two left are plan[0] and plan[2]
    ahead = float(value_of(mdp.reward[plan[2:5]], mdp.hazard[plan[2:5]]))  # steps 3 to 5
    other = np.setdiff1d(np.arange(12), np.append(plan, stranger))[0]
    assert came[other] == pytest.approx(mdp.reward[other] + (1.0 - mdp.hazard[other]) * ahead)
    assert np.delete(came, [stranger[0], plan[1]]).max() == came[plan[0]]


def test_scores_use_rewards_and_hazards_of_the_step(rng: np.random.Generator) -> None:
    decay = 0.7 ** np.arange(4)[:, None]
    mdp = SessionMDP(reward=decay * rng.random(5), hazard=rng.random((4, 5)), n_steps=4)
    plan = best_of_all(mdp)
    for step in range(4):
        came = PlannedScores(mdp=mdp, order=plan.order)(plan.order[:step])
        ahead = plan.value_to_go[step + 1] if step < 3 else 0.0
        others = np.setdiff1d(np.arange(5), plan.order[: step + 1])
        assert_allclose(came[others], (mdp.reward[step] + (1.0 - mdp.hazard[step]) * ahead)[others])


@pytest.mark.parametrize("name", SAMPLERS)
def test_probabilities_of_all_pages_sum_to_1(name: str, rng: np.random.Generator) -> None:
    policy = session_policy(SAMPLERS[name])
    request = draw_request(rng, m=6, state=shown(101, 104))
    pages = np.array(list(permutations(range(6), 3)))
    slots = np.array([policy.slate_probability(request, page, rng=rng) for page in pages])
    probability = slots.prod(axis=1)
    stale = np.isin(pages, [1, 4])
    assert probability.sum() == pytest.approx(1.0)
    assert_array_equal(probability[stale.any(axis=1)], 0.0)
    assert_array_equal(slots[stale], 0.0)
    assert (slots[~stale.any(axis=1), 0] > 0.0).all() == (name != "TopK")
    decision = policy.act(request, rng=rng)
    assert_allclose(decision.propensity, policy.slate_probability(request, decision.chosen, rng=rng))
    for above in (decision.chosen[:0], decision.chosen[:2]):
        came = policy.slot_distribution(request, above, rng=rng)
        wanted = [
            policy.slate_probability(request, np.append(above, row), rng=rng)[-1]
            for row in (0, 1, 2, 3, 4, 5)
            if row not in above
        ]
        assert_allclose(np.delete(came, above), wanted)
        assert came.sum() == pytest.approx(1.0)
    assert_array_equal(policy.slot_distribution(request, np.array([4]), rng=rng), 0.0)


@pytest.mark.parametrize("name", SAMPLERS)
def test_nothing_is_shown_twice_in_a_session(name: str, rng: np.random.Generator) -> None:
    policy = session_policy(SAMPLERS[name])
    features, state = rng.random((12, 3)), SessionState()
    for _ in range(4):  # twice the planned length
        request = replace(draw_request(rng, state=state), features=features)
        decision = policy.act(request, rng=rng)
        state = state.after(request.item_ids[decision.chosen], np.zeros(3))
    assert len(set(state.item_ids.tolist())) == 12
    with pytest.raises(InvalidInputError, match=r"at least 3 candidates \(n_slots\) that the session has not shown"):
        policy.act(draw_request(rng, state=state), rng=rng)


@pytest.mark.parametrize("page_size", [1, 3])
def test_planning_again_changes_nothing_where_items_do_not_change(page_size: int, rng: np.random.Generator) -> None:
    """Dynamic consistency: the pages, each planned anew, are the plan of the whole session."""
    policy = session_policy(TopK(), n_steps=9)
    for _ in range(20):
        request = draw_request(rng, m=15, n_slots=page_size)
        whole = plan_exact(reward_and_hazard(request, 9)).order
        state = SessionState()
        while state.n_items < 9:
            now = replace(request, step=state.n_items, state=state)
            chosen = policy.act(now, rng=rng).chosen
            assert_array_equal(policy.rest_of_plan(now, chosen), request.item_ids[whole[state.n_items + page_size :]])
            state = state.after(request.item_ids[chosen], np.zeros(page_size))
        assert_array_equal(state.item_ids, request.item_ids[whole])


def test_planning_again_changes_nothing_where_items_change_with_the_step(rng: np.random.Generator) -> None:
    for _ in range(5):
        reward, hazard = rng.random((4, 6)), 0.5 * rng.random((4, 6))

        def rest(
            request: Request, n_steps: int, reward: FloatArray = reward, hazard: FloatArray = hazard
        ) -> SessionMDP:
            rows, steps = request.item_ids - 100, slice(request.step, request.step + n_steps)
            return SessionMDP(reward=reward[steps, rows], hazard=hazard[steps, rows], n_steps=n_steps)

        policy = SessionPolicy(mdp_of=rest, planner=best_of_all, sampler=TopK(), n_steps=4)
        state, whole = SessionState(), best_of_all(SessionMDP(reward=reward, hazard=hazard, n_steps=4)).order
        for _ in range(2):
            request = draw_request(rng, m=6, n_slots=2, state=state)
            state = state.after(request.item_ids[policy.act(request, rng=rng).chosen], np.zeros(2))
        assert_array_equal(state.item_ids, whole + 100)


@dataclass(frozen=True)
class Tiring:
    """A path model: each item shown before, of the same category, takes a third of the reward."""

    reward: FloatArray
    hazard: FloatArray
    category: IntArray
    n_steps: int
    n_before: IntArray
    """(c,) items of each category that the session showed before."""

    @property
    def n_candidates(self) -> int:
        return len(self.reward)

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        of_category = self.category[orders][..., None] == np.arange(3)
        n_alike = (of_category.cumsum(axis=-2) - of_category + self.n_before)[of_category]
        return self.reward[orders] * (2.0 / 3.0) ** n_alike.reshape(orders.shape), self.hazard[orders]


def tiring(request: Request, n_steps: int) -> Tiring:
    assert request.state is not None
    return Tiring(
        reward=request.features[:, 1],
        hazard=0.2 * request.features[:, 2],
        category=request.item_ids % 3,
        n_steps=n_steps,
        n_before=np.bincount(request.state.item_ids % 3, minlength=3),
    )


def as_of_now(model: Tiring) -> Plan:
    """Blind to what the plan itself will tire the person of."""
    reward, hazard = model.along(np.arange(model.n_candidates)[:, None])
    return plan_exact(SessionMDP(reward=reward[:, 0], hazard=hazard[:, 0], n_steps=model.n_steps))


def test_a_new_plan_is_taken_only_where_it_is_worth_more(rng: np.random.Generator) -> None:
    """Told what is left of the old plan, the session is never worth less than its first plan; untold, it may be."""
    policy = SessionPolicy(mdp_of=tiring, planner=as_of_now, sampler=TopK(), n_steps=9)
    gain = np.zeros((40, 2))  # told, untold
    for trial in range(40):
        start = draw_request(rng, m=14)
        model = tiring(start, 9)
        promised = value_of(*model.along(as_of_now(model).order))
        for told in (True, False):
            state = SessionState()
            for _ in range(3):
                request = replace(start, step=state.n_items, state=state)
                chosen = policy.act(request, rng=rng).chosen
                rest = policy.rest_of_plan(request, chosen) if told else None
                state = state.after(start.item_ids[chosen], np.zeros(3), planned=rest)
            gain[trial, 1 - told] = value_of(*model.along(state.item_ids - 100)) / promised - 1.0
    assert gain[:, 0].min() >= -1e-12
    assert gain[:, 0].max() > 0.01
    assert gain[:, 1].min() < -0.01


def test_items_that_were_planned_but_are_gone_are_passed_over(rng: np.random.Generator) -> None:
    """The old plan goes on without them, filled up from the new one."""
    policy = SessionPolicy(
        mdp_of=reward_and_hazard,
        planner=lambda mdp: Plan.of(mdp, np.argsort(mdp.reward)[: mdp.length]),  # the worst first
        sampler=TopK(),
        n_steps=7,
    )
    state = SessionState().after(np.array([100]), np.zeros(1), planned=np.array([777, 111, 110, 100]))
    assert_array_equal(state.planned, [777, 111, 110, 100])
    request = draw_request(rng, state=state)
    request.features[:, 1] = np.arange(12) / 12.0
    decision = policy.act(request, rng=rng)
    assert_array_equal(request.item_ids[decision.chosen], [111, 110, 101])
    assert_array_equal(policy.rest_of_plan(request, decision.chosen), [102, 103, 104])


def test_the_state_keeps_what_is_planned() -> None:
    state = SessionState().after(np.array(["a", "b"]), np.zeros(2), planned=np.array(["c", "d", "e"]))
    assert_array_equal(state.after(np.array(["d"]), np.zeros(1)).planned, ["c", "e"])
    assert len(SessionState().after(np.array(["a"]), np.zeros(1)).planned) == 0
    with pytest.raises(InvalidInputError, match="planned: expected each item once"):
        SessionState(planned=np.array([1, 1]))


def test_it_learns_by_what_it_is_given(rng: np.random.Generator) -> None:
    logs: list[LogBatch] = []
    policy = SessionPolicy(mdp_of=reward_and_hazard, planner=plan_exact, sampler=TopK(), n_steps=6, learn=logs.append)
    request = draw_request(rng)
    chosen = np.arange(3)
    batch = LogBatch(
        item=chosen[None],
        features=request.features[chosen][None],
        click=np.zeros((1, 3)),
        reward=np.zeros((1, 3)),
        position=chosen[None],
        session=np.zeros(1, dtype=np.int64),
        step=np.zeros(1, dtype=np.int64),
    )
    policy.update(batch)
    assert logs == [batch]


def test_plans_that_do_not_fit_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="n_steps: expected at least 1, got 0"):
        session_policy(TopK(), n_steps=0)

    def refuse(**parts: Any) -> None:
        policy = SessionPolicy(
            **({"mdp_of": reward_and_hazard, "planner": plan_exact} | parts), sampler=TopK(), n_steps=6
        )
        with pytest.raises(InvalidInputError, match=r"expected a plan of at least 3 steps \(the page\) over 12"):
            policy.act(draw_request(rng), rng=rng)

    refuse(mdp_of=lambda request, n_steps: reward_and_hazard(request, 2))
    refuse(mdp_of=lambda request, n_steps: SessionMDP(reward=np.ones(4), hazard=np.ones(4), n_steps=n_steps))
