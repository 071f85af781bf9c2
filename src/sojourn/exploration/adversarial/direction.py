"""Where an embedding has to move for the prediction to rise most."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Prediction = Callable[["Tensor"], "Tensor"]
"""Embeddings (r, e) -> predictions (r,); rows never look at one another."""


def gradient(predict: Prediction, embedding: Tensor) -> Tensor:
    """Gradient (r, e) of each prediction by its own embedding (r, e); parameters get none."""
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        at = embedding.clone().requires_grad_()
        (slope,) = torch.autograd.grad(predict(at).sum(), at)
    return slope


def ascent_direction(predict: Prediction, embedding: Tensor, *, n_steps: int) -> Tensor:
    """Unit vectors (r, e) in which the predictions rise; 0 where the gradient is 0.

    ``n_steps=1`` normalises the gradient (FGM: Wu et al. 2022, equation 8). More follow equation 14: each adds the
    gradient taken at the embedding *plus the unit vector so far*, and normalises. They are projected gradient ascent
    on the sphere of radius 1 around the embedding, whatever the length of the step that is made in the end.
    """
    import torch

    direction = torch.zeros_like(embedding)
    for _ in range(n_steps):
        direction = _unit(direction + gradient(predict, embedding + direction))
    return direction


def _unit(vectors: Tensor) -> Tensor:
    import torch

    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / torch.where(length > 0.0, length, 1.0)
