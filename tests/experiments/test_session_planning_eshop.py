from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from experiments.session_planning.eshop import HISTORY, batches, load, months, scores

from sojourn.logs import Log
from sojourn.models.quit import ConstantHazard, NoisyOr


@pytest.fixture(scope="module")
def log(data_dir: Path) -> Log:
    return load(data_dir / "eshop")


def some_sessions(log: Log) -> Log:
    """Every eighth session, whole."""
    return replace(log, slots=log.slots.filter(pl.col("session_id").cast(pl.Int64) % 8 == 0))


@pytest.mark.data
def test_sessions_are_parted_whole_by_their_month(log: Log) -> None:
    learned, judged = months(log, 4, 6), months(log, 7, 8)
    ids = [set(part.sessions()["session_id"]) for part in (learned, judged)]
    assert [len(part) for part in ids] == [17_031, 6_995]
    assert not ids[0] & ids[1]
    assert sum(len(part.slots.collect()) for part in (learned, judged)) == 165_474


@pytest.mark.data
def test_the_history_tells_who_leaves_and_the_item_little(log: Log) -> None:
    """An eighth of the sessions is enough for the order of the table."""
    parts = some_sessions(months(log, 4, 6)), some_sessions(months(log, 7, 8))
    items, history = batches(*parts, history=False), batches(*parts, history=True)
    assert history[0].features.shape[2] == items[0].features.shape[2] + HISTORY.n_features
    constant, of_item, of_both = (
        scores(model.fit(train), test)
        for model, (train, test) in ((ConstantHazard(), items), (NoisyOr(), items), (NoisyOr(), history))
    )
    assert constant["auc"] == 0.5
    assert of_both["log_loss"] < constant["log_loss"] - 0.01
    assert of_both["auc"] > of_item["auc"] + 0.05 > 0.57
    assert of_both["ece"] < 0.03
    assert constant["n"] == of_both["n"] == len(parts[1].slots.collect())
