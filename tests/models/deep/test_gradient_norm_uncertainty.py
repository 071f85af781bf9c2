from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, DCNv2, DeepFM, FieldNetwork, head_parameters
from sojourn.models.deep.uncertainty import GradientNorm
from sojourn.records import Categorical, FieldLayout, Look, Numeric

LAYOUT = FieldLayout(fields=(Categorical("item", 9, "item"), Numeric("age", 2)), item_id="item")
NETWORKS: dict[str, Callable[[], FieldNetwork]] = {
    "MLP": lambda: MLP(LAYOUT, embedding_size=4, hidden=(8, 6), base_rate=0.1),
    "no hidden layer": lambda: MLP(LAYOUT, embedding_size=4, hidden=()),
    "DeepFM": lambda: DeepFM(LAYOUT, embedding_size=3, hidden=(8,)),
    "DCN": lambda: DCNv2(LAYOUT, embedding_size=3, hidden=(8,)),
}


def _network(name: str = "MLP") -> FieldNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = NETWORKS[name]().eval()
        nn.init.normal_(next(network.parameters()))  # the embedding, which starts near 0
        return network


def _look(network: FieldNetwork, n: int, m: int) -> Look:
    generator = torch.Generator().manual_seed(1)
    item = torch.randint(0, 9, (n, m, 1), generator=generator)
    features = torch.cat([item, torch.randn((n, m, 2), generator=generator)], dim=-1)
    with torch.no_grad():
        embedding = network.embed(features)
        return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))


def _begun(uncertainty: GradientNorm, network: nn.Module) -> GradientNorm:
    uncertainty.begin(network, LAYOUT, lambda layout: network, generator=torch.Generator().manual_seed(0))
    return uncertainty


def _gradients(network: FieldNetwork, embedding: Tensor) -> Tensor:
    """Row by row, (r, number of parameters)."""
    parameters = list(head_parameters(network, LAYOUT).values())
    rows = (torch.autograd.grad(network.from_embedding(row), parameters) for row in embedding)
    return torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_norm_of_each_rows_own_gradient(name: str) -> None:
    network = _network(name)
    look = _look(network, 3, 5)
    expected = _gradients(network, look.embedding.flatten(0, 1)).norm(dim=-1).view(3, 5)
    torch.testing.assert_close(_begun(GradientNorm(scale=0.3), network).spread(look), 0.3 * expected)


def test_it_follows_the_network_as_it_learns() -> None:
    network = _network()
    uncertainty = _begun(GradientNorm(), network)
    before = uncertainty.spread(_look(network, 1, 4))
    with torch.no_grad():
        for value in network.parameters():
            value.mul_(1.5)
    look = _look(network, 1, 4)
    after = uncertainty.spread(look)
    assert (after != before).all()
    torch.testing.assert_close(after[0], _gradients(network, look.embedding[0]).norm(dim=-1))


def test_layers_without_bias_have_no_gradient_by_it() -> None:
    network = MLP(LAYOUT, embedding_size=4, hidden=())
    network.output = nn.Linear(network.output.in_features, 1, bias=False)
    look = _look(network, 1, 4)
    torch.testing.assert_close(_begun(GradientNorm(), network).spread(look), look.embedding.norm(dim=-1))


def test_draws_are_normal_with_that_spread_and_independent_by_candidate() -> None:
    network = _network()
    one = _look(network, 1, 2)
    n_draws = 20_000
    look = Look(
        features=one.features.expand(n_draws, -1, -1),
        embedding=one.embedding.expand(n_draws, -1, -1),
        log_odds=one.log_odds.expand(n_draws, -1),
    )
    uncertainty = _begun(GradientNorm(), network)
    drawn = (uncertainty.deviation(look, generator=torch.Generator().manual_seed(5)) / uncertainty.spread(one)).numpy()
    assert np.abs(drawn.mean(0)).max() < 4.5 / n_draws**0.5
    assert np.abs((drawn**2).mean(0) - 1).max() < 4.5 * (2 / n_draws) ** 0.5
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4.5 / n_draws**0.5


def test_a_gradient_of_zero_is_a_spread_of_zero() -> None:
    network = MLP(LAYOUT, embedding_size=4, hidden=())
    network.output = nn.Linear(network.output.in_features, 1, bias=False)
    look = _look(network, 1, 3)
    nothing = Look(features=look.features, embedding=torch.zeros_like(look.embedding), log_odds=look.log_odds)
    uncertainty = _begun(GradientNorm(), network)
    assert uncertainty.spread(nothing).tolist() == [[0.0] * 3]
    assert not uncertainty.deviation(nothing, generator=torch.Generator()).any()


def test_no_candidates_give_no_numbers() -> None:
    network = _network()
    assert _begun(GradientNorm(), network).spread(_look(network, 1, 0)).shape == (1, 0)


def test_it_works_without_gradients_and_leaves_none() -> None:
    network = _network()
    look = _look(network, 2, 3)
    with torch.no_grad():
        spread = _begun(GradientNorm(), network).spread(look)
    assert not spread.requires_grad
    assert not any(parameter.grad is not None for parameter in network.parameters())


class _WithScale(MLP):
    def __init__(self) -> None:
        super().__init__(LAYOUT, hidden=(4,))
        self.temperature = nn.Parameter(torch.ones(()))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return self.temperature * super().from_embedding(embedding)


def test_parameters_that_it_would_not_see_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="temperature beside"):
        _begun(GradientNorm(), _WithScale())


@pytest.mark.parametrize("scale", [-1.0, float("inf"), float("nan")])
def test_scales_that_are_none_are_refused(scale: float) -> None:
    with pytest.raises(InvalidInputError, match="scale: expected a finite number >= 0"):
        GradientNorm(scale=scale)
