from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs import FeatureEncoder, rounds
from sojourn.logs.datasets import yahoo

USER_A = "|user 2:0.000012 3:0.000000 4:0.000006 5:0.000023 6:0.999958 1:1.000000"
ARTICLES_A = (
    "|109498 2:0.306008 3:0.000450 4:0.077048 5:0.230439 6:0.386055 1:1.000000 "
    "|109513 2:0.211406 3:0.000036 4:0.002773 5:0.569886 6:0.215900 1:1.000000"
)
R6A = f"1241160900 109513 0 {USER_A} {ARTICLES_A}\n"
R6A_CLICK = f"1241160901 109498 1 {USER_A} {ARTICLES_A}\n"
R6B = "1317513292 id-552077 0 |user 1 7 11 37 13 23 |id-552077 |id-555224 |id-555528 |id-559744\n"


def write(folder: Path, *lines: str, name: str = "day.txt") -> Path:
    file = folder / name
    file.write_text("".join(lines))
    return file


def test_a_line_of_r6a() -> None:
    visit = yahoo.parse_visit(R6A)
    assert (visit.timestamp, visit.shown, visit.click) == (1241160900, "109513", 0)
    np.testing.assert_allclose(visit.user, [1.0, 0.000012, 0.0, 0.000006, 0.000023, 0.999958])
    assert visit.candidates == ("109498", "109513")
    np.testing.assert_allclose(visit.features[1], [1.0, 0.211406, 0.000036, 0.002773, 0.569886, 0.215900])


def test_a_line_of_r6b() -> None:
    visit = yahoo.parse_visit(R6B)
    assert visit.shown == "id-552077"
    assert np.flatnonzero(visit.user).tolist() == [0, 6, 10, 12, 22, 36]
    assert visit.user.shape == (136,)
    assert visit.candidates == ("id-552077", "id-555224", "id-555528", "id-559744")
    assert visit.features.shape == (4, 0)


@given(bits=st.sets(st.integers(1, 136), min_size=1), m=st.integers(1, 30), click=st.integers(0, 1))
def test_any_line_of_r6b_reads_back(bits: set[int], m: int, click: int) -> None:
    pool = [f"id-{number}" for number in range(m)]
    line = f"1317513292 {pool[-1]} {click} |user {' '.join(map(str, bits))} {' '.join('|' + name for name in pool)}"
    visit = yahoo.parse_visit(line)
    assert set(np.flatnonzero(visit.user) + 1) == bits
    assert visit.candidates == tuple(pool)
    assert visit.click == click


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("hello", "expected 'time article"),
        (R6A.replace(" 0 |user", " 2 |user"), "expected 'time article"),
        (R6A.replace("1241160900", "now"), "expected 'time article"),
        ("1317513292 id-5 0 |user 1 7", "expected 'time article"),
        (R6A.replace("|user", "|visitor"), r"expected '\|user'"),
        (R6B.replace("|user 1 7 11 37 13 23", "|user"), r"expected '\|user'"),
        (R6B.replace(" 37 ", " 137 "), "numbers from 1 to 136"),
        (R6B.replace(" 37 ", " 0 "), "numbers from 1 to 136"),
        (R6B.replace(" 37 ", " x "), "numbers from 1 to 136"),
        (R6A.replace("109513 0", "109514 0"), "article shown, 109514,"),
        (R6A.replace("|109498", "|109513"), "article shown, 109513,"),
        (R6B.replace("|id-555528", "|id-555224"), "any other once in the pool"),
        (R6A.replace(" 3:0.000450", ""), "features 1 to 6 once each"),
        (R6A.replace(" 3:0.000450", " 2:0.000450"), "features 1 to 6 once each"),
        (R6A.replace(" 3:0.000450", " 7:0.000450"), "features 1 to 6 once each"),
        (R6A.replace("3:0.000450", "3:x"), "'number:value'"),
        (R6A.replace("3:0.000450", "3"), "'number:value'"),
        (R6A.replace("3:0.000450", "3:nan"), "finite"),
        (R6A.strip() + " |", "an article after each"),
        (R6B.strip() + " 2:0.1", "features 1 to 0"),
    ],
)
def test_what_is_not_a_visit_is_refused(line: str, message: str) -> None:
    with pytest.raises(LogError, match=message):
        yahoo.parse_visit(line)


def test_the_stream_goes_through_files_plain_and_compressed(tmp_path: Path) -> None:
    packed = tmp_path / "day2.gz"
    packed.write_bytes(gzip.compress(R6A_CLICK.encode()))
    visits = list(yahoo.stream([write(tmp_path, R6A, "\n"), packed]))
    assert [(visit.file, visit.line, visit.click) for visit in visits] == [("day.txt", 1, 0), ("day2.gz", 1, 1)]
    assert [visit.shown for visit in yahoo.stream(str(packed))] == ["109498"]


def test_a_malformed_line_is_an_error_or_is_told_of(tmp_path: Path) -> None:
    file = write(tmp_path, R6A, "broken\n", R6A_CLICK)
    with pytest.raises(LogError, match=r"day\.txt, line 2: expected"):
        list(yahoo.stream(file))
    told: list[tuple[str, int, str]] = []
    visits = list(yahoo.stream(file, reject=lambda name, line, why: told.append((name, line, why))))
    assert [visit.line for visit in visits] == [1, 3]
    assert [(name, line) for name, line, _ in told] == [("day.txt", 2)]
    assert "broken" in told[0][2]


def test_missing_and_damaged_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"nowhere\.gz.*Webscope"):
        next(yahoo.stream(tmp_path / "nowhere.gz"))
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(R6A.encode() * 100)[:-20])
    with pytest.raises(LogError, match="could not read on"):
        list(yahoo.stream(torn))


def test_blocks_are_logs_with_uniform_propensities(tmp_path: Path) -> None:
    first, second = yahoo.blocks(write(tmp_path, R6A, R6A_CLICK, R6A), size=2)
    slots = first.slots.collect()
    assert slots["item_id"].to_list() == ["109513", "109498"]
    assert slots["propensity"].to_list() == [0.5, 0.5]
    assert slots["click"].to_list() == [0, 1]
    assert slots["request_id"].to_list() == ["day.txt:1", "day.txt:2"]
    assert slots["x_user_6"].to_list() == [0.999958] * 2
    assert slots["timestamp"][0].isoformat() == "2009-05-01T06:55:00+00:00"
    assert first.requests is not None
    assert first.items is not None
    assert first.requests.collect()["candidates"].to_list() == [["109498", "109513"]] * 2
    assert first.items.collect()["x_article_2"].to_list() == [0.306008, 0.211406]
    assert second.slots.collect().height == 1
    assert first.problems == second.problems == ()


def test_a_block_can_be_replayed_over_its_pools(tmp_path: Path) -> None:
    (log,) = yahoo.blocks(write(tmp_path, R6A, R6A_CLICK))
    encoded = log.to_batch(FeatureEncoder.fit(log))
    replayed = [
        (request.item_ids[chosen].tolist(), len(request.item_ids)) for request, chosen in rounds(encoded, "requests")
    ]
    shown = [[encoded.item_ids.tolist().index(name)] for name in ("109513", "109498")]
    assert replayed == [(shown[0], 2), (shown[1], 2)]


def test_blocks_of_r6b_have_no_items(tmp_path: Path) -> None:
    (log,) = yahoo.blocks(write(tmp_path, R6B))
    slots = log.slots.collect()
    assert slots["propensity"].to_list() == [0.25]
    assert slots["x_user_136"].to_list() == [0.0]
    assert slots["x_user_37"].to_list() == [1.0]
    assert log.items is None


def test_every_line_is_in_a_block_or_counted(tmp_path: Path) -> None:
    changed = R6A.replace("3:0.000450", "3:0.100000")
    lines = [R6A, "broken\n", R6A_CLICK, changed, *["broken\n"] * 7]
    logs = list(yahoo.blocks(write(tmp_path, *lines), size=2))
    assert sum(log.slots.collect().height for log in logs) + sum(log.n_rejected for log in logs) == len(lines)
    assert [log.n_rejected for log in logs] == [1, 7]  # the changed article starts the second block
    problem = logs[1].problems[0]
    assert problem.count == 7
    assert len(problem.examples) == 5
    assert problem.examples[0].startswith("day.txt:5: expected")


def test_an_article_that_changes_within_a_block_is_counted(tmp_path: Path) -> None:
    (log,) = yahoo.blocks(write(tmp_path, R6A, R6A.replace("3:0.000450", "3:0.100000")))
    assert log.slots.collect().height == 1
    assert log.n_rejected == 1
    assert log.problems[0].examples == ("day.txt:2: article 109498",)


def test_a_file_of_broken_lines_alone_is_an_empty_log_with_its_count(tmp_path: Path) -> None:
    (log,) = yahoo.blocks(write(tmp_path, "broken\n"))
    assert log.slots.collect().is_empty()
    assert log.n_rejected == 1


def test_releases_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"line 2: expected 6 features.*apart"):
        next(yahoo.blocks(write(tmp_path, R6A, R6B)))


def test_no_block_is_empty(tmp_path: Path) -> None:
    assert len(list(yahoo.blocks(write(tmp_path, R6A, R6A), size=2))) == 1
    assert list(yahoo.blocks(write(tmp_path, ""))) == []


def test_a_block_needs_a_size(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="size"):
        next(yahoo.blocks(write(tmp_path, R6A), size=0))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, *[R6A] * 8000)
    assert file.stat().st_size > 1_800_000
    tracemalloc.start()
    assert sum(1 for _ in yahoo.stream(file)) == 8000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000  # a buffer and a visit
