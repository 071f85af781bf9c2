"""From what was found in a log to the settings of a live feed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from sojourn.errors import LogError
from sojourn.logs import Log
from sojourn.records import FloatArray
from sojourn.simulation.live.fitting.browsing import BrowsingFit, fit_browsing
from sojourn.simulation.live.fitting.hazard_spread import hazard_spread
from sojourn.simulation.live.fitting.item_effects import ItemEffects, fit_item_effects
from sojourn.simulation.live.fitting.logged_pages import LoggedPages
from sojourn.simulation.live.fitting.ranking import ranking_of, rate_of_all, unevenness_of
from sojourn.simulation.live.fitting.turnover import Turnover, popularity_of, turnover
from sojourn.simulation.live.settings import PRESETS, LiveSettings

NEUTRAL: Final = PRESETS["all"]
"""Whose values are taken where a log does not tell."""

_LONG: Final = 0.995  # share of the sessions that end within the feed's longest
_SURE: Final = 2.0  # standard errors
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
_NORMAL: Final = _WEIGHTS / _WEIGHTS.sum()
_DIGITS: Final = 4
_STEEP: Final = 1.5  # exponents beyond it are kept for logs that no number of candidates makes as uneven
_N_TRIED: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FittedSettings:
    """A live feed like a log.

    Parameters
    ----------
    settings
    ranking
        Correlation of the production system's score with what items earn; 0 for an order by chance.
    pages
        The log as it was read.
    cautions
        What the log does not tell and what was taken in its place, in sentences.
    """

    settings: LiveSettings
    ranking: float
    pages: LoggedPages
    cautions: tuple[str, ...]

    @property
    def clicks_told(self) -> bool:
        """False if the log is nothing but clicks."""
        return not bool(self.pages.click[self.pages.shown].all())


def fit_settings(log: Log) -> FittedSettings:
    """Estimate the settings of a `LiveFeed` from a log.

    Raises
    ------
    LogError
        If the log has no valid rows, not one click, or a session that goes on after a page that was left.
    """
    pages = LoggedPages.of(log)
    if not pages.click.any():
        raise LogError(f"{log.source}: expected clicks to fit a feed to, found none on {pages.batch.n_rounds} pages")
    browsing, cautions = fit_browsing(pages), list(pages.cautions())
    n_steps = _n_steps(pages)
    clicks, ranking = _clicks(pages, browsing, n_steps, cautions)
    sizes = _sizes(pages, turnover(log), unevenness_of(pages, ranking, n_steps), cautions)
    return FittedSettings(
        settings=LiveSettings(**sizes, **clicks, **_leaving(pages, browsing, cautions)),
        ranking=ranking,
        pages=pages,
        cautions=tuple(cautions),
    )


def _sizes(pages: LoggedPages, found: Turnover, of_order: float, cautions: list[str]) -> dict[str, Any]:
    """How many there are of everything."""
    days = found.days
    if days is None:
        cautions.append(
            f"The log has no timestamps: its sessions are spread over {NEUTRAL.days} days, and no items come or go."
        )
        days = NEUTRAL.days
    if found.n_users is None:
        cautions.append(f"The log names no users: {NEUTRAL.n_users:,} people are taken.")
    n_steps = _n_steps(pages)
    n_live = max(found.n_live, n_steps)
    if n_live > found.n_live:
        cautions.append(
            f"Sessions are longer than the {found.n_live:,} items of a day, since people meet items again; in the feed "
            f"they do not, and {n_live:,} items are taken."
        )
    unevenness = max(found.unevenness / of_order, 1.0)
    n_candidates, popularity = _candidates(replace(found, n_live=n_live, unevenness=unevenness), n_steps)
    if found.n_candidates is None:
        cautions.append(
            f"The log does not say what could have been shown (candidates): {n_candidates:,} items are taken for each "
            "session."
        )
    return {
        "days": days,
        "n_live": n_live,
        "replaced": _rounded(found.replaced),
        "n_users": found.n_users or NEUTRAL.n_users,
        "n_sessions": max(round(pages.n_sessions / (found.n_active if found.days else days)), 1),
        "n_candidates": n_candidates,
        "popularity": _rounded(popularity),
        "n_steps": n_steps,
        "page_size": pages.page_size,
    }


def _candidates(found: Turnover, n_steps: int) -> tuple[int, float]:
    """Candidates of a session, and how unevenly they are drawn.

    Where the log does not say how many there are, they are as many as in the preset, or so few that items can be shown
    as unevenly as in the log: all of many candidates are drawn often.
    """
    if found.n_candidates is not None:
        n = min(max(found.n_candidates, n_steps), found.n_live)
        return n, popularity_of(found, n)
    most = min(max(NEUTRAL.n_candidates, n_steps), found.n_live)
    tried = np.unique(np.geomspace(n_steps, most, _N_TRIED).round().astype(int))[::-1]
    for n in tried.tolist():
        if (popularity := popularity_of(found, n)) <= _STEEP:
            break
    return n, popularity


def _n_steps(pages: LoggedPages) -> int:
    """Slots of nearly all sessions, in whole pages."""
    if not pages.several:
        return pages.page_size
    _, n_pages = np.unique(pages.batch.session, return_counts=True)
    return pages.page_size * int(np.quantile(n_pages, _LONG, method="higher"))


def _clicks(
    pages: LoggedPages, browsing: BrowsingFit, n_steps: int, cautions: list[str]
) -> tuple[dict[str, Any], float]:
    """What items earn, and which slots are looked at; and how good the production system's order is."""
    examination = browsing.examination
    told: dict[str, Any] = {
        "examination": None if browsing.all_alike else tuple(_rounded(each) for each in examination)
    }
    if pages.click[pages.shown].all():
        cautions.append(
            "Every row of the log is a click, so it says nothing of what was not clicked: click rates are those of the "
            "preset, and are not compared."
        )
        return told, 0.0
    effects = _effects(pages, browsing)
    ranking = ranking_of(pages, effects, n_steps)
    mean = rate_of_all(pages, browsing.looks, effects.total_sd, ranking, n_steps)
    steepness = _steepness(mean, NEUTRAL.taste_weight)
    described = NEUTRAL.item_weight**2 / (NEUTRAL.item_weight**2 + NEUTRAL.item_sd**2)
    cautions.append(
        "What descriptions of people and items tell about clicks is not looked at: people's tastes weigh as much as in "
        f"the preset, and of the items' normal spread {100.0 * described:.0f} % of the variance lies in descriptions."
    )
    return told | {
        "reward_mean": _rounded(mean),
        "taste_weight": NEUTRAL.taste_weight,
        "item_weight": _rounded(np.sqrt(described) * effects.sd / steepness),
        "item_sd": _rounded(np.sqrt(1.0 - described) * effects.sd / steepness),
        "hit_share": effects.hit_share,
        "hit_size": _rounded(effects.hit_size / steepness),
    }, ranking


def _effects(pages: LoggedPages, browsing: BrowsingFit) -> ItemEffects:
    item = np.where(pages.shown, pages.batch.item, 0).ravel()
    clicks, looks = (np.bincount(item, weights=each.ravel()) for each in (pages.click, browsing.looks))
    return fit_item_effects(np.asarray(clicks, dtype=np.float64), np.asarray(looks, dtype=np.float64))


def _leaving(pages: LoggedPages, browsing: BrowsingFit, cautions: list[str]) -> dict[str, Any]:
    """Who leaves, and because of what."""
    told: dict[str, Any] = {"leaving": browsing.leaving}
    if not browsing.hazard > 0.0:
        cautions.append("Nothing in the log tells what drives people away: the preset's hazards are taken.")
        return told
    told |= {"hazard_mean": _rounded(min(browsing.hazard, 0.999))}
    found = hazard_spread(pages, browsing)
    if found.variance + _SURE * found.stderr < 0.5 * _neutral_variance():
        return told | {"hazard_spread": 0.0}
    if not found.variance > _SURE * found.stderr:
        cautions.append(
            "The log is too short to tell how much items differ in driving people away: they differ as in the preset."
        )
        return told
    cautions.append(
        "Whom an item drives away is not looked at: against what items differ in, people's tastes weigh as in the "
        "preset."
    )
    return told | _spread(browsing.hazard, found.variance)


def _spread(mean: float, variance: float) -> dict[str, float]:
    """Settings with so much variance between items, in squared means, and tastes and descriptions in proportion."""
    scale = float(np.sqrt(np.log1p(variance) / np.log1p(_neutral_variance())))
    of_people = scale * NEUTRAL.hazard_taste_weight
    total = (1.0 + variance) * (1.0 + _relative_variance(mean, of_people)) - 1.0
    return {
        "hazard_spread": _rounded(np.sqrt(total)),
        "hazard_taste_weight": _rounded(of_people),
        "hazard_item_weight": _rounded(scale * NEUTRAL.hazard_item_weight),
    }


def _neutral_variance() -> float:
    """Of the preset's hazards between items, in squared means."""
    of_people = 1.0 + _relative_variance(NEUTRAL.hazard_mean, NEUTRAL.hazard_taste_weight)
    return (1.0 + NEUTRAL.hazard_spread**2) / of_people - 1.0


def _relative_variance(mean: float, sd: float) -> float:
    """Of sigmoid(c + sd z), z standard normal, with that mean; over its square."""
    rates = expit(_centre(mean, sd) + sd * _NODES)
    return float(rates**2 @ _NORMAL) / mean**2 - 1.0


def _steepness(mean: float, sd: float) -> float:
    """Change of the log-odds of E sigmoid(c + sd z), z standard normal, for one of c, where it is ``mean``."""
    rates: FloatArray = expit(_centre(mean, sd) + sd * _NODES)
    return float((rates * (1.0 - rates)) @ _NORMAL) / (mean * (1.0 - mean))


def _centre(mean: float, sd: float) -> float:
    """The c for which E sigmoid(c + sd z) is ``mean``."""
    middle, reach = float(logit(mean)), 1.0 + sd * float(np.abs(_NODES).max())
    return float(brentq(lambda c: float(expit(c + sd * _NODES) @ _NORMAL) - mean, middle - reach, middle + reach))


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") + 0.0  # no minus zero
