"""What an optimiser remembers, as tensors by name."""

from __future__ import annotations

import torch
from torch import Tensor


def moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What it remembers of each parameter, ``index.name``; nothing before the first step."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{name}": value for index, entry in state.items() for name, value in entry.items()}


def restore_moments(optimizer: torch.optim.Optimizer, state: dict[str, Tensor]) -> None:
    """Take over what `moments` gave."""
    entries: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        index, _, name = key.partition(".")
        entries.setdefault(int(index), {})[name] = value.clone()
    optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})
