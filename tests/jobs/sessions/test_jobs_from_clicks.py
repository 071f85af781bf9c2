from __future__ import annotations

import json
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.jobs.sessions.click_learning import SAME, ClickLearning
from sojourn.jobs.sessions.from_clicks import learn_from_clicks, survival_models
from sojourn.jobs.sessions.log_plan import SessionPlan, plan_log
from sojourn.logs import Log
from sojourn.planning import plan_session
from sojourn.records import FloatArray, SessionMDP, value_of
from sojourn.reporting import render

N_ITEMS, N_SLOTS = 40, 8


class World(NamedTuple):
    """Each item's click rate and hazard, and the items as a table."""

    click: FloatArray
    hazard: FloatArray
    items: pl.DataFrame


@pytest.fixture(scope="module")
def world() -> World:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(N_ITEMS, 2))
    items = pl.DataFrame({"item_id": np.arange(N_ITEMS), "appeal": x[:, 0], "dullness": x[:, 1]})
    return World(1 / (1 + np.exp(1.5 - 0.8 * x[:, 0])), 1 / (1 + np.exp(2.0 - 1.5 * x[:, 1])), items)


def pages(world: World, n: int, *, seed: int = 0) -> pl.DataFrame:
    """Pages of random items, read from the top until the reader leaves; clicks are all that is logged."""
    rng = np.random.default_rng(seed)
    item = rng.permuted(np.tile(np.arange(N_ITEMS), (n, 1)), axis=1)[:, :N_SLOTS]
    stays = rng.random(item.shape) >= world.hazard[item]
    seen = np.cumprod(np.concatenate([np.ones((n, 1)), stays[:, :-1]], axis=1), axis=1) > 0
    click = seen & (rng.random(item.shape) < world.click[item])
    return pl.DataFrame(
        {
            "request_id": np.repeat([f"r{i}" for i in range(n)], N_SLOTS),
            "position": np.tile(np.arange(N_SLOTS), n),
            "item_id": item.ravel(),
            "click": click.ravel().astype(int),
        }
    )


@pytest.fixture(scope="module")
def planned(world: World) -> SessionPlan:
    return plan_log(Log.from_frame(pages(world, 3_000), items=world.items), hazard="clicks", n_steps=8)


@pytest.fixture(scope="module")
def learned(planned: SessionPlan) -> ClickLearning:
    assert isinstance(planned.learned, ClickLearning)
    return planned.learned


def test_plans_from_clicks_alone_are_near_the_best(planned: SessionPlan, world: World) -> None:
    found = planned.planning
    ids = found.item_ids.astype(np.int64)

    def truth(rows: np.ndarray) -> float:
        return float(value_of(world.click[ids[rows]], world.hazard[ids[rows]]))

    best = plan_session(SessionMDP(reward=world.click, hazard=world.hazard, n_steps=8)).value
    assert truth(found.plan.order) > 0.95 * best
    assert truth(found.plan.order) > 1.1 * truth(found.greedy.order)


def test_attraction_and_hazard_are_near_the_truth(planned: SessionPlan, world: World) -> None:
    reward, hazard = (each[0] for each in planned.planning.mdp.by_step())
    ids = planned.planning.item_ids.astype(np.int64)
    assert np.corrcoef(hazard, world.hazard[ids])[0, 1] > 0.95
    assert np.corrcoef(reward, world.click[ids])[0, 1] > 0.95
    assert hazard.mean() == pytest.approx(world.hazard.mean(), rel=0.25)


def test_the_model_is_chosen_and_judged_on_different_later_sessions(learned: ClickLearning) -> None:
    assert learned.n_sessions == (1_800, 600, 600)
    assert learned.chosen != SAME
    lead = learned.above_same[learned.chosen]
    assert lead.value > 2.0 * lead.stderr
    assert (learned.above_same[SAME].value, learned.above_same[SAME].stderr) == (0.0, 0.0)
    assert set(learned.log_likelihood) == set(survival_models())
    for name, each in learned.log_likelihood.items():
        assert each.value - learned.log_likelihood[SAME].value == pytest.approx(learned.above_same[name].value)


def test_the_notes_say_what_it_rests_on_and_what_z_says(learned: ClickLearning, planned: SessionPlan) -> None:
    assert abs(learned.fit.z) < 3.0
    assert f"(z = {learned.fit.z:+.1f}; chance alone makes 2 or less)" in learned.notes[-1]
    assert "taken as the models give them" in " ".join(planned.notes)
    assert set(learned.notes) < set(planned.notes)


def test_warnings_of_the_fit_are_told(learned: ClickLearning) -> None:
    doubtful = replace(learned, fit=replace(learned.fit, z=-7.0, warnings=("z = -7.0: they skip slots",)))
    assert doubtful.notes[-1] == "The fit warns: z = -7.0: they skip slots."
    assert not any("does not speak against it" in note for note in doubtful.notes)


def test_where_all_items_drive_away_alike_the_plan_is_the_greedy_order(world: World) -> None:
    alike = world._replace(hazard=np.full(N_ITEMS, 0.1))
    found = plan_log(Log.from_frame(pages(alike, 1_500, seed=3), items=world.items), hazard="clicks", n_steps=5)
    assert isinstance(found.learned, ClickLearning)
    assert found.learned.chosen == SAME
    assert "do not tell which items make people leave" in found.learned.finding
    assert found.planning.gain < 0.02


def test_session_ends_are_not_needed_and_not_used(world: World) -> None:
    rows = pages(world, 400)
    plain, ended = (Log.from_frame(each, items=world.items) for each in (rows, rows.with_columns(quit=pl.lit(True))))
    assert learn_from_clicks(plain).to_dict() == learn_from_clicks(ended).to_dict()


def test_it_can_be_told_stored_and_drawn(planned: SessionPlan) -> None:
    told = json.loads(json.dumps(planned.to_dict()))
    assert told["models"]["learned_from"] == "clicks"
    assert told["models"]["z"] == pytest.approx(planned.learned.to_dict()["z"])
    page = render(planned.report(subtitle="a log"))
    for words in ("How well clicks tell who leaves", "by item", "seen and clicked", "No session ends were used"):
        assert words in page


def test_progress_is_told(world: World) -> None:
    told: list[tuple[int, int]] = []
    learn_from_clicks(
        Log.from_frame(pages(world, 300), items=world.items), progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pl.col("position") == 0, "whole pages of several items to tell from clicks who left, got one position"),
        (pl.col("click") == 1, "clicks and items without a click, got clicks alone"),
        (pl.col("click") == 0, "clicks and items without a click, got no click alone"),
    ],
)
def test_a_log_whose_clicks_tell_nothing_gets_a_sentence(world: World, change: pl.Expr, words: str) -> None:
    with pytest.raises(LogError, match=words):
        plan_log(Log.from_frame(pages(world, 300).filter(change), items=world.items), hazard="clicks")


def test_slots_logged_one_by_one_are_no_pages(world: World) -> None:
    log = Log.from_frame(pages(world, 300), items=world.items, whole_pages=False)
    with pytest.raises(LogError, match="slots logged one by one"):
        learn_from_clicks(log)
