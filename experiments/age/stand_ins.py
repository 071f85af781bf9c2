"""What stands in for something: for a formula that is not known, or for a part that an ablation takes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor, nn

from sojourn.exploration.adversarial.explorer import expect_embedding_model
from sojourn.interfaces import RewardModel
from sojourn.models.deep.networks import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.state_tensors import divided, joined
from sojourn.models.deep.uncertainty import Dropout, ImpressionCounts
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout, FloatArray, Look

FEW: Final = 1_000.0
"""Impressions below which an item has few."""


class UpperHalf(Uncertainty):
    """**Not** Underestimation Refinement, whose formula is not known to us: a stand-in with the same aim.

    Items with few impressions are only ever moved up, by the absolute value of the draw; the others are not explored.

    Parameters
    ----------
    make
        Makes the uncertainty that is halved.
    """

    def __init__(self, make: Callable[[], Uncertainty]) -> None:
        self._whole = make()
        self._counts = ImpressionCounts(prior_std=1.0, information=1.0)

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network."""
        super().begin(network, layout, make, generator=generator)
        self._whole.begin(network, layout, make, generator=generator)
        self._counts.begin(network, layout, make, generator=generator)

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Learn along."""
        self._whole.step(rows, generator=generator)

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Count the impressions."""
        self._whole.observe(rows, generator=generator)
        self._counts.observe(rows, generator=generator)

    def spread(self, look: Look) -> Tensor:
        """That of the whole, 0 where impressions are many, (n, m)."""
        return self._whole.spread(look) * self._few(look)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """Upwards alone, 0 where impressions are many, (n, m)."""
        return self._whole.deviation(look, generator=generator).abs() * self._few(look)

    def state(self) -> dict[str, Tensor]:
        """Of both."""
        return joined({"whole": self._whole.state(), "counts": self._counts.state()})

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        given = divided(state)
        self._whole.restore(given.get("whole", {}))
        self._counts.restore(given["counts"])

    def _few(self, look: Look) -> Tensor:
        # a prior and an information of 1 make the spread 1 / sqrt(n + 1)
        few: Tensor = self._counts.spread(look) ** -2 - 1.0 < FEW
        return few


class NormalDoubt(Dropout):
    """Dropout's spread made equal for all candidates, and drawn apart for each: AGE "without uncertainty".

    The paper puts a normal number in place of delta_y and does not tell its size; ours has dropout's, on average.
    """

    def spread(self, look: Look) -> Tensor:
        """Equal for all candidates, (n, m)."""
        spread = super().spread(look)
        return spread.square().mean().sqrt().expand_as(spread)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """Normal with that spread, (n, m)."""
        spread = self.spread(look)
        return spread * torch.randn(spread.shape, generator=generator, device=spread.device)


@dataclass(frozen=True, kw_only=True)
class RandomDirection:
    """AGE "without gradient": the embedding is moved as far as AGE moves it, in a direction drawn at random.

    How the paper takes the gradient away is not told.

    Parameters
    ----------
    strength
        lambda.
    """

    strength: float
    randomized: ClassVar[bool] = True

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """The log-odds at the moved embedding, where the learned gate is open."""
        split = expect_embedding_model(model)
        look = split.look(features)
        direction = torch.from_numpy(rng.standard_normal(look.embedding.shape, dtype=np.float32))
        direction = direction / direction.norm(dim=-1, keepdim=True)
        length = self.strength * split.deviation(look, rng=rng)
        with torch.no_grad():
            moved = split.from_embedding(look.embedding + length.unsqueeze(-1) * direction)
        score = torch.where(look.log_odds >= split.gate_log_odds(look), moved, look.log_odds)
        return score.numpy().astype(np.float64)
