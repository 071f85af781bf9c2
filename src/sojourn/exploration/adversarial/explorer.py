"""The explorer AGE on any model with an embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy.special import expit, logit

from sojourn.errors import InvalidInputError
from sojourn.exploration.adversarial.direction import ascent_direction, gradient
from sojourn.interfaces import EmbeddingModel, RewardModel
from sojourn.records import FloatArray, Look

if TYPE_CHECKING:
    from torch import Tensor

UncertaintyAs = Literal["sample", "bound"]
Space = Literal["log_odds", "probability"]


@dataclass(frozen=True, kw_only=True)
class AdversarialGradient:
    """Rank by the prediction after a step of the embedding that raises it (AGE: Wu et al. 2022, Algorithm 1).

    Were the item explored, feedback would move its embedding h. The step is as long as the doubt delta_y about the
    prediction f, along the direction g in which f rises most (equation 15), or back where the doubt drawn is below 0::

        score = f(h + sigma lambda delta_y g)

    The model must be an `EmbeddingModel`, such as `sojourn.models.deep.DeepClickRate`; its ``mean`` is the prediction.
    Features are those of one request, (m, d), or of n, (n, m, d).

    Parameters
    ----------
    strength
        Length of the step where the doubt is 1, >= 0: lambda. The published .001 for probabilities leaves nearly every
        ranking as it is (``experiments/age``); for samples of log-odds with `Dropout`, begin with 1.
    uncertainty_as
        ``"sample"``: one signed draw of what f may be off by (AGE-TS, equation 13). ``"bound"``: its standard
        deviation (AGE-UCB, equation 12).
    n_steps
        Gradients that g is made of, >= 1: 1 for FGM (equation 8), T for PGD (equation 14).
    gate
        Which items explore, sigma = 1: ``"learned"``, those predicted to be clicked at least as often as the model's
        gate expects of the item (equation 16); a number in [0, 1], those with at least that click probability; None,
        all. The others keep their prediction, and cost no gradient.
    space
        Whether f and delta_y are log-odds or probabilities. Scores are of the same kind.
    first_order
        Score f + sigma lambda delta_y ||grad f||, without the pass through the moved embedding; needs ``n_steps=1``.
    """

    strength: float
    uncertainty_as: UncertaintyAs
    n_steps: int = 1
    gate: Literal["learned"] | float | None = None
    space: Space = "log_odds"
    first_order: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength < np.inf:
            raise InvalidInputError(f"strength: expected a finite number >= 0, got {self.strength}")
        _expect_one_of("uncertainty_as", self.uncertainty_as, get_args(UncertaintyAs))
        _expect_one_of("space", self.space, get_args(Space))
        if self.n_steps < 1:
            raise InvalidInputError(f"n_steps: expected >= 1, got {self.n_steps}")
        if self.first_order and self.n_steps > 1:
            raise InvalidInputError(f"n_steps: expected 1, all that the first order depends on, got {self.n_steps}")
        if isinstance(self.gate, str):
            _expect_one_of("gate", self.gate, ("learned",))
        elif self.gate is not None and not 0.0 <= self.gate <= 1.0:
            raise InvalidInputError(f"gate: expected 'learned', a number in [0, 1] or None, got {self.gate}")

    @property
    def randomized(self) -> bool:
        """True for samples, unless the strength is 0."""
        return self.uncertainty_as == "sample" and self.strength > 0.0

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """What f becomes, (m,) or (n, m); exactly f where the gate is closed or the strength is 0.

        Raises
        ------
        InvalidInputError
            If the model has no embedding that could be moved, or if a learned gate is asked of a model without one.
        """
        split = expect_embedding_model(model)
        look = split.look(features)
        shift = split.shift(look)
        scores = self._in_space(look.log_odds + shift)
        if self.strength > 0.0:
            rows = self._explored(split, look, look.log_odds + shift)
            if len(rows):
                scores.reshape(-1)[rows.cpu().numpy()] = self._moved(split, look, shift, rows, rng=rng)
        return scores[0] if features.ndim == 2 else scores

    def _explored(self, model: EmbeddingModel, look: Look, prediction: Tensor) -> Tensor:
        """Which of the n m candidates explore, as row numbers (r,)."""
        if self.gate is None:
            threshold: Tensor | float = -np.inf
        elif self.gate == "learned":
            threshold = model.gate_log_odds(look)
        else:
            threshold = float(logit(self.gate))
        return (prediction >= threshold).flatten().nonzero().squeeze(-1)

    def _moved(
        self, model: EmbeddingModel, look: Look, shift: Tensor, rows: Tensor, *, rng: np.random.Generator
    ) -> FloatArray:
        """Scores (r,) of the rows after the step."""
        from sojourn.models.deep.device import blocks_of

        off = self._log_odds_off(model, look, rows, rng=rng)
        parts = (*(_rows(part, rows) for part in (look.embedding, look.log_odds, shift)), off)
        return np.concatenate([self._step(model, *block) for block in zip(*map(blocks_of, parts), strict=True)])

    def _step(
        self, model: EmbeddingModel, embedding: Tensor, log_odds: Tensor, shift: Tensor, off: Tensor
    ) -> FloatArray:
        """The same for a block of rows: embeddings (r, e), the rest (r,)."""
        import torch

        def predict(moved: Tensor) -> Tensor:
            prediction = model.from_embedding(moved) + shift
            return prediction if self.space == "log_odds" else prediction.sigmoid()

        length = self.strength * self._doubt(log_odds + shift, off)
        if self.first_order:
            rise = length * torch.linalg.vector_norm(gradient(predict, embedding), dim=-1)
            return self._in_space(log_odds + shift) + _array(rise)
        direction = ascent_direction(predict, embedding, n_steps=self.n_steps)
        with torch.no_grad():
            return self._in_space(model.from_embedding(embedding + length.unsqueeze(-1) * direction) + shift)

    def _log_odds_off(self, model: EmbeddingModel, look: Look, rows: Tensor, *, rng: np.random.Generator) -> Tensor:
        """What the log-odds of the rows may be off by, (r,); of a single request, only they are asked for."""
        some = len(rows) < look.log_odds.numel()
        if some and look.n_requests == 1:
            look, some = look.take(rows), False
        off = model.deviation(look, rng=rng) if self.uncertainty_as == "sample" else model.spread(look)
        return off.flatten()[rows] if some else off.flatten()

    def _doubt(self, prediction: Tensor, off: Tensor) -> Tensor:
        """The same in the explorer's space: delta_y."""
        if self.space == "log_odds":
            return off
        if self.uncertainty_as == "sample":
            return (prediction + off).sigmoid() - prediction.sigmoid()
        return prediction.sigmoid() * (-prediction).sigmoid() * off

    def _in_space(self, log_odds: Tensor) -> FloatArray:
        values = _array(log_odds)
        return values if self.space == "log_odds" else np.asarray(expit(values))


def expect_embedding_model(model: RewardModel) -> EmbeddingModel:
    """The model, if it has an embedding that can be moved.

    Raises
    ------
    InvalidInputError
        If it has none; the message says how to get one.
    """
    if isinstance(model, EmbeddingModel):
        return model
    names = ("look", "from_embedding", "shift", "spread", "deviation", "gate_log_odds")
    missing = [name for name in names if not hasattr(model, name)]
    raise InvalidInputError(
        f"model: expected an EmbeddingModel, {type(model).__name__} lacks {', '.join(missing)}; use "
        "sojourn.models.deep.DeepClickRate, which takes any nn.Module that splits into\n"
        "    def embed(self, features):           # (..., d) -> (..., e): look-ups and nothing else\n"
        "    def from_embedding(self, embedding): # (..., e) -> (...): log-odds of a click, no sigmoid\n"
        "such that from_embedding(embed(features)) is what forward(features) was"
    )


def _expect_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidInputError(f"{name}: expected one of {', '.join(map(repr, known))}, got {value!r}")


def _rows(part: Tensor, rows: Tensor) -> Tensor:
    flat = part.flatten(0, 1)
    return flat if len(rows) == len(flat) else flat[rows]


def _array(tensor: Tensor) -> FloatArray:
    return np.array(tensor.cpu().numpy(), dtype=np.float64)
