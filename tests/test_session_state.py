from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError
from sojourn.records import SessionState


def test_a_session_begins_with_nothing() -> None:
    state = SessionState()
    assert (state.n_items, state.n_pages) == (0, 0)
    assert dict(state.columns) == {}


def test_pages_are_put_behind_one_another() -> None:
    first = SessionState().after(np.array([3, 1]), np.array([0.0, 1.0]), columns={"kind": np.array(["red", "blue"])})
    second = first.after(np.array([2]), np.array([1.0]), elapsed=30.0, columns={"kind": np.array(["green"])})
    assert second.item_ids.tolist() == [3, 1, 2]
    assert second.click.tolist() == [0, 1, 1]
    assert second.page.tolist() == [0, 0, 1]
    assert second.elapsed.tolist() == [0, 0, 30]
    assert second.columns["kind"].tolist() == ["red", "blue", "green"]
    assert (second.n_items, second.n_pages) == (3, 2)
    assert first.n_items == 2  # what went before is as it was


@given(st.lists(st.integers(1, 4), max_size=6))
def test_items_and_pages_are_counted(sizes: list[int]) -> None:
    state = SessionState()
    for number, size in enumerate(sizes):
        state = state.after(np.arange(size), np.zeros(size), elapsed=float(number))
    assert (state.n_items, state.n_pages) == (sum(sizes), len(sizes))
    assert state.page.tolist() == np.repeat(np.arange(len(sizes)), sizes).tolist()


def test_a_state_shares_nothing_with_what_it_was_given() -> None:
    ids, click, kind = np.array([1]), np.array([1.0]), np.array(["red"])
    state = SessionState().after(ids, click, columns={"kind": kind})
    ids[0], click[0], kind[0] = 9, 0.0, "blue"
    assert (state.item_ids[0], state.click[0], state.columns["kind"][0]) == (1, 1, "red")


def test_the_plan_in_force_loses_what_was_shown() -> None:
    state = SessionState().after(np.array([1]), np.zeros(1), planned=np.array([4, 2, 3]))
    assert state.planned.tolist() == [4, 2, 3]
    assert state.after(np.array([2]), np.zeros(1)).planned.tolist() == [4, 3]
    assert state.after(np.array([2]), np.zeros(1), planned=np.array([7])).planned.tolist() == [7]
    with pytest.raises(InvalidInputError, match="planned: expected each item once"):
        SessionState(planned=np.array([1, 1]))


def test_bad_pages_are_refused() -> None:
    state = SessionState().after(np.array([1]), np.zeros(1), elapsed=5.0, columns={"kind": np.array(["red"])})
    one, no_click, kind = np.array([2]), np.zeros(1), {"kind": np.array(["red"])}
    with pytest.raises(InvalidInputError, match=r"columns: expected values of \['kind'\], as for the pages before"):
        state.after(one, no_click, elapsed=6.0)
    with pytest.raises(InvalidInputError, match=r"click: expected an array of shape \(1,\), got \(2,\)"):
        state.after(one, np.zeros(2), elapsed=6.0, columns=kind)
    with pytest.raises(InvalidInputError, match=r"columns\['kind'\]: expected an array of shape \(1,\)"):
        state.after(one, no_click, elapsed=6.0, columns={"kind": np.array(["red", "blue"])})
    with pytest.raises(InvalidInputError, match="click: expected 0 or 1 for each item"):
        state.after(one, np.array([0.5]), elapsed=6.0, columns=kind)
    with pytest.raises(InvalidInputError, match="page and elapsed: expected values that never fall"):
        state.after(one, no_click, elapsed=4.0, columns=kind)
    with pytest.raises(InvalidInputError, match="elapsed: expected finite numbers"):
        state.after(one, no_click, elapsed=float("nan"), columns=kind)
    with pytest.raises(InvalidInputError, match="page and elapsed: expected values that never fall"):
        SessionState(item_ids=np.array([1, 2]), click=np.zeros(2), page=np.array([1, 0]), elapsed=np.zeros(2))
    with pytest.raises(InvalidInputError, match=r"page: expected an array of shape \(2,\)"):
        SessionState(item_ids=np.array([1, 2]), click=np.zeros(2), page=np.array([1]), elapsed=np.zeros(2))
