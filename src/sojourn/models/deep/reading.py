"""Reading a deep click model: nothing here learns, and nothing here changes anything."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from typing import Final, Self

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.arguments import expect_width
from sojourn.models.deep.device import blocks_of, generator_on
from sojourn.models.deep.gate import GatingUnit
from sojourn.models.deep.packing import in_float32
from sojourn.models.deep.parts import Parts
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout, FloatArray, Look

_ROWS_AT_ONCE: Final = 65_536


class Reading(ABC):
    """What can be asked of the parts of a model, which a subclass sets and teaches."""

    layout: FieldLayout
    device: torch.device
    _parts: Parts

    @property
    def network(self) -> nn.Module:
        """The network as it is now."""
        return self._parts.network

    @property
    def uncertainty(self) -> Uncertainty | None:
        """The model's own copy, which learns along."""
        return self._parts.uncertainty

    @property
    def gate(self) -> GatingUnit | None:
        """The model's own copy, which learns along."""
        return self._parts.gate

    def mean(self, features: FloatArray) -> FloatArray:
        """Log-odds of a click, (m,) or (n, m)."""
        return _answer(self._mean(self.look(features)), features)

    def std(self, features: FloatArray) -> FloatArray:
        """Standard deviation of what `mean` may be off by, (m,) or (n, m); 0 without an uncertainty."""
        return _answer(self._spread(self.look(features)), features)

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both of one look."""
        look = self.look(features)
        return _answer(self._mean(look), features), _answer(self._spread(look), features)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """`mean` and one draw of what it may be off by, anew for each request; `mean` without an uncertainty."""
        return self.mean_and_sample(features, rng=rng)[1]

    def mean_and_sample(self, features: FloatArray, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Both of one look."""
        look = self.look(features)
        mean = self._mean(look)
        drawn = mean if self.uncertainty is None else mean + self.deviation(look, rng=rng)
        return _answer(mean, features), _answer(drawn, features)

    def at(self, slot: int) -> Self:
        """The model itself: all slots share its parameters."""
        return self

    def look(self, features: FloatArray) -> Look:
        """Embeddings and log-odds; the candidates (m, d) of a single request count as n = 1.

        Raises
        ------
        InvalidInputError
            No candidates, or features that do not keep to the layout.
        """
        if features.ndim not in (2, 3) or 0 in features.shape[:-1]:
            raise InvalidInputError(
                f"features: expected at least one candidate, (m, {self.layout.n_columns}) or "
                f"(n, m, {self.layout.n_columns}), got {features.shape}; answer requests without candidates yourself"
            )
        self.layout.check(features)
        rows = torch.from_numpy(in_float32(features)).to(self.device)
        rows = rows.reshape(-1, *rows.shape[-2:])
        with torch.no_grad():
            passes = [self._pass(block) for block in blocks_of(rows.flatten(0, 1))]
        embedding, log_odds = (torch.cat(parts) for parts in zip(*passes, strict=True))
        shape = rows.shape[:2]
        return Look(features=rows, embedding=embedding.view(*shape, -1), log_odds=log_odds.view(shape))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Log-odds (...) of embeddings (..., e); differentiable by the embedding."""
        return self._parts.split.from_embedding(embedding)

    def shift(self, look: Look) -> Tensor:
        """What `mean` adds to the network's log-odds, (n, m); 0 without an uncertainty."""
        with torch.no_grad():
            return torch.zeros_like(look.log_odds) if self.uncertainty is None else self.uncertainty.shift(look)

    def spread(self, look: Look) -> Tensor:
        """Standard deviation of what the log-odds may be off by, (n, m)."""
        with torch.no_grad():
            return self._expect_uncertainty().spread(look)

    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        """One draw of it, (n, m), with mean about 0, anew for each request."""
        uncertainty = self._expect_uncertainty()
        with torch.no_grad():
            return uncertainty.deviation(look, generator=generator_on(self.device, int(rng.integers(2**63))))

    def gate_log_odds(self, look: Look) -> Tensor:
        """Log-odds of a click on the item, whoever sees it, (n, m).

        Raises
        ------
        InvalidInputError
            If the model was made without a gate.
        """
        if self.gate is None:
            raise InvalidInputError(
                "gate: expected a model with a learned gate, got one without; make it with DeepClickRate(..., "
                "gate=GatingUnit()), or explore with a fixed threshold or none"
            )
        return self.gate.log_odds(look)

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        return self._by_parts(features, lambda rows: expit(self.mean(rows)))

    def click_rate_std_of(self, features: FloatArray) -> FloatArray:
        """Standard error of the click rate, (...,): p (1 - p) times that of the log-odds."""

        def std_of(rows: FloatArray) -> FloatArray:
            mean, std = self.mean_and_std(rows)
            p: FloatArray = expit(mean)
            return p * (1.0 - p) * std

        return self._by_parts(features, std_of)

    def _pass(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (r, e) and log-odds (r,) of rows (r, d)."""
        embedding = self._parts.embed(rows)
        return embedding, self._parts.split.from_embedding(embedding)

    def _mean(self, look: Look) -> Tensor:
        return look.log_odds + self.shift(look)

    def _spread(self, look: Look) -> Tensor:
        return torch.zeros_like(look.log_odds) if self.uncertainty is None else self.spread(look)

    def _expect_uncertainty(self) -> Uncertainty:
        if self.uncertainty is None:
            raise InvalidInputError(
                "uncertainty: expected a model that knows how far it may be off, got one without; make it with "
                "DeepClickRate(..., uncertainty=...)"
            )
        return self.uncertainty

    def _by_parts(self, features: FloatArray, answer: Callable[[FloatArray], FloatArray]) -> FloatArray:
        expect_width(features, self.layout.n_columns)
        rows = features.reshape(-1, self.layout.n_columns)
        parts = [answer(rows[start : start + _ROWS_AT_ONCE]) for start in range(0, len(rows), _ROWS_AT_ONCE)]
        return np.concatenate(parts or [np.zeros(0)]).reshape(features.shape[:-1])


def _answer(values: Tensor, features: FloatArray) -> FloatArray:
    """Values (n, m) as a new array, (m,) where the features were those of one request."""
    array = values.cpu().numpy().astype(np.float64)
    return array[0] if features.ndim == 2 else array
