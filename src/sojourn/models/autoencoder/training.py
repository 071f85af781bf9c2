"""Training of the autoencoder; torch's global state is left as it was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Final

from sojourn.errors import InvalidInputError, MissingExtraError
from sojourn.models.autoencoder.layers import Layers
from sojourn.records import FloatArray

try:
    import torch
except ImportError as error:
    raise MissingExtraError("torch", "torch") from error

_N_INIT_ROWS: Final = 2000
_SMALLEST_SD: Final = 1e-6
_OUTPUT_SHRINKAGE: Final = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingPlan:
    """How to train: the parameters of `DenoisingAutoencoder` of the same names."""

    hidden: tuple[int, ...]
    corruption: float
    learning_rate: float
    batch_size: int
    max_epochs: int
    patience: int
    tolerance: float
    validation_share: float
    seed: int


def train(
    rows: FloatArray, plan: TrainingPlan, *, progress: Callable[[int, int], None] | None
) -> tuple[Layers, list[float]]:
    """Fit to rows (n, d) in [0, 1]: the layers after the best epoch, and the held-out error after each epoch."""
    generator = torch.Generator().manual_seed(plan.seed)
    training, held_out = _split(rows, plan.validation_share, generator)
    with _one_thread(), torch.enable_grad():  # the caller may have switched gradients off
        parameters = _initial(training[:_N_INIT_ROWS], plan.hidden, generator)
        optimizer = torch.optim.Adam(parameters, lr=plan.learning_rate)
        best, curve = _copied(parameters), [_held_out_error(held_out, parameters)]
        best_epoch = 0
        for epoch in range(1, plan.max_epochs + 1):
            _learn(training, parameters, optimizer, plan, generator)
            curve.append(_held_out_error(held_out, parameters))
            if curve[-1] < curve[best_epoch] * (1.0 - plan.tolerance):
                best, best_epoch = _copied(parameters), epoch
            if progress is not None:
                progress(epoch, plan.max_epochs)
            if epoch - best_epoch >= plan.patience:
                break
    return _layers(best), curve[1:]


@contextmanager
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _split(rows: FloatArray, share: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Training and held-out rows, at least one of each."""
    shuffled = torch.from_numpy(rows).to(torch.float32)[torch.randperm(len(rows), generator=generator)]
    n_held_out = min(max(1, round(share * len(rows))), len(rows) - 1)
    return shuffled[n_held_out:], shuffled[:n_held_out]


def _initial(rows: torch.Tensor, hidden: tuple[int, ...], generator: torch.Generator) -> list[torch.Tensor]:
    """Weight, bias, weight, bias, ... set by what the first rows send through.

    Each hidden unit starts with variance 1 before its ReLU and a mean of 1, open for some 84 % of the rows, and the
    output at the mean of the rows. With the usual draws the inputs' common level decides alone whether a unit is open
    for all rows or for none (scaling by data: Salimans and Kingma 2016; the mean of 1 is ours).
    """
    parameters: list[torch.Tensor] = []
    activations, n_columns = rows, rows.shape[1]
    for n_outputs in (*hidden, n_columns):
        weight = torch.randn((activations.shape[1], n_outputs), generator=generator, dtype=rows.dtype)
        weight /= activations.shape[1] ** 0.5
        if len(parameters) == 2 * len(hidden):
            weight *= _OUTPUT_SHRINKAGE
            bias = rows.mean(dim=0) - (activations @ weight).mean(dim=0)
        else:
            drive = activations @ weight
            sd = drive.std(dim=0, correction=0)
            sd = torch.where(sd > _SMALLEST_SD, sd, 1.0)
            weight, bias = weight / sd, 1.0 - drive.mean(dim=0) / sd
            activations = torch.relu(activations @ weight + bias)
        parameters += [weight, bias]
    return [parameter.requires_grad_() for parameter in parameters]


def _reconstructed(rows: torch.Tensor, parameters: list[torch.Tensor]) -> torch.Tensor:
    *hidden, weight, bias = parameters
    for layer in range(0, len(hidden), 2):
        rows = torch.relu(rows @ hidden[layer] + hidden[layer + 1])
    return rows @ weight + bias


def _learn(
    training: torch.Tensor,
    parameters: list[torch.Tensor],
    optimizer: torch.optim.Optimizer,
    plan: TrainingPlan,
    generator: torch.Generator,
) -> None:
    """One epoch, with fresh noise."""
    for batch in torch.randperm(len(training), generator=generator).split(plan.batch_size):  # type: ignore[no-untyped-call]
        clean = training[batch]
        noise = torch.rand(clean.shape, generator=generator, dtype=clean.dtype)
        loss = torch.nn.functional.mse_loss(
            _reconstructed(torch.lerp(clean, noise, plan.corruption), parameters), clean
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _held_out_error(held_out: torch.Tensor, parameters: list[torch.Tensor]) -> float:
    with torch.no_grad():
        error = float(torch.nn.functional.mse_loss(_reconstructed(held_out, parameters), held_out))
    if not isfinite(error):
        raise InvalidInputError(f"learning_rate: the reconstruction error became {error}; take a smaller one")
    return error


def _copied(parameters: list[torch.Tensor]) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in parameters]


def _layers(parameters: list[torch.Tensor]) -> Layers:
    arrays = [parameter.to(torch.float64).numpy() for parameter in parameters]
    return Layers(weights=tuple(arrays[::2]), biases=tuple(arrays[1::2]))
