"""Everyone who explores: a model, an explorer, and how strongly.

Strengths were chosen by `experiments.age.tuning` on seeds of their own, three for each contestant that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from experiments.age.stand_ins import NormalDoubt, RandomDirection, UpperHalf
from sojourn.exploration import AdversarialGradient, EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.interfaces import Explorer
from sojourn.models.deep import DeepClickRate, GatingUnit, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.uncertainty import (
    BatchEnsemble,
    DiagonalPrecision,
    Dropout,
    Ensemble,
    GaussianProcess,
    GradientNorm,
    ImpressionCounts,
    ItemPosterior,
    LastLayer,
    SharedTrunk,
)
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout

NETWORK: Final = partial(MLP, embedding_size=8, hidden=(64, 32))
UNKNOWN_SHARE: Final = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """What a model is made of besides the network; contestants of the same model share its warm-up."""

    uncertainty: Callable[[], Uncertainty] | None = None
    gated: bool = False
    unknown_share: float = 0.0

    def make(self, layout: FieldLayout, *, seed: int) -> DeepClickRate:
        """A fresh model."""
        return DeepClickRate(
            layout=layout,
            network=NETWORK,
            uncertainty=None if self.uncertainty is None else self.uncertainty(),
            gate=GatingUnit() if self.gated else None,
            training=StreamTraining(unknown_share=self.unknown_share),
            seed=seed,
        )


MODELS: Final[Mapping[str, ModelSpec]] = {
    "plain": ModelSpec(),
    "plain, unknown items": ModelSpec(unknown_share=UNKNOWN_SHARE),
    "ensemble": ModelSpec(uncertainty=Ensemble),
    "gradient": ModelSpec(uncertainty=GradientNorm),
    "Gaussian process": ModelSpec(uncertainty=GaussianProcess),
    "upper half": ModelSpec(uncertainty=partial(UpperHalf, GradientNorm)),
    "dropout": ModelSpec(uncertainty=Dropout, gated=True),
    "normal doubt": ModelSpec(uncertainty=NormalDoubt, gated=True),
    "last layer": ModelSpec(uncertainty=LastLayer),
    "diagonal": ModelSpec(uncertainty=DiagonalPrecision),
    "shared trunk": ModelSpec(uncertainty=SharedTrunk),
    "batch ensemble": ModelSpec(uncertainty=BatchEnsemble),
    "counts": ModelSpec(uncertainty=partial(ImpressionCounts, prior_std=0.4, information=0.05), gated=True),
    "learned counts": ModelSpec(uncertainty=ImpressionCounts),
    "item posterior": ModelSpec(uncertainty=ItemPosterior),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Contestant:
    """One way to explore.

    Parameters
    ----------
    model
        Name in `MODELS`.
    explorer
        From a strength to the explorer.
    strengths
        Those that tuning tried, all but one factor alike; a single one where there is nothing to tune.
    strength
        The one that tuning chose.
    """

    model: str
    explorer: Callable[[float], Explorer]
    strengths: tuple[float, ...] = (1.0,)
    strength: float = 1.0


def _sample(strength: float) -> Explorer:
    return Thompson(scale=strength)


def _bound(strength: float) -> Explorer:
    return Optimism(alpha=strength)


def _age(**settings: Any) -> Callable[[float], Explorer]:
    """AGE by samples with the learned gate, unless told otherwise."""
    how = {"uncertainty_as": "sample", "gate": "learned"} | settings
    return lambda strength: AdversarialGradient(strength=strength, **how)


CONTESTANTS: Final[Mapping[str, Contestant]] = {
    "vanilla": Contestant(model="plain", explorer=lambda _: Greedy()),
    "random": Contestant(model="plain", explorer=lambda _: EpsilonGreedy(epsilon=1.0)),
    "epsilon-greedy": Contestant(
        model="plain",
        explorer=lambda epsilon: EpsilonGreedy(epsilon=epsilon),
        strengths=(0.02, 0.05, 0.1),
        strength=0.1,
    ),
    "Ensemble-TS": Contestant(model="ensemble", explorer=_sample, strengths=(0.5, 1.0, 2.0), strength=1),
    "Ensemble-UCB": Contestant(model="ensemble", explorer=_bound, strengths=(0.5, 1.0, 2.0), strength=2),
    "Gradient-TS": Contestant(model="gradient", explorer=_sample, strengths=(0.01, 0.03, 0.1), strength=0.03),
    "Gradient-UCB": Contestant(model="gradient", explorer=_bound, strengths=(0.01, 0.03, 0.1), strength=0.1),
    "GP-TS": Contestant(model="Gaussian process", explorer=_sample, strengths=(0.5, 1.0, 2.0), strength=0.5),
    "GP-UCB": Contestant(model="Gaussian process", explorer=_bound, strengths=(0.5, 1.0, 2.0), strength=1),
    "stand-in for UR-gradient-TS": Contestant(
        model="upper half", explorer=_sample, strengths=(0.01, 0.03, 0.1), strength=0.01
    ),
    "stand-in for UR-gradient-UCB": Contestant(
        model="upper half", explorer=_bound, strengths=(0.01, 0.03, 0.1), strength=0.01
    ),
    "AGE-TS": Contestant(model="dropout", explorer=_age(), strengths=(1.0, 3.0, 10.0), strength=1),
    "AGE-UCB": Contestant(
        model="dropout", explorer=_age(uncertainty_as="bound"), strengths=(1.0, 3.0, 10.0), strength=3
    ),
    "MC-dropout TS": Contestant(model="dropout", explorer=_sample, strengths=(1.0, 3.0, 10.0), strength=10),
    "MC-dropout UCB": Contestant(model="dropout", explorer=_bound, strengths=(1.0, 3.0, 10.0), strength=10),
    "last-layer NeuralTS": Contestant(model="last layer", explorer=_sample, strengths=(0.3, 1.0, 3.0), strength=3),
    "diagonal NeuralTS": Contestant(model="diagonal", explorer=_sample, strengths=(0.1, 0.3, 1.0), strength=0.1),
    "shared-trunk TS": Contestant(model="shared trunk", explorer=_sample, strengths=(0.3, 1.0, 3.0), strength=0.3),
    "batch-ensemble TS": Contestant(model="batch ensemble", explorer=_sample, strengths=(0.3, 1.0, 3.0), strength=3),
    "count-TS": Contestant(model="counts", explorer=_sample, strengths=(0.125, 0.25, 0.5), strength=0.25),
    "learned count-TS": Contestant(model="learned counts", explorer=_sample, strengths=(0.25, 0.5, 1.0), strength=0.25),
    "vanilla, unknown items": Contestant(model="plain, unknown items", explorer=lambda _: Greedy()),
    "item posterior, greedy": Contestant(model="item posterior", explorer=lambda _: Greedy()),
    "item posterior TS": Contestant(model="item posterior", explorer=_sample, strengths=(0.25, 0.5, 1.0), strength=0.5),
    "AGE with counts": Contestant(model="counts", explorer=_age(), strengths=(0.03, 0.1, 0.3), strength=0.1),
    "AGE with item posterior": Contestant(
        model="item posterior", explorer=_age(gate=None), strengths=(0.1, 0.3, 1.0), strength=0.3
    ),
}
"""Table 1, its rivals since, and ours."""

ABLATIONS: Final[Mapping[str, Contestant]] = {
    "AGE-TS without delta_y": Contestant(model="normal doubt", explorer=_age()),
    "AGE-TS without g": Contestant(model="dropout", explorer=lambda strength: RandomDirection(strength=strength)),
    "AGE-TS without gate": Contestant(model="dropout", explorer=_age(gate=None)),
    "AGE-TS, threshold .02": Contestant(model="dropout", explorer=_age(gate=0.02)),
    "AGE-TS, threshold .01": Contestant(model="dropout", explorer=_age(gate=0.01)),
    "AGE-TS, threshold .005": Contestant(model="dropout", explorer=_age(gate=0.005)),
    "AGE-TS, PGD": Contestant(model="dropout", explorer=_age(n_steps=3)),
    "AGE-TS, first order": Contestant(model="dropout", explorer=_age(first_order=True)),
    "AGE-TS, as published": Contestant(model="dropout", explorer=lambda _: _age(n_steps=3, space="probability")(1e-3)),
    "AGE-UCB without gate": Contestant(model="dropout", explorer=_age(uncertainty_as="bound", gate=None)),
}
"""Tables 2 and 3: each at the strength of AGE-TS or AGE-UCB, but for the published one."""
