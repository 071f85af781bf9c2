from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn.errors import ConfigError
from sojourn.jobs.sessions.models import SessionModels
from sojourn.jobs.sessions.parts import session_encoder
from sojourn.jobs.sessions.storage import (
    FILE,
    SessionSoFar,
    load_session_models,
    plan_saved,
    read_session,
    save_session_models,
)
from sojourn.logs import Log
from sojourn.models import BoostedClickRate, LogisticClickRate
from sojourn.models.quit import AnyAccepted, BoostedNoisyOr, ConstantHazard, NoisyOr
from sojourn.records import LogBatch

ITEMS = pl.DataFrame({"item_id": list("abcdef"), "price": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "kind": list("xxyyzz")})
Learned = tuple[LogBatch, SessionModels]


@pytest.fixture(scope="module")
def learned() -> Learned:
    """A batch, and a noisy-or learned from it: 200 sessions of at most four pages of two of six items."""
    rng = np.random.default_rng(0)
    rows = []
    for session in range(200):
        for page in range(4):
            shown = rng.permutation(6)[:2]
            leaves = bool(rng.random() < (0.6 if 0 in shown else 0.1))
            rows += [
                {"request_id": f"{session}-{page}", "session_id": str(session), "position": position, "quit": leaves,
                 "item_id": "abcdef"[item], "click": int(rng.random() < 0.1 + 0.1 * item)}
                for position, item in enumerate(shown)
            ]  # fmt: skip
            if leaves:
                break
    log = Log.from_frame(pl.DataFrame(rows), items=ITEMS)
    encoder = session_encoder(log, clicks=True)
    batch = log.to_batch(encoder).batch
    clicks, leaving = LogisticClickRate().fit(batch), NoisyOr().fit(batch)
    return batch, SessionModels(encoder=encoder, clicks=clicks, leaving=leaving, page_size=2)


SO_FAR = SessionSoFar(pages=((["a", "b"], [0.0, 1.0]), (["c", "d"], [0.0, 0.0])))


@pytest.mark.parametrize("make", [NoisyOr, AnyAccepted, BoostedNoisyOr])
@pytest.mark.parametrize("views", [False, True])
def test_what_comes_back_plans_as_what_was_saved(
    learned: Learned, tmp_path: Path, make: Callable[[], NoisyOr], views: bool
) -> None:
    batch, models = learned
    models = replace(models, leaving=make().fit(batch), clicks=None if views else models.clicks)
    save_session_models(models, tmp_path / "deep" / "models")
    found = load_session_models(tmp_path / "deep" / "models")
    before, after = (plan_saved(each, SO_FAR, n_steps=2).to_dict() for each in (models, found))
    assert before == after


def test_candidates_are_all_items_that_were_not_shown(learned: Learned) -> None:
    found = plan_saved(learned[1], SO_FAR)
    assert sorted(found.item_ids.tolist()) == ["e", "f"]
    assert sorted(plan_saved(learned[1], SessionSoFar()).item_ids.tolist()) == list("abcdef")
    some = plan_saved(learned[1], SessionSoFar(pages=SO_FAR.pages, candidates=("f", "a", "new")))
    assert some.item_ids.tolist() == ["f", "new"]


def test_the_past_of_the_session_counts(learned: Learned) -> None:
    fresh = plan_saved(learned[1], SessionSoFar(candidates=("e", "f")))
    later = plan_saved(learned[1], SessionSoFar(pages=SO_FAR.pages, candidates=("e", "f")))
    assert not np.allclose(fresh.mdp.by_step()[1][0], later.mdp.by_step()[1][0])


def test_a_session_is_read_from_json(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    told = {"pages": [{"item_ids": ["a", "b"], "click": [0, 1]}], "candidates": ["c"], "context": {"hour": 3}}
    path.write_text(json.dumps(told))
    found = read_session(path)
    assert (found.pages, found.candidates, found.context) == (((["a", "b"], [0.0, 1.0]),), ("c",), {"hour": 3})
    path.write_text("{}")
    assert read_session(path).pages == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"page": 1}', '{"pages": [1]}', '{"pages": [{"item_ids": [1]}]}', '{"context": 3}']
)
def test_a_session_that_cannot_be_read_gets_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.json").write_text(text)
    with pytest.raises(ConfigError, match=r"session\.json: expected JSON with pages"):
        read_session(tmp_path / "session.json")
    with pytest.raises(ConfigError, match="expected JSON with pages"):
        read_session(tmp_path / "nowhere.json")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"encoder": "{}", "clicks": null, "leaving": "x", "page_size": 1}'])
def test_models_that_cannot_be_read_get_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match="sojourn plan LOG --out"):
        load_session_models(tmp_path)


def test_what_cannot_be_stored_is_refused(learned: Learned, tmp_path: Path) -> None:
    batch, models = learned
    with pytest.raises(ConfigError, match="items do not tell who leaves"):
        save_session_models(replace(models, leaving=ConstantHazard().fit(batch)), tmp_path)
    with pytest.raises(ConfigError, match="expected a LogisticClickRate, got BoostedClickRate"):
        save_session_models(replace(models, clicks=BoostedClickRate()), tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        save_session_models(models, tmp_path / "file")


def test_candidates_must_be_left_and_known(learned: Learned) -> None:
    with pytest.raises(ConfigError, match="all have been"):
        plan_saved(learned[1], SessionSoFar(pages=SO_FAR.pages, candidates=("a", "b")))
    with pytest.raises(ConfigError, match="that the models know"):
        plan_saved(learned[1], SessionSoFar(candidates=("new", "newer")))


def test_ids_must_be_of_the_type_of_those_known(learned: Learned) -> None:
    numbered = replace(learned[1].encoder.encoder, item_ids=np.arange(6))
    models = replace(learned[1], encoder=replace(learned[1].encoder, encoder=numbered))
    with pytest.raises(ConfigError, match=r"expected ids like \[0, 1, 2\], got \['a', 'b'\]"):
        plan_saved(models, SO_FAR)
