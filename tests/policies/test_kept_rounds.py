from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.policies.kept_rounds import KeptRounds
from sojourn.records import NO_ITEM, LogBatch


def log(first: int, n: int, *, k: int = 2) -> LogBatch:
    """Round t shows items t, t + 1, ..., each with its code as its feature."""
    item = np.arange(first, first + n)[:, None] + np.arange(k)
    return LogBatch(
        item=item,
        features=item[:, :, None].astype(np.float64),
        click=(item % 2).astype(np.float64),
        reward=item / 10,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(first, first + n),
        step=np.arange(first, first + n),
        seen=item % 3 == 0,
        quits=item[:, 0] % 5 == 0,
    )


def in_order(batch: LogBatch) -> LogBatch:
    return batch.take(np.argsort(batch.step))


def assert_same(came: LogBatch, wanted: LogBatch) -> None:
    for name in ("item", "features", "click", "reward", "position", "session", "step", "seen", "quits"):
        assert_array_equal(getattr(came, name), getattr(wanted, name), err_msg=name)


@pytest.mark.parametrize("sizes", [[1] * 40, [7, 9, 30, 3], [100, 1, 1], [3, 100], [50, 50]])
def test_the_newest_rounds_are_kept(sizes: list[int]) -> None:
    kept, first = KeptRounds(32), 0
    for n in sizes:
        kept.append(log(first, n))
        first += n
    assert (len(kept), kept.n_seen) == (32, first)
    assert_same(in_order(kept.batch()), log(first - 32, 32))


def test_fewer_rounds_than_there_is_room_for() -> None:
    kept = KeptRounds(10_000)
    for first in range(700):
        kept.append(log(first, 1))
    assert_same(kept.batch(), log(0, 700))


def test_memory_is_bounded() -> None:
    kept = KeptRounds(300)
    for first in range(0, 5000, 50):
        kept.append(log(first, 50))
    assert all(len(column) == 300 for column in kept._columns.values())


def test_pages_of_different_widths() -> None:
    kept = KeptRounds(4)
    kept.append(log(0, 2, k=1))
    kept.append(log(2, 2, k=3))
    kept.append(log(4, 1, k=2))  # over a page of one slot
    batch = in_order(kept.batch())
    assert_array_equal(batch.item, [[1, NO_ITEM, NO_ITEM], [2, 3, 4], [3, 4, 5], [4, 5, NO_ITEM]])
    assert_array_equal(batch.click[0], [1, 0, 0])


def test_what_empty_slots_hold_is_dropped() -> None:
    batch = log(0, 1)
    kept = KeptRounds(4)
    kept.append(replace(batch, item=np.array([[0, NO_ITEM]]), position=np.array([[0, 97]])))
    came = kept.batch()
    assert_array_equal(came.position, [[0, 0]])
    assert (came.features[0, 1], came.click[0, 1], came.reward[0, 1]) == (0, 0, 0)


def test_optional_signals_are_kept_while_every_round_has_them() -> None:
    kept = KeptRounds(4)
    kept.append(log(0, 2))
    kept.append(replace(log(2, 1), seen=None))
    kept.append(log(3, 1))
    assert kept.batch().seen is None
    assert_array_equal(kept.batch().quits, [True, False, False, False])


def test_no_room_at_all_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="max_rounds: expected >= 1, got 0"):
        KeptRounds(0)
