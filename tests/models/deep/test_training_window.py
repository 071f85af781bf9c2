from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sojourn.models.deep.window import Window


@given(
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=8),
    capacity=st.integers(1, 20),
    seed=st.integers(0, 10),
)
def test_the_window_holds_the_last_rows_and_draws_from_them(sizes: list[int], capacity: int, seed: int) -> None:
    window = Window(capacity, 3, torch.device("cpu"))
    plain: list[list[float]] = []
    for size in sizes:
        fresh = [[float(len(plain) + i)] * 3 for i in range(size)]
        window.add(torch.tensor(fresh))
        plain += fresh
    last = [row[0] for row in plain[-capacity:]]
    assert len(window) == len(last)
    assert sorted(window.state()["rows"][:, 0].tolist()) == last
    newest = min(sizes[-1], capacity)
    generator = torch.Generator().manual_seed(seed)
    drawn = window.draw((2, 8), newest, 0.25, generator=generator)
    assert drawn.shape == (2, 8, 3)
    assert set(drawn[:, :2, 0].flatten().tolist()) <= set(last[-newest:])
    assert set(drawn[:, 2:, 0].flatten().tolist()) <= set(last)


def test_each_row_of_the_window_is_drawn_alike_often() -> None:
    window = Window(10, 1, torch.device("cpu"))
    window.add(torch.arange(14.0)[:, None])
    n_draws = 40_000
    drawn = window.draw((1, n_draws), 4, 0.5, generator=torch.Generator().manual_seed(0)).flatten().numpy()
    values, times = np.unique(drawn, return_counts=True)
    assert_array_equal(values, np.arange(4, 14))
    expected = 0.5 * n_draws * (0.1 + 0.25 * (values >= 10))
    assert np.abs((times - expected) / np.sqrt(expected)).max() < 4.0
