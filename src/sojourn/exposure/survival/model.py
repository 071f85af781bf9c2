"""The survival model: readers go down the page and leave, and each slot has its hazard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.survival.answers import Answers
from sojourn.exposure.survival.fitted import Fitted
from sojourn.exposure.survival.kernel import filtered, marginal
from sojourn.exposure.survival.layout import Parameters
from sojourn.exposure.survival.learning import Evidence, FitOptions, learn
from sojourn.exposure.survival.pages import Pages
from sojourn.exposure.survival.report import SurvivalReport
from sojourn.exposure.survival.structure import Description, HazardTerm, Leaves, Structure
from sojourn.records import FloatArray, LogBatch

_PAGES_AT_ONCE: Final = 8192


class SurvivalModel:
    """A click model in which what was not seen was not seen because the reader had left.

    Slot 1 is seen. A seen slot is clicked with probability R, ``logit R = t0 + theta.x``, and left for good with
    probability q, whose logit is the sum of the terms of ``hazard``; otherwise the next one is seen. DBN, DCM, the
    cascade and scroll depth are the choices of terms that `sojourn.exposure` names. Clicks alone are enough to learn
    both: whoever clicks further down had not left. A position below the deepest one of the fit follows the deepest
    one; an item or a session that the fit did not see follows the intercept.

    Parameters
    ----------
    attraction
        What x is, for attraction and hazard: ``item``, one-hot, or ``features``, the rows of the batch.
    hazard
        Terms beside the intercept, any of ``x``, ``click``, ``click*x``, ``step`` (the position, free), ``click*step``
        and ``session`` (free, so that sessions differ in how far they scroll).
    leaves
        ``anywhere``; ``after_click``: nobody leaves without a click, and the hazard is that of a clicked slot;
        ``at_click``: everybody leaves with the first click, and there is no hazard to learn; ``never``: nobody does,
        which with ``kappa`` is the position-based model.
    kappa
        Slots may be skipped: P(click | seen slot l) = kappa_l R, kappa_1 = 1.
    page_effect
        Readers differ: ``logit R = t0 + theta.x + sigma z`` with z normal and the same for a page, sigma learned.
    went_on
        Learn from where sessions end too, by `PageEnds`, as all quit models do: a reader whose session has a later page
        saw the whole page and did not leave it, and one who quit left it. The last page of a session without a quit is
        censored, and only its clicks count. So each page needs its session's code, not one of its own.
    seen
        Learn from the viewport signal ``batch.seen`` too: a page was left where it ends.
    ridge
        Half of it times the squares of all parameters but the intercepts, kappa and sigma is taken off the
        log-likelihood.
    tolerance
        The fit ends when a step gains less than this share of the log-likelihood.
    max_passes
        Evaluations of the likelihood and its gradient at most.
    warm_start
        Go on from the parameters of the last fit, for the items and sessions that it knew.

    Examples
    --------
    >>> from sojourn.policies import Uniform
    >>> from sojourn.simulation import simulate_log, worlds
    >>> feed = worlds.scroll(seed=0, n_items=20)  # the next slot follows a seen one with .85 on average
    >>> log = simulate_log(feed, Uniform(), 4_000, rng=np.random.default_rng(0))
    >>> model = SurvivalModel(hazard=()).fit(log)  # all items and slots drive people away alike
    >>> model.examination(log)[0].round(1).tolist()
    [1.0, 0.8, 0.7]
    """

    def __init__(
        self,
        *,
        attraction: Description = "item",
        hazard: Iterable[HazardTerm] = ("x", "click", "click*x", "step"),
        leaves: Leaves = "anywhere",
        kappa: bool = False,
        page_effect: bool = False,
        went_on: bool = False,
        seen: bool = False,
        ridge: float = 1.0,
        tolerance: float = 1e-7,
        max_passes: int = 500,
        warm_start: bool = False,
    ) -> None:
        self._structure = Structure(
            attraction=attraction, hazard=frozenset(hazard), leaves=leaves, kappa=kappa, page_effect=page_effect
        )
        self._evidence = Evidence(went_on=went_on, seen=seen)
        self._options = FitOptions(ridge=ridge, tolerance=tolerance, max_passes=max_passes)
        self._warm_start = warm_start
        self._fitted: tuple[Fitted, SurvivalReport] | None = None

    @property
    def report(self) -> SurvivalReport:
        """How the last fit went."""
        return self._after_fit()[1]

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return self._model.layout.size

    @property
    def parameters(self) -> Parameters:
        """The parameters by name, as copies; those that this member of the family does not have are left out."""
        return {
            name: values.copy() for name, values in self._model.layout.split(self._model.vector).items() if values.size
        }

    def fit(self, batch: LogBatch, *, held_out: LogBatch | None = None) -> Self:
        """Estimate the parameters from clicks, and from quits and viewport signals where that was asked for.

        Parameters
        ----------
        batch
        held_out
            Pages to judge the fit on, for the report.
        """
        earlier = self._fitted[0] if self._fitted is not None and self._warm_start else None
        fitted, report = learn(batch, self._structure, self._evidence, self._options, earlier=earlier)
        self._fitted = fitted, report
        if held_out is not None:
            self._fitted = fitted, report.judged(float(self.log_likelihood(held_out).mean()))
        return self

    def examination(self, batch: LogBatch) -> FloatArray:
        """P(seen) before any click is known, (n, k)."""
        return self._ask(batch, lambda answers, _: marginal(answers.weights, answers.click, 1.0 - answers.hazard)[0])

    def click_probability(self, batch: LogBatch) -> FloatArray:
        """P(click) before any click is known, (n, k)."""
        return self._ask(batch, lambda answers, _: marginal(answers.weights, answers.click, 1.0 - answers.hazard)[1])

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        """P(seen | the clicks above the slot), (n, k)."""

        def ask(answers: Answers, pages: Pages) -> FloatArray:
            go = 1.0 - np.where(pages.click, answers.hazard[1], answers.hazard[0])
            return filtered(answers.weights, answers.click, go, pages.click)

        return self._ask(batch, ask)

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        """P(seen | the clicks of the page), (n, k); 1 down to the last click."""
        model, pages = self._model, self._model.pages(batch)
        seen = np.empty(pages.item.shape)
        for block in model.objective(pages, model.described(pages)).blocks(model.vector):
            seen[:, block.pages] = block.seen
        return pages.to_batch(seen)

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        """Natural logarithm of the probability of each page's clicks alone, (n,); -inf where they are ruled out."""
        model, pages = self._model, self._model.pages(batch)
        blocks = model.objective(pages, model.described(pages)).blocks(model.vector)
        return np.concatenate([np.empty(0), *(block.log_likelihood for block in blocks)])

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        """Clicks drawn from the top down, (n, k). A page effect is drawn from the nodes that the fit sums over."""
        return self._ask(batch, lambda answers, _: answers.simulate(rng=rng))

    def attraction(self, batch: LogBatch) -> FloatArray:
        """P(click | seen, not skipped) of each slot, on average over the page effect, (n, k)."""
        return self._ask(batch, lambda answers, _: answers.mean_attraction)

    def hazard(self, batch: LogBatch, *, click: bool | None = None) -> FloatArray:
        """P(leave | seen) of each slot after a click, after none, or on average over both (None), (n, k)."""
        return self._ask(batch, lambda answers, _: answers.mean_hazard(click))

    def attraction_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen, not skipped) of feature rows (m, d), on average over the page effect, (m,)."""
        return np.asarray(self._answers_of(features, step=0).mean_attraction[-1])

    def hazard_of(self, features: FloatArray, *, step: int = 0, click: bool | None = None) -> FloatArray:
        """P(leave | seen) of features (..., d) at position ``step``, 0 the top, (...,); ``click`` as in `hazard`."""
        rows = features.reshape(-1, features.shape[-1])
        return np.asarray(self._answers_of(rows, step=step).mean_hazard(click)[-1].reshape(features.shape[:-1]))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """P(goes on after the page), before any click is known, (n,): no slot of it is left, nor the last one."""
        survival = np.empty(batch.n_rounds)
        for rounds, answers, _ in self._blocks(batch):
            survival[rounds] = answers.survival
        return survival

    def _ask(self, batch: LogBatch, question: Callable[[Answers, Pages], FloatArray]) -> FloatArray:
        answered = np.empty(batch.item.shape)
        for rounds, answers, pages in self._blocks(batch):
            answered[rounds] = pages.to_batch(question(answers, pages))
        return answered

    def _blocks(self, batch: LogBatch) -> Iterator[tuple[slice, Answers, Pages]]:
        model = self._model
        for start in range(0, batch.n_rounds, _PAGES_AT_ONCE):
            rounds = slice(start, start + _PAGES_AT_ONCE)
            pages = model.pages(batch.take(rounds))
            yield rounds, model.answers(pages), pages

    def _answers_of(self, features: FloatArray, *, step: int) -> Answers:
        if self._structure.attraction != "features":
            raise InvalidInputError(
                "expected a model of features, got one of items; use attraction(batch) and hazard(batch), "
                "or make it with attraction='features'"
            )
        if step < 0:
            raise InvalidInputError(f"step: expected a position >= 0 (0 is the top), got {step}")
        return self._model.answers_of(features, slot=min(step, self._model.layout.n_slots - 1))

    @property
    def _model(self) -> Fitted:
        return self._after_fit()[0]

    def _after_fit(self) -> tuple[Fitted, SurvivalReport]:
        if self._fitted is None:
            raise InvalidInputError("SurvivalModel: expected a fitted model; call fit first")
        return self._fitted
