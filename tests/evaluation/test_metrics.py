from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.evaluation import ctr_set, ctr_sum, session_mean
from sojourn.records import LogBatch

MakeLog = Callable[..., LogBatch]


def test_click_rates_by_hand(make_log: MakeLog) -> None:
    click = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    item = np.array([[3, 4], [3, 4], [3, 4], [3, -1]])  # the last click of the last page is on no item
    batch = make_log(click, None, item=item)
    assert ctr_sum(batch).value == 1.0
    assert ctr_set(batch).value == 0.75
    assert ctr_set(batch).stderr == pytest.approx(np.std([1, 0, 1, 1], ddof=1) / 2)


def test_the_standard_error_is_by_session(make_log: MakeLog) -> None:
    click = np.repeat([[1.0], [0.0], [1.0], [0.0]], 50, axis=0)
    session = np.repeat(np.arange(4), 50)
    assert ctr_sum(make_log(click, None, session=session)).stderr == pytest.approx(np.std([1, 0, 1, 0], ddof=1) / 2)


def test_bad_input_is_refused(make_log: MakeLog) -> None:
    with pytest.raises(InvalidInputError, match="equal lengths"):
        session_mean(np.ones(3), np.arange(2))
    with pytest.raises(InvalidInputError, match="confidence"):
        ctr_sum(make_log(np.ones((2, 1)), None), confidence=1.5)
    with pytest.raises(InvalidInputError, match="2 sessions"):
        ctr_sum(make_log(np.ones((0, 1)), None))
