"""How well click models foretell the clicks of pages that they have not seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.factored import log_bernoulli
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Perplexity:
    """How surprised a model is by each slot's click or non-click: 1 is certainty, 2 a fair coin.

    Parameters
    ----------
    mean
        Average over the ranks that occur, each counting the same.
    by_rank : (k,) float
        2 to the mean of minus log2 P(what happened) over the slots of each rank; NaN at a rank that does not occur.
    """

    mean: float
    by_rank: FloatArray


def perplexity(model: ClickModel, batch: LogBatch) -> Perplexity:
    """Perplexity of a fitted model (Dupret and Piwowarski 2008), before any click of the page is known."""
    shown = batch.shown
    if not shown.any():
        raise InvalidInputError("batch: expected at least one slot that holds an item, got none")
    bits = -log_bernoulli(batch, model.click_probability(batch))[shown] / np.log(2.0)
    rank = batch.position[shown]
    n = np.bincount(rank).astype(np.float64)
    mean_bits = np.divide(np.bincount(rank, weights=bits), n, out=np.full(len(n), np.nan), where=n > 0)
    by_rank = np.exp2(mean_bits)
    return Perplexity(mean=float(np.nanmean(by_rank)), by_rank=by_rank)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HeldOut:
    """What one model achieved on held-out pages.

    Parameters
    ----------
    name
        The key that it was given under.
    log_likelihood
        Mean per page of the natural logarithm of the probability of its clicks; nearer to 0 is better.
    gain, gain_stderr
        By how much it beats the first model, page by page, and the standard error of that; 0 for the first.
    perplexity
        Lower is better, 1 is perfect.
    seconds
        Time of the fit.
    n_parameters
        Free parameters, where the model tells them.
    z
        Of the model's own detector, where it has one: whether people go down the page as it has it, see
        `SurvivalReport`. Near 0 if they do.
    pages : (n,) float
        Log-likelihood of each page.
    """

    name: str
    log_likelihood: float
    gain: float
    gain_stderr: float
    perplexity: Perplexity
    seconds: float
    n_parameters: int | None
    z: float | None
    pages: FloatArray

    def lead(self, other: HeldOut) -> tuple[float, float]:
        """By how much it beats another model on the same pages, per page, and the paired standard error of that."""
        return _mean_and_stderr(self.pages - other.pages)


def compare(
    models: Mapping[str, ClickModel],
    train: LogBatch,
    test: LogBatch,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[HeldOut, ...]:
    """Fit each model on ``train`` and judge it on ``test``, in the order given.

    Parameters
    ----------
    models
        Name to model. They are fitted, so they are ready for use afterwards. Put the baseline first.
    train, test
        Pages to learn from and pages to judge on; at least two to judge on.
    progress
        Called with (models done, models in all).
    """
    if not models or test.n_rounds < 2:
        raise InvalidInputError(f"expected a model and at least 2 test pages, got {len(models)} and {test.n_rounds}")
    results: list[HeldOut] = []
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(train)
        seconds = time.perf_counter() - start
        pages = model.log_likelihood(test)
        baseline = results[0].pages if results else pages
        results.append(_judge(name, model, test, pages, pages - baseline, seconds))
        if progress is not None:
            progress(len(results), len(models))
    return tuple(results)


def _judge(
    name: str, model: ClickModel, test: LogBatch, pages: FloatArray, gain: FloatArray, seconds: float
) -> HeldOut:
    mean, stderr = _mean_and_stderr(gain)
    return HeldOut(
        name=name,
        log_likelihood=float(pages.mean()),
        gain=mean,
        gain_stderr=stderr,
        perplexity=perplexity(model, test),
        seconds=seconds,
        n_parameters=getattr(model, "n_parameters", None),
        z=getattr(getattr(model, "report", None), "z", None),
        pages=pages,
    )


def _mean_and_stderr(values: FloatArray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
