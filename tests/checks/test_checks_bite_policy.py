"""Every check of policies catches the fault that it is there for."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pytest

from sojourn.checks import POLICY_CHECKS, check_policy
from sojourn.checks.contract import run_checks
from sojourn.exploration import Greedy, Optimism
from sojourn.exposure import NoCorrection
from sojourn.models import BayesianRidge
from sojourn.policies import PlackettLuce, SlatePolicy, TopK
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request

CHECKS = {check.__name__: check for check in POLICY_CHECKS}


class Sound(SlatePolicy):
    """A policy without fault, for the mutants to spoil."""

    def __init__(self, *, n_features: int, n_slots: int) -> None:
        super().__init__(
            name="sound",
            model=BayesianRidge(n_features=n_features),
            explorer=Greedy(),
            sampler=PlackettLuce(temperature=0.2),
            exposure=NoCorrection(),
        )


class Sharp(Sound):
    """The same without chance; optimistic, so that every row changes its order."""

    def __init__(self, *, n_features: int, n_slots: int) -> None:
        super().__init__(n_features=n_features, n_slots=n_slots)
        self.sampler = TopK()
        self.explorer = Optimism()


class WritesAnotherName(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return replace(super().act(request, rng=rng), policy="other")


class WritesAnotherRequest(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return replace(super().act(request, rng=rng), request_id="other")


class ShowsTooFew(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return super().act(replace(request, n_slots=max(1, request.n_slots - 1)), rng=rng)


class ChoosesItemIds(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        decision = super().act(request, rng=rng)
        return replace(decision, chosen=request.item_ids[decision.chosen])


class ForgesPropensities(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        decision = super().act(request, rng=rng)
        object.__setattr__(decision, "propensity", 20.0 * decision.propensity)
        return decision


class Partitions(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        np.argpartition(-self.model.mean(request.features), request.n_slots)
        return super().act(request, rng=rng)


class CountsOneCandidateMore(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        n_open = len(request.item_ids) + 1
        return replace(super().act(request, rng=rng), propensity=np.full(request.n_slots, 1.0 / n_open))


class FillsFromTheTop(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return super().act(replace(request, n_slots=1) if request.first_position else request, rng=rng)


class ReadsIdsAsNumbers(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return super().act(replace(request, item_ids=request.item_ids.astype(np.int64)), rng=rng)


class TiresOfActing(Sound):
    n_acts = 0

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        self.n_acts += 1
        decision = super().act(request, rng=rng)
        return replace(decision, chosen=decision.chosen[::-1].copy()) if self.n_acts > 30 else decision


class DrawsGlobally(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return super().act(request, rng=np.random.default_rng(int(np.random.randint(1_000))))  # noqa: NPY002


class DrawsWithPython(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return super().act(request, rng=np.random.default_rng(random.randrange(1_000)))


class ReseedsGlobally(Sound):
    def update(self, batch: LogBatch) -> None:
        np.random.seed(0)  # noqa: NPY002
        super().update(batch)


class CentresInPlace(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        features = request.features
        features -= features.mean(axis=0)
        return super().act(request, rng=rng)


class WritesWhatIsThere(Sound):
    def update(self, batch: LogBatch) -> None:
        features = batch.features
        features *= 1.0
        super().update(batch)


class ForgetsWhenCopied(Sound):
    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(n_features=3, n_slots=3)


class ForgetsWhenPickled(Sound):
    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "model": BayesianRidge(n_features=3)}


class GivesLogarithms(Sound):
    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        return np.log(super().slate_probability(request, chosen, rng=rng))


class ForgetsTheItemsAbove(Sound):
    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        each = [super(ForgetsTheItemsAbove, self).slate_probability(request, chosen[[j]], rng=rng) for j in range(2)]
        return np.concatenate(each)


class ReportsAnotherTemperature(Sound):
    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        scores = self.model.mean(request.features)
        return PlackettLuce(temperature=5.0).propensity(lambda placed: scores, len(scores), chosen)


class LogsOneOverN(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        decision = super().act(request, rng=rng)
        return replace(decision, propensity=np.full(request.n_slots, 1.0 / len(request.item_ids)))


class LogsTheJointProbability(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        decision = super().act(request, rng=rng)
        return replace(decision, propensity=np.multiply.accumulate(decision.propensity))


class DistributesEvenly(Sound):
    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        return np.full(len(request.item_ids), 1.0 / len(request.item_ids))


class DistributesTooLittle(Sound):
    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        return 0.5 * super().slot_distribution(request, above, rng=rng)


class CallsADrawDeterministic(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return replace(super().act(request, rng=rng), deterministic=True)


class HidesADraw(Sound):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return replace(super().act(request, rng=rng), deterministic=True, propensity=np.ones(request.n_slots))


class CallsAChoiceDrawn(Sharp):
    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return replace(super().act(request, rng=rng), deterministic=False)


class ScalesTheLog(Sound):
    def update(self, batch: LogBatch) -> None:
        batch.features[...] *= 0.5
        super().update(batch)


class KeepsAllBatches(Sound):
    """Learns afresh from every batch at each update, and keeps them as they came."""

    def __init__(self, *, n_features: int, n_slots: int) -> None:
        super().__init__(n_features=n_features, n_slots=n_slots)
        self.batches: list[LogBatch] = []

    def update(self, batch: LogBatch) -> None:
        self.batches.append(batch)
        self.model = BayesianRidge(n_features=3)
        for each in self.batches:
            self.model.update(self.exposure.rows(each))


class StartsAfreshOnNothing(Sound):
    def update(self, batch: LogBatch) -> None:
        if batch.n_rounds == 0:
            self.model = BayesianRidge(n_features=3)
        super().update(batch)


class ReadsEmptySlots(Sound):
    def update(self, batch: LogBatch) -> None:
        super().update(replace(batch, item=np.abs(batch.item), propensity=None))


MUTANTS: list[tuple[str, type[Sound], str]] = [
    ("keeps_the_protocol", WritesAnotherName, "carry the policy's name"),
    ("echoes_the_request", WritesAnotherRequest, "got 'other'"),
    ("slate_is_well_formed", ShowsTooFew, "integers in chosen"),
    ("slate_is_well_formed", ChoosesItemIds, "different rows, 0 to 7"),
    ("slate_is_well_formed", ForgesPropensities, "one propensity in (0, 1]"),
    ("shows_all_candidates", Partitions, "ValueError"),
    ("shows_the_only_candidate", CountsOneCandidateMore, "propensity of the only choice"),
    ("fills_lower_slots", FillsFromTheTop, "2 integers in chosen"),
    ("accepts_names_as_item_ids", ReadsIdsAsNumbers, "ValueError"),
    ("act_is_pure", TiresOfActing, "of before"),
    ("draws_from_rng_alone", DrawsGlobally, "under any global seed"),
    ("draws_from_rng_alone", DrawsWithPython, "under any global seed"),
    ("leaves_global_generators_alone", ReseedsGlobally, "global generators untouched"),
    ("act_leaves_the_request_alone", CentresInPlace, "features to be the same after act"),
    ("works_on_read_only_arrays", WritesWhatIsThere, "read-only"),
    ("survives_copying", ForgetsWhenCopied, "decisions of the original"),
    ("survives_copying", ForgetsWhenPickled, "decisions of the original"),
    ("probabilities_are_probabilities", GivesLogarithms, "2 numbers in [0, 1]"),
    ("probabilities_sum_to_one", ForgetsTheItemsAbove, "sum over all 12 slates"),
    ("frequencies_match_probabilities", ReportsAnotherTemperature, "share of a slate"),
    ("logged_propensity_is_calibrated", LogsOneOverN, "average of 1{slate = A}"),
    ("logged_propensity_is_slate_probability", LogsTheJointProbability, "that slate_probability gives"),
    ("slot_distribution_agrees", DistributesEvenly, "what slate_probability gives"),
    ("slot_distribution_agrees", DistributesTooLittle, "sum over the candidates"),
    ("deterministic_is_truthful", CallsADrawDeterministic, "propensities of 1"),
    ("deterministic_is_truthful", HidesADraw, "one slate"),
    ("deterministic_is_truthful", CallsAChoiceDrawn, "a propensity below 1"),
    ("update_leaves_the_log_alone", ScalesTheLog, "features to be the same after update"),
    ("update_keeps_no_hold_of_the_log", KeepsAllBatches, "whose log was left alone"),
    ("nothing_is_learned_from_nothing", StartsAfreshOnNothing, "of before"),
    ("empty_slots_teach_nothing", ReadsEmptySlots, "saw no padding"),
    ("memory_is_bounded", KeepsAllBatches, "bytes after 128 updates"),
]


@pytest.mark.parametrize("sound", [Sound, Sharp])
def test_the_policies_that_mutants_are_made_of_are_sound(sound: type[Sound]) -> None:
    assert [result for result in check_policy(sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)
