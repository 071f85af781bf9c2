from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor

from sojourn.config import Learner
from sojourn.errors import InvalidInputError
from sojourn.models.deep import DeepClickRate, FitPlan, GatingUnit, StreamTraining
from sojourn.models.deep.networks import MLP, DeepFM
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import Categorical, FieldLayout, Look, Numeric, Rows

LAYOUT = FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("context", 2)), item_id="item")
SMALL = partial(MLP, embedding_size=3, hidden=(8,))
PLAN = StreamTraining(block=32, steps=3, batch_size=16, window=80, unknown_share=0.1, weight_decay=0.01)


class Counted(Uncertainty):
    """As many as were observed, and a random walk along the steps."""

    def begin(self, *args: Any, **kwargs: Any) -> None:
        super().begin(*args, **kwargs)
        self.learned = {"n": torch.zeros(()), "walk": torch.zeros(())}

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.learned["walk"] = self.learned["walk"] + torch.randn((), generator=generator)

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.learned["n"] = self.learned["n"] + len(rows)

    def spread(self, look: Look) -> Tensor:
        return self.learned["walk"].abs() + torch.zeros_like(look.log_odds)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        return torch.zeros_like(look.log_odds)

    def state(self) -> dict[str, Tensor]:
        return dict(self.learned)

    def restore(self, state: dict[str, Tensor]) -> None:
        self.learned = dict(state)


def made(seed: int = 0, **kwargs: Any) -> DeepClickRate:
    settings: dict[str, Any] = {
        "layout": LAYOUT,
        "network": SMALL,
        "uncertainty": Counted(),
        "gate": GatingUnit(hidden=(4,), learning_rate=0.01),
        "training": PLAN,
        "seed": seed,
    }
    return DeepClickRate(**settings | kwargs)


def rows_of(n_rows: int, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.integers(0, 6, size=n_rows), rng.normal(size=(n_rows, 2))])
    click = (rng.random(n_rows) < 0.4).astype(np.float64)
    return Rows(features=x, reward=click, weight=np.ones(n_rows), slot=np.zeros(n_rows, int))


def expect_same(state: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> None:
    assert state.keys() == other.keys()
    for name, value in state.items():
        assert_array_equal(value, other[name], err_msg=name)
        assert value.dtype == other[name].dtype, name


@pytest.mark.parametrize("n_rows", [0, 20, 50, 200])  # nothing, no step yet, rows waiting, a window gone round
def test_going_on_after_restoring_equals_not_having_stopped(n_rows: int) -> None:
    without_stop, later = made(), made(seed=3)
    assert isinstance(without_stop, Learner)
    without_stop.update(rows_of(n_rows))
    later.update(rows_of(70, seed=5))  # what it had learned is gone
    later.restore(without_stop.state())
    for model in (without_stop, later):
        model.update(rows_of(100, seed=1))
        model.flush()
    expect_same(without_stop.state(), later.state())
    x = rows_of(5).features
    assert_array_equal(without_stop.mean(x), later.mean(x))
    assert_array_equal(without_stop.std(x), later.std(x))
    assert torch.equal(without_stop.gate_log_odds(without_stop.look(x)), later.gate_log_odds(later.look(x)))


def test_a_state_is_a_copy() -> None:
    model = made()
    model.update(rows_of(50))
    state = model.state()
    kept = {name: value.copy() for name, value in state.items()}
    model.update(rows_of(50, seed=1))
    expect_same(state, kept)
    other = made()
    other.restore(state)
    other.update(rows_of(50, seed=1))
    expect_same(state, kept)


def test_a_file_holds_the_model(tmp_path: Path) -> None:
    model = made(seed=4, fitting=FitPlan(epochs=3))
    model.update(rows_of(110))
    model.save(tmp_path / "model")
    loaded = DeepClickRate.load(tmp_path / "model", network=SMALL, uncertainty=Counted())
    assert (loaded.layout, loaded.training, loaded.fitting, loaded.seed) == (LAYOUT, PLAN, FitPlan(epochs=3), 4)
    assert loaded.gate is not None
    assert loaded.gate.settings() == {"hidden": [4], "learning_rate": 0.01}
    for each in (model, loaded):
        each.update(rows_of(50, seed=1))
    expect_same(model.state(), loaded.state())


def test_a_plain_model_needs_nothing_to_be_loaded(tmp_path: Path) -> None:
    model = DeepClickRate(layout=FieldLayout.of_numbers(2))
    model.save(tmp_path / "model")
    x = np.ones((3, 2))
    assert_array_equal(DeepClickRate.load(str(tmp_path / "model")).mean(x), model.mean(x))


def test_the_state_goes_through_npz(tmp_path: Path) -> None:
    model, other = made(), made(seed=1)
    model.update(rows_of(50))
    np.savez(tmp_path / "model.npz", **model.state())  # type: ignore[arg-type]  # NumPy types the keywords as flags
    with np.load(tmp_path / "model.npz", allow_pickle=False) as arrays:
        other.restore({name: arrays[name] for name in arrays.files})
    expect_same(model.state(), other.state())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": DeepFM, "uncertainty": Counted()}, "network: expected MLP, .* got DeepFM"),
        ({"network": SMALL}, "uncertainty: expected Counted, .* got none"),
        (
            {"network": MLP, "uncertainty": Counted()},
            r"network.embedding.parts.0.weight of shape \(6, 8\), got \(6, 3\)",
        ),
    ],
)
def test_a_file_of_another_model_is_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    made().save(tmp_path / "model")
    with pytest.raises(InvalidInputError, match=message):
        DeepClickRate.load(tmp_path / "model", **settings)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    made().save(tmp_path / "model")
    whole = (tmp_path / "model").read_bytes()
    files = {
        "missing": None,
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "garbled": b"\x00" * 16 + whole[16:],
        "no json": whole.replace(b'\\"layout\\"', b'\\"lay=ut\\"'),
        "text": b"weights = 3",
    }
    save_file({"a": np.zeros(2)}, tmp_path / "foreign", metadata={"format": "pt"})
    save_file({"a": np.zeros(2)}, tmp_path / "bare")
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    for name in (*files, "foreign", "bare"):
        with pytest.raises(InvalidInputError, match=r"expected a file that DeepClickRate\.save wrote"):
            DeepClickRate.load(tmp_path / name, network=SMALL, uncertainty=Counted())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("parts.network.output.bias"), "network.output.bias of shape .1,., got none"),
        (lambda s: s.update({"parts.network.more": np.zeros(2)}), "network.more of shape none, got .2,."),
        (lambda s: s.update({"parts.trees.a": np.zeros(2)}), "nothing but the network and .*got .'trees'."),
        (lambda s: s.pop("stream.generator"), "stream.generator"),
        (lambda s: s.update({"stream.waiting": np.zeros((2, 9), np.float32)}), "waiting rows of 5 columns"),
        (lambda s: s.update({"stream.window_rows": np.zeros((7, 5), np.float32)}), "window: expected the last 64 rows"),
        (lambda s: s.pop("parts.newcomers.trained"), "newcomers.trained"),
        (lambda s: s.update({"parts.gate.layers.1.bias": np.zeros(3)}), "gate.layers.1.bias of shape .1,., got .3,."),
        (lambda s: s.clear(), "network"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change: Any, message: str) -> None:
    model, other = made(), made(seed=1)
    for each in (model, other):
        each.update(rows_of(70, seed=each.seed))
    state = other.state()
    change(state)
    before = model.state()
    with pytest.raises(InvalidInputError, match=message):
        model.restore(state)
    expect_same(model.state(), before)
