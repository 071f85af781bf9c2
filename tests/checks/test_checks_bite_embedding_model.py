"""Every check of models with embeddings catches the fault that it is there for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sojourn.checks import EMBEDDING_MODEL_CHECKS, require_embedding_model
from sojourn.checks.contract import run_checks
from sojourn.errors import ContractError, InvalidInputError
from sojourn.records import FloatArray, Look, Rows

CHECKS = {check.__name__: check for check in EMBEDDING_MODEL_CHECKS}
SLOPE = torch.tensor([0.5, -1.0, 0.8], dtype=torch.float64)


class Sound:
    """Curved log-odds of the features themselves, with a normal doubt about them, for mutants to change."""

    def __init__(self, *, n_features: int) -> None:
        self.n_features = n_features

    def look(self, features: FloatArray) -> Look:
        if features.shape[-1] != self.n_features or not np.isfinite(features).all():
            raise InvalidInputError("features: expected finite numbers")
        rows = torch.from_numpy(features.copy()).reshape(-1, *features.shape[-2:])
        return Look(features=rows, embedding=rows, log_odds=self.from_embedding(rows))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return embedding @ SLOPE + embedding[..., 1] ** 2

    def shift(self, look: Look) -> Tensor:
        return 0.1 * look.features[..., 2]

    def spread(self, look: Look) -> Tensor:
        return 0.2 + look.features[..., 1]

    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        return self.spread(look) * torch.from_numpy(rng.normal(size=look.log_odds.shape))

    def gate_log_odds(self, look: Look) -> Tensor:
        return look.features[..., 2]

    def mean(self, features: FloatArray) -> FloatArray:
        return self._answer(features, self.shift(self.look(features)) + self.look(features).log_odds)

    def std(self, features: FloatArray) -> FloatArray:
        return self._answer(features, self.spread(self.look(features)))

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.mean(features), self.std(features)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return self.mean(features) + self._answer(features, self.deviation(self.look(features), rng=rng))

    def update(self, rows: Rows) -> None:
        pass

    def at(self, slot: int) -> Sound:
        return self

    def _answer(self, features: FloatArray, answer: Tensor) -> FloatArray:
        values: FloatArray = answer.detach().numpy()
        return values if features.ndim == 3 else values[0]


class NeverShifts(Sound):
    shift = None  # type: ignore[assignment]


class FlattensTheRequests(Sound):
    def look(self, features: FloatArray) -> Look:
        return super().look(features.reshape(1, -1, features.shape[-1]))


class LooksWithGradients(Sound):
    def look(self, features: FloatArray) -> Look:
        look = super().look(features)
        embedding = look.embedding.requires_grad_()
        return Look(features=look.features, embedding=embedding, log_odds=self.from_embedding(embedding))


class NormalisesTheBatch(Sound):
    def look(self, features: FloatArray) -> Look:
        look = super().look(features)
        return Look(features=look.features, embedding=look.embedding, log_odds=look.log_odds - look.log_odds.mean())


class RanksTheDoubt(Sound):
    def spread(self, look: Look) -> Tensor:
        return super().spread(look) / super().spread(look).amax()


class AddsTheItemsEffectOutside(Sound):
    def look(self, features: FloatArray) -> Look:
        look = super().look(features)
        log_odds = look.log_odds + look.features[..., 2]
        return Look(features=look.features, embedding=look.embedding, log_odds=log_odds)


class NeedsRequests(Sound):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(embedding) if embedding.ndim == 3 else embedding[..., 0]


class ForgetsTheShift(Sound):
    def mean(self, features: FloatArray) -> FloatArray:
        return self._answer(features, self.look(features).log_odds)


class Detaches(Sound):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(embedding.detach())


class DetachesAPart(Sound):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        return embedding.detach() @ SLOPE + embedding[..., 1] ** 2


class TakesARoot(Sound):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(embedding) + (embedding[..., 0] - 1.0).abs().sqrt()


class LearnsFromTheBatch(Sound):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        others = embedding.flatten(0, -2).sum(dim=0)
        return super().from_embedding(embedding) + (others - others.detach()) @ SLOPE


class DoubtsBelowZero(Sound):
    def spread(self, look: Look) -> Tensor:
        return super().spread(look) - 0.5


class DrawsItsSpread(Sound):
    def spread(self, look: Look) -> Tensor:
        return super().spread(look) * float(np.random.default_rng().uniform(0.5, 1.0))


class DrawsForItself(Sound):
    n_drawn = 0

    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        self.n_drawn += 1
        return super().deviation(look, rng=np.random.default_rng(self.n_drawn))


class DrawsOnceForAll(Sound):
    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        return self.spread(look) * float(rng.normal())


class DrawsNothing(Sound):
    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        return self.spread(look) * torch.arange(1.0, 1.0 + look.n_requests)[:, None]


class LosesTheSign(Sound):
    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        return super().deviation(look, rng=rng).abs()


class SpreadsInProbabilities(Sound):
    def spread(self, look: Look) -> Tensor:
        return 0.036 * super().spread(look)

    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        return super().deviation(look, rng=rng) / 0.036


class RemembersTheLook(Sound):
    def look(self, features: FloatArray) -> Look:
        self.seen = super().look(features)
        return self.seen

    def spread(self, look: Look) -> Tensor:
        return super().spread(self.seen)[:, : look.log_odds.shape[1]]


class GatesTheRequest(Sound):
    def gate_log_odds(self, look: Look) -> Tensor:
        return super().gate_log_odds(look).mean(dim=1)


class LearnsFromDrawing(Sound):
    extra = 0.0

    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        self.extra += 0.1
        return super().deviation(look, rng=rng)

    def shift(self, look: Look) -> Tensor:
        return super().shift(look) + self.extra


class SeedsTorch(Sound):
    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        torch.manual_seed(int(rng.integers(1 << 40)))
        return self.spread(look) * torch.randn(look.log_odds.shape, dtype=torch.float64)


class LendsTheFeatures(Sound):
    def look(self, features: FloatArray) -> Look:
        rows = torch.from_numpy(features if features.flags.writeable else features.copy())
        rows = rows.reshape(-1, *features.shape[-2:])
        return Look(features=rows, embedding=rows.clone(), log_odds=self.from_embedding(rows))


class TakesWhatComes(Sound):
    def look(self, features: FloatArray) -> Look:
        return super().look(np.nan_to_num(features))


MUTANTS: list[tuple[str, type[Sound], str]] = [
    ("keeps_the_protocol", NeverShifts, "every method of RewardModel and of EmbeddingModel"),
    ("looks_have_their_shapes", FlattensTheRequests, "features of shape (3, 4)"),
    ("looks_have_their_shapes", LooksWithGradients, "without gradients"),
    ("candidates_do_not_look_at_one_another", NormalisesTheBatch, "the same log-odds as in company"),
    ("candidates_do_not_look_at_one_another", RanksTheDoubt, "the same spread as in company"),
    ("embedding_gives_the_log_odds", AddsTheItemsEffectOutside, "the look's log-odds"),
    ("embedding_gives_the_log_odds", NeedsRequests, "the look's log-odds"),
    ("mean_is_the_shifted_log_odds", ForgetsTheShift, "log_odds + shift"),
    ("log_odds_have_gradients", Detaches, "does not require grad"),
    ("log_odds_have_gradients", DetachesAPart, "log-odds that rise with the norm"),
    ("log_odds_have_gradients", TakesARoot, "a finite gradient"),
    ("log_odds_have_gradients", LearnsFromTheBatch, "the same gradient alone"),
    ("spread_is_a_number", DoubtsBelowZero, "finite numbers >= 0 of shape (3, 4)"),
    ("spread_is_a_number", DrawsItsSpread, "the same spread again"),
    ("deviation_draws_from_rng_alone", DrawsForItself, "the same draw"),
    ("deviation_is_drawn_anew_for_each_request", DrawsOnceForAll, "other draws for two requests"),
    ("deviation_is_drawn_anew_for_each_request", DrawsNothing, "other draws for two generator states"),
    ("deviation_is_what_spread_says", LosesTheSign, "a mean deviation"),
    ("deviation_is_what_spread_says", SpreadsInProbabilities, "deviations as large as spread says"),
    ("some_candidates_can_be_taken", RemembersTheLook, "the spread of those taken"),
    ("gate_answers_or_refuses", GatesTheRequest, "finite log-odds of shape (3, 4)"),
    ("reading_changes_nothing", LearnsFromDrawing, "the same mean"),
    ("reading_changes_nothing", SeedsTorch, "torch's generator"),
    ("looks_are_copies", LendsTheFeatures, "the same features"),
    ("refuses_features_that_are_no_numbers", TakesWhatComes, "InvalidInputError for NaN"),
]


def test_the_model_that_mutants_are_made_of_is_sound() -> None:
    require_embedding_model(Sound)
    assert all(not result.message for result in run_checks(EMBEDDING_MODEL_CHECKS, Sound))  # none of them idle


class Certain(Sound):
    def spread(self, look: Look) -> Tensor:
        return torch.zeros_like(look.log_odds)

    def gate_log_odds(self, look: Look) -> Tensor:
        raise InvalidInputError("gate: expected a model with one")


def test_models_without_doubt_or_gate_are_sound_too() -> None:
    remarks = {r.name: r.message for r in run_checks(EMBEDDING_MODEL_CHECKS, Certain) if not r.passed or r.message}
    assert remarks.keys() == {"deviation_is_drawn_anew_for_each_request", "gate_answers_or_refuses"}
    require_embedding_model(Certain)


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    state = torch.get_rng_state()
    (result,) = run_checks([CHECKS[check]], mutant)
    torch.set_rng_state(state)  # a mutant seeds it
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)


def test_broken_promises_are_named() -> None:
    with pytest.raises(ContractError, match="mean_is_the_shifted_log_odds: The mean is the sum"):
        require_embedding_model(ForgetsTheShift)
