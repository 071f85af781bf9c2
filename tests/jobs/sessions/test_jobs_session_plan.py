from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.jobs.sessions import logged as logged_session
from sojourn.jobs.sessions.from_ends import learn_from_ends, quit_models
from sojourn.jobs.sessions.learning import SessionLearning
from sojourn.jobs.sessions.log_plan import SessionPlan, plan_log
from sojourn.jobs.sessions.parts import SessionParts
from sojourn.logs import Log
from sojourn.models.quit import AnyAccepted, BoostedNoisyOr, NoisyOr
from sojourn.reporting import render

N_ITEMS = 12
APPEAL = np.linspace(-1.0, 1.0, N_ITEMS)
DULL = np.arange(N_ITEMS) % 3 == 0  # a third of the items drive people away
CLICK = 1.0 / (1.0 + np.exp(2.0 - APPEAL))
HAZARD = np.where(DULL, 0.35, 0.04)

ITEMS = pl.DataFrame({"item_id": np.arange(N_ITEMS), "appeal": APPEAL, "kind": np.where(DULL, "dull", "fine")})


def session_rows(n_sessions: int, page_size: int, *, any_accepted: bool = False, seed: int = 0) -> pl.DataFrame:
    """Sessions of at most six random pages, left by the noisy-or of the items' hazards, or unless one is accepted."""
    rng = np.random.default_rng(seed)
    rows = []
    for session in range(n_sessions):
        for page in range(6):
            shown = rng.permutation(N_ITEMS)[:page_size]
            leaves = rng.random() < (
                HAZARD[shown].prod() ** 0.5 if any_accepted else 1.0 - (1.0 - HAZARD[shown]).prod()
            )
            rows += [
                {
                    "request_id": f"{session}-{page}",
                    "session_id": f"s{session}",
                    "step": page * page_size,
                    "position": position,
                    "item_id": item,
                    "click": int(rng.random() < CLICK[item]),
                    "quit": bool(leaves),
                    "timestamp": 1_700_000_000 + 1_000 * session + page,
                }
                for position, item in enumerate(shown.tolist())
            ]
            if leaves:
                break
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def log() -> Log:
    return Log.from_frame(session_rows(500, 2), items=ITEMS)


@pytest.fixture(scope="module")
def planned(log: Log) -> SessionPlan:
    return plan_log(log, n_steps=5)


def test_the_plan_avoids_what_drives_people_away_and_greedy_does_not(planned: SessionPlan) -> None:
    found = planned.planning
    dull = DULL[found.item_ids.astype(np.int64)]
    assert not dull[found.plan.order[:3]].any()  # after the last items it hardly matters who leaves
    assert dull[found.greedy.order[:3]].any()
    assert found.gain > 0.05
    assert found.unit == "clicks"


def test_learned_hazards_are_near_the_truth(planned: SessionPlan) -> None:
    found = planned.planning
    hazard = found.mdp.by_step()[1][0]
    dull = DULL[found.item_ids.astype(np.int64)]
    assert 0.25 < hazard[dull].mean() < 0.45
    assert 0.01 < hazard[~dull].mean() < 0.09


def test_what_the_session_has_shown_is_not_planned_again(log: Log, planned: SessionPlan) -> None:
    rows = log.slots.filter(pl.col("session_id") == planned.session_id).collect()
    last = rows["request_id"][-1]
    before = set(rows.filter(pl.col("request_id") != last)["item_id"])
    assert before
    assert planned.n_seen == len(rows) - 2
    assert before.isdisjoint(planned.planning.item_ids.tolist())
    assert before | set(planned.planning.item_ids.tolist()) == set(range(N_ITEMS))


def test_a_session_may_be_named(log: Log) -> None:
    assert plan_log(log, session_id="s499", n_steps=2).session_id == "s499"
    with pytest.raises(LogError, match=r"'nobody'.*such as s0, s1, s2"):
        plan_log(log, session_id="nobody")


def test_candidates_come_from_the_table_of_requests(log: Log) -> None:
    rows = session_rows(60, 2)
    lists = rows.group_by("request_id", maintain_order=True).agg(pl.col("item_id").alias("candidates"))
    lists = lists.with_columns(pl.concat_list("candidates", pl.lit([90, 91])).list.unique())
    found = plan_log(Log.from_frame(rows, items=ITEMS, requests=lists), session_id="s0", n_steps=4)
    assert set(found.planning.item_ids.tolist()) >= {90, 91}
    assert len(found.planning.item_ids) <= 4


def test_the_model_of_pages_is_chosen_by_later_sessions() -> None:
    disliked = learn_from_ends(Log.from_frame(session_rows(900, 3, seed=1), items=ITEMS))
    assert disliked.chosen in {"noisy-or", "boosted noisy-or"}
    accepted = learn_from_ends(Log.from_frame(session_rows(900, 3, any_accepted=True, seed=3), items=ITEMS))
    assert accepted.chosen == "any accepted"
    losses = accepted.table()["log_loss"].to_list()
    assert losses == sorted(losses)
    assert losses[0] == accepted.report.log_loss.value


def test_people_who_accept_pages_get_plans_of_pages() -> None:
    log = Log.from_frame(session_rows(900, 3, any_accepted=True, seed=3), items=ITEMS)
    found = plan_log(log, n_steps=4).planning
    assert any("pages of 3 items" in note for note in found.notes)
    assert found.plan.hazard[:2].tolist() == [0.0, 0.0]  # nobody leaves within a page
    assert found.plan.hazard[2] > 0.0
    assert found.plan.value >= found.greedy.value


def test_only_models_that_can_be_told_apart_and_learned_are_candidates() -> None:
    single, pairs = (SessionParts.of(Log.from_frame(session_rows(60, k), items=ITEMS)).learned for k in (1, 2))
    assert "any accepted" not in quit_models(single)
    assert isinstance(quit_models(pairs)["any accepted"], AnyAccepted)
    assert isinstance(quit_models(single)["noisy-or"], NoisyOr)
    assert "boosted noisy-or" not in quit_models(pairs)  # a few hundred items: trees find nowhere to split
    many = SessionParts.of(Log.from_frame(session_rows(500, 2), items=ITEMS)).learned
    assert isinstance(quit_models(many)["boosted noisy-or"], BoostedNoisyOr)


def test_models_are_judged_on_sessions_that_nothing_was_chosen_by(planned: SessionPlan) -> None:
    learned = planned.learned
    assert isinstance(learned, SessionLearning)
    assert learned.n_sessions == (300, 100, 100)
    assert int(planned.session_id[1:]) >= 400
    above = learned.table().rows_by_key("model", named=True, unique=True)
    assert (above[learned.chosen]["above_chosen"], above[learned.chosen]["above_chosen_se"]) == (0.0, 0.0)
    for name, each in learned.judged.items():
        difference = each.log_loss.value - learned.report.log_loss.value
        assert above[name]["above_chosen"] == pytest.approx(difference)
    assert above["the same for all"]["above_chosen"] > 2.0 * above["the same for all"]["above_chosen_se"]


def test_a_log_of_views_is_planned_for_views() -> None:
    views = session_rows(300, 1).with_columns(click=pl.lit(1))
    found = plan_log(Log.from_frame(views, items=ITEMS), n_steps=4)
    assert found.learned.models.clicks is None
    assert found.planning.finding.startswith("If people stay with what they are shown as they did with what they chose")
    assert found.planning.unit == "views"
    assert found.planning.plan.reward.tolist() == [1.0] * 4
    assert found.planning.plan.value == pytest.approx(found.planning.plan.browse_length)
    assert "views an item" not in found.planning.finding
    page = render(found.report(subtitle="views"))
    assert "People chose what they viewed" in page
    assert "All candidates: the higher" not in page  # they are all as high
    times = views["item_id"].value_counts().rows_by_key("item_id")
    assert "keeps the order in which they came" in page
    shown = [times[item][0] for item in found.planning.item_ids[found.planning.greedy.order].tolist()]
    assert shown == sorted(shown, reverse=True)  # greedy has nothing to go by but what is shown most


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop("quit"), "add a column `quit`"),
        (lambda rows: rows.with_columns(quit=pl.lit(False)), "all 40 sessions are censored"),  # not of a part alone
        (lambda rows: rows.with_columns(session_id=pl.col("request_id")), "sessions of several pages"),
        (lambda rows: rows.with_columns(session_id=pl.lit("one")), "give each visit a session of its own"),
    ],
)
def test_a_log_that_says_nothing_of_leaving_is_refused(
    change: Callable[[pl.DataFrame], pl.DataFrame], words: str
) -> None:
    with pytest.raises(LogError, match=words):
        plan_log(Log.from_frame(change(session_rows(40, 2)), items=ITEMS))


def test_a_large_catalogue_is_cut_to_what_is_shown_most(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_session, "MOST_CANDIDATES", 3)
    found = plan_log(log, n_steps=2)
    assert len(found.planning.item_ids) == 3
    assert any("the 3 that the log shows most often" in note for note in found.notes)


def test_a_session_that_has_shown_all_leaves_nothing_to_plan() -> None:
    rows = session_rows(100, 2)
    again = pl.DataFrame(
        {
            "request_id": [f"x-{page}" for page in (0, 1)],
            "session_id": ["x", "x"],
            "step": [0, 1],
            "position": [0, 0],
            "item_id": [5, 5],
            "click": [0, 0],
            "quit": [False, True],
            "timestamp": [1, 2],
        }
    )
    lists = pl.DataFrame({"request_id": ["x-1"], "candidates": [[5]]})
    with pytest.raises(LogError, match="that the session has not shown"):
        plan_log(Log.from_frame(pl.concat([again, rows]), items=ITEMS, requests=lists), session_id="x")


def test_the_dictionary_is_json_and_the_report_tells_how_far_to_trust_it(planned: SessionPlan) -> None:
    told = json.loads(json.dumps(planned.to_dict()))
    assert told["session_id"] == planned.session_id
    assert set(told["models"]["quit_models"]) >= {"noisy-or", "any accepted", "the same for all"}
    page = render(planned.report(subtitle="a log"))
    for words in ("How well leaving is foretold", "The planned session", "predicted chance", "as the models give them"):
        assert words in page


def test_progress_is_told(log: Log) -> None:
    told: list[tuple[int, int]] = []
    learn_from_ends(log, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_steps_beyond_the_longest_session_are_called_extrapolated(log: Log) -> None:
    lengths = log.slots.group_by("session_id").len().collect().rows()
    longest_id, longest = max(lengths, key=lambda row: row[1])
    beyond = plan_log(log, session_id=longest_id, n_steps=3).notes
    assert any(f"goes on to item {longest + 1} of its session, and the longest of the log has {longest}:" in note
               for note in beyond)  # fmt: skip
    assert not any("extrapolated" in note for note in plan_log(log, session_id=longest_id, n_steps=2).notes)
