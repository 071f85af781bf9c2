"""Learning from a stream of rows, block by block."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep.device import learning
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.state_tensors import Tensors
from sojourn.models.deep.steps import Learner, expect_finite_loss
from sojourn.models.deep.window import Window, unpacked


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamTraining:
    """How a network learns from rows as they come.

    Rows are collected; whenever a block of them is full, steps of Adam are made on batches that come half from that
    block and half from all of the last rows, so that the newest count most and nothing recent is forgotten.

    Parameters
    ----------
    block
        Rows collected before they are learned from, >= 1.
    steps
        Steps made on a full block, >= 1.
    batch_size
        Rows of a step, >= 1.
    learning_rate
        Step size of Adam, > 0.
    window
        Number of last rows that batches draw from, the newest block included, >= block.
    newest_share
        Share of a batch that comes from the newest block, in [0, 1].
    dropout
        Share of the weights behind the embedding that a step masks, in [0, 1).
    weight_decay
        Decoupled decay of the parameters, >= 0.
    unknown_share
        Share of the rows whose item a step learns as the unknown one, in [0, 1). Above 0, items that the network was
        never trained on are read as unknown, and start from there; see `Newcomers`. Also taken in `fit`.
    """

    block: int = 1024
    steps: int = 16
    batch_size: int = 256
    learning_rate: float = 3e-3
    window: int = 60_000
    newest_share: float = 0.5
    dropout: float = 0.01
    weight_decay: float = 0.0
    unknown_share: float = 0.0

    def __post_init__(self) -> None:
        expect_settings(
            ("block", self.block, self.block >= 1, ">= 1"),
            ("steps", self.steps, self.steps >= 1, ">= 1"),
            ("batch_size", self.batch_size, self.batch_size >= 1, ">= 1"),
            ("learning_rate", self.learning_rate, 0.0 < self.learning_rate < math.inf, "a finite number > 0"),
            ("window", self.window, self.window >= self.block, f">= block, {self.block}"),
            ("newest_share", self.newest_share, 0.0 <= self.newest_share <= 1.0, "a share in [0, 1]"),
            ("dropout", self.dropout, 0.0 <= self.dropout < 1.0, "a share in [0, 1)"),
            ("weight_decay", self.weight_decay, 0.0 <= self.weight_decay < math.inf, "a finite number >= 0"),
            ("unknown_share", self.unknown_share, 0.0 <= self.unknown_share < 1.0, "a share in [0, 1)"),
        )


class Stream:
    """Rows that wait for their block, and the window of those learned from.

    Parameters
    ----------
    learner
    plan
    n_columns
        Width of a packed row (features, click, weight), d + 2.
    """

    def __init__(self, learner: Learner, plan: StreamTraining, n_columns: int) -> None:
        self.learner = learner
        self.plan = plan
        self.window = Window(plan.window, n_columns, learner.generator.device)
        self._waiting = np.empty((plan.block, n_columns), dtype=np.float32)
        self.n_waiting = 0

    def add(self, packed: NDArray[np.float32]) -> None:
        """Collect rows (r, d + 2), and learn whenever a block is full."""
        while len(packed):
            n_taken = min(len(self._waiting) - self.n_waiting, len(packed))
            self._waiting[self.n_waiting : self.n_waiting + n_taken] = packed[:n_taken]
            self.n_waiting += n_taken
            packed = packed[n_taken:]
            if self.n_waiting == len(self._waiting):
                self.flush()

    def flush(self) -> None:
        """Learn from the rows that wait, in as many steps as their share of a block is worth."""
        if not self.n_waiting:
            return
        packed = torch.from_numpy(self._waiting[: self.n_waiting].copy()).to(self.learner.generator.device)
        n_steps = math.ceil(self.plan.steps * self.n_waiting / self.plan.block)
        self.n_waiting = 0
        self.window.add(packed)
        with learning():
            self._learn(packed, n_steps)

    def _learn(self, packed: Tensor, n_steps: int) -> None:
        learner, plan, fresh = self.learner, self.plan, unpacked(packed)
        learner.meet(fresh)
        batches = self.window.draw(
            (n_steps, plan.batch_size), len(packed), plan.newest_share, generator=learner.generator
        )
        loss = torch.stack([learner.step(unpacked(batch)) for batch in batches]).sum()
        expect_finite_loss(loss)
        learner.observe(fresh)

    def state(self) -> Tensors:
        """Window, waiting rows, and the state of the generator."""
        waiting = torch.from_numpy(self._waiting[: self.n_waiting].copy())
        window = {f"window_{name}": value for name, value in self.window.state().items()}
        return {**window, "waiting": waiting, "generator": self.learner.generator.get_state()}

    def restore(self, state: Tensors) -> None:
        """Take over what `state` gave."""
        names = ("window_rows", "window_n_added", "waiting", "generator")
        missing = [name for name in names if name not in state]
        if missing:
            raise InvalidInputError(f"state: expected stream.{missing[0]}, got nothing of that name")
        waiting = state["waiting"].cpu().numpy()
        if waiting.ndim != 2 or waiting.shape[1] != self._waiting.shape[1] or len(waiting) >= len(self._waiting):
            raise InvalidInputError(
                f"state: expected fewer than {len(self._waiting)} waiting rows of {self._waiting.shape[1]} columns, "
                f"got {waiting.shape}; give the model the same StreamTraining as the one that was stored"
            )
        self.window.restore({"rows": state["window_rows"], "n_added": state["window_n_added"]})
        self._waiting[: len(waiting)] = waiting
        self.n_waiting = len(waiting)
        self.learner.generator.set_state(state["generator"].cpu())
