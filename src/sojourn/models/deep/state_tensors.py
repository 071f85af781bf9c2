"""What the parts of a model learned, as tensors under one name each."""

from __future__ import annotations

from torch import Tensor, nn

from sojourn.errors import InvalidInputError

Tensors = dict[str, Tensor]


def joined(parts: dict[str, Tensors]) -> Tensors:
    """The tensors of several parts under names that begin with that of the part."""
    return {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}


def divided(state: Tensors) -> dict[str, Tensors]:
    """What `joined` put together."""
    parts: dict[str, Tensors] = {}
    for name, value in state.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = value
    return parts


def take_over(module: nn.Module, state: Tensors, what: str) -> None:
    """Load a module's state.

    Raises
    ------
    InvalidInputError
        If names or shapes are not the module's own.
    """
    own = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in state.items()}
    if own != given:
        name = next(name for name in {**own, **given} if own.get(name) != given.get(name))
        raise InvalidInputError(
            f"state: expected {what}.{name} of shape {own.get(name, 'none')}, got {given.get(name, 'none')}; restore "
            "into a model made with the same arguments as the one that was stored"
        )
    module.load_state_dict(state)
