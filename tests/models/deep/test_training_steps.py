from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.testing import assert_allclose
from scipy.special import expit

from sojourn.models.deep import StreamTraining
from sojourn.models.deep.assembly import Assembly
from sojourn.models.deep.loss import click_loss
from sojourn.models.deep.networks import MLP, head_parameters
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.steps import Learner
from sojourn.records import Categorical, FieldLayout, Numeric

LAYOUT = FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("context", 2)), item_id="item")


def test_a_weight_counts_rows() -> None:
    network = MLP(LAYOUT, embedding_size=3, hidden=(8,))
    x = torch.tensor([[1.0, 0.5, -1.0], [2.0, 0.1, 0.3], [3.0, -0.7, 2.0], [0.0, 1.5, 0.2]])
    click = torch.tensor([0.0, 1.0, 1.0, 0.0])
    weighted = TrainRows(features=x, click=click, weight=torch.tensor([1.0, 3.0, 0.0, 1.0]))
    repeated = torch.tensor([0, 1, 1, 1, 3])
    plain = TrainRows(features=x, click=click, weight=torch.ones(4)).take(repeated)
    gradients = [
        torch.autograd.grad(click_loss(network(each.features), each), list(network.parameters()))
        for each in (weighted, plain)
    ]
    for one, other in zip(*gradients, strict=True):
        assert_allclose(one, other, atol=1e-7)


def test_the_loss_is_the_weighted_cross_entropy() -> None:
    log_odds, click, weight = np.array([2.0, -1.0]), np.array([1.0, 0.25]), np.array([1.0, 0.5])
    p = expit(log_odds)
    expected = -(weight * (click * np.log(p) + (1 - click) * np.log(1 - p))).sum() / weight.sum()
    tensors = [torch.from_numpy(each) for each in (click, weight)]
    rows = TrainRows(features=torch.zeros(2, 0), click=tensors[0], weight=tensors[1])
    assert_allclose(click_loss(torch.from_numpy(log_odds), rows), expected)


def learner(dropout: float, hidden: tuple[int, ...] = (8,)) -> Learner:
    assembly = Assembly(
        layout=LAYOUT,
        network=partial(MLP, embedding_size=3, hidden=hidden),
        uncertainty=None,
        gate=None,
        training=StreamTraining(dropout=dropout),
        device=torch.device("cpu"),
        seed=0,
    )
    return assembly.stream(assembly.parts()).learner


def test_masks_cover_the_weights_behind_the_embedding_and_no_others() -> None:
    one = learner(0.25)
    weights = {name: p for name, p in head_parameters(one.parts.network, LAYOUT).items() if name.endswith("weight")}
    assert len(weights) == 2
    assert sorted(one._theta) == sorted(f"network.{name}" for name in weights)
    assert not any("embedding" in name for name in one._theta)
    for parameter in weights.values():
        mask = one._mask(parameter)
        assert mask.shape == parameter.shape
        assert_allclose(mask[mask > 0.0], 4.0 / 3.0, rtol=1e-6)
        assert (mask >= 0.0).all()


def test_masks_leave_a_linear_network_unbiased() -> None:
    one = learner(0.25, hidden=())
    embedding = torch.tensor([[1.0, -2.0, 0.5, 3.0, 1.0]])
    with torch.no_grad():
        draws = torch.cat([one._masked_log_odds(embedding) for _ in range(4000)]).numpy()
        truth = one.parts.split.from_embedding(embedding).item()
    assert abs(draws.mean() - truth) < 4.0 * draws.std() / np.sqrt(4000)
    # Var = sum of (w h)^2 p / (1 - p): each weight has a mask of its own, and the bias has none.
    (weight,) = (parameter.detach().numpy() for parameter in one._theta.values())
    assert_allclose(draws.var(), np.square(weight * embedding.numpy()).sum() / 3.0, rtol=0.15)


def test_without_dropout_no_masks_are_drawn() -> None:
    one = learner(0.0)
    before = one.generator.get_state()
    one.step(TrainRows(features=torch.zeros(2, 3), click=torch.tensor([0.0, 1.0]), weight=torch.ones(2)))
    assert torch.equal(one.generator.get_state(), before)
