"""Tensors that an uncertainty learns beside the network, with their optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep.moments import moments, restore_moments

_MOMENT: Final = "moment|"


class OwnAdam:
    """Adam on tensors that the network does not have, and their way into a checkpoint.

    Parameters
    ----------
    learned
        Tensors by name; leaves that ask for gradients, changed in place. One tensor may hold all members, since Adam
        works number by number.
    kept
        Tensors by name that are saved along and not learned.
    learning_rate
    weight_decay
        Decoupled, as that of the network.
    """

    def __init__(
        self,
        learned: Mapping[str, Tensor],
        *,
        kept: Mapping[str, Tensor] | None = None,
        learning_rate: float,
        weight_decay: float = 0.0,
    ) -> None:
        self._learned = dict(learned)
        self._all = {**(kept or {}), **self._learned}
        leaves = list(self._learned.values())
        self._adam = torch.optim.AdamW(leaves, lr=learning_rate, weight_decay=weight_decay, fused=True)

    @property
    def has_stepped(self) -> bool:
        """True once `descend` was called, here or before the state was saved."""
        return bool(self._adam.state)

    def descend(self, loss: Tensor) -> None:
        """One step down the loss; gradients of other tensors are left as they were."""
        # backward lays gradients out like their tensors, which fused Adam takes for granted; autograd.grad does not
        torch.autograd.backward(loss, inputs=list(self._learned.values()))
        self._adam.step()
        self._adam.zero_grad()

    def state(self) -> dict[str, Tensor]:
        """Copies of the tensors and of Adam's moments."""
        copies = {name: tensor.detach().clone() for name, tensor in self._all.items()}
        return copies | {f"{_MOMENT}{name}": value.clone() for name, value in moments(self._adam).items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave.

        Raises
        ------
        InvalidInputError
            If tensors are missing, unknown or of another shape.
        """
        self._expect_own(state)
        with torch.no_grad():
            for name, tensor in self._all.items():
                tensor.copy_(state[name])
        own_moments = {name: value for name, value in state.items() if name.startswith(_MOMENT)}
        restore_moments(self._adam, {name.removeprefix(_MOMENT): value for name, value in own_moments.items()})

    def _expect_own(self, state: Mapping[str, Tensor]) -> None:
        own = {name: tuple(tensor.shape) for name, tensor in self._all.items()}
        given = {name: tuple(value.shape) for name, value in state.items() if not name.startswith(_MOMENT)}
        for name in {**own, **given}:
            if own.get(name) != given.get(name):
                raise InvalidInputError(
                    f"state: expected {name} of shape {own.get(name, 'none')}, got {given.get(name, 'none')}; restore "
                    "into an uncertainty made with the same arguments as the one that was stored"
                )
