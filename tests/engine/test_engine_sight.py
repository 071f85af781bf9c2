from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sojourn.engine import Sight, look_back
from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure.page_ends import PageEnds
from sojourn.records import NO_ITEM, BoolArray, FloatArray, LogBatch

RATE = np.array([[0.3, 0.5, 0.2], [0.1, 0.4, 0.6]])
HAZARD = np.array([[0.2, 0.1, 0.4], [0.3, 0.5, 0.25]])


def pages(click: FloatArray, *, shown: BoolArray | None = None) -> LogBatch:
    n, k = click.shape
    item = np.arange(n * k).reshape(n, k)
    return LogBatch(
        item=item if shown is None else np.where(shown, item, NO_ITEM),
        features=np.zeros((n, k, 1)),
        click=click,
        reward=click,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )


def ends(left: list[bool], went_on: list[bool]) -> PageEnds:
    return PageEnds(left=np.array(left), went_on=np.array(went_on))


def courses(rate: FloatArray, hazard: FloatArray) -> Iterator[tuple[float, FloatArray, int, bool]]:
    """All that one reader of one page may do: probability, clicks, number of slots seen, and whether they left."""
    k = len(rate)
    for n_seen in range(1, k + 1):
        for left in (True, False) if n_seen == k else (True,):
            goes = np.prod(1.0 - hazard[: n_seen - 1]) * (hazard[n_seen - 1] if left else 1.0 - hazard[n_seen - 1])
            for clicks in itertools.product((0.0, 1.0), repeat=n_seen):
                clicked = np.zeros(k)
                clicked[:n_seen] = clicks
                chance = np.where(clicked[:n_seen] > 0, rate[:n_seen], 1.0 - rate[:n_seen]).prod()
                yield float(goes * chance), clicked, n_seen, left


@pytest.mark.parametrize("known", ["left", "went on", "nothing"])
@pytest.mark.parametrize("click", list(itertools.product((0.0, 1.0), repeat=3)))
def test_until_left_is_the_sum_over_all_courses(known: str, click: tuple[float, ...]) -> None:
    total, seen, left_at = 0.0, np.zeros(3), np.zeros(3)
    for probability, clicked, n_seen, left in courses(RATE[0], HAZARD[0]):
        if (clicked == click).all() and (known == "nothing" or left == (known == "left")):
            total += probability
            seen[:n_seen] += probability
            left_at[n_seen - 1] += probability * left
    batch = pages(np.array([click]))
    found = look_back(RATE[:1], HAZARD[:1], batch, ends([known == "left"], [known == "went on"]), "until_left")
    assert_allclose(found.log_likelihood, np.log(total))
    assert_allclose(found.seen[0], seen / total)
    assert_allclose(found.at_risk, found.seen)
    assert_allclose(found.left[0], left_at / total, atol=1e-12)


def test_whole_pages_are_left_by_any_item() -> None:
    """Each item drives people away by itself, q; the page is left if at least one does."""
    click = np.array([[1.0, 0.0, 0.0]] * 3)
    batch = pages(click)
    rate, hazard = np.tile(RATE[0], (3, 1)), np.tile(HAZARD[0], (3, 1))
    found = look_back(rate, hazard, batch, ends([True, False, False], [False, True, False]), "whole_page")
    total, by_item = 0.0, np.zeros(3)
    for fires in itertools.product((False, True), repeat=3):
        probability = np.where(fires, HAZARD[0], 1.0 - HAZARD[0]).prod()
        if any(fires):
            total += probability
            by_item += probability * np.array(fires)
    clicks = np.log(0.3 * 0.5 * 0.8)
    assert_allclose(found.log_likelihood, [clicks + np.log(total), clicks + np.log(1.0 - total), clicks])
    assert_allclose(found.left[0], by_item / total)
    assert_allclose(found.left[1:], 0.0)
    assert_allclose(found.seen, 1.0)
    assert_allclose(found.at_risk, [[1.0] * 3, [1.0] * 3, [0.0] * 3])


def test_where_everything_counts_clicks_tell_nothing_of_leaving() -> None:
    batch = pages(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    known = ends([True, False], [False, True])
    found = look_back(RATE, HAZARD, batch, known, "everything_counts")
    blank = look_back(np.zeros((2, 3)), HAZARD, pages(np.zeros((2, 3))), known, "until_left")
    assert_allclose(found.seen, 1.0)
    assert_allclose((found.left, found.at_risk), (blank.left, blank.at_risk))
    by_clicks = [np.log(0.7 * 0.5 * 0.8), np.log(0.9 * 0.6 * 0.4)]
    assert_allclose(found.log_likelihood, blank.log_likelihood + by_clicks)


@pytest.mark.parametrize("sight", ["until_left", "whole_page", "everything_counts"])
def test_empty_slots_change_nothing(sight: Sight) -> None:
    shown = np.array([[True, True, False]])
    narrow = look_back(RATE[:1, :2], HAZARD[:1, :2], pages(np.array([[0.0, 1.0]])), ends([True], [False]), sight)
    wide = look_back(
        RATE[:1], HAZARD[:1], pages(np.array([[0.0, 1.0, 0.0]]), shown=shown), ends([True], [False]), sight
    )
    assert_allclose(wide.log_likelihood, narrow.log_likelihood)
    for name in ("seen", "at_risk", "left"):
        assert_allclose(getattr(wide, name), np.append(getattr(narrow, name), [[0.0]], axis=1))


def test_an_unknown_sight_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="sight: expected one of until_left, whole_page, everything_counts"):
        look_back(RATE, HAZARD, pages(np.zeros((2, 3))), ends([True] * 2, [False] * 2), "all")  # type: ignore[arg-type]


def course_of(quits: list[bool] | None, session: list[int], step: list[int]) -> LogBatch:
    n = len(session)
    batch = pages(np.zeros((n, 1)))
    return LogBatch(
        **{name: getattr(batch, name) for name in ("item", "features", "click", "reward", "position")},
        session=np.array(session),
        step=np.array(step),
        quits=None if quits is None else np.array(quits),
    )


def test_what_a_log_tells_of_its_ends() -> None:
    told = PageEnds.told(course_of([False, True, True, False], [0, 0, 1, 2], [0, 1, 0, 0]))
    assert told.left.tolist() == [False, True, True, False]
    assert told.went_on.tolist() == [True, False, False, False]


def test_at_the_deepest_page_of_cut_off_sessions_nothing_is_told() -> None:
    told = PageEnds.told(course_of([False, True, False, False], [0, 0, 1, 1], [0, 1, 0, 1]))
    assert told.left.tolist() == [False] * 4
    assert told.went_on.tolist() == [True, False, True, False]


def test_a_log_without_ends_tells_nothing() -> None:
    told = PageEnds.told(course_of(None, [0, 0], [0, 1]))
    assert not told.known.any()


def test_a_page_after_the_end_is_refused() -> None:
    with pytest.raises(LogError, match="quits: expected no page after the one that was left"):
        PageEnds.told(course_of([True, False], [0, 0], [0, 1]))
