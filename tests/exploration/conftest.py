"""A model with an embedding whose answers are known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from sojourn.records import FloatArray, Look

SLOPE = torch.tensor([0.6, -0.8, 0.5], dtype=torch.float64)


def linear(h: Tensor) -> Tensor:
    return h @ SLOPE - 1.0


@dataclass(kw_only=True)
class Analytic:
    """The embedding is the features themselves, in float64; it keeps a note of how many rows it is asked for."""

    log_odds: Callable[[Tensor], Tensor] = linear
    std: float = 0.5
    shifted_by: float = 0.0
    gate: float = 0.0
    passed: list[int] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)

    def look(self, features: FloatArray) -> Look:
        rows = torch.from_numpy(features.copy()).reshape(-1, *features.shape[-2:])
        return Look(features=rows, embedding=rows, log_odds=self.log_odds(rows))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        log_odds = self.log_odds(embedding)
        self.passed.append(log_odds.numel())
        return log_odds

    def shift(self, look: Look) -> Tensor:
        return torch.full_like(look.log_odds, self.shifted_by)

    def spread(self, look: Look) -> Tensor:
        self.drawn.append(look.log_odds.numel())
        return self.std * (1.0 + look.embedding[..., 0] ** 2)

    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        return self.spread(look) * torch.from_numpy(rng.normal(size=tuple(look.log_odds.shape)))

    def gate_log_odds(self, look: Look) -> Tensor:
        return torch.full_like(look.log_odds, self.gate)

    def mean(self, features: FloatArray) -> FloatArray:
        look = self.look(features)
        values: FloatArray = (look.log_odds + self.shift(look)).numpy()
        return values[0] if features.ndim == 2 else values


@pytest.fixture(scope="session")
def analytic() -> type[Analytic]:
    return Analytic
