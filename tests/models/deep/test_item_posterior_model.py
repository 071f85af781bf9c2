from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from sojourn.models.deep import DeepClickRate, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.uncertainty import ImpressionCounts, ItemPosterior
from sojourn.models.deep.uncertainty.item_evidence import ItemEvidence
from sojourn.records import Categorical, FieldLayout, Numeric, Rows

LAYOUT = FieldLayout(fields=(Numeric("context"), Categorical("item", 30, "item")), item_id="item")
FloatArray = NDArray[np.float64]
SMALL = partial(MLP, embedding_size=3, hidden=(8,))


def _model(uncertainty: ItemPosterior | ImpressionCounts, share: float = 0.1) -> DeepClickRate:
    training = StreamTraining(block=100, steps=2, batch_size=64, unknown_share=share)
    return DeepClickRate(layout=LAYOUT, network=SMALL, uncertainty=uncertainty, training=training)


def _stream(n_rows: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    item = rng.integers(0, 20, size=n_rows)
    click = (rng.random(n_rows) < 0.1 + 0.02 * item).astype(float)
    features = np.column_stack([rng.normal(size=n_rows), item])
    return Rows(features=features, reward=click, weight=np.ones(n_rows), slot=np.zeros(n_rows, int))


CANDIDATES = np.column_stack([np.linspace(-1.0, 1.0, 24), np.arange(24.0)])


def _answers(model: DeepClickRate) -> FloatArray:
    return np.stack([*model.mean_and_std(CANDIDATES), model.sample(CANDIDATES, rng=np.random.default_rng(3))])


@pytest.mark.parametrize("uncertainty", [ItemPosterior(window=250), ImpressionCounts()])
def test_a_restored_model_answers_and_goes_on_alike(uncertainty: ItemPosterior | ImpressionCounts) -> None:
    one, other = _model(uncertainty), _model(uncertainty)
    one.update(_stream(330, 0))
    other.restore(one.state())
    assert_array_equal(_answers(other), _answers(one))
    one.update(_stream(200, 1))
    other.update(_stream(200, 1))
    assert_array_equal(_answers(other), _answers(one))


@pytest.mark.parametrize("uncertainty", [ItemPosterior(), ImpressionCounts()])
def test_reading_between_updates_changes_nothing(uncertainty: ItemPosterior | ImpressionCounts) -> None:
    reader, other = _model(uncertainty), _model(uncertainty)
    for seed in range(3):
        first = _answers(reader)
        assert_array_equal(_answers(reader), first)
        for model in (reader, other):
            model.update(_stream(110, seed))
    assert_array_equal(_answers(reader), _answers(other))
    assert (_answers(reader) != first).any()


def test_rows_are_weighed_once_for_all_that_is_read_between_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    model, weigh, weighed = _model(ItemPosterior()), ItemEvidence.weigh, []
    monkeypatch.setattr(ItemEvidence, "weigh", lambda self: weighed.append(1) or weigh(self))  # type: ignore[func-returns-value]
    model.update(_stream(500, 0))
    assert not weighed
    for _ in range(3):
        _answers(model)
    assert len(weighed) == 1


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("uncertainty", [ItemPosterior(), ImpressionCounts()])
def test_unknown_items_may_be_trained_or_not(uncertainty: ItemPosterior | ImpressionCounts, share: float) -> None:
    model = _model(uncertainty, share=share)
    model.update(_stream(500, 0))
    assert np.isfinite(_answers(model)).all()


def test_counts_with_a_given_prior_ask_nothing_of_the_network() -> None:
    _model(ImpressionCounts(prior_std=0.5, information=0.1), share=0.0).mean(CANDIDATES)
