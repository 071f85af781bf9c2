"""Where a network lives, and what it draws from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor

from sojourn.errors import InvalidInputError

_BLOCK: Final = 1_024


def device_of(name: str) -> torch.device:
    """The device of that name.

    Raises
    ------
    InvalidInputError
        If torch knows no such device, or finds none here.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidInputError(f"device: expected 'cpu', 'cuda' or another of torch's, got {name!r}") from error
    n_found = torch.cuda.device_count() if device.type == "cuda" else 1
    if (device.index or 0) >= n_found:
        raise InvalidInputError(
            f"device: expected one that torch finds, got {name!r}, and torch finds {n_found} of that type; take "
            "'cpu', or install a build of torch for CUDA and see that the driver is there"
        )
    return device


def generator_on(device: torch.device, seed: int) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator(device).manual_seed(seed)


def blocks_of(rows: Tensor) -> tuple[Tensor, ...]:
    """Rows (r, ...) on a CPU a few at a time, whose layers then stay in its cache."""
    size = _BLOCK * torch.get_num_threads() if rows.device.type == "cpu" else max(1, len(rows))
    return torch.split(rows, size)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The global generator that fresh weights are drawn from, seeded, and put back afterwards."""
    with torch.random.fork_rng(devices=[]):  # networks are made on the CPU, whatever device they go to
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def learning() -> Iterator[None]:
    """Gradients on, whatever the caller has switched off."""
    with torch.inference_mode(mode=False), torch.enable_grad():
        yield
