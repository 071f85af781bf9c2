"""What was learned, as arrays under one name each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from sojourn.errors import InvalidInputError

State = dict[str, NDArray[Any]]


@runtime_checkable
class Learner(Protocol):
    """What can be saved: a model or a policy whose learning is a few arrays."""

    def state(self) -> State:
        """What was learned, as arrays to store."""
        ...

    def restore(self, state: State) -> None:
        """Take over what `state` gave."""
        ...


def expect_learner(part: object, name: str) -> Learner:
    """The part, if its learning is a few arrays.

    Raises
    ------
    InvalidInputError
        If it has no ``state`` and ``restore``.
    """
    if not isinstance(part, Learner):
        raise InvalidInputError(
            f"{name}: expected a model with state() and restore(), got {type(part).__name__}; keep the log, and let a "
            "fresh model learn from it"
        )
    return part


def joined(states: Mapping[str, State]) -> State:
    """The arrays of several parts under names that begin with that of the part."""
    return {f"{part}.{name}": values for part, state in states.items() for name, values in state.items()}


def part_of(state: State, part: str) -> State:
    """What `joined` put together, of one part."""
    return {name.removeprefix(f"{part}."): values for name, values in state.items() if name.startswith(f"{part}.")}


def taken(state: State, name: str, like: NDArray[Any]) -> NDArray[Any]:
    """A copy of the array of that name, which must have the shape and the kind of another.

    Raises
    ------
    InvalidInputError
        If it is missing or another one.
    """
    found = state.get(name)
    if found is None or found.shape != like.shape or found.dtype.kind != like.dtype.kind:
        came = "nothing" if found is None else f"{found.shape} of {found.dtype}"
        raise InvalidInputError(
            f"state[{name!r}]: expected an array of shape {like.shape} of {like.dtype}, got {came}; restore into a "
            "policy made with the same arguments as the one that was stored"
        )
    return found.copy()
