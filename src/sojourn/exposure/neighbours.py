"""Whether items that resemble one above them are clicked less than their position explains.

People pass over a near copy of what they have just seen. Lower slots have more items above them, so a position-based
model takes this for low examination. The two come apart within a position: there, some items have a near copy above
them and others have none.

Letters: p P(click) by a position-based model of features, g its attraction, s = max(0, largest cosine with the items
above)^8, that of `linucb_similarity_sw`. In P(click) = p (1 - b (s - mean s)) the score of b at 0 is
-sum p (s - s*) (c - p) / (p (1 - p)), where s* is what position, item and features say of s, so that what the model
could have absorbed is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.exposure.regression import RegressionEM
from sojourn.records import BoolArray, FloatArray, LogBatch

POWER: Final = 8
"""Of the cosine: at .9 a pair counts for .43 of a copy, at .5 for nothing."""

_ALARM = -3.0
_ROUGHLY = 1e-3  # nats: the fit is only the null of a test
_TINY = 1e-9
_NOTHING = 1e-9  # share of the spread of s that position, item and features leave open


@dataclass(frozen=True, kw_only=True, slots=True)
class NeighbourEffect:
    """What resembling an item above does to clicks.

    Parameters
    ----------
    z
        Clicks of items that resemble one above against the position-based model, as a z-score with pages as the units.
        Below -3: position bias is not all there is.
    loss
        Share of its clicks that a copy of an item above loses, to first order; negative for a gain.
    similarity
        Mean of s, 0 to 1: how much the pages repeat themselves.
    n_pages
        Pages that it was tested on.
    """

    z: float
    loss: float
    similarity: float
    n_pages: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before position weights are used, in sentences; empty if all is well."""
        if self.z >= _ALARM:
            return ()
        return (
            f"items that resemble one above them get fewer clicks than their position explains (z = {self.z:.1f}); a "
            f"copy loses about {100.0 * min(self.loss, 1.0):.0f} %. Part of what the position weights show is "
            "similarity: use default_bandit, and shuffle some pages",
        )


def neighbour_effect(batch: LogBatch) -> NeighbourEffect | None:
    """Test for an effect of the items above.

    Parameters
    ----------
    batch
        Pages with the features of their items. Features that are the same all over each page are no part of the cosine.

    Returns
    -------
    NeighbourEffect or None
        None where the log cannot tell: without such features, clicks and non-clicks, or without pages whose
        similarity differs within position, item and features.
    """
    shown = batch.shown
    click = batch.click[shown]
    own = _of_items(batch, shown)
    if not own.shape[2] or click.min() == click.max():
        return None
    similarity = largest_cosine_above(own) ** POWER
    model = RegressionEM(tolerance=_ROUGHLY).fit(batch)
    p = np.clip(model.click_probability(batch)[shown], _TINY, 1.0 - _TINY)  # rounding must not make a click certain
    return _test(batch, similarity[shown], p, model.attraction_of(batch.features[shown]))


def largest_cosine_above(features: FloatArray) -> FloatArray:
    """Largest cosine of each item with those above it on its page, (n, k, d) -> (n, k); 0 where it is negative."""
    norm = np.sqrt(np.einsum("nkd,nkd->nk", features, features))[..., None]
    unit = features / np.where(norm > 0.0, norm, 1.0)
    largest = np.zeros(unit.shape[:2])
    for slot in range(1, unit.shape[1]):
        cosines = np.einsum("njd,nd->nj", unit[:, :slot], unit[:, slot])
        largest[:, slot] = np.clip(cosines.max(axis=1), 0.0, 1.0)
    return largest


def _of_items(batch: LogBatch, shown: BoolArray) -> FloatArray:
    """The features that differ between the items of a page."""
    top = batch.features[:, :1]
    differs = ((batch.features != top) & shown[..., None]).any(axis=(0, 1))
    return batch.features[..., differs]


def _test(batch: LogBatch, s: FloatArray, p: FloatArray, g: FloatArray) -> NeighbourEffect | None:
    shown = batch.shown
    weight = p / (1.0 - p)
    residual, left, n_free = _unexplained(batch, (batch.click[shown] - p) / p, s, g, weight)
    information = weight @ left**2
    if information <= _NOTHING * (weight @ s**2) or n_free <= 0:
        return None
    page = np.broadcast_to(np.arange(batch.n_rounds)[:, None], shown.shape)[shown]
    score = np.bincount(page, weights=weight * residual * left, minlength=batch.n_rounds)
    variance = score @ score * len(s) / n_free
    if not variance > 0.0:
        return None
    slope, mean = -score.sum() / information, weight @ s / weight.sum()
    return NeighbourEffect(
        z=float(score.sum() / np.sqrt(variance)),
        loss=float(slope / (1.0 + slope * mean)),  # p is the mean over s; a loss is against s = 0
        similarity=float(s.mean()),
        n_pages=batch.n_rounds,
    )


def _unexplained(
    batch: LogBatch, residual: FloatArray, s: FloatArray, g: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Residual and s without what position, item and features say of them, and the degrees of freedom left.

    Weighted least squares: items are centred, positions and features are regressed on (Frisch and Waugh 1933).
    """
    shown = batch.shown
    _, position = np.unique(batch.position[shown], return_inverse=True)
    _, item = np.unique(batch.item[shown], return_inverse=True)
    columns = np.concatenate(
        [
            np.stack([residual, s], axis=1),
            (position[:, None] == np.arange(1, position.max() + 1)).astype(np.float64),
            batch.features[shown] * (1.0 - g)[:, None],  # d log p / d theta
        ],
        axis=1,
    )
    total = np.bincount(item, weights=weight)
    for j in range(columns.shape[1]):
        columns[:, j] -= (np.bincount(item, weights=weight * columns[:, j]) / total)[item]
    targets, known = columns[:, :2], columns[:, 2:]
    weighted = known * weight[:, None]
    targets -= known @ np.linalg.lstsq(weighted.T @ known, weighted.T @ targets, rcond=None)[0]
    return targets[:, 0], targets[:, 1], len(s) - len(total) - known.shape[1]
