from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from experiments.age import kuairand, new_videos
from experiments.age.kuairand_contenders import (
    CONTENDERS,
    Day,
    Settings,
    code_columns,
    listed_marks,
    logistic_curve,
    network_curve,
    network_rate,
)
from experiments.age.kuairand_tuning import N_TRIALS, trials

from sojourn.logs import FieldEncoder, Log
from sojourn.models.deep.networks import MLP
from sojourn.records import Categorical, FieldLayout, FloatArray, LogBatch, MultiHot

LAYOUT = FieldLayout(
    fields=(Categorical("user_id", 3), Categorical("item_id", 3, "item"), MultiHot("x_tag", 3, "item")),
    item_id="item_id",
)


def day(features: list[list[float]], click: FloatArray) -> Day:
    n = len(click)
    whole = np.zeros((n, 1), dtype=np.int64)
    batch = LogBatch(
        item=whole,
        features=np.array(features)[:, None],
        click=click[:, None],
        reward=click[:, None],
        position=whole,
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )
    return Day(layout=LAYOUT, batch=batch)


def clicks_follow_the_user(n: int, rng: np.random.Generator) -> Day:
    user = rng.integers(1, 3, size=n)
    click = (rng.random(n) < np.where(user == 1, 0.9, 0.1)).astype(float)
    return day([[float(u), float(rng.integers(0, 3)), 1.0, 0.0, 0.0] for u in user], click)


def test_measures_by_hand() -> None:
    found = kuairand.measures(np.array([0.8, 0.4, 0.6]), np.array([1.0, 0.0, 0.0]))
    assert found == pytest.approx({"auc": 1.0, "log_loss": -np.log([0.8, 0.6, 0.4]).mean(), "pcoc": 1.8, "n": 3.0})


def test_marks_are_listed_for_the_peer() -> None:
    marks = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert listed_marks(marks, 2).tolist() == [[2, 3], [0, 0], [1, 0]]
    assert code_columns(LAYOUT) == [0, 1]


def test_a_video_is_new_where_its_code_is_unknown() -> None:
    judged = day([[1, 0, 0, 0, 0], [0, 2, 1, 0, 0]], np.array([0.0, 1.0]))
    assert new_videos.is_new(judged).tolist() == [True, False]


def test_contenders_find_what_clicks_follow(rng: np.random.Generator) -> None:
    learned, judged = clicks_follow_the_user(20_000, rng), clicks_follow_the_user(2_000, rng)
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    (by_logistic,) = logistic_curve(learned, judged, Settings(penalty=1.0), 0)
    assert by_logistic == pytest.approx(entropy, abs=0.06)
    settings = Settings(learning_rate=0.02, epochs=2)
    by_network = network_curve(MLP, learned, judged, settings, 0)
    assert len(by_network) == 2
    assert by_network[-1] == pytest.approx(entropy, abs=0.06)
    rate = network_rate(MLP, learned, judged, settings, 0)
    assert rate[judged.features[:, 0] == 1].mean() == pytest.approx(0.9, abs=0.05)


def test_all_networks_try_the_same_settings_but_for_the_penalty() -> None:
    tried = [list(trials(each)) for each in CONTENDERS]
    assert {len(each) for each in tried} == {N_TRIALS}
    shared = [[(s.learning_rate, s.size, s.dropout, s.epochs) for s in each] for each in tried[1:]]
    assert all(each == shared[0] for each in shared)
    strength = [[c.penalties.index(s.penalty) for s in each] for c, each in zip(CONTENDERS[1:], tried[1:], strict=True)]
    assert all(each == strength[0] for each in strength)


def test_days_begin_at_midnight_of_utc_8() -> None:
    moments = ["2022-04-28T15:59:59Z", "2022-04-28T16:00:00Z", "2022-04-29T16:00:00Z"]
    frame = pl.DataFrame({"request_id": [0, 1, 2], "item_id": 1, "position": 0, "click": 0, "timestamp": moments})
    log = Log.from_frame(frame)
    assert [len(kuairand.days(log, day, day).slots.collect()) for day in (28, 29, 30)] == [1, 1, 1]


@pytest.mark.data
def test_days_and_users_are_parted_whole(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(data_dir))
    log = kuairand.load(kuairand.FULL)
    learned, judged = kuairand.days(log, 24, 28), kuairand.days(log, 29, 30)
    assert [len(part.slots.collect()) for part in (learned, judged)] == [57_855, 36_929]
    unknown = FieldEncoder.fit(learned, columns=[], user_id=True, min_count=1).unknown(judged)
    assert unknown == pytest.approx({"user_id": 0.2741, "item_id": 0.0217}, abs=5e-5)


@pytest.mark.data
def test_small_studies_play(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(data_dir))
    for study in (kuairand, new_videos):
        monkeypatch.setattr(study, "present", lambda: CONTENDERS[:1])
    measures = kuairand.play(kuairand.SETTINGS[0], 0, kuairand.SMALL)
    auc = measures["logistic regression"]["auc"]
    assert isinstance(auc, float)
    assert auc > 0.6
    by_kind = new_videos.play(new_videos.SETTINGS[0], 0, kuairand.SMALL)["logistic regression"]
    of_new, of_known = (by_kind[f"{kind}_n"] for kind in ("new", "known"))
    assert isinstance(of_new, float)
    assert isinstance(of_known, float)
    judged = kuairand.days(kuairand.load(kuairand.SMALL), 26, 30)
    assert of_new + of_known == len(judged.slots.collect())
    assert of_known > of_new > 0
