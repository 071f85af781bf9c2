from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.special import expit
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep import DeepClickRate, FitPlan, GatingUnit, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import BoolArray, Categorical, FieldLayout, FloatArray, Look, Numeric, Rows

LAYOUT = FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("context", 2)), item_id="item")
SMALL = partial(MLP, embedding_size=3, hidden=(8,))
PLAN = StreamTraining(block=32, steps=3, batch_size=16, window=80)


class Diary(Uncertainty):
    """Keeps what it is told, and the network's first bias at that moment."""

    def begin(self, *args: Any, **kwargs: Any) -> None:
        super().begin(*args, **kwargs)
        self.pages: list[tuple[str, FloatArray, float]] = []

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self._note("step", rows)

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self._note("observe", rows)

    def spread(self, look: Look) -> Tensor:
        return torch.ones_like(look.log_odds)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        return torch.zeros_like(look.log_odds)

    def _note(self, what: str, rows: TrainRows) -> None:
        weights = next(self.network.parameters()).detach().sum()
        self.pages.append((what, np.column_stack([rows.features, rows.click, rows.weight]), float(weights)))


def rows_of(n_rows: int, *, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.integers(0, 6, size=n_rows), rng.normal(size=(n_rows, 2))])
    click = (rng.random(n_rows) < 0.4).astype(np.float64)
    return Rows(features=x, reward=click, weight=rng.uniform(0.5, 1.0, size=n_rows), slot=np.zeros(n_rows, int))


def part_of(rows: Rows, part: slice | BoolArray) -> Rows:
    return Rows(features=rows.features[part], reward=rows.reward[part], weight=rows.weight[part], slot=rows.slot[part])


def made(training: StreamTraining = PLAN, **kwargs: Any) -> DeepClickRate:
    return DeepClickRate(layout=LAYOUT, network=SMALL, training=training, **kwargs)


def packed(rows: Rows) -> FloatArray:
    return np.column_stack([rows.features, rows.reward, rows.weight]).astype(np.float32)


def expect_same_state(one: DeepClickRate, other: DeepClickRate) -> None:
    states = one.state(), other.state()
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert_array_equal(value, states[1][name], err_msg=name)


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 150), max_size=6))
def test_updates_in_one_call_or_in_many_are_the_same(cuts: list[int]) -> None:
    rows = rows_of(150)
    whole, pieces = made(), made()
    whole.update(rows)
    edges = [0, *sorted(cuts), 150]
    for start, end in pairwise(edges):
        pieces.update(part_of(rows, slice(start, end)))
    expect_same_state(whole, pieces)
    assert whole.n_waiting == 150 % PLAN.block


def test_it_learns_when_a_block_is_full_or_when_told() -> None:
    model, rows = made(uncertainty=Diary()), rows_of(80)
    fresh = made().mean(rows.features)
    model.update(part_of(rows, slice(0, 31)))
    assert_array_equal(model.mean(rows.features), fresh)
    model.update(part_of(rows, slice(31, 80)))
    assert not np.allclose(model.mean(rows.features), fresh)
    assert model.n_waiting == 16
    model.flush()
    model.flush()
    assert model.n_waiting == 0
    assert isinstance(model.uncertainty, Diary)
    # Two full blocks of 3 steps, and half a block: ceil(3 / 2) of them.
    assert "".join(what[0] for what, _, _ in model.uncertainty.pages) == "sssosssosso"


def test_the_uncertainty_learns_after_the_network_and_observes_each_row_once() -> None:
    model, rows = made(uncertainty=Diary()), rows_of(96)
    model.update(rows)
    assert isinstance(model.uncertainty, Diary)
    pages = model.uncertainty.pages
    observed = np.concatenate([page for what, page, _ in pages if what == "observe"])
    assert_array_equal(observed, packed(rows))
    weights = [value for _, _, value in pages]
    start = float(next(made().network.parameters()).detach().sum())
    steps = [value for what, _, value in pages if what == "step"]
    assert len({start, *steps}) == 1 + len(steps)  # the network moves before each of its steps
    assert weights[3] == weights[2]  # and not between the last step of a block and its rows
    known = {tuple(row) for row in packed(rows)}
    batch = pages[0][1]
    assert batch.shape == (16, 5)
    assert {tuple(row) for row in batch} <= known


def test_half_of_a_batch_comes_from_the_newest_block() -> None:
    model, rows = made(uncertainty=Diary()), rows_of(96)
    model.update(rows)
    assert isinstance(model.uncertainty, Diary)
    newest = {tuple(row) for row in packed(rows)[64:]}
    for what, batch, _ in model.uncertainty.pages[-4:]:
        if what == "step":
            assert {tuple(row) for row in batch[:8]} <= newest


def test_rows_of_weight_zero_are_absent() -> None:
    rows = rows_of(200)
    weight = np.where(np.arange(200) % 3 == 0, 0.0, rows.weight)
    some = Rows(features=rows.features, reward=rows.reward, weight=weight, slot=rows.slot)
    with_zeros, without = made(), made()
    with_zeros.update(some)
    without.update(part_of(some, weight > 0.0))
    expect_same_state(with_zeros, without)


def test_it_learns_a_logistic_truth() -> None:
    rng = np.random.default_rng(2)
    effect = np.array([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0])
    x = np.column_stack([rng.integers(0, 6, size=24_576), rng.normal(size=(24_576, 2))])
    truth = effect[x[:, 0].astype(int)] + 0.8 * x[:, 1] - 0.4 * x[:, 2]
    click = (rng.random(len(x)) < expit(truth)).astype(np.float64)
    model = made(StreamTraining())
    model.update(Rows(features=x, reward=click, weight=np.ones(len(x)), slot=np.zeros(len(x), int)))
    error = model.mean(x[:2000]) - truth[:2000]
    assert np.sqrt(np.square(error).mean()) < 0.2
    assert abs(error.mean()) < 0.1


def test_the_gate_does_not_change_the_network() -> None:
    rows = rows_of(200)
    with_gate, without = made(gate=GatingUnit()), made()
    for model in (with_gate, without):
        model.update(rows)
    assert_array_equal(with_gate.mean(rows.features), without.mean(rows.features))


def test_no_rows_teach_nothing() -> None:
    model = made()
    model.update(part_of(rows_of(4), slice(0, 0)))
    assert model.n_waiting == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reward": np.array([0.0, 1.5])}, r"reward: expected clicks in \[0, 1\].*1.5"),
        ({"reward": np.array([0.0, np.nan])}, "reward: expected clicks"),
        ({"reward": np.array([-1.0, 0.0])}, "reward: expected clicks"),
        ({"weight": np.array([1.0, np.inf])}, "weight: expected finite"),
        ({"features": np.array([[1.0, 0.0, 0.0], [2.0, np.nan, 0.0]])}, "finite"),
        ({"features": np.array([[1.0, 0.0, 0.0], [0.3, 0.0, 0.0]])}, "no design scaling"),
        ({"features": np.array([[1.0, 0.0, 0.0], [1.0, 1e40, 0.0]])}, "float32"),
        ({"features": np.zeros((2, 5))}, "3 columns"),
    ],
)
def test_rows_that_do_not_fit_are_refused(changed: dict[str, FloatArray], message: str) -> None:
    model = made()
    good = {"features": np.zeros((2, 3)), "reward": np.zeros(2), "weight": np.ones(2), "slot": np.zeros(2, dtype=int)}
    with pytest.raises(InvalidInputError, match=message):
        model.update(Rows(**good | changed))
    assert model.n_waiting == 0


def test_divergence_is_refused() -> None:
    model = made(StreamTraining(block=32, steps=8, batch_size=16, window=80, learning_rate=1e30))
    with pytest.raises(InvalidInputError, match="learning_rate: the loss became"):
        model.update(rows_of(64))


@pytest.mark.parametrize(
    "setting",
    [
        {"block": 0},
        {"steps": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"window": 10},
        {"newest_share": 1.1},
        {"dropout": 1.0},
        {"weight_decay": -0.1},
        {"unknown_share": 1.0},
    ],
)
def test_stream_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=f"{next(iter(setting))}: expected"):
        StreamTraining(**setting)


@pytest.mark.parametrize(
    "setting",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": -1.0},
        {"patience": 0},
        {"validation_share": 0.0},
        {"dropout": -0.1},
        {"weight_decay": float("inf")},
    ],
)
def test_fit_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=f"{next(iter(setting))}: expected"):
        FitPlan(**setting)
