"""A bench for uncertainties: a small network, and what it is asked about and learns from, all drawn from seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn

from sojourn.models.deep.networks import MLP, DCNv2, DeepFM, FieldNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.records import Categorical, FieldLayout, Look


def mlp(layout: FieldLayout, hidden: tuple[int, ...] = (8, 6)) -> MLP:
    return MLP(layout, embedding_size=4, hidden=hidden, base_rate=0.2)


Network = TypeVar("Network", bound=FieldNetwork)
AnyNetwork = MLP | DeepFM | DCNv2
NETWORKS: dict[str, Callable[[FieldLayout], AnyNetwork]] = {
    "MLP": mlp,
    "no hidden layer": lambda layout: mlp(layout, ()),
    "DeepFM": lambda layout: DeepFM(layout, embedding_size=3, hidden=(8,)),
    "DCN": lambda layout: DCNv2(layout, embedding_size=3, hidden=(8,)),
}


@dataclass(frozen=True)
class Bench:
    """What a test puts on the bench, for one layout; what is drawn without a seed is the same in every call."""

    layout: FieldLayout

    @staticmethod
    def generator(seed: int = 0) -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    def network(self, hidden: tuple[int, ...] = (8, 6)) -> MLP:
        return self.drawn(lambda layout: mlp(layout, hidden))

    def drawn(self, make: Callable[[FieldLayout], Network]) -> Network:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = make(self.layout).eval()
            for table in network.embedding.parameters():
                nn.init.normal_(table)  # they start near 0, where they say next to nothing
            return network

    def begun(self, uncertainty: Any, network: nn.Module, *, seed: int = 1) -> Any:
        """The uncertainty, which has taken hold of the network."""
        uncertainty.begin(network, self.layout, mlp, generator=self.generator(seed))
        return uncertainty

    def features(self, *shape: int, seed: int = 1) -> Tensor:
        """(*shape, d)"""
        return self._features(shape, self.generator(seed))

    def rows(self, n_rows: int = 40, seed: int = 2) -> TrainRows:
        """About a fifth clicked, of weights in [0, 2)."""
        generator = self.generator(seed)
        return TrainRows(
            features=self._features((n_rows,), generator),
            click=torch.bernoulli(torch.full((n_rows,), 0.2), generator=generator),
            weight=2.0 * torch.rand(n_rows, generator=generator),
        )

    def _features(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        columns = [
            torch.randint(field.n_levels, (*shape, 1), generator=generator).float()
            if isinstance(field, Categorical)
            else torch.randn(*shape, field.width, generator=generator)
            for field in self.layout.fields
        ]
        return torch.cat(columns, dim=-1)

    @staticmethod
    def look(network: Any, features: Tensor) -> Look:
        with torch.no_grad():
            embedding = network.embed(features)
            return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))

    @staticmethod
    def gradients(network: FieldNetwork, features: Tensor, parameters: Iterable[Tensor]) -> Tensor:
        """Of the log-odds by the parameters, row by row: (r, number of parameters)."""
        by = list(parameters)
        rows = (torch.autograd.grad(network.from_embedding(network.embed(row)), by) for row in features)
        return torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])

    @staticmethod
    @contextmanager
    def left_alone(network: nn.Module) -> Iterator[None]:
        """Checks that the network, PyTorch's global generator and its grad mode stay as they are."""
        state, grad_mode = torch.get_rng_state(), torch.is_grad_enabled()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        yield
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.is_grad_enabled() == grad_mode
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert all(parameter.grad is None for parameter in network.parameters())


class Sum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def embed(self, features: Tensor) -> Tensor:
        return features

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return self.scale * embedding.sum(dim=-1)


@pytest.fixture(scope="module")
def layout() -> FieldLayout:
    """Five numbers; a module of tests that needs items has a layout of its own."""
    return FieldLayout.of_numbers(5)


@pytest.fixture(scope="module")
def bench(layout: FieldLayout) -> Bench:
    return Bench(layout)


@pytest.fixture
def network(bench: Bench) -> MLP:
    return bench.network()


@pytest.fixture(params=NETWORKS)
def any_network(bench: Bench, request: pytest.FixtureRequest) -> AnyNetwork:
    """Each kind of network in turn."""
    return bench.drawn(NETWORKS[request.param])


@pytest.fixture
def without_layers() -> nn.Module:
    """A network that splits and has no linear layer."""
    return Sum()
