"""How a frozen model and an explorer answer many requests at once."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ClickRateModel, Explorer, RewardModel
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.news.requests import NewsRequests

AT_ONCE: Final = 1_024
"""Requests scored in one call: 21 MB of features where there are 38 candidates of 137 columns."""


def choose(
    model: RewardModel, explorer: Explorer, requests: NewsRequests, *, rng: np.random.Generator, at_once: int = AT_ONCE
) -> IntArray:
    """Place (n,) in its list of the candidate that scores highest; the first of equals.

    Parameters
    ----------
    model
        Takes features (n, m, d) and gives scores (n, m).
    explorer
    requests
    rng
        For the explorer.
    at_once
        Requests whose features are in memory at a time.

    Raises
    ------
    InvalidInputError
        If scores have another shape, or are NaN where there is a candidate.
    """
    chosen = np.empty(len(requests), dtype=np.int64)
    for start in range(0, len(requests), at_once):
        rows = slice(start, start + at_once)
        candidate = requests.candidate[rows]
        score = explorer.score(model, requests.features(rows), rng=rng)
        if score.shape != candidate.shape:
            raise InvalidInputError(
                f"model: expected scores of shape {candidate.shape}, one per candidate of each request, got "
                f"{score.shape}; {type(model).__name__} must take features (n, m, d)"
            )
        score = np.where(candidate, score, -np.inf)
        if np.isnan(score).any():
            raise InvalidInputError(f"model: expected scores, {type(model).__name__} gave NaN; did its training fail?")
        chosen[rows] = score.argmax(axis=1)
    return chosen


def predicted_click_rate(model: RewardModel, features: FloatArray) -> FloatArray:
    """P(click) of items (r, d): ``click_rate_of`` where the model speaks in log-odds and offers it, else its mean."""
    return model.click_rate_of(features) if isinstance(model, ClickRateModel) else model.mean(features)
