from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from torch import nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep import DeepClickRate, FitPlan, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.newcomers import Newcomers
from sojourn.records import Categorical, FieldLayout, LogBatch, Numeric, Rows

LAYOUT = FieldLayout(fields=(Numeric("context"), Categorical("item", 300, "item")), item_id="item")
SMALL = partial(MLP, embedding_size=3, hidden=(8,))


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SMALL(LAYOUT)


def features_of(*items: int) -> torch.Tensor:
    return torch.tensor([[0.5, float(item)] for item in items])


def test_codes_never_trained_on_are_read_as_unknown() -> None:
    newcomers = Newcomers(LAYOUT, 0.1, network())
    newcomers.meet(features_of(7, 7, 2))
    x = features_of(7, 3, 0, 2)
    assert_array_equal(newcomers.read(x), features_of(7, 0, 0, 2))
    assert_array_equal(x, features_of(7, 3, 0, 2))  # what was given stays
    assert_array_equal(newcomers.read(x[None, :2]), features_of(7, 0)[None])


def test_the_first_training_starts_from_the_unknown_and_later_ones_do_not() -> None:
    net = network()
    table = next(parameter for parameter in net.parameters() if parameter.shape == (300, 3))
    newcomers = Newcomers(LAYOUT, 0.1, net)
    others = table.detach()[8:].clone()
    newcomers.meet(features_of(7, 5))
    assert_array_equal(table[7].detach(), table[0].detach())
    assert_array_equal(table[5].detach(), table[0].detach())
    assert_array_equal(table[8:].detach(), others)
    with torch.no_grad():
        table[7] += 1.0
    moved = table[7].detach().clone()
    newcomers.meet(features_of(7))
    assert_array_equal(table[7].detach(), moved)


def test_a_share_of_the_rows_is_learned_as_unknown() -> None:
    newcomers = Newcomers(LAYOUT, 0.2, network())
    x = features_of(*([9] * 10_000))
    thinned = newcomers.thinned(x, generator=torch.Generator().manual_seed(0))
    assert_array_equal(thinned[:, 0], x[:, 0])
    assert set(thinned[:, 1].tolist()) == {0.0, 9.0}
    assert abs((thinned[:, 1] == 0.0).sum().item() - 2000) < 4.0 * np.sqrt(10_000 * 0.2 * 0.8)


def rows_of(n_rows: int) -> Rows:
    rng = np.random.default_rng(0)
    effect = rng.normal(-1.0, 0.8, size=300)
    item = rng.integers(1, 150, size=n_rows)
    click = (rng.random(n_rows) < expit(effect[item])).astype(float)
    x = np.column_stack([rng.normal(size=n_rows), item])
    return Rows(features=x, reward=click, weight=np.ones(n_rows), slot=np.zeros(n_rows, int))


def made(share: float, **kwargs: Any) -> DeepClickRate:
    return DeepClickRate(layout=LAYOUT, network=SMALL, training=StreamTraining(unknown_share=share), **kwargs)


def test_new_items_are_judged_as_the_typical_item() -> None:
    rows = rows_of(16_384)
    model = made(0.1)
    model.update(rows)
    new = np.column_stack([np.zeros(100), np.arange(200.0, 300.0)])
    unknown = np.array([[0.0, 0.0]])
    assert_allclose(model.mean(new), np.repeat(model.mean(unknown), 100), rtol=1e-5)
    assert abs(model.click_rate_of(unknown)[0] - rows.reward.mean()) < 0.05
    fresh, learned = (each.state()["parts.network.embedding.parts.1.weight"][0] for each in (made(0.1), model))
    assert np.abs(learned - fresh).max() > 0.01
    assert_array_equal(model.look(new).features[0, :, 1], np.arange(200, 300))  # explorers still see who it is


def test_fitting_knows_newcomers_too() -> None:
    rows = rows_of(4000)
    shape = (2000, 2)
    batch = LogBatch(
        item=rows.features[:, 1].astype(int).reshape(shape),
        features=rows.features.reshape(*shape, 2),
        click=rows.reward.reshape(shape),
        reward=rows.reward.reshape(shape),
        position=np.tile([0, 1], (2000, 1)),
        session=np.arange(2000),
        step=np.zeros(2000, dtype=int),
    )
    model = made(0.1, fitting=FitPlan(epochs=2)).fit(batch)
    new, unknown, old = model.mean(np.array([[0.0, 200.0], [0.0, 0.0], [0.0, 1.0]]))
    assert_allclose(new, unknown)
    assert old != unknown


def test_it_needs_a_field_that_tells_items_apart() -> None:
    with pytest.raises(InvalidInputError, match="item_id"):
        DeepClickRate(layout=FieldLayout.of_numbers(2), training=StreamTraining(unknown_share=0.1))
