from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from sojourn.jobs.sessions.ordering import plan_candidates
from sojourn.jobs.sessions.planning import GREEDY, HELD, PLAN, Planning
from sojourn.planning import posterior_mean
from sojourn.records import FloatArray, Plan, SessionMDP, value_of
from sojourn.reporting import render

ITEMS = np.array(["safe", "tempting", "dull", "<b>"])
REWARD = np.array([0.2, 0.3, 0.1, 0.05])
HAZARD = np.array([0.01, 0.6, 0.02, 0.3])


def planned(reward: FloatArray = REWARD, hazard: FloatArray = HAZARD, n_steps: int = 3) -> Planning:
    return plan_candidates(ITEMS, SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps))


def best_value(reward: FloatArray, hazard: FloatArray, n_steps: int) -> float:
    orders = np.array(list(itertools.permutations(range(len(ITEMS)), n_steps)))
    return float(value_of(*SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps).along(orders)).max())


def test_the_plan_is_the_best_of_all_orders_and_says_so() -> None:
    found = planned()
    assert found.plan.value == pytest.approx(best_value(REWARD, HAZARD, 3))
    assert found.plan.bound == pytest.approx(found.plan.value)
    assert "is the optimum" in found.certificate


def test_greedy_takes_the_largest_rewards_and_the_gain_is_over_it() -> None:
    found = planned()
    assert ITEMS[found.greedy.order].tolist() == ["tempting", "safe", "dull"]
    by_hand = 0.3 + 0.4 * (0.2 + 0.99 * 0.1)
    assert found.greedy.value == pytest.approx(by_hand)
    assert found.gain == pytest.approx(best_value(REWARD, HAZARD, 3) / by_hand - 1.0)
    assert found.finding == (
        "**The plan earns 0.590 clicks a session, 40.6 % more than the greedy order** (0.420): people see 2.96 items "
        "instead of 1.80, with 0.199 clicks an item instead of 0.234."
    )


def test_values_by_step_are_those_of_the_recursion() -> None:
    steps = planned().steps(GREEDY)
    assert steps["step"].to_list() == [1, 2, 3]
    np.testing.assert_allclose(steps["survival"], [1.0, 0.4, 0.4 * 0.99])
    np.testing.assert_allclose(steps["value_to_go"], [0.3 + 0.4 * 0.299, 0.2 + 0.99 * 0.1, 0.1])


def test_values_that_change_along_the_session_get_a_bound_that_holds() -> None:
    rng = np.random.default_rng(3)
    reward, hazard = rng.random((2, 3, 4))
    found = planned(reward, 0.5 * hazard)
    best = best_value(reward, 0.5 * hazard, 3)
    assert found.plan.bound is not None
    assert found.plan.value <= best + 1e-12 <= found.plan.bound + 1e-9


def with_bound(bound: float | None) -> Planning:
    mdp = SessionMDP(reward=REWARD, hazard=HAZARD, n_steps=2)
    order = np.array([0, 1])
    plans = {PLAN: Plan.of(mdp, order, bound=bound), GREEDY: Plan.of(mdp, order)}
    return Planning(item_ids=ITEMS, mdp=mdp, plans=plans)


def test_the_certificate_tells_how_far_the_bound_is() -> None:
    value = 0.2 + 0.99 * 0.3
    assert (
        "**No order of these candidates is worth more than 0.5467 clicks**, 10 % above"
        in with_bound(1.1 * value).certificate
    )
    assert "not worked out" in with_bound(None).certificate


def test_equal_orders_are_called_equal() -> None:
    assert with_bound(1.0).finding == "**The plan and the greedy order are worth the same**: 0.497 clicks a session."


def test_worthless_candidates_have_no_gain() -> None:
    found = planned(np.zeros(4))
    assert found.gain == 0.0
    assert "worth the same" in found.finding


def test_standard_errors_lead_to_posterior_means_and_a_note() -> None:
    mdp = SessionMDP(reward=REWARD, hazard=HAZARD, n_steps=3, reward_std=np.full(4, 0.05), hazard_std=np.full(4, 0.2))
    found = plan_candidates(ITEMS, mdp)
    expected = posterior_mean(mdp)
    np.testing.assert_allclose(found.mdp.reward, expected.reward)
    np.testing.assert_allclose(found.mdp.hazard, expected.hazard)
    assert found.notes == (
        "The rewards and hazards are posterior means: estimates with large standard errors are drawn towards the mean "
        "of the candidates, so that the plan does not chase noise.",
    )


def test_what_comes_without_standard_errors_counts_as_known_and_a_note_says_so() -> None:
    assert [note[:55] for note in planned().notes] == ["The rewards and hazards come without standard errors, so"[:55]]
    half = SessionMDP(reward=REWARD, hazard=HAZARD, n_steps=3, reward_std=np.full(4, 0.05))
    drawn, known = plan_candidates(ITEMS, half).notes
    assert drawn.startswith("The rewards are posterior means")
    assert known.startswith("The hazards come without standard errors, so they count as known")
    alike = SessionMDP(reward=np.ones(4), hazard=HAZARD, n_steps=3)
    assert [note[:28] for note in plan_candidates(ITEMS, alike).notes] == ["The hazards come without sta"]


def test_a_plan_that_counts_is_certified_for_the_simpler_problem_alone() -> None:
    mdp = SessionMDP(reward=REWARD, hazard=HAZARD, n_steps=2)
    found = with_bound(None)
    exact = replace(found, held=Plan.of(mdp, np.array([0, 1]), bound=0.497))
    assert "how much better another could be is not known**" in exact.certificate
    assert (
        f"the order “{HELD}” would be worth 0.4970, and others could beat it not: that is proved" in exact.certificate
    )
    bounded = replace(found, held=Plan.of(mdp, np.array([0, 1]), bound=0.497 * 1.02))
    assert "could beat it by 2.0 % at most" in bounded.certificate
    unknown = replace(found, held=Plan.of(mdp, np.array([0, 1])))
    assert "proved" not in unknown.certificate
    assert (unknown.to_dict()["bound"], bounded.to_dict()["history_held"]["bound"]) == (None, 0.497 * 1.02)


def test_a_proviso_comes_before_the_finding() -> None:
    found = replace(planned(), proviso="If it is so")
    assert found.finding.startswith("If it is so, **the plan earns 0.590 clicks a session")
    assert replace(with_bound(1.0), proviso="If so").finding.startswith("If so, **the plan and the greedy order are")


def test_more_steps_than_candidates_show_all_of_them() -> None:
    assert sorted(planned(n_steps=9).plan.order.tolist()) == [0, 1, 2, 3]


def test_the_dictionary_is_json_and_holds_every_strategy_step_by_step() -> None:
    found = planned()
    told = json.loads(json.dumps(found.to_dict()))
    assert [each["strategy"] for each in told["strategies"]] == ["plan", "greedy", "ratio", "compromise"]
    plan = told["strategies"][0]
    assert [each["item_id"] for each in plan["steps"]] == ITEMS[found.plan.order].tolist()
    assert plan["value"] == pytest.approx(sum(each["reward"] * each["survival"] for each in plan["steps"]))
    assert plan["items"] == pytest.approx(sum(each["survival"] for each in plan["steps"]))
    assert plan["click_rate"] == pytest.approx(plan["value"] / plan["items"])
    assert (told["n_candidates"], told["n_steps"], told["gap"]) == (4, 3, pytest.approx(0.0, abs=1e-9))


def test_the_report_draws_every_strategy_and_escapes_names() -> None:
    page = render(planned(n_steps=4).report(subtitle="four items"))
    for words in ("The planned session", "still there at each item", "greedy order", "is the optimum", "&lt;b&gt;"):
        assert words in page
    assert "<td><b></td>" not in page


def test_the_report_of_changing_values_says_that_points_are_means() -> None:
    changing = np.stack([REWARD, 0.5 * REWARD, 0.2 * REWARD])
    assert "Means over the steps" in render(planned(changing).report(subtitle=""))
    assert "Means over the steps" not in render(planned().report(subtitle=""))
