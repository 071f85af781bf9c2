from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import logit
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep import DeepClickRate, GatingUnit, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.records import Categorical, FieldLayout, Numeric, Rows

LAYOUT = FieldLayout(
    fields=(Numeric("person"), Categorical("item", 4, "item"), Numeric("context", 1), Numeric("age", 1, "item")),
    item_id="item",
)
SMALL = partial(MLP, embedding_size=3, hidden=(8,))
ROWS = TrainRows(
    features=torch.tensor([[0.3, 1.0, -1.0, 2.0], [1.0, 2.0, 0.5, 0.1]]),
    click=torch.tensor([1.0, 0.0]),
    weight=torch.ones(2),
)


class Bare(nn.Module):
    def __init__(self, layout: FieldLayout) -> None:
        super().__init__()
        self.layer = nn.Linear(layout.n_columns, 1)

    def embed(self, features: Tensor) -> Tensor:
        return features

    def from_embedding(self, embedding: Tensor) -> Tensor:
        out: Tensor = self.layer(embedding)
        return out[..., 0]


def made(block: int = 256, steps: int = 24) -> DeepClickRate:
    return DeepClickRate(
        layout=LAYOUT,
        network=SMALL,
        gate=GatingUnit(learning_rate=0.01),
        training=StreamTraining(block=block, steps=steps, learning_rate=0.01),
    )


def test_its_loss_leaves_the_gradients_of_the_embedding_at_zero() -> None:
    model = made()
    network, gate = model.network, model.gate
    assert gate is not None
    assert isinstance(network, MLP)
    embedding = network.embed(ROWS.features)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    own = [parameter.detach().clone() for parameter in gate.layers.parameters()]
    gate.step(embedding, ROWS)
    assert embedding.requires_grad  # a gradient could have reached it
    assert all(parameter.grad is None for parameter in network.parameters())
    for parameter, value in zip(network.parameters(), before, strict=True):
        assert torch.equal(parameter, value)
    assert any(not torch.equal(p, value) for p, value in zip(gate.layers.parameters(), own, strict=True))


def test_it_learns_the_click_rate_of_an_item_whoever_sees_it() -> None:
    rng = np.random.default_rng(0)
    rate = np.array([0.5, 0.1, 0.3, 0.7])
    n = 6144
    item = rng.integers(0, 4, size=n)
    person = rng.choice([-1.0, 1.0], size=n)
    x = np.column_stack([person, item, rng.normal(size=n), np.zeros(n)])
    click = (rng.random(n) < np.clip(rate[item] + 0.1 * person, 0.0, 1.0)).astype(float)
    model = made(block=512, steps=16)
    model.update(Rows(features=x, reward=click, weight=np.ones(n), slot=np.zeros(n, int)))
    log_odds = model.gate_log_odds(model.look(x[:400][None])).numpy()
    assert log_odds.shape == (1, 400)
    assert_allclose(log_odds[0], logit(rate)[item[:400]], atol=0.35)
    assert all(len(np.unique(log_odds[0, item[:400] == each].round(5))) == 1 for each in range(4))
    people = model.mean(x[:400])
    assert people[person[:400] > 0].mean() > people[person[:400] < 0].mean() + 0.3  # the network does tell them apart


def test_what_has_no_item_part_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"item_columns.*Bare"):
        DeepClickRate(layout=LAYOUT, network=Bare, gate=GatingUnit())
    context = FieldLayout(fields=(Numeric("person"),))
    with pytest.raises(InvalidInputError, match='belongs="item"'):
        DeepClickRate(layout=context, network=SMALL, gate=GatingUnit())
    DeepClickRate(layout=LAYOUT, network=Bare).mean(np.zeros((2, 4)))  # fine without a gate


@pytest.mark.parametrize("learning_rate", [0.0, -1.0, float("nan"), float("inf")])
def test_learning_rates_out_of_range_are_refused(learning_rate: float) -> None:
    with pytest.raises(InvalidInputError, match="learning_rate: expected a finite number > 0"):
        GatingUnit(learning_rate=learning_rate)


def test_widths_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="hidden: expected"):
        DeepClickRate(layout=LAYOUT, network=SMALL, gate=GatingUnit(hidden=(0,)))
