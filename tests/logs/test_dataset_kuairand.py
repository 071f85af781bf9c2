from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import kuairand

LOG = (
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,long_view,is_rand,tab\n"
    "0,5,20220425,0,1650812741436,1,0,0,0,1\n"
    "0,6,20220425,0,1650812934945,0,0,1,0,6\n"
)
USERS = "user_id,user_active_degree,register_days\n0,full_active,799\n"
VIDEOS = 'video_id,author_id,video_duration,music_type,tag\n5,80,87433.0,9.0,"20,43"\n6,81,,,\n'


def write(folder: Path, log: str = LOG) -> Path:
    (folder / "log_standard_4_22_to_5_08_pure.csv").write_text(log)
    (folder / "user_features_pure.csv").write_text(USERS)
    (folder / "video_features_basic_pure.csv").write_text(VIDEOS)
    return folder


def test_exposures_users_and_videos_are_read(tmp_path: Path) -> None:
    log = kuairand.load(write(tmp_path))
    slots = log.slots.collect()
    assert slots["user_id"].to_list() == ["0", "0"]
    assert slots["item_id"].to_list() == [5, 6]
    assert slots["click"].to_list() == slots["reward"].to_list() == [1, 0]
    assert slots["x_tab"].to_list() == ["1", "6"]
    assert slots["timestamp"][0].isoformat() == "2022-04-24T15:05:41.436000+00:00"
    assert slots["request_id"].n_unique() == 2
    assert slots["session_id"].n_unique() == 2  # a user's rows are not a session
    assert not log.whole_pages
    assert log.users is not None
    assert log.items is not None
    assert log.users.collect().to_dicts() == [
        {"user_id": "0", "x_user_active_degree": "full_active", "x_register_days": 799}
    ]
    assert log.items.collect().to_dict(as_series=False) == {
        "item_id": [5, 6],
        "x_author_id": ["80", "81"],  # a code
        "x_video_duration": [87433.0, None],  # a number
        "x_music_type": ["9", None],
        "x_tag": ["20,43", None],
    }


def test_the_set_invents_no_propensity_and_no_session_end(tmp_path: Path) -> None:
    log = kuairand.load(write(tmp_path))
    assert not log.has("propensity")
    assert not log.has("quit")


def test_another_outcome_can_be_the_reward(tmp_path: Path) -> None:
    slots = kuairand.load(write(tmp_path), reward="long_view").slots.collect()
    assert slots["click"].to_list() == [1, 0]
    assert slots["reward"].to_list() == [0, 1]


def test_a_log_can_be_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "mine.csv").write_text(LOG.replace("0,5,", "0,6,"))
    assert kuairand.load(tmp_path, log="mine.csv").slots.collect()["item_id"].to_list() == [6, 6]
    with pytest.raises(LogError, match=r"expected the file other\.csv"):
        kuairand.load(tmp_path, log="other.csv")


def test_a_missing_table_says_where_to_get_it(tmp_path: Path) -> None:
    (write(tmp_path) / "user_features_pure.csv").unlink()
    with pytest.raises(LogError, match=r"user_features_pure\.csv.*kuairand\.com"):
        kuairand.load(tmp_path)


def test_another_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="missing is_click"):
        kuairand.load(write(tmp_path, LOG.replace("is_click", "clicked")))


@pytest.mark.data
def test_the_standard_log_has_the_known_facts(data_dir: Path) -> None:
    log = kuairand.load(data_dir / "kuairand")
    slots = log.slots.collect()
    assert len(slots) == 94_784
    assert log.problems == ()
    assert slots["click"].mean() == pytest.approx(0.438, abs=5e-4)
    assert log.users is not None
    assert log.items is not None
    assert slots.join(log.users.collect(), on="user_id", how="anti").is_empty()
    assert slots.join(log.items.collect(), on="item_id", how="anti").is_empty()
    assert not log.has("quit")
