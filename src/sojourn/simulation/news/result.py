"""What a policy earned on a stream of news, block by block."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sojourn.errors import LogError
from sojourn.records import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Truth:
    """What is known of a simulated stream besides: expected clicks of each block, (b,).

    Parameters
    ----------
    earned : (b,) float
        Of what was shown: the mean of the clicks, with less noise.
    best : (b,) float
        Of the best candidates.
    uniform : (b,) float
        Of a uniform policy.
    """

    earned: FloatArray
    best: FloatArray
    uniform: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NewsResult:
    """What a policy earned. An impression is *new* if its item had been shown less than a given number of times.

    Parameters
    ----------
    offered : (b,) float
        Visits met in each block: impressions, or the lines of a log, of which few are kept.
    impressions, clicks : (b,) float
        Visits in which the policy's choice was shown, and clicks there.
    predicted : (b,) float
        Clicks that the model predicted for these impressions, before it learned from them.
    new_impressions, new_clicks, new_predicted : (b,) float
        The same of new impressions alone.
    item_impressions, item_clicks : (codes,) float
        Sums by item, of the stream alone.
    truth
        Expected clicks; None where the stream is a log.
    """

    offered: FloatArray
    impressions: FloatArray
    clicks: FloatArray
    predicted: FloatArray
    new_impressions: FloatArray
    new_clicks: FloatArray
    new_predicted: FloatArray
    item_impressions: FloatArray
    item_clicks: FloatArray
    truth: Truth | None = None

    @property
    def click_rate(self) -> float:
        """Clicks per impression; NaN without impressions."""
        return _ratio(self.clicks, self.impressions)

    @property
    def kept_share(self) -> float:
        """Impressions over visits offered: 1 online, about 1 / m in the replay of a log."""
        return _ratio(self.impressions, self.offered)

    @property
    def new_share(self) -> float:
        """New impressions over impressions: the PV of Table 4."""
        return _ratio(self.new_impressions, self.impressions)

    @property
    def calibration(self) -> float:
        """Predicted over observed clicks (PCOC): best 1, below 1 where the model underestimates."""
        return _ratio(self.predicted, self.clicks)

    @property
    def new_calibration(self) -> float:
        """PCOC of new impressions; NaN where they had no click."""
        return _ratio(self.new_predicted, self.new_clicks)

    @property
    def regret(self) -> FloatArray:
        """Expected clicks lost to the best candidates up to the end of each block, (b,)."""
        truth = self.known_truth
        return np.cumsum(truth.best - truth.earned)

    @property
    def gain(self) -> float:
        """Expected clicks earned over those of a uniform policy, as a share of what the best candidates add to it."""
        truth = self.known_truth
        return _ratio(truth.earned - truth.uniform, truth.best - truth.uniform)

    @property
    def known_truth(self) -> Truth:
        """The truth.

        Raises
        ------
        LogError
            If the stream was a log.
        """
        if self.truth is None:
            raise LogError("expected clicks: a log does not know them; play online in a NewsWorld, or ask for clicks")
        return self.truth

    def to_dict(self) -> dict[str, Any]:
        """Totals as JSON values; ratios with nothing below are None."""
        sums = {name: float(getattr(self, name).sum()) for name in _SUMMED}
        ratios = {name: getattr(self, name) for name in _RATIOS}
        if self.truth is not None:
            sums |= {f"expected_{part.name}": float(getattr(self.truth, part.name).sum()) for part in fields(Truth)}
            ratios["gain"] = self.gain
        return sums | {name: None if np.isnan(value) else value for name, value in ratios.items()}


_SUMMED = ("offered", "impressions", "clicks", "predicted", "new_impressions", "new_clicks", "new_predicted")
_RATIOS = ("click_rate", "kept_share", "new_share", "calibration", "new_calibration")


def _ratio(above: FloatArray, below: FloatArray) -> float:
    total = float(below.sum())
    return float(above.sum()) / total if total else float("nan")


class NewsLedger:
    """Adds up a `NewsResult` while a policy plays.

    Parameters
    ----------
    n_codes
        Item codes run from 0 to ``n_codes`` - 1.
    new_until
        Impressions of an item, the warm-up's included, that count as new.
    """

    def __init__(self, *, n_codes: int, new_until: int) -> None:
        self._new_until = new_until
        self._before = np.zeros(n_codes)  # impressions so far, the warm-up's included
        self._item_sums = np.zeros((2, n_codes))
        self._blocks: list[FloatArray] = []
        self._truths: list[tuple[float, float, float]] = []

    def know(self, codes: IntArray, visitors: FloatArray) -> None:
        """Impressions (r,) of the warm-up, which teach a model but are not the policy's."""
        self._before += np.bincount(codes, weights=visitors, minlength=len(self._before))

    def add(
        self, codes: IntArray, visitors: FloatArray, clicks: FloatArray, predicted: FloatArray, *, offered: float
    ) -> None:
        """A block: impressions (r,) in order of time, by code of the item, with their clicks and predicted clicks."""
        sums = np.stack((visitors, clicks, predicted))
        new = sums[:, self._before[codes] + _earlier(codes, visitors) < self._new_until]
        self._blocks.append(np.array([offered, *sums.sum(axis=1), *new.sum(axis=1)]))
        self.know(codes, visitors)
        n_codes = len(self._before)
        self._item_sums += [np.bincount(codes, weights=values, minlength=n_codes) for values in (visitors, clicks)]

    def add_truth(self, *, earned: float, best: float, uniform: float) -> None:
        """Expected clicks of the block just added."""
        self._truths.append((earned, best, uniform))

    def result(self) -> NewsResult:
        """All blocks so far."""
        truth = np.array(self._truths).T
        return NewsResult(
            **dict(zip(("offered", *_SUMMED[1:]), np.array(self._blocks).reshape(-1, len(_SUMMED)).T, strict=True)),
            item_impressions=self._item_sums[0].copy(),
            item_clicks=self._item_sums[1].copy(),
            truth=Truth(earned=truth[0], best=truth[1], uniform=truth[2]) if self._truths else None,
        )


def _earlier(codes: IntArray, visitors: FloatArray) -> FloatArray:
    """Visitors of the same item in the rows above, (r,)."""
    order = np.argsort(codes, kind="stable")
    above = np.cumsum(visitors[order]) - visitors[order]
    first = np.searchsorted(codes[order], codes[order])  # the item's first row in this order
    earlier = np.empty(len(codes))
    earlier[order] = above - above[first]
    return earlier
