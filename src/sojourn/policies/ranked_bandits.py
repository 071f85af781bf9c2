"""Ranked bandits: one learner for each slot, and each chooses among all candidates (RBA; Radlinski et al. 2008).

A learner may want an item that a higher slot has placed already. Then the slot is filled with a random open candidate,
and the learner is paid nothing for the item that it wanted: so it comes to leave the best item to the slot above.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Explorer, ExposureCorrection, RewardModel, SlotScores
from sojourn.policies.slate import SlatePolicy
from sojourn.policies.slot_scores import open_scores
from sojourn.records import BoolArray, Decision, FloatArray, IntArray, LogBatch, Request

ROUNDS_AT_ONCE: Final = 4096
"""Rounds of a log whose items are scored at once."""

_TIE: Final = 1e-9  # equal rows scored in products of different shapes differ in the last digits
_UNUSED = np.random.default_rng(0)  # explorers ask for a generator; those accepted here do not draw


class RankedBandits:
    """RBA over any model and explorer; RBA+LinUCB (a baseline of He et al.) with `BayesianRidge` and `Optimism`.

    A pick has propensity 1, a random filler one over the open candidates. A decision is deterministic if no learner
    of the page wanted a placed item.

    A log does not say what a learner wanted, so `update` works it out: the learner of a slot wanted the best item above
    it if, by the scores of before the update, that item beats the one shown; else it wanted the one shown. For pages
    that this policy decided on with these scores, that is exact: of equal scores, an open candidate is wanted first.
    Where feedback comes late, or another policy logged the page, it is what the learner would want now.

    Parameters
    ----------
    name
        Written into every decision.
    model
        A stack with one set of parameters per slot.
    explorer
        One that does not draw: what a learner wanted under a lost draw cannot be worked out.
    exposure
        How logged slots become training rows, after the items wanted have taken the place of the fillers.

    Raises
    ------
    InvalidInputError
        If the explorer draws, or all slots share one model: then every slot would want the same item.
    """

    def __init__(self, *, name: str, model: RewardModel, explorer: Explorer, exposure: ExposureCorrection) -> None:
        if explorer.randomized:
            raise InvalidInputError(
                f"explorer: expected one that does not draw, got {explorer}; use Optimism or Greedy"
            )
        if model.at(0) is model:
            raise InvalidInputError(
                "model: expected a stack with parameters for each slot, got one model for all; build it with n_slots"
            )
        self.name = name
        self.model = model
        self.explorer = explorer
        self._slates = SlatePolicy(name=name, model=model, explorer=explorer, sampler=_RandomFill(), exposure=exposure)

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Each learner's item, or a random one where that is placed."""
        decision = self._slates.act(request, rng=rng)
        return replace(decision, deterministic=bool((decision.propensity == 1.0).all()))

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Conditional probability of each choice; exact."""
        return self._slates.slate_probability(request, chosen, rng=rng)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``; exact."""
        return self._slates.slot_distribution(request, above, rng=rng)

    def update(self, batch: LogBatch) -> None:
        """Teach each learner the reward of the item that it wanted, 0 if that stood above."""
        if batch.n_rounds:
            self._slates.update(self._as_wanted(batch))

    def _as_wanted(self, batch: LogBatch) -> LogBatch:
        """The pages with what each learner wanted in its slot, unclicked where the slot showed a filler."""
        parts = [slice(start, start + ROUNDS_AT_ONCE) for start in range(0, batch.n_rounds, ROUNDS_AT_ONCE)]
        shown = batch.shown
        wanted = np.concatenate(
            [self._wanted(batch.features[part], shown[part], batch.position[part]) for part in parts]
        )
        missed = wanted != np.arange(batch.n_slots)
        if not missed.any():
            return batch
        page = np.arange(batch.n_rounds)[:, None]
        return replace(
            batch,
            item=batch.item[page, wanted],
            features=batch.features[page, wanted],
            click=np.where(missed, 0.0, batch.click),
            reward=np.where(missed, 0.0, batch.reward),
        )

    def _wanted(self, features: FloatArray, shown: BoolArray, position: IntArray) -> IntArray:
        """Column of the item that the learner of each slot wants: its own or one above, (n, k)."""
        n, k, d = features.shape
        scores = self.explorer.score(self.model, features.reshape(n * k, d), rng=_UNUSED).reshape(-1, n, k)
        # A position below the model's last slot is refused by the model, when it learns.
        learner = np.where(shown, position, 0).clip(max=len(scores) - 1)
        of_learner = scores[learner, np.arange(n)[:, None]]  # (n, k learners, k items)
        stands_above = np.tri(k, k=-1, dtype=np.bool_) & shown[:, None]  # (n, k, k)
        above = np.where(stands_above, of_learner, -np.inf)
        missed = shown & _beats(above.max(axis=2), np.einsum("nkk->nk", of_learner))
        return np.where(missed, above.argmax(axis=2), np.arange(k))


class _RandomFill:
    """The filling rule as a sampler.

    It reads the scores of placed rows, which `SlotScores` in general promise nothing about; `FixedScores` give them.
    """

    deterministic: ClassVar[bool] = False

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        chosen, propensity = np.empty(n_slots, dtype=np.int64), np.ones(n_slots)
        for slot in range(n_slots):
            rows = _possible(scores, n_candidates, chosen[:slot])
            chosen[slot] = rows[rng.integers(len(rows))]
            propensity[slot] = 1.0 / len(rows)
        return chosen, propensity

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        rows_of = [_possible(scores, n_candidates, chosen[:slot]) for slot in range(len(chosen))]
        return np.array([(rows == row).sum() / len(rows) for rows, row in zip(rows_of, chosen, strict=True)])

    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        rows = _possible(scores, n_candidates, above)
        probability = np.zeros(n_candidates)
        probability[rows] = 1.0 / len(rows)
        return probability


def _possible(scores: SlotScores, n_candidates: int, above: IntArray) -> IntArray:
    """Rows that may come below ``above``, equally likely: the one wanted, or all open ones if it is placed."""
    still_open = open_scores(scores, n_candidates, above)
    best = int(still_open.argmax())
    if len(above) and _beats(scores(above)[above].max(), still_open[best]):
        return np.flatnonzero(still_open > -np.inf)
    return np.array([best])


def _beats(placed: Any, shown: Any) -> BoolArray:
    """True where ``placed`` is the larger score, by more than rounding."""
    beaten: BoolArray = placed - shown > _TIE * (np.abs(placed) + np.abs(shown))
    return beaten
