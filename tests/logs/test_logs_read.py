from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs import Log, read_log, summarize

SLOTS = pl.DataFrame(
    {
        "request_id": ["a", "a", "b", "c", "c"],
        "session_id": ["s", "s", "s", "t", "t"],
        "user_id": ["u", "u", "u", "v", "v"],
        "timestamp": [3, 3, 4, 1, 1],
        "item_id": [10, 11, 10, 12, 13],
        "position": [0, 1, 0, 0, 1],
        "click": [0, 1, 0, 1, 1],
        "quit": [None, None, True, None, None],
        "x_flag": [True, False, None, True, False],
        "x_1": [0.5, 1.5, 2.0, 3.0, 4.0],
    }
)
OPEN_BANDIT = """,timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0
0,2019-11-24 00:00:13.292697+00:00,14,3,0,0.05,c4a9,0.0
1,2019-11-24 00:00:13.292698+00:00,15,1,1,0.25,c4a9,2.0
"""


def write(frame: pl.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_ndjson(path)
    return path


def contents(log: Log) -> pl.DataFrame:
    return log.slots.drop("file").collect()


def test_what_a_log_does_not_name_is_filled_in() -> None:
    slots = Log.from_frame(SLOTS).slots.collect()
    assert slots["step"].to_list() == [0, 0, 2, 0, 0]  # items browsed in the session before the request
    assert slots["reward"].to_list() == [0.0, 1.0, 0.0, 1.0, 1.0]
    assert slots["row"].to_list() == [1, 2, 3, 4, 5]
    assert slots["timestamp"][0] == datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC)
    alone = Log.from_frame(SLOTS.drop("session_id")).slots.collect()
    assert alone["session_id"].to_list() == alone["request_id"].to_list()
    assert alone["step"].to_list() == [0] * 5


def test_steps_follow_the_clock_where_there_is_one() -> None:
    later_first = SLOTS.with_columns(pl.lit("s").alias("session_id"))
    assert Log.from_frame(later_first).slots.collect()["step"].to_list() == [2, 2, 4, 0, 0]
    assert Log.from_frame(later_first.drop("timestamp")).slots.collect()["step"].to_list() == [0, 0, 2, 3, 3]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1706695200, 1706695200.5], [(10, 0), (10, 500_000)]),
        ([1706695200000, 1706695200500], [(10, 0), (10, 500_000)]),
        (["2024-01-31", "2024-01-31T10:00:00.5Z"], [(0, 0), (10, 500_000)]),
        (["2024-01-31 12:00:00+02:00", "2024-01-31 10:00:00"], [(10, 0), (10, 0)]),
        ([datetime(2024, 1, 31, 10), None], [(10, 0), None]),
        ([datetime(2024, 1, 31, 10).date(), None], [(0, 0), None]),
    ],
)
def test_times_come_in_many_forms(values: list[Any], expected: list[tuple[int, int] | None]) -> None:
    frame = pl.DataFrame(
        {"request_id": [1, 2], "item_id": 1, "position": 0, "click": 0, "timestamp": values}, strict=False
    )
    log = Log.from_frame(frame)
    wanted = [each and datetime(2024, 1, 31, each[0], 0, 0, each[1], tzinfo=UTC) for each in expected]
    assert log.problems == ()
    assert log.slots.collect()["timestamp"].to_list() == wanted


def test_types_of_other_tools_are_understood() -> None:
    frame = pl.DataFrame(
        {
            "request_id": [1.0, 1.0, 2.0],  # whole numbers that met a null in pandas
            "item_id": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
            "position": pl.Series([0, 1, 0], dtype=pl.UInt8),
            "click": [True, False, True],
            "seen": [1, 1, 1],
            "x_kind": pl.Series(["p", "q", "p"], dtype=pl.Enum(["p", "q"])),
        }
    )
    slots = Log.from_frame(frame, strict=True).slots.collect()
    assert slots["request_id"].to_list() == ["1", "1", "2"]
    assert slots["item_id"].to_list() == ["x", "y", "x"]
    assert slots["click"].to_list() == [1, 0, 1]
    assert slots["seen"].to_list() == [True, True, True]
    assert slots["x_kind"].to_list() == ["p", "q", "p"]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "ndjson"])
def test_every_format_gives_the_same_log(tmp_path: Path, suffix: str) -> None:
    log = read_log(write(SLOTS, tmp_path / f"f.{suffix}"))
    assert log.problems == ()
    assert_frame_equal(contents(log), contents(Log.from_frame(SLOTS)))
    assert set(log.slots.collect()["file"]) == {f"f.{suffix}"}


TEXT = st.text("ab,\"'\n ;|0é", min_size=1, max_size=5).map(lambda text: f"k{text}k")
NUMBERS = st.floats(-1e9, 1e9, width=64)


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    n = sum(sizes)
    names = draw(st.lists(TEXT, min_size=len(sizes), max_size=len(sizes), unique=True))
    item = TEXT if draw(st.booleans()) else st.integers(-(2**40), 2**40)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    return pl.DataFrame(
        {
            "request_id": [name for name, size in zip(names, sizes, strict=True) for _ in range(size)],
            "session_id": column(TEXT),
            "timestamp": column(st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1))),
            "step": column(st.integers(0, 9)),
            "position": [position for size in sizes for position in range(size)],
            "item_id": draw(st.lists(item, min_size=n, max_size=n, unique=True)),
            "propensity": column(st.floats(1e-6, 1.0)),
            "click": column(st.integers(0, 1)),
            "reward": column(NUMBERS),
            "seen": [True] * n,
            "x_number": column(NUMBERS),
            "x_text": column(TEXT),
        },
        schema_overrides={"timestamp": pl.Datetime("us")},
    )


@settings(max_examples=25, deadline=None)
@given(frame=frames(), suffix=st.sampled_from(["parquet", "csv", "jsonl"]))
def test_round_trips(tmp_path_factory: pytest.TempPathFactory, frame: pl.DataFrame, suffix: str) -> None:
    log = Log.from_frame(frame)
    assert log.problems == ()
    folder = tmp_path_factory.mktemp("trip")
    again = read_log(write(frame, folder / f"f.{suffix}"))
    assert_frame_equal(contents(again), contents(log), check_exact=True)
    log.write(folder / "written.parquet")
    assert_frame_equal(contents(read_log(folder / "written.parquet")), contents(log), check_exact=True)


def test_a_bad_value_in_a_text_file_is_named_with_its_file_and_row(tmp_path: Path) -> None:
    write(SLOTS, tmp_path / "a.csv")
    write(SLOTS.with_columns(request_id=pl.lit("z") + pl.col("request_id")), tmp_path / "b.csv")
    text = (tmp_path / "b.csv").read_text().replace("zb,s,u,4,10,0,0", "zb,s,u,4,10,0,zero")
    (tmp_path / "b.csv").write_text(text)
    for path in (tmp_path, tmp_path / "*.csv", [tmp_path / "a.csv", tmp_path / "b.csv"]):
        log = read_log(path)
        (problem,) = log.problems
        assert problem.examples == ("b.csv:3: click = 'zero'",)
        assert len(log.slots.collect()) == 9
    with pytest.raises(LogError, match=r"b\.csv:3: click = 'zero'"):
        read_log(tmp_path, strict=True)


def test_a_late_feature_of_another_type_is_named(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"request_id": range(1500), "item_id": 1, "position": 0, "click": 0, "x_1": ["1.5"] * 1499 + ["?"]}
    )
    (problem,) = read_log(write(frame, tmp_path / "f.csv")).problems
    assert problem.examples == ("f.csv:1500: x_1 = '?'",)


@pytest.mark.parametrize(("ids", "expected"), [(["007", "7"], ["007", "7"]), (["7", "-8"], [7, -8])])
def test_csv_ids_are_numbers_only_if_nothing_is_lost(tmp_path: Path, ids: list[str], expected: list[object]) -> None:
    frame = pl.DataFrame({"request_id": "r", "item_id": ids, "position": [0, 1], "click": 0})
    write(pl.DataFrame({"item_id": ids, "price": [1, 2]}), tmp_path / "items.csv")
    log = read_log(write(frame, tmp_path / "log.csv"), items=tmp_path / "items.csv")
    assert log.items is not None
    assert log.slots.collect()["item_id"].to_list() == expected
    assert log.items.collect()["item_id"].to_list() == expected


def test_ids_of_files_that_disagree_become_text(tmp_path: Path) -> None:
    for name, item in (("a", "1"), ("b", "x")):
        write(
            pl.DataFrame({"request_id": name, "item_id": [item], "position": 0, "click": 0}), tmp_path / f"{name}.csv"
        )
    assert read_log(tmp_path).slots.collect()["item_id"].to_list() == ["1", "x"]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_a_folder_brings_its_tables(tmp_path: Path, suffix: str) -> None:
    write(SLOTS, tmp_path / f"log.{suffix}")
    write(pl.DataFrame({"item_id": [10, 14], "price": [1.0, 2.0]}), tmp_path / f"items.{suffix}")
    write(pl.DataFrame({"user_id": ["u", "v"], "age": [30, 40]}), tmp_path / f"users.{suffix}")
    lists: list[Any] = ["10 11", "12 13 14"] if suffix == "csv" else [[10, 11], [12, 13, 14]]
    write(pl.DataFrame({"request_id": ["a", "c"], "candidates": lists}), tmp_path / f"requests.{suffix}")
    write(SLOTS, tmp_path / "notes.csv")  # not the log, since there is a log.*
    log = read_log(tmp_path)
    assert log.problems == ()
    assert log.items is not None
    assert log.users is not None
    assert log.requests is not None
    assert log.items.collect().rows() == [(10, 1.0), (14, 2.0)]
    assert log.users.collect().rows() == [("u", 30), ("v", 40)]
    assert log.requests.collect()["candidates"].to_list() == [[10, 11], [12, 13, 14]]
    log.write(tmp_path / "copy")
    again = read_log(tmp_path / "copy")
    assert_frame_equal(contents(again), contents(log))
    assert again.requests is not None
    assert_frame_equal(again.requests.collect(), log.requests.collect())


def test_open_bandit_is_read_as_it_is(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "all.csv.gz", "wt") as file:
        file.write(OPEN_BANDIT)
    log = read_log(tmp_path / "all.csv.gz")
    assert log.problems == ()
    assert not log.whole_pages
    slots = log.slots.collect()
    assert slots["request_id"].to_list() == ["1", "2"]
    assert slots["position"].to_list() == [2, 0]
    assert slots["propensity"].to_list() == [0.05, 0.25]
    assert slots["timestamp"][0] == datetime(2019, 11, 24, 0, 0, 13, 292697, tzinfo=UTC)
    assert slots["user_feature_0"].to_list() == ["c4a9", "c4a9"]
    assert slots["user-item_affinity_0"].to_list() == [0.0, 2.0]
    log.write(tmp_path / "written.parquet")
    again = read_log(tmp_path / "written.parquet")
    assert not again.whole_pages
    assert_frame_equal(contents(again), contents(log))


def test_rows_of_several_open_bandit_files_stay_apart(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(OPEN_BANDIT)
    log = read_log(tmp_path)
    assert log.problems == ()
    assert log.slots.collect()["request_id"].to_list() == ["a.csv:1", "a.csv:2", "b.csv:1", "b.csv:2"]


def test_what_cannot_be_read_is_a_log_error(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no such file"):
        read_log(tmp_path / "absent.csv")
    with pytest.raises(LogError, match="nothing there"):
        read_log(tmp_path)
    (tmp_path / "f.txt").write_text("a")
    with pytest.raises(LogError, match=r"expected a file that ends in \.parquet"):
        read_log(tmp_path / "f.txt")
    (tmp_path / "f.csv").write_text("request_id,item_id,position,click\na,1,0,0\na,1,0,0,9\n")
    with pytest.raises(LogError, match=r"f\.csv: cannot be read"):
        read_log(tmp_path / "f.csv")
    (tmp_path / "f.parquet").write_bytes(b"not parquet")
    with pytest.raises(LogError, match=r"f\.parquet: cannot be read"):
        read_log(tmp_path / "f.parquet")
    with pytest.raises(LogError, match="files of one format, found csv and parquet"):
        read_log([tmp_path / "f.csv", tmp_path / "f.parquet"])
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(LogError, match="cannot be read"):
        read_log(tmp_path / "empty.csv")


def test_a_split_keeps_requests_whole() -> None:
    log = Log.from_frame(SLOTS)
    first, second = log.split(1 / 3, by="order")
    assert first.slots.collect()["request_id"].to_list() == ["a", "a"]
    assert second.slots.collect()["request_id"].to_list() == ["b", "c", "c"]
    first, second = log.split(0.6, by="time")
    assert first.slots.collect()["request_id"].to_list() == ["c", "c", "a", "a"]
    assert second.slots.collect()["request_id"].to_list() == ["b"]
    assert second.slots.collect()["step"].to_list() == [2]  # the session goes on


def test_a_split_that_cannot_be_made() -> None:
    with pytest.raises(InvalidInputError, match=r"share in \(0, 1\), got 1"):
        Log.from_frame(SLOTS).split(1.0, by="order")
    for frame in (SLOTS.drop("timestamp"), SLOTS.with_columns(timestamp=pl.Series([None, 1, 2, 3, 4]))):
        with pytest.raises(LogError, match="split by order instead"):
            Log.from_frame(frame).split(0.5, by="time")


def test_sessions_of_a_bare_log() -> None:
    bare = Log.from_frame(SLOTS.select("request_id", "item_id", "position", "click")).sessions()
    assert bare.columns == ["session_id", "n_requests", "n_items", "n_clicks", "reward"]
    assert bare["session_id"].to_list() == ["a", "b", "c"]


def test_sessions() -> None:
    sessions = Log.from_frame(SLOTS).sessions()
    assert sessions.drop("start", "end").rows(named=True) == [
        {"session_id": "s", "n_requests": 2, "n_items": 3, "n_clicks": 1, "reward": 1.0, "user_id": "u", "quit": True},
        {"session_id": "t", "n_requests": 1, "n_items": 2, "n_clicks": 2, "reward": 2.0, "user_id": "v", "quit": False},
    ]


@pytest.mark.data
def test_kuairand_reads_as_slots(data_dir: Path) -> None:
    raw = pl.read_parquet(data_dir / "kuairand" / "val.parquet")
    frame = raw.select(
        pl.int_range(pl.len()).alias("request_id"),
        pl.col("user_id"),
        pl.col("video_id").alias("item_id"),
        pl.lit(0).alias("position"),
        pl.col("is_click").alias("click"),
        pl.col("time_ms").alias("timestamp"),
    )
    summary = summarize(Log.from_frame(frame))
    assert summary.rejected == {}
    assert summary.n_rows == 94_784
    assert summary.click_curve[0].rate == pytest.approx(0.44, abs=0.005)
    assert summary.start is not None
    assert summary.start.date().isoformat() in ("2022-04-24", "2022-04-25")  # China is ahead of UTC
