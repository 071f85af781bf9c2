"""A network with all that learns along, freshly made."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch

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
        with learning(), seeded(self.seed):
            network = self.network(self.layout).to(self.device, torch.float32).eval()
            split = expect_split(network)
            if gate is not None:
                gate.begin(split, split.embed(torch.zeros((1, self.layout.n_columns), device=self.device)))
            if uncertainty is not None:
                own = generator_on(self.device, self.seed)
                uncertainty.begin(network, self.layout, self.network, generator=own)
        share = self.training.unknown_share
        newcomers = Newcomers(self.layout, share, network) if share else None
        return Parts(network=network, layout=self.layout, uncertainty=uncertainty, gate=gate, newcomers=newcomers)

    def stream(self, parts: Parts) -> Stream:
        """A stream for the parts to learn from, of which nothing has come yet."""
        learner = Learner(parts, self.training, generator=generator_on(self.device, self.seed))
        return Stream(learner, self.training, self.layout.n_columns + 2)
