"""Fitting a network to a log, with early stopping on its last rounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ExposureCorrection
from sojourn.models.click_rate.seen_rows import seen_rows
from sojourn.models.deep.device import learning
from sojourn.models.deep.loss import click_loss
from sojourn.models.deep.packing import packed_rows
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.state_tensors import Tensors
from sojourn.models.deep.steps import Learner, expect_finite_loss
from sojourn.records import LogBatch

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class FitPlan:
    """How a network is fitted to a log.

    Parameters
    ----------
    epochs
        Passes over the training rows at most, >= 1.
    batch_size
        Rows of a step, >= 1.
    learning_rate
        Step size of Adam, > 0.
    patience
        Epochs without a smaller held-out loss after which fitting stops, >= 1.
    validation_share
        Share of the rounds, the last ones, that is held out, in (0, 1).
    dropout, weight_decay
        As in `StreamTraining`.
    """

    epochs: int = 10
    batch_size: int = 512
    learning_rate: float = 1e-3
    patience: int = 2
    validation_share: float = 0.1
    dropout: float = 0.01
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        expect_settings(
            ("epochs", self.epochs, self.epochs >= 1, ">= 1"),
            ("batch_size", self.batch_size, self.batch_size >= 1, ">= 1"),
            ("learning_rate", self.learning_rate, 0.0 < self.learning_rate < math.inf, "a finite number > 0"),
            ("patience", self.patience, self.patience >= 1, ">= 1"),
            ("validation_share", self.validation_share, 0.0 < self.validation_share < 1.0, "a share in (0, 1)"),
            ("dropout", self.dropout, 0.0 <= self.dropout < 1.0, "a share in [0, 1)"),
            ("weight_decay", self.weight_decay, 0.0 <= self.weight_decay < math.inf, "a finite number >= 0"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FitReport:
    """How fitting went.

    Parameters
    ----------
    log_loss
        Held-out cross-entropy after each epoch, in nats a row.
    auc
        Share of the pairs of a clicked and another held-out row in which the former is predicted higher, after each
        epoch; a pair counts by the product of its weights. NaN where all were clicked, or none.
    pcoc
        Predicted over observed clicks of the held-out rows after each epoch; infinite where nothing was clicked.
    best_epoch
        The epoch, counted from 0, whose weights the model has.
    n_training, n_held_out
        Rows.
    """

    log_loss: tuple[float, ...]
    auc: tuple[float, ...]
    pcoc: tuple[float, ...]
    best_epoch: int
    n_training: int
    n_held_out: int


def split_log(
    batch: LogBatch, exposure: ExposureCorrection | None, share: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Packed rows (r, d + 2) of a log's first rounds, to learn from, and of its last ones, a share, to hold out.

    Raises
    ------
    InvalidInputError
        If either is empty.
    """
    rows = seen_rows(batch, exposure)
    n_held_out = min(max(1, round(share * batch.n_rounds)), batch.n_rounds - 1)
    first = np.repeat(np.arange(batch.n_rounds) < batch.n_rounds - n_held_out, batch.shown.sum(axis=1))
    training, held_out = (packed_rows(rows.features[of], rows.click[of], rows.weight[of]) for of in (first, ~first))
    if not (len(training) and len(held_out)):
        raise InvalidInputError(
            f"batch: expected seen items in the first rounds, to learn from, and in the last, to hold out, got "
            f"{len(training)} and {len(held_out)} from {batch.n_rounds} rounds; learn from more rounds"
        )
    return training, held_out


def fit_rows(
    learner: Learner,
    training: TrainRows,
    held_out: TrainRows,
    plan: FitPlan,
    *,
    progress: Callable[[int, int], None] | None,
) -> FitReport:
    """Learn from rows in shuffled passes, and go back to the epoch with the smallest held-out loss."""
    best: Tensors = {}
    log_loss: list[float] = []
    auc: list[float] = []
    pcoc: list[float] = []
    best_epoch = 0
    with learning():
        learner.meet(training)
        for epoch in range(plan.epochs):
            _one_pass(learner, training, plan.batch_size)
            for curve, value in zip((log_loss, auc, pcoc), _judged(learner, held_out), strict=True):
                curve.append(value)
            if log_loss[epoch] < min(log_loss[:epoch], default=math.inf):
                best, best_epoch = learner.parts.state(), epoch
            if progress is not None:
                progress(epoch + 1, plan.epochs)
            if epoch - best_epoch >= plan.patience:
                break
        learner.parts.restore(best)
        for start in range(0, len(training), _ROWS_AT_ONCE):
            learner.observe(_part(training, start))
    return FitReport(
        log_loss=tuple(log_loss),
        auc=tuple(auc),
        pcoc=tuple(pcoc),
        best_epoch=best_epoch,
        n_training=len(training),
        n_held_out=len(held_out),
    )


def _one_pass(learner: Learner, rows: TrainRows, batch_size: int) -> None:
    device = rows.click.device
    order = torch.randperm(len(rows), generator=learner.generator, device=device)
    total = torch.zeros((), device=device)
    for start in range(0, len(rows), batch_size):
        total += learner.step(rows.take(order[start : start + batch_size]))
    expect_finite_loss(total)


def _judged(learner: Learner, rows: TrainRows) -> tuple[float, float, float]:
    """Log-loss, AUC, and predicted over observed clicks, of the network without masks."""
    with torch.no_grad():
        parts = [_part(rows, start) for start in range(0, len(rows), _ROWS_AT_ONCE)]
        log_odds = torch.cat([learner.parts.split.from_embedding(learner.parts.embed(part.features)) for part in parts])
        loss = expect_finite_loss(click_loss(log_odds, rows))
        predicted = float(_sum(rows.weight * torch.sigmoid(log_odds)))
    clicked = float(_sum(rows.weight * rows.click))
    return loss, _auc(log_odds, rows), predicted / clicked if clicked else math.inf


def _auc(log_odds: Tensor, rows: TrainRows) -> float:
    clicked, other = ((rows.weight * click).double().cpu().numpy() for click in (rows.click, 1.0 - rows.click))
    _, place = np.unique(log_odds.cpu().numpy(), return_inverse=True)
    at, others_at = (np.bincount(place, weights=weight) for weight in (clicked, other))
    below = np.cumsum(others_at) - others_at / 2.0  # ties are half
    pairs = clicked.sum() * other.sum()
    return float(at @ below / pairs) if pairs else math.nan


def _sum(values: Tensor) -> Tensor:
    return values.sum(dtype=torch.float64)


def _part(rows: TrainRows, start: int) -> TrainRows:
    part = slice(start, start + _ROWS_AT_ONCE)
    return TrainRows(features=rows.features[part], click=rows.click[part], weight=rows.weight[part])
