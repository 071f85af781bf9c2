from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sojourn.errors import LogError
from sojourn.models.quit import PageOutcomes
from sojourn.models.quit.pages import steps_of
from sojourn.records import LogBatch

Pages = Callable[..., LogBatch]

A, B, C, D = [1.0], [2.0], [3.0], [4.0]


def test_left_pages_kept_pages_and_censored_ones(pages: Pages) -> None:
    """Session 0 ends on its second page, 1 is cut off on its second, 2 ends on its third."""
    log = pages([[[A], [B, C]], [[D, A], [B]], [[C], [C, C], [D]]], [True, False, True])
    outcomes = PageOutcomes.of(log)
    np.testing.assert_array_equal(outcomes.rounds, [0, 1, 2, 4, 5, 6])
    np.testing.assert_array_equal(outcomes.left, [False, True, False, False, False, True])
    np.testing.assert_array_equal(outcomes.page, [0, 1, 1, 2, 2, 3, 4, 4, 5])
    np.testing.assert_array_equal(outcomes.features[:, 0], [1, 2, 3, 4, 1, 3, 3, 3, 4])
    np.testing.assert_array_equal(outcomes.step, [0, 1, 2, 0, 1, 0, 1, 2, 3])
    np.testing.assert_array_equal(outcomes.session, [0, 0, 1, 2, 2, 2])
    np.testing.assert_array_equal(outcomes.starts, [0, 1, 3, 5, 6, 8])
    assert outcomes.n_censored == 1


def test_the_page_at_which_sessions_are_cut_off_tells_nothing(pages: Pages) -> None:
    """Session 0 would count as left there, while 1 that went on does not count: not a fair sample."""
    log = pages([[[A], [B], [C]], [[A], [B], [D]], [[A], [B]]], [True, False, True])
    outcomes = PageOutcomes.of(log)
    np.testing.assert_array_equal(outcomes.rounds, [0, 1, 3, 4, 6, 7])
    assert outcomes.n_censored == 2


def test_sessions_that_all_end_at_the_deepest_page_count_there(pages: Pages) -> None:
    log = pages([[[A], [B]], [[A], [C]]], [True, True])
    np.testing.assert_array_equal(PageOutcomes.of(log).left, [False, True, False, True])


def test_pages_are_known_by_their_step_in_whatever_order_they_come(pages: Pages) -> None:
    log = pages([[[A], [B, C]], [[D, A], [B]], [[C], [C, C], [D]]], [True, False, True])
    turned = np.array([6, 2, 0, 5, 3, 1, 4])
    outcomes, other = PageOutcomes.of(log), PageOutcomes.of(log.take(turned))
    np.testing.assert_array_equal(np.sort(turned[other.rounds]), outcomes.rounds)
    np.testing.assert_array_equal(other.left, log.quits[turned[other.rounds]] if log.quits is not None else None)


def test_pages_without_items_are_no_evidence_but_those_before_them_went_on(pages: Pages) -> None:
    log = pages([[[A], [B], []], [[A], [B]]], [True, True])
    np.testing.assert_array_equal(PageOutcomes.of(log).rounds, [0, 1, 3, 4])
    np.testing.assert_array_equal(PageOutcomes.of(log).left, [False, False, False, True])


def test_steps_count_down_the_page_by_position_from_its_first_item(pages: Pages) -> None:
    log = pages([[[A, B, C], [A, B]], [[A], [B]]], [True, True])
    turned = replace(log, position=np.array([[12, 10, 11], [10, 11, 0], [4, 0, 0], [0, 0, 0]]))
    np.testing.assert_array_equal(steps_of(turned)[0], [2, 0, 1])
    np.testing.assert_array_equal(steps_of(turned)[1, :2], [3, 4])
    assert steps_of(turned)[2, 0] == 0


@pytest.mark.parametrize(
    ("sessions", "ended", "message"),
    [
        ([[[A], [B]], [[C], [D]]], [False, False], "all 2 sessions are censored"),
        ([[[A]], [[B]], [[C]]], [True, True, False], "sessions of several pages, got 3 of one page each"),
        ([[[], [B]], [[], [C]]], [True, True], "none among 2 known pages"),
    ],
)
def test_logs_that_say_nothing_are_named(
    sessions: list[list[list[list[float]]]], ended: list[bool], message: str, pages: Pages
) -> None:
    with pytest.raises(LogError, match=message):
        PageOutcomes.of(pages(sessions, ended))


def test_a_log_without_session_ends_hears_which_column_to_add(pages: Pages) -> None:
    log = pages([[[A], [B]], [[C], [D]]], [True, True])
    with pytest.raises(LogError, match=r"add a column `quit`.*sojourn\.exposure\.item_hazard"):
        PageOutcomes.of(replace(log, quits=None))


def test_nobody_goes_on_after_leaving(pages: Pages) -> None:
    log = pages([[[A], [B]], [[C], [D]]], [True, True])
    with pytest.raises(LogError, match="got 1 sessions that go on"):
        PageOutcomes.of(replace(log, quits=np.array([True, True, False, True])))


def test_an_empty_log_is_refused(pages: Pages) -> None:
    with pytest.raises(LogError, match="got 0 of one page"):
        PageOutcomes.of(pages([[[A], [B]]], [True]).take(np.array([], dtype=np.int64)))
