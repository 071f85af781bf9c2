"""The checks of policies catch what can go wrong where scores depend on the items above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from sojourn.checks import POLICY_CHECKS, check_policy
from sojourn.checks.contract import run_checks
from sojourn.exploration import Greedy
from sojourn.exposure import NoCorrection
from sojourn.interfaces import FeatureMap
from sojourn.models import BayesianRidge
from sojourn.policies import PlackettLuce, SimilarityProducts, SlatePolicy
from sojourn.records import Decision, FloatArray, IntArray, Request

CHECKS = {check.__name__: check for check in POLICY_CHECKS}
Mapped = Callable[[IntArray], FloatArray]


class Sound(SlatePolicy):
    """A policy over products with the similarity to the items above, for the mutants to spoil."""

    def __init__(self, *, n_features: int, n_slots: int) -> None:
        super().__init__(
            name="sound",
            model=BayesianRidge(n_features=2 * n_features, n_slots=n_slots),
            explorer=Greedy(),
            sampler=PlackettLuce(temperature=0.02),
            exposure=NoCorrection(),
            feature_map=SimilarityProducts(power=1),
        )


class AsIf(Sound):
    """Another feature map in every method but act."""

    feature_map_of_act: FeatureMap = SimilarityProducts(power=1)

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        told, self.feature_map = self.feature_map, self.feature_map_of_act
        try:
            return super().act(request, rng=rng)
        finally:
            self.feature_map = told


class Unchanged(SimilarityProducts):
    """The first slot's features for every slot."""

    def at_slot(self, features: FloatArray) -> Mapped:
        mapped = super().at_slot(features)
        return lambda placed: mapped(placed[:0])


class OneItemUp(SimilarityProducts):
    """Similarity to the item just above."""

    def at_slot(self, features: FloatArray) -> Mapped:
        mapped = super().at_slot(features)
        return lambda placed: mapped(placed[-1:])


class ForgetsTheItemsAbove(AsIf):
    def __init__(self, *, n_features: int, n_slots: int) -> None:
        super().__init__(n_features=n_features, n_slots=n_slots)
        self.feature_map = Unchanged(power=1)


class ForgetsAllButTheItemJustAbove(AsIf):
    def __init__(self, *, n_features: int, n_slots: int) -> None:
        super().__init__(n_features=n_features, n_slots=n_slots)
        self.feature_map = OneItemUp(power=1)


class DistributesByTheItemJustAbove(Sound):
    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        told, self.feature_map = self.feature_map, OneItemUp(power=1)
        try:
            return super().slot_distribution(request, above, rng=rng)
        finally:
            self.feature_map = told


class LogsTheFirstSlotsScores(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        decision = super().act(request, rng=rng)
        scores = self._slot_scores(request, rng)(decision.chosen[:0])
        propensity = self.sampler.propensity(lambda placed: scores, len(scores), decision.chosen)
        return replace(decision, propensity=propensity)


@dataclass(frozen=True, kw_only=True)
class RemembersEverySlate(SimilarityProducts):
    """Adds up what is placed, slot by slot and request by request."""

    total: FloatArray = field(default_factory=lambda: np.zeros(1))

    def at_slot(self, features: FloatArray) -> Mapped:
        mapped = super().at_slot(features)

        def drifting(placed: IntArray) -> FloatArray:
            self.total[...] += features[placed].sum()
            return np.asarray(mapped(placed) * np.cos(self.total))

        return drifting


class KeepsStateBetweenSlots(Sound):
    def __init__(self, *, n_features: int, n_slots: int) -> None:
        super().__init__(n_features=n_features, n_slots=n_slots)
        self.feature_map = RemembersEverySlate(power=1)


MUTANTS: list[tuple[str, type[Sound], str]] = [
    ("frequencies_match_probabilities", ForgetsTheItemsAbove, "share of a slate"),
    ("logged_propensity_is_slate_probability", ForgetsTheItemsAbove, "that slate_probability gives"),
    ("logged_propensity_is_slate_probability", ForgetsAllButTheItemJustAbove, "that slate_probability gives"),
    ("logged_propensity_is_slate_probability", LogsTheFirstSlotsScores, "that slate_probability gives"),
    ("logged_propensity_is_slate_probability", KeepsStateBetweenSlots, "that slate_probability gives"),
    ("slot_distribution_agrees", DistributesByTheItemJustAbove, "what slate_probability gives"),
    ("act_is_pure", KeepsStateBetweenSlots, "of before"),
    ("probabilities_sum_to_one", KeepsStateBetweenSlots, "sum over all 12 slates"),
]


def test_the_policy_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in check_policy(Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message
