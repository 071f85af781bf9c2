"""The experiment on session values: its world's truth, how often intervals hold it, and its tables."""

from __future__ import annotations

import json
from itertools import permutations

import numpy as np
import pytest
from experiments.session_values import tables
from experiments.session_values.run import HERE, STUDIES, Sizes
from experiments.session_values.world import PEOPLE, ScoredPolicy, StayWorld, rounds_of
from experiments.studies import Unit, play

from sojourn.evaluation import (
    SessionDoublyRobust,
    SessionEstimator,
    WeightedSessions,
    cross_fitted_to_go,
    target_propensity,
    with_states,
)


@pytest.fixture(scope="module")
def world() -> StayWorld:
    return StayWorld.draw(np.random.default_rng(0), n_items=6, page_size=2, n_pages=2)


def test_the_truth_is_a_sum_over_all_orders(world: StayWorld) -> None:
    scores = world.scores(towards_stay=0.5)
    strength = np.exp(scores)
    clicks, items = 0.0, 0.0
    for order in permutations(range(6), 4):
        left = strength.sum() - np.concatenate([[0.0], np.cumsum(strength[list(order)])[:-1]])
        chance = np.prod(strength[list(order)] / left)
        for likes, leaves in PEOPLE:
            stays = np.prod(1.0 - leaves * world.hazard[list(order[:2])])
            here, later = world.attraction[list(order[:2])].sum(), world.attraction[list(order[2:])].sum()
            clicks += chance * likes * (here + stays * later) / 2.0
            items += chance * (2.0 + 2.0 * stays) / 2.0
    assert world.value(scores) == pytest.approx((clicks, items), rel=1e-12)


def test_logs_have_the_truth_and_the_propensities_of_their_policy(world: StayWorld) -> None:
    scores = world.scores(towards_stay=0.5)
    batch = world.log(scores, 20_000, rng=np.random.default_rng(1))
    clicks = np.bincount(batch.session, weights=batch.click.sum(axis=1))
    assert abs(clicks.mean() - world.value(scores)[0]) < 3.5 * clicks.std() / len(clicks) ** 0.5
    few = batch.take(batch.session < 200)
    assert few.propensity is not None
    np.testing.assert_allclose(world.target(scores, few), few.propensity)
    policy = ScoredPolicy(scores)
    rounds = with_states(rounds_of(world, few), few, policy)
    asked = target_propensity(policy, rounds, width=2, rng=np.random.default_rng(2))
    np.testing.assert_allclose(asked, few.propensity)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    world = StayWorld.draw(np.random.default_rng(4), n_items=8, page_size=2, n_pages=3)
    mu, pi = (world.scores(towards_stay=each) for each in (0.0, 0.5))
    truth = world.value(pi)[0] - world.value(mu)[0]
    rng = np.random.default_rng(5)
    held, gap, spread = [], [], []
    for _ in range(600):
        batch = world.log(mu, 600, rng=rng)
        new = SessionEstimator().estimate(batch, world.target(pi, batch))
        assert batch.propensity is not None
        difference = new.minus(SessionEstimator().estimate(batch, batch.propensity))
        held.append(truth in difference)
        gap.append(difference.value - truth)
        spread.append(difference.stderr)
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.mean(spread) == pytest.approx(np.std(gap), rel=0.1)
    assert abs(np.mean(gap)) < 4.0 * np.std(gap) / 600**0.5 + 0.002  # normalized: a little biased


def test_predictions_of_what_is_to_come_make_the_value_surer() -> None:
    world = StayWorld.draw(np.random.default_rng(0), n_items=8, page_size=2, n_pages=3)
    scores = world.scores(towards_stay=0.5)
    batch = world.log(world.scores(towards_stay=0.0), 600, rng=np.random.default_rng(2))
    target, (prediction,) = cross_fitted_to_go(
        batch, rounds_of(world, batch), ScoredPolicy(scores), rng=np.random.default_rng(3)
    )
    np.testing.assert_allclose(target, world.target(scores, batch))
    log = WeightedSessions(batch, target)
    plain = SessionEstimator(normalized=False).estimate_on(log)
    robust = SessionDoublyRobust(normalized=False, prediction=prediction).estimate_on(log)
    assert robust.stderr < 0.9 * plain.stderr
    assert abs(robust.value - world.value(scores)[0]) < 3.5 * robust.stderr


def test_tables_are_made_from_records_alone() -> None:
    sizes = Sizes(n_logs=2, n_logs_dr=1)
    units = [Unit(study="intervals", setting="0.3, 1000", seed=0, sizes=sizes)]
    units += [Unit(study="predictions", setting="-0.6, 1000", seed=0, sizes=sizes)]
    records = [play(STUDIES, unit) for unit in units]
    made = tables.made(json.loads(json.dumps(records)))
    assert made["how it was run"].startswith("1 worlds; 0 minutes")
    lines = made["coverage by effective sessions"].splitlines()
    assert len(lines) == 3
    assert lines[2].split(" | ")[1] == "2"
    assert made["coverage of the estimators"].count("PDIS") == 6
    assert made["what predictions add"].count("DR (prefix") == 2


def test_the_tables_of_the_readme_are_those_of_the_results() -> None:
    records = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    readme = (HERE / "README.md").read_text()
    for name, text in tables.made(records).items():
        assert f"<!-- {name} -->\n\n{text}\n" in readme
