"""What keeps people and what drives them away: clicks and leaving learned together, day after day."""

from __future__ import annotations

from copy import deepcopy
from typing import Final, Literal

import numpy as np
from scipy.special import expit

from sojourn.engine.doubt import DOUBTS, log_likelihood_of_doubts
from sojourn.engine.prequential import Prequential
from sojourn.engine.sight import SIGHTS, Glimpse, Sight, look_back
from sojourn.engine.storing import State, expect_learner, joined, part_of, taken
from sojourn.errors import InvalidInputError
from sojourn.exposure.page_ends import PageEnds
from sojourn.interfaces import RewardModel
from sojourn.models import ItemLogistic
from sojourn.records import FloatArray, IntArray, LogBatch, Rows

SLOPES: Final[FloatArray] = np.arange(0.0, 1.55, 0.1).round(1)
"""What the hazards' differences may be multiplied by."""

_EITHER: Final[tuple[Sight, Sight]] = ("until_left", "whole_page")


class StayModel:
    """P(click | seen) and P(leaves | seen) of an item, learned from what people clicked and when they left.

    What was not seen was not seen because the person had left, so the two are learned together: given the models as
    they are, each page tells what was probably seen of it and after which item the person probably left (`look_back`,
    an E-step); then both models learn from that. A day's posterior is the next day's prior. Where somebody left is a
    guess, so the hazard model counts a row by the square of its score rather than in full (the empirical Fisher
    information); counted in full it would be far too sure of itself.

    Two guards keep a part from doing harm, and there is a third. Each block is scored before it is learned from
    (`Prequential`):

    - ``sight``: whether people leave inside the page, or look at all of it and leave at its end.
    - ``slope``: kappa, by which differences between hazards are multiplied where they are used,
      ``logit q -> c + kappa (logit q - c)`` with c the intercept. 0 says that items do not differ: then a plan is the
      order by click rate.
    - ``doubt``: what the click model's standard deviations are multiplied by where an explorer uses them, by how far
      items turned out to be from what was expected of them. Not in force unless asked for: too much doubt costs little
      where many items are shown, and less of it costs more in closed loop, even under priors that are far too wide
      (`experiments/closed_loop`).

    Parameters
    ----------
    clicks
        Log-odds of a click on a seen item: `ItemLogistic`, or `sojourn.models.deep.DeepClickRate`.
    leaving
        Log-odds of leaving after a seen item.
    sight
        One of `Sight`, or ``"learned"``: ``until_left`` or ``whole_page``, whichever foretells the better.
    slope
        A number >= 0, or ``"learned"``.
    doubt
        A number >= 0, or ``"learned"``, which is 1 where no field tells items apart, or the click model knows no doubt.
    passes
        E-steps for each block, >= 1. With 2, days teach what one long log does up to about half of the doubt that is
        left about leaving; with 5, up to a quarter.
    forgetting
        Of the guards, for each block.
    """

    def __init__(
        self,
        *,
        clicks: RewardModel,
        leaving: ItemLogistic,
        sight: Sight | Literal["learned"] = "learned",
        slope: float | Literal["learned"] = "learned",
        doubt: float | Literal["learned"] = 1.0,
        passes: int = 2,
        forgetting: float = 0.95,
    ) -> None:
        if sight not in (*SIGHTS, "learned"):
            raise InvalidInputError(f"sight: expected 'learned' or one of {', '.join(SIGHTS)}, got {sight!r}")
        for name, value in (("slope", slope), ("doubt", doubt)):
            if value != "learned" and not (isinstance(value, float | int) and 0.0 <= value < np.inf):
                raise InvalidInputError(f"{name}: expected 'learned' or a number >= 0, got {value!r}")
        if passes < 1:
            raise InvalidInputError(f"passes: expected >= 1, got {passes}")
        self.clicks = clicks
        self.leaving = leaving
        self.passes = passes
        self._sight = sight
        self._slope = slope
        self._doubt = doubt
        self.sights = Prequential(np.arange(2.0), start=0.0, forgetting=forgetting)
        self.slopes = Prequential(SLOPES, start=1.0, forgetting=forgetting)
        self.doubts = Prequential(DOUBTS, start=1.0, forgetting=forgetting)
        self._impressions = np.zeros(len(leaving.posterior.effects), dtype=np.int64)

    @property
    def sight(self) -> Sight:
        """How people are taken to look at a page now."""
        return _EITHER[int(self.sights.value)] if self._sight == "learned" else self._sight

    @property
    def slope(self) -> float:
        """Kappa in force now."""
        return self.slopes.value if self._slope == "learned" else float(self._slope)

    @property
    def doubt(self) -> float:
        """Factor in force now on the click model's standard deviations."""
        return self.doubts.value if self._doubt == "learned" else float(self._doubt)

    def hazard_of(self, features: FloatArray) -> FloatArray:
        """P(leaves | seen), its differences by the slope in force, (...,) of features (..., d)."""
        return self.sloped(self.leaving.mean(features))

    def sloped(self, log_odds: FloatArray) -> FloatArray:
        """P(leaves | seen) of log-odds of leaving (...,), their differences by the slope in force."""
        return self._hazard(log_odds, self.slope)

    def impressions_of(self, features: FloatArray) -> IntArray:
        """How often the item of each row was shown in what was learned from, (...,) of features (..., d).

        Raises
        ------
        InvalidInputError
            If no field tells items apart.
        """
        return np.asarray(self._impressions[self.leaving.layout.item_codes(features)])

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        return np.asarray(expit(self.clicks.mean(features)))

    def update(self, batch: LogBatch) -> None:
        """Score the guards on a block, then learn from it.

        Raises
        ------
        LogError
            If a session goes on after a page that was left.
        """
        if not batch.shown.any():
            return
        ends = PageEnds.told(batch)
        self._score(batch, ends)
        clicks, leaving = self.clicks, self.leaving
        for _ in range(self.passes):
            rate, hazard = expit(clicks.mean(batch.features)), expit(leaving.mean(batch.features))
            glimpse = look_back(rate, hazard, batch, ends, self.sight)
            clicks, leaving = deepcopy(self.clicks), deepcopy(self.leaving)
            clicks.update(_rows(batch, batch.click, glimpse.seen))
            risks, information = _risks(batch, glimpse, hazard)
            leaving.update(risks, information=information)
        self.clicks, self.leaving = clicks, leaving
        if leaving.layout.item_id is not None:
            codes = leaving.layout.item_codes(batch.features[batch.shown])
            self._impressions += np.bincount(codes, minlength=len(self._impressions))

    def state(self) -> State:
        """What was learned of clicks and leaving, the guards' scores, and what was shown, as arrays to store.

        Raises
        ------
        InvalidInputError
            If the click model's learning is not a few arrays.
        """
        parts = {
            "clicks": expect_learner(self.clicks, "clicks"),
            "leaving": self.leaving,
            "sights": self.sights,
            "slopes": self.slopes,
            "doubts": self.doubts,
        }
        return joined({name: part.state() for name, part in parts.items()}) | {"impressions": self._impressions.copy()}

    def restore(self, state: State) -> None:
        """Take over what `state` gave, all of it or nothing.

        Raises
        ------
        InvalidInputError
            If it is that of a model made with other arguments.
        """
        impressions = taken(state, "impressions", self._impressions)
        clicks, leaving = deepcopy(self.clicks), deepcopy(self.leaving)
        sights, slopes, doubts = deepcopy(self.sights), deepcopy(self.slopes), deepcopy(self.doubts)
        expect_learner(clicks, "clicks").restore(part_of(state, "clicks"))
        leaving.restore(part_of(state, "leaving"))
        sights.restore(part_of(state, "sights"))
        slopes.restore(part_of(state, "slopes"))
        doubts.restore(part_of(state, "doubts"))
        self.clicks, self.leaving = clicks, leaving
        self.sights, self.slopes, self.doubts = sights, slopes, doubts
        self._impressions = impressions

    def _hazard(self, log_odds: FloatArray, slope: float) -> FloatArray:
        center = self.leaving.intercept
        return np.asarray(expit(center + slope * (log_odds - center)))

    def _score(self, batch: LogBatch, ends: PageEnds) -> None:
        """What each option of the guards foretold."""
        rate, log_odds = self.click_rate_of(batch.features), self.leaving.mean(batch.features)

        def looked_back(sight: Sight, slope: float) -> Glimpse:
            return look_back(rate, self._hazard(log_odds, slope), batch, ends, sight)

        def foretold(sight: Sight, slope: float) -> float:
            return float(looked_back(sight, slope).log_likelihood.sum())

        if self._sight == "learned":
            self.sights.observe(np.array([foretold(sight, 1.0) for sight in _EITHER]))
        if self._slope == "learned":
            self.slopes.observe(np.array([foretold(self.sight, float(slope)) for slope in SLOPES]))
        if self._doubt == "learned" and self._has_doubt_of_items:
            self._score_doubts(batch, rate, looked_back(self.sight, self.slope).seen)

    @property
    def _has_doubt_of_items(self) -> bool:
        return self.leaving.layout.item_id is not None and getattr(self.clicks, "uncertainty", True) is not None

    def _score_doubts(self, batch: LogBatch, rate: FloatArray, seen: FloatArray) -> None:
        shown = batch.shown
        features = batch.features[shown]
        rate, seen = rate[shown], seen[shown]
        self.doubts.observe(
            log_likelihood_of_doubts(
                item=self.leaving.layout.item_codes(features),
                score=seen * (batch.click[shown] - rate),
                information=seen * rate * (1.0 - rate),
                variance=self.clicks.std(features) ** 2,
            )
        )


def _rows(batch: LogBatch, outcome: FloatArray, weight: FloatArray) -> Rows:
    shown = batch.shown
    return Rows(features=batch.features[shown], reward=outcome[shown], weight=weight[shown], slot=batch.position[shown])


def _risks(batch: LogBatch, glimpse: Glimpse, hazard: FloatArray) -> tuple[Rows, FloatArray]:
    """What the hazard model learns from, and what each row tells."""
    at_risk = glimpse.at_risk
    left = np.divide(glimpse.left, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0.0).clip(0.0, 1.0)
    score = at_risk * (left - hazard)
    return _rows(batch, left, at_risk), (score**2)[batch.shown]
