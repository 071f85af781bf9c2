"""A policy that learns its exposure correction from its own log.

What people look at is not known before a feed is live, and it is not what it was on another page. So the policy keeps
its rounds, fits a click model to them now and then, and learns anew from all of them what the items are worth.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from sojourn.errors import InvalidInputError, SojournError
from sojourn.exposure import DesignScaling
from sojourn.interfaces import ClickModel, ExposureCorrection
from sojourn.policies.kept_rounds import KeptRounds
from sojourn.policies.slate import SlatePolicy
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Refit:
    """How the last attempt to fit the click model went.

    Parameters
    ----------
    n_seen
        Rounds seen when it was made.
    used
        False if the correction of before was kept.
    problems
        Why it failed, or what its own report warns of, in sentences; empty if all went well.
    """

    n_seen: int
    used: bool
    problems: tuple[str, ...]


class SelfCorrecting:
    """A `SlatePolicy` under an exposure correction that is fitted again and again to the policy's own log.

    Until the first fit it learns under the correction of the policy it was given. At a fit, a copy of the click model
    is fitted to the rounds kept, and the policy learns anew from these rounds with the design scaled by P(examined |
    the clicks above the slot); after it, row by row under that correction. The click model is given the request's own
    features, the reward model those of the feature map.

    While all rounds are kept, a fit corrects everything that was learned. Beyond ``max_rounds`` the click model is
    fitted to the newest rounds alone and corrects what comes after it: what was learned of older rounds is not lost.

    A fit that fails leaves the correction of before in place; `report` says why, and serving goes on. Fits take place
    in `update`, each when the rounds seen have grown by ``growth``: n rounds take about log(n) of them.

    Parameters
    ----------
    policy
        Model, explorer, sampler and feature map; it should have learned nothing yet, and is not changed.
    click_model
        Not fitted yet; it is not changed.
    first_fit
        Rounds before the first fit, >= 1.
    growth
        > 1.
    max_rounds
        Most rounds kept, >= ``first_fit``; this bounds the memory and the time of a fit.
    accept_warnings
        False: a fit whose own report holds warnings, of too few clicks for example, counts as failed. True: it is used,
        and `report` holds the warnings; a browsing model, whose rarer contexts warn for long, comes to use sooner.
    name
        Written into every decision; the policy's own unless given.
    """

    def __init__(
        self,
        *,
        policy: SlatePolicy,
        click_model: ClickModel,
        first_fit: int = 300,
        growth: float = 1.5,
        max_rounds: int = 20_000,
        accept_warnings: bool = False,
        name: str | None = None,
    ) -> None:
        if not 1 <= first_fit <= max_rounds:
            raise InvalidInputError(
                f"first_fit and max_rounds: expected 1 <= first_fit <= max_rounds, got {first_fit} and {max_rounds}"
            )
        if not 1.0 < growth < np.inf:
            raise InvalidInputError(f"growth: expected a finite number > 1, got {growth}")
        self.name = policy.name if name is None else name
        self.slates = _with_exposure(copy.deepcopy(policy), self.name, policy.exposure)
        """The policy as it decides now; a fit puts another one in its place."""
        self.click_model: ClickModel | None = None
        """The click model in use; None before the first fit."""
        self.report: Refit | None = None
        """How the last attempt to fit went; None before the first one."""
        self.unfitted = copy.deepcopy(click_model)
        """What each fit starts from."""
        self.first_fit = first_fit
        self.growth = growth
        self.accept_warnings = accept_warnings
        self._untrained = copy.deepcopy(self.slates)
        self._kept = KeptRounds(max_rounds)
        self._next_fit = float(first_fit)

    @property
    def n_seen(self) -> int:
        """Rounds given to `update`."""
        return self._kept.n_seen

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Choose a slate."""
        return self.slates.act(request, rng=rng)

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Conditional probability of each choice; as in `SlatePolicy`."""
        return self.slates.slate_probability(request, chosen, rng=rng)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``; as in `SlatePolicy`."""
        return self.slates.slot_distribution(request, above, rng=rng)

    def update(self, batch: LogBatch) -> None:
        """Learn from logged rounds, and fit the click model again if it is time."""
        if batch.n_rounds == 0:
            return
        self.slates.update(batch)
        self._kept.append(batch)
        if self.n_seen >= self._next_fit:
            self._next_fit = self.growth * self.n_seen
            self._refit()

    def _refit(self) -> None:
        kept = self._kept.batch()
        try:
            click_model = copy.deepcopy(self.unfitted).fit(kept)
            warnings = tuple(getattr(getattr(click_model, "report", None), "warnings", ()))
            if warnings and not self.accept_warnings:
                self._say(used=False, problems=warnings)
                return
            slates = self._corrected(DesignScaling(click_model, filtered=True), kept)
        except (SojournError, ValueError, ArithmeticError, Warning) as error:
            self._say(used=False, problems=(f"{type(error).__name__}: {error}",))
            return
        self.click_model, self.slates = click_model, slates
        self._say(used=True, problems=warnings)

    def _corrected(self, exposure: ExposureCorrection, kept: LogBatch) -> SlatePolicy:
        """The policy under the correction; it has learned anew if all rounds are kept."""
        if self.n_seen > len(kept.item):
            return _with_exposure(self.slates, self.name, exposure)
        slates = _with_exposure(copy.deepcopy(self._untrained), self.name, exposure)
        slates.update(kept)
        return slates

    def _say(self, **how: Any) -> None:
        self.report = Refit(n_seen=self.n_seen, **how)


def _with_exposure(policy: SlatePolicy, name: str, exposure: ExposureCorrection) -> SlatePolicy:
    return SlatePolicy(
        name=name,
        model=policy.model,
        explorer=policy.explorer,
        sampler=policy.sampler,
        exposure=exposure,
        feature_map=policy.feature_map,
        n_draws=policy.n_draws,
    )
