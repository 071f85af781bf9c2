"""One step of the optimiser, and all that learns along with it."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep.device import learning
from sojourn.models.deep.loss import click_loss
from sojourn.models.deep.moments import moments, restore_moments
from sojourn.models.deep.networks import Head, head_parameters
from sojourn.models.deep.parts import Parts
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.state_tensors import Tensors


class StepPlan(Protocol):
    """What a step goes by; `StreamTraining` and `FitPlan` are such plans."""

    @property
    def learning_rate(self) -> float:
        """Step size of Adam."""
        ...

    @property
    def dropout(self) -> float:
        """Share of the weights behind the embedding that a step masks."""
        ...

    @property
    def weight_decay(self) -> float:
        """Decoupled decay of the parameters."""
        ...


class Learner:
    """Steps of Adam on the network, with the uncertainty and the gate learning from the same rows.

    The network is trained with masks on its weights theta behind the embedding (Wu et al. 2022, eq. 17), a fresh one
    each step; what is kept is scaled by 1 / (1 - dropout), so that the unmasked network needs no correction. Biases are
    not masked: without that of the output, rare clicks would look like even odds for a step. Weight decay is decoupled
    (Loshchilov and Hutter 2019): Adam's own would shrink tables of rare items at full speed.

    Parameters
    ----------
    parts
    plan
    generator
        On the network's device; all that is drawn in learning comes from it.
    """

    def __init__(self, parts: Parts, plan: StepPlan, *, generator: torch.Generator) -> None:
        self.parts = parts
        self.generator = generator
        self._keep = 1.0 - plan.dropout
        self._head = Head(parts.network)
        with learning():
            theta = head_parameters(parts.network, parts.layout) if plan.dropout else {}
        self._theta = {f"network.{name}": parameter for name, parameter in theta.items() if parameter.ndim > 1}
        thawed = [parameter for parameter in parts.network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(thawed, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True)

    def step(self, rows: TrainRows) -> Tensor:
        """Learn from the rows once; gives the loss, a tensor without gradient."""
        newcomers = self.parts.newcomers
        features = rows.features if newcomers is None else newcomers.thinned(rows.features, generator=self.generator)
        self.parts.network.train()
        embedding = self.parts.split.embed(features)
        loss = click_loss(self._masked_log_odds(embedding), rows)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.parts.network.eval()
        if self.parts.uncertainty is not None:
            self.parts.uncertainty.step(rows, generator=self.generator)
        if self.parts.gate is not None:
            self.parts.gate.step(embedding, rows)
        return loss.detach()

    def meet(self, rows: TrainRows) -> None:
        """Rows that steps are about to be made on."""
        if self.parts.newcomers is not None:
            self.parts.newcomers.meet(rows.features)

    def observe(self, rows: TrainRows) -> None:
        """Fresh rows that steps have been made on."""
        if self.parts.uncertainty is not None:
            self.parts.uncertainty.observe(rows, generator=self.generator)

    def state(self) -> Tensors:
        """The moments of Adam."""
        return moments(self.optimizer)

    def restore(self, state: Tensors) -> None:
        """Take over what `state` gave."""
        restore_moments(self.optimizer, state)

    def _masked_log_odds(self, embedding: Tensor) -> Tensor:
        if not self._theta:
            return self.parts.split.from_embedding(embedding)
        masked = {name: parameter * self._mask(parameter) for name, parameter in self._theta.items()}
        log_odds: Tensor = torch.func.functional_call(self._head, masked, (embedding,))
        return log_odds

    def _mask(self, parameter: Tensor) -> Tensor:
        mask = torch.empty_like(parameter, requires_grad=False)
        return mask.bernoulli_(self._keep, generator=self.generator).div_(self._keep)


def expect_finite_loss(loss: Tensor) -> float:
    """The loss as a number, refused where training has diverged."""
    value = float(loss)
    if not math.isfinite(value):
        raise InvalidInputError(
            f"learning_rate: the loss became {value}; take a smaller one, and standardise numeric features"
        )
    return value
