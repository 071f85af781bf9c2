"""How a log's production system put items in order: how far good ones stand higher than chance would have them.

Of n items in the order of a score, the l-th has a mean score e_l in standard deviations, and so a mean effect of
e_l times the score's correlation with the effects times their spread.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from sojourn.records import FloatArray, IntArray
from sojourn.simulation.live.fitting.item_effects import ItemEffects
from sojourn.simulation.live.fitting.logged_pages import LoggedPages

_SURE: Final = 3.0
_MOST: Final = 0.95
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
_NORMAL: Final = _WEIGHTS / _WEIGHTS.sum()


def ranking_of(pages: LoggedPages, effects: ItemEffects, n_steps: int) -> float:
    """Correlation of the production system's score with the items' log-odds, 0 to .95; 0 if that may be chance."""
    item = pages.batch.item[pages.shown]
    effect, reliability = effects.effect[item], effects.reliability[item]
    expected = normal_order(n_steps)[_steps(pages, n_steps)]
    expected = expected - expected.mean()
    squares = float((expected**2 * reliability).sum())
    if squares == 0.0:
        return 0.0
    slope = float(expected @ effect) / squares
    stderr = float(np.sqrt((expected**2).sum())) * float(effect.std()) / squares
    return min(slope / effects.total_sd, _MOST) if slope > _SURE * stderr else 0.0


def rate_of_all(pages: LoggedPages, looks: FloatArray, sd: float, ranking: float, n_steps: int) -> float:
    """Mean click rate of all items, where those that were looked at (n, k) stood in the order of a score.

    It is that of the looks themselves if the order is by chance.
    """
    of_looks = float(pages.click.sum() / looks.sum())
    if ranking == 0.0:
        return of_looks
    share = np.bincount(_steps(pages, n_steps), weights=looks[pages.shown], minlength=n_steps) / looks.sum()
    shift, rest = ranking * sd * normal_order(n_steps), sd * np.sqrt(1.0 - ranking**2) * _NODES

    def missing(centre: float) -> float:
        return float(share @ (expit(centre + shift[:, None] + rest) @ _NORMAL)) - of_looks

    return float(expit(brentq(missing, -40.0, 40.0) + sd * _NODES) @ _NORMAL)


def unevenness_of(pages: LoggedPages, ranking: float, n_steps: int) -> float:
    """How unevenly items are shown because of the order alone: n items times the chance that two impressions agree.

    Given its score the l-th item has an effect of mean ranking e_l, and sessions end early, so that good items are
    shown more often.
    """
    share = np.bincount(_steps(pages, n_steps), minlength=n_steps) / pages.shown.sum()
    mean, variance = ranking * normal_order(n_steps)[:, None], 1.0 - ranking**2
    density = np.exp(0.5 * _NODES**2 - 0.5 * (_NODES - mean) ** 2 / variance) / np.sqrt(variance)
    return float((share @ density) ** 2 @ _NORMAL / ((share @ density) @ _NORMAL) ** 2)


def normal_order(n: int) -> FloatArray:
    """Means of n normal numbers in falling order, (n,), as Blom (1958) has them."""
    return -np.asarray(ndtri((np.arange(1.0, n + 1.0) - 0.375) / (n + 0.25)))


def _steps(pages: LoggedPages, n_steps: int) -> IntArray:
    return np.asarray(np.minimum(pages.step, n_steps - 1)[pages.shown])
