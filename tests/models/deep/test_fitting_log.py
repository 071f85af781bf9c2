from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from torch import Tensor

from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure import DesignScaling, RowWeighting
from sojourn.models.deep import DeepClickRate, FitPlan, FitReport, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import NO_ITEM, Categorical, FieldLayout, FloatArray, LogBatch, Look, Numeric, Rows

LAYOUT = FieldLayout(fields=(Categorical("item", 9, "item"), Numeric("context", 2)), item_id="item")
SMALL = partial(MLP, embedding_size=3, hidden=(8,))


class Observed(Uncertainty):
    """Keeps the rows that it observes, and those of each step."""

    def begin(self, *args: Any, **kwargs: Any) -> None:
        super().begin(*args, **kwargs)
        self.rows: list[FloatArray] = []
        self.steps: list[FloatArray] = []

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.steps.append(np.column_stack([rows.features, rows.click, rows.weight]))

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        self.rows.append(np.column_stack([rows.features, rows.click, rows.weight]))

    def spread(self, look: Look) -> Tensor:
        return torch.zeros_like(look.log_odds)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        return torch.zeros_like(look.log_odds)


def log_of(n_rounds: int, *, slope: float = 1.0, seed: int = 0, empty: bool = True) -> LogBatch:
    rng = np.random.default_rng(seed)
    shape = (n_rounds, 3)
    features = np.concatenate([rng.integers(1, 8, size=(*shape, 1)), rng.normal(size=(*shape, 2))], axis=-1)
    item = features[..., 0].astype(int)
    if empty:
        item[::4, 2] = NO_ITEM
    click = (rng.random(shape) < expit(slope * features[..., 1] - 0.5)).astype(np.float64)
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(3), (n_rounds, 1)),
        session=np.arange(n_rounds),
        step=np.zeros(n_rounds, dtype=int),
    )


def changed(batch: LogBatch, **arrays: FloatArray) -> LogBatch:
    return LogBatch(**{name: getattr(batch, name) for name in batch.__slots__} | arrays)


def made(plan: FitPlan, **kwargs: Any) -> DeepClickRate:
    return DeepClickRate(layout=LAYOUT, network=SMALL, fitting=plan, **kwargs)


def report_of(model: DeepClickRate) -> FitReport:
    assert model.fit_report is not None
    return model.fit_report


def held_out_loss(model: DeepClickRate, batch: LogBatch) -> tuple[float, float]:
    p, click = model.click_rate_of(batch.features[batch.shown]), batch.click[batch.shown]
    return float(-np.log(np.where(click == 1.0, p, 1.0 - p)).mean()), float(p.sum() / click.sum())


def test_it_learns_the_click_rates_of_a_log() -> None:
    batch = log_of(2000)
    model = made(FitPlan(epochs=8, batch_size=128, learning_rate=3e-3))
    assert model.fit(batch) is model
    x = batch.features[:200].reshape(-1, 3)
    assert np.abs(model.click_rate_of(x) - expit(x[:, 1] - 0.5)).mean() < 0.03


def test_the_report_is_about_the_last_rounds_and_the_weights_are_those_of_the_best_epoch() -> None:
    batch = log_of(200, slope=0.2, empty=True)
    model = made(FitPlan(epochs=40, batch_size=16, learning_rate=0.03, patience=40, validation_share=0.3, dropout=0.0))
    model.fit(batch)
    report = report_of(model)
    held_out = batch.take(slice(140, 200))
    assert (report.n_training, report.n_held_out) == (int(batch.shown[:140].sum()), int(held_out.shown.sum()))
    assert len(report.log_loss) == 40
    assert report.best_epoch == int(np.argmin(report.log_loss)) < 39  # it overfits
    loss, pcoc = held_out_loss(model, held_out)
    assert_allclose(loss, report.log_loss[report.best_epoch], rtol=1e-4)
    assert_allclose(pcoc, report.pcoc[report.best_epoch], rtol=1e-4)
    assert report.log_loss[-1] > 1.02 * report.log_loss[report.best_epoch]


def test_its_auc_counts_pairs_by_the_product_of_their_weights() -> None:
    by_position = [1.0, 0.5, 0.25]
    batch = log_of(120)
    plan = FitPlan(epochs=1, validation_share=0.3, dropout=0.0)
    model = made(plan, exposure=RowWeighting(by_position, posterior=False)).fit(batch)
    held_out = batch.take(slice(84, 120))
    shown = held_out.shown
    p = model.click_rate_of(held_out.features[shown])
    weight, clicked = np.array(by_position)[held_out.position[shown]], held_out.click[shown] == 1.0
    higher = (p[clicked][:, None] > p[~clicked]) + 0.5 * (p[clicked][:, None] == p[~clicked])
    pairs = weight[clicked][:, None] * weight[~clicked]
    assert_allclose(report_of(model).auc[0], (higher * pairs).sum() / pairs.sum(), rtol=1e-6)


def test_without_a_click_among_the_last_there_is_no_auc() -> None:
    batch = log_of(50)
    click = np.where(np.arange(50)[:, None] < 45, batch.click, 0.0)
    report = report_of(made(FitPlan(epochs=1)).fit(changed(batch, click=click)))
    assert np.isnan(report.auc[0])
    assert report.pcoc[0] == np.inf


def test_it_stops_when_patience_ends() -> None:
    model = made(FitPlan(epochs=60, batch_size=16, learning_rate=0.05, patience=3, dropout=0.0))
    told: list[tuple[int, int]] = []
    model.fit(log_of(200, slope=0.0), progress=lambda done, total: told.append((done, total)))
    report = report_of(model)
    assert len(report.log_loss) == report.best_epoch + 1 + 3 < 60
    assert told == [(epoch + 1, 60) for epoch in range(len(report.log_loss))]


def test_the_last_rounds_are_never_learned_from() -> None:
    batch = log_of(100)
    late = batch.features.copy()
    late[80:, :, 0] = 8.0  # an item of the held-out rounds alone
    batch = changed(batch, features=late)
    model = made(FitPlan(epochs=2, validation_share=0.2), uncertainty=Observed())
    model.fit(batch)
    assert isinstance(model.uncertainty, Observed)
    assert set(np.concatenate(model.uncertainty.steps)[:, 0]) == set(range(1, 8))
    first = batch.take(slice(0, 80))
    expected = np.column_stack([first.features[first.shown], first.click[first.shown], np.ones(first.shown.sum())])
    assert_array_equal(np.concatenate(model.uncertainty.rows), expected.astype(np.float32))  # each once, in order


def test_an_epoch_is_each_training_row_once_in_a_new_order() -> None:
    batch = log_of(100)
    model = made(FitPlan(epochs=2, batch_size=64, validation_share=0.2), uncertainty=Observed())
    model.fit(batch)
    assert isinstance(model.uncertainty, Observed)
    steps = model.uncertainty.steps
    logged = np.concatenate(model.uncertainty.rows)
    assert [len(step) for step in steps] == 2 * [64, 64, 64, len(logged) - 192]
    epochs = np.concatenate(steps[:4]), np.concatenate(steps[4:])
    for epoch in epochs:
        assert sorted(map(tuple, epoch)) == sorted(map(tuple, logged))
        assert not np.array_equal(epoch, logged)
    assert not np.array_equal(*epochs)


def test_fitting_starts_anew_and_a_stream_goes_on_from_it() -> None:
    batch, plan = log_of(100), FitPlan(epochs=2)
    training = StreamTraining(block=32, steps=2, window=64)
    once, twice = (made(plan, training=training) for _ in range(2))
    rows = Rows(features=np.ones((40, 3)), reward=np.zeros(40), weight=np.ones(40), slot=np.zeros(40, dtype=int))
    twice.update(rows)
    twice.fit(log_of(60, seed=1))
    for model in (once, twice):
        model.fit(batch)
    x = np.ones((1, 3))
    assert_array_equal(once.mean(x), twice.mean(x))
    assert once.n_waiting == twice.n_waiting == 0
    before = once.mean(x)
    once.update(rows)
    assert once.mean(x)[0] < before[0]
    window = once.state()["stream.window_rows"]
    last = batch.take(slice(0, 90))
    assert {tuple(row) for row in window[:, :3]} <= {
        tuple(row) for row in np.vstack([last.features[last.shown], np.ones((1, 3))]).astype(np.float32)
    }
    assert len(window) == 64


def test_exposure_weighs_rows() -> None:
    model = made(FitPlan(epochs=1), uncertainty=Observed(), exposure=RowWeighting([1.0, 0.5, 0.25], posterior=False))
    model.fit(log_of(50, empty=False))
    assert isinstance(model.uncertainty, Observed)
    assert_array_equal(np.concatenate(model.uncertainty.rows)[:, -1], np.tile([1.0, 0.5, 0.25], 45))


def test_weights_shape_what_is_learned() -> None:
    rng = np.random.default_rng(0)
    batch = log_of(1500, slope=0.0, empty=False)
    click = (rng.random((1500, 3)) < [0.8, 0.2, 0.2]).astype(float)  # the top slot is another world
    batch = changed(batch, click=click, reward=click)
    plan = FitPlan(epochs=4, batch_size=64, learning_rate=3e-3)
    model = made(plan, exposure=RowWeighting([0.01, 1.0, 1.0], posterior=False)).fit(batch)
    assert abs(model.click_rate_of(batch.features).mean() - 0.2) < 0.05


def test_what_cannot_be_fitted_is_refused() -> None:
    batch = log_of(40)
    with pytest.raises(InvalidInputError, match="RowWeighting"):
        made(FitPlan(), exposure=DesignScaling([1.0, 0.5, 0.2])).fit(batch)
    with pytest.raises(InvalidInputError, match="learn from more rounds"):
        made(FitPlan()).fit(batch.take(slice(0, 1)))
    with pytest.raises(InvalidInputError, match="3 columns"):
        made(FitPlan()).fit(changed(batch, features=batch.features[..., :2]))
    with pytest.raises(LogError, match="both kinds"):
        made(FitPlan()).fit(changed(batch, click=np.zeros((40, 3))))
    with pytest.raises(InvalidInputError, match="the loss became"):
        made(FitPlan(learning_rate=1e30, batch_size=8)).fit(batch)


def test_a_failed_fit_leaves_the_model_as_it_was() -> None:
    model = made(FitPlan(epochs=1, learning_rate=1e30, batch_size=8))
    before = model.mean(np.ones((1, 3)))
    with pytest.raises(InvalidInputError):
        model.fit(log_of(40))
    assert_array_equal(model.mean(np.ones((1, 3))), before)
