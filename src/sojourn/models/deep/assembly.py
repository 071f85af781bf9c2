"""A network with all that learns along, freshly made."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch

from sojourn.errors import InvalidInputError
from sojourn.models.deep.device import generator_on, learning, seeded
from sojourn.models.deep.gate import GatingUnit
from sojourn.models.deep.networks import MakeNetwork, expect_split
from sojourn.models.deep.newcomers import Newcomers
from sojourn.models.deep.parts import Parts
from sojourn.models.deep.steps import Learner
from sojourn.models.deep.training import Stream, StreamTraining
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Assembly:
    """How to make the parts of a model, as often as it starts anew: its arguments of the same names."""

    layout: FieldLayout
    network: MakeNetwork
    uncertainty: Uncertainty | None
    gate: GatingUnit | None
    training: StreamTraining
    device: torch.device
    seed: int

    def parts(self) -> Parts:
        """Fresh weights, and nothing learned; the uncertainty and the gate are copies of those given."""
        uncertainty, gate = deepcopy((self.uncertainty, self.gate))
        share = self.training.unknown_share
        if uncertainty is not None and uncertainty.compares_with_unknown and not share:
            raise InvalidInputError(
                f"unknown_share: expected above 0, for {type(uncertainty).__name__} asks the network about items that "
                "it does not know, got 0; train with StreamTraining(unknown_share=0.1)"
            )
        with learning(), seeded(self.seed):
            network = self.network(self.layout).to(self.device, torch.float32).eval()
            split = expect_split(network)
            if gate is not None:
                gate.begin(split, split.embed(torch.zeros((1, self.layout.n_columns), device=self.device)))
            if uncertainty is not None:
                own = generator_on(self.device, self.seed)
                uncertainty.begin(network, self.layout, self.network, generator=own)
        newcomers = Newcomers(self.layout, share, network) if share else None
        return Parts(network=network, layout=self.layout, uncertainty=uncertainty, gate=gate, newcomers=newcomers)

    def stream(self, parts: Parts) -> Stream:
        """A stream for the parts to learn from, of which nothing has come yet."""
        learner = Learner(parts, self.training, generator=generator_on(self.device, self.seed))
        return Stream(learner, self.training, self.layout.n_columns + 2)
