from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Environment
from sojourn.records import Decision, LogBatch, Request
from sojourn.simulation import compare, worlds


def _world(seed: int) -> Environment:
    return worlds.lin(seed=seed, n_items=20)


def test_the_regret_of_the_oracle_is_exactly_zero(oracle: Any, uniform: Any) -> None:
    runs = compare({"oracle": oracle(_world), "uniform": uniform}, _world, n_rounds=60, seeds=[0, 1]).runs
    for regret in ("regret", "set_regret"):
        assert (runs.filter(pl.col("policy") == "oracle")[regret] == 0.0).all()
        assert (runs.filter(pl.col("policy") == "uniform")[regret] > 0.0).all()


def test_the_same_seeds_give_the_same_results(first: Any, uniform: Any) -> None:
    policies = {"first": first, "uniform": uniform}
    one, two = (compare(policies, _world, n_rounds=40, seeds=[3, 4]) for _ in range(2))
    assert one.runs.equals(two.runs)


def test_adding_a_policy_changes_nothing_for_the_others(first: Any, uniform: Any, oracle: Any) -> None:
    alone = compare({"uniform": uniform}, _world, n_rounds=40, seeds=[0, 1]).runs
    among = compare({"first": first, "uniform": uniform, "oracle": oracle(_world)}, _world, n_rounds=40, seeds=[0, 1])
    assert among.runs.filter(pl.col("policy") == "uniform").equals(alone)


def test_a_policy_under_two_names_is_the_same_to_the_click(uniform: Any) -> None:
    runs = compare({"one": uniform, "two": uniform}, _world, n_rounds=40, seeds=[0]).runs
    one, two = (runs.filter(pl.col("policy") == name).drop("policy") for name in ("one", "two"))
    assert one.equals(two)


def test_a_longer_run_begins_like_a_shorter_one(uniform: Any) -> None:
    short, long = (compare({"u": uniform}, _world, n_rounds=n, seeds=[0]).runs for n in (50, 100))
    shared = long.filter(pl.col("round") <= 50)
    assert shared.equals(short.join(shared.select("round"), on="round", maintain_order="left"))


def test_clicks_agree_with_their_expectation(uniform: Any) -> None:
    last = compare({"uniform": uniform}, _world, n_rounds=2_000, seeds=[0, 1]).runs.filter(pl.col("round") == 2_000)
    clicks, expected = float(last["clicks"].sum()), float(last["expected_clicks"].sum())
    assert abs(clicks - expected) < 4.5 * np.sqrt(expected)


def test_set_rewards_are_those_of_the_slates_that_were_shown() -> None:
    feed, met = _world(4), []

    class _Notes:
        name = "notes"

        def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
            met.append(request)
            return Decision(
                request_id=request.request_id,
                policy=self.name,
                chosen=np.arange(3),
                propensity=np.ones(3),
                deterministic=True,
            )

        def update(self, batch: LogBatch) -> None:
            pass

    policies: dict[str, Any] = {"notes": lambda _: _Notes()}
    last = compare(policies, _world, n_rounds=30, seeds=[4]).runs.row(-1, named=True)
    shown = sum(feed.expected_set_reward(request, np.arange(3)) for request in met)
    best = sum(feed.expected_set_reward(request, feed.best_slate(request)) for request in met)
    assert last["set_reward"] == pytest.approx(shown)
    assert last["set_regret"] == pytest.approx(best - shown)


class _Recorder:
    """A policy that keeps what it was taught."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.batches: list[LogBatch] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def update(self, batch: LogBatch) -> None:
        self.batches.append(batch)


def test_policies_are_taught_what_they_showed(uniform: Any) -> None:
    made: list[_Recorder] = []

    def make(seed: int) -> Any:
        made.append(_Recorder(uniform(seed)))
        return made[-1]

    runs = compare({"u": make}, _world, n_rounds=30, seeds=[0, 1]).runs
    assert [len(policy.batches) for policy in made] == [30, 30]
    clicks = [sum(batch.click.sum() for batch in policy.batches) for policy in made]
    assert runs.filter(pl.col("round") == 30)["clicks"].to_list() == clicks


def test_checkpoints_and_progress(uniform: Any) -> None:
    told: list[tuple[int, int]] = []
    runs = compare(
        {"u": uniform}, _world, n_rounds=250, seeds=[0, 1], progress=lambda done, total: told.append((done, total))
    ).runs
    assert len(runs) == 200
    assert runs["round"].max() == 250
    assert runs["slots"].max() == 750
    assert told[-1] == (500, 500)
    assert told == sorted(told)


def test_fewer_rounds_than_checkpoints(uniform: Any) -> None:
    assert compare({"u": uniform}, _world, n_rounds=3, seeds=[0]).runs["round"].to_list() == [1, 2, 3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"policies": {}}, "policies"),
        ({"n_rounds": 0}, "n_rounds"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [1, 1]}, "seeds"),
        ({"seeds": [-1]}, "seeds"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str, uniform: Any) -> None:
    arguments: dict[str, Any] = {"policies": {"u": uniform}, "n_rounds": 5, "seeds": [0]} | settings
    with pytest.raises(InvalidInputError, match=message):
        compare(environment=_world, **arguments)
