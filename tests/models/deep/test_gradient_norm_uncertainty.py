from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, head_parameters
from sojourn.models.deep.uncertainty import GradientNorm
from sojourn.records import Categorical, FieldLayout, Look, Numeric

if TYPE_CHECKING:
    from tests.models.deep.conftest import AnyNetwork, Bench


@pytest.fixture(scope="module")
def layout() -> FieldLayout:
    return FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("taste", 3)), item_id="item")


def _gradients(bench: Bench, network: AnyNetwork, features: Tensor) -> Tensor:
    return bench.gradients(network, features, head_parameters(network, bench.layout).values())


def test_it_is_the_norm_of_each_rows_own_gradient(bench: Bench, any_network: AnyNetwork) -> None:
    network = any_network
    look = bench.look(network, bench.features(3, 5))
    expected = _gradients(bench, network, look.features.flatten(0, 1)).norm(dim=-1).view(3, 5)
    torch.testing.assert_close(bench.begun(GradientNorm(scale=0.3), network).spread(look), 0.3 * expected)


def test_it_follows_the_network_as_it_learns(bench: Bench) -> None:
    network = bench.network()
    uncertainty = bench.begun(GradientNorm(), network)
    before = uncertainty.spread(bench.look(network, bench.features(1, 4)))
    with torch.no_grad():
        for value in network.parameters():
            value.mul_(1.5)
    look = bench.look(network, bench.features(1, 4))
    after = uncertainty.spread(look)
    assert (after != before).all()
    torch.testing.assert_close(after[0], _gradients(bench, network, look.features[0]).norm(dim=-1))


def test_layers_without_bias_have_no_gradient_by_it(bench: Bench) -> None:
    network = MLP(bench.layout, embedding_size=4, hidden=())
    network.output = nn.Linear(network.output.in_features, 1, bias=False)
    look = bench.look(network, bench.features(1, 4))
    torch.testing.assert_close(bench.begun(GradientNorm(), network).spread(look), look.embedding.norm(dim=-1))


def test_draws_are_normal_with_that_spread_and_independent_by_candidate(bench: Bench) -> None:
    network = bench.network()
    one = bench.look(network, bench.features(1, 2))
    n_draws = 20_000
    look = Look(
        features=one.features.expand(n_draws, -1, -1),
        embedding=one.embedding.expand(n_draws, -1, -1),
        log_odds=one.log_odds.expand(n_draws, -1),
    )
    uncertainty = bench.begun(GradientNorm(), network)
    drawn = (uncertainty.deviation(look, generator=bench.generator(5)) / uncertainty.spread(one)).numpy()
    assert np.abs(drawn.mean(0)).max() < 4.5 / n_draws**0.5
    assert np.abs((drawn**2).mean(0) - 1).max() < 4.5 * (2 / n_draws) ** 0.5
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4.5 / n_draws**0.5


def test_a_gradient_of_zero_is_a_spread_of_zero(bench: Bench) -> None:
    network = MLP(bench.layout, embedding_size=4, hidden=())
    network.output = nn.Linear(network.output.in_features, 1, bias=False)
    look = bench.look(network, bench.features(1, 3))
    nothing = Look(features=look.features, embedding=torch.zeros_like(look.embedding), log_odds=look.log_odds)
    uncertainty = bench.begun(GradientNorm(), network)
    assert uncertainty.spread(nothing).tolist() == [[0.0] * 3]
    assert not uncertainty.deviation(nothing, generator=torch.Generator()).any()


def test_no_candidates_give_no_numbers(bench: Bench) -> None:
    network = bench.network()
    assert bench.begun(GradientNorm(), network).spread(bench.look(network, bench.features(1, 0))).shape == (1, 0)


def test_it_works_without_gradients_and_leaves_none(bench: Bench) -> None:
    network = bench.network()
    look = bench.look(network, bench.features(2, 3))
    with torch.no_grad():
        spread = bench.begun(GradientNorm(), network).spread(look)
    assert not spread.requires_grad
    assert not any(parameter.grad is not None for parameter in network.parameters())


class _WithScale(MLP):
    def __init__(self, layout: FieldLayout) -> None:
        super().__init__(layout, hidden=(4,))
        self.temperature = nn.Parameter(torch.ones(()))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return self.temperature * super().from_embedding(embedding)


def test_parameters_that_it_would_not_see_are_refused(bench: Bench) -> None:
    with pytest.raises(InvalidInputError, match="temperature beside"):
        bench.begun(GradientNorm(), _WithScale(bench.layout))


@pytest.mark.parametrize("scale", [-1.0, float("inf"), float("nan")])
def test_scales_that_are_none_are_refused(scale: float) -> None:
    with pytest.raises(InvalidInputError, match="scale: expected a finite number >= 0"):
        GradientNorm(scale=scale)
