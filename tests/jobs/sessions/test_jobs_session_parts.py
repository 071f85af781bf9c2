from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.jobs.sessions.parts import SessionParts, split_at_sessions, three_parts, told
from sojourn.logs import Log


def rows(n_sessions: int = 50) -> pl.DataFrame:
    """Sessions s0, s1, ... of two pages of two of four items, in order of time."""
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        [
            {
                "request_id": f"{session}-{page}",
                "session_id": f"s{session}",
                "position": position,
                "item_id": int(item),
                "click": int(rng.random() < 0.5),
                "quit": page == 1,
                "timestamp": 1_700_000_000 + 1_000 * session + page,
                "x_score": rng.normal(),  # of the shown pair
                "x_size": float(item),
            }
            for session in range(n_sessions)
            for page in range(2)
            for position, item in enumerate(rng.permutation(4)[:2])
        ]
    )


def ids(log: Log) -> set[str]:
    return set(log.slots.collect()["session_id"])


def test_sessions_are_split_whole_and_by_time() -> None:
    first, later = split_at_sessions(Log.from_frame(rows().reverse()), 0.7)
    assert ids(first) == {f"s{i}" for i in range(35)}
    assert ids(later) == {f"s{i}" for i in range(35, 50)}
    without_time = Log.from_frame(rows().drop("timestamp").reverse())
    first, _ = split_at_sessions(without_time, 0.1)
    assert ids(first) == {"s49", "s48", "s47", "s46", "s45"}


def test_sixty_per_cent_are_learned_from_and_the_others_are_halved() -> None:
    parts = three_parts(Log.from_frame(rows()))
    assert [ids(part) for part in parts] == [
        {f"s{i}" for i in some} for some in (range(30), range(30, 40), range(40, 50))
    ]
    found = SessionParts.of(Log.from_frame(rows()))
    assert found.n_sessions == (30, 10, 10)
    assert (found.page_size, found.all_clicked) == (2, False)
    assert "the first 30 sessions; one was chosen by the 10 after them, and all were judged on the last 10" in told(
        found.n_sessions
    )


def test_columns_that_candidates_lack_are_left_out_and_named() -> None:
    found = SessionParts.of(Log.from_frame(rows()))
    assert "x_score" not in found.encoder.names
    assert "x_size" in found.encoder.names
    (note,) = found.notes
    assert note.startswith("Nothing was learned from x_score: the log knows its values for what was shown alone")
    assert SessionParts.of(Log.from_frame(rows().drop("x_score"))).notes == ()


def test_a_log_of_clicks_alone_counts_no_clicks() -> None:
    found = SessionParts.of(Log.from_frame(rows().with_columns(click=pl.lit(1))))
    assert found.all_clicked
    assert not found.encoder.session.clicks


def test_too_few_sessions_get_a_sentence() -> None:
    with pytest.raises(LogError, match="sessions to learn from and later ones to choose and judge by, got too few"):
        three_parts(Log.from_frame(rows(2)))
