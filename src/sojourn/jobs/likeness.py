"""Likeness: a simulated feed fitted to a log, and how like the log its own logs are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
import polars as pl

from sojourn.jobs import likeness_curves as curves
from sojourn.logs import Log
from sojourn.reporting import Block, Caution, Figure, Section, Table, Text, count, number, percent, plots
from sojourn.reporting.plots.positions import POSITION, show_positions
from sojourn.simulation.live import LiveFeed, LiveSettings
from sojourn.simulation.live.fitting import NEUTRAL, fit_settings, simulate_log_of

MOST_SESSIONS: Final = 20_000
"""Sessions that are simulated at most."""

_FITTED = 3  # beside the worlds' and the people's streams of chance
_NAMES: Final = ("log", "simulated")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Likeness:
    """A live feed that was fitted to a log, and its curves beside the log's.

    Parameters
    ----------
    settings
        Of the feed.
    cautions
        What the log does not tell, and what was taken in its place, in sentences.
    ranking
        Correlation of the logged order with the items' log-odds of a click, 0 for an order by chance; the simulated
        production system has the same.
    n_sessions
        Sessions that were simulated.
    click_rate
        By ``position``, 0 the top: clicks per impression in ``log`` and ``simulated``, with standard errors ``log_se``
        and ``simulated_se``.
    popularity
        By ``items``, the share of the items, those shown most first: their share of the impressions in ``log`` and
        ``simulated``.
    item_rates
        By ``quantile``: items' clicks per impression in ``log`` and ``simulated``, chance included, of items that were
        shown at least `sojourn.jobs.likeness_curves.LEAST_SHOWN` times; null where there are none.
    survival
        By ``pages`` and ``items`` seen: share of sessions still there in ``log`` and ``simulated``, with ``log_se`` and
        ``simulated_se`` (Kaplan-Meier, Greenwood); null where a curve has ended, empty if the log does not tell.
    clicks_told
        False if the log is nothing but clicks, so that click rates cannot be compared.
    """

    settings: LiveSettings
    cautions: tuple[str, ...]
    ranking: float
    n_sessions: int
    click_rate: pl.DataFrame
    popularity: pl.DataFrame
    item_rates: pl.DataFrame
    survival: pl.DataFrame
    clicks_told: bool

    @property
    def finding(self) -> str:
        """How far the curves are apart, in a sentence."""
        parts = [f"the most shown items' shares of the impressions by at most {_points(self.popularity)}"]
        if self.clicks_told:
            mean = self.click_rate.select(pl.col("log").mean()).item()
            parts.insert(
                0,
                f"click rates by position by at most {_apart(self.click_rate)}, where their mean in the log is "
                f"{percent(mean)}",
            )
        if len(self.survival):
            parts.append(f"the share of sessions that are still there by at most {_apart(self.survival)}")
        return f"A simulated feed fitted to the log **differs from it in {'; in '.join(parts)}**."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        frames = ("click_rate", "popularity", "item_rates", "survival")
        return {
            "finding": self.finding,
            "settings": asdict(self.settings),
            "ranking": self.ranking,
            "n_sessions": self.n_sessions,
            "cautions": list(self.cautions),
            "gaps": {name: curves.gap(getattr(self, name)) for name in frames},
            **{name: getattr(self, name).to_dicts() for name in frames},
        }

    def to_toml(self) -> str:
        """The settings as a ``[feed]`` table that `sojourn.simulation.live.live_settings` reads."""
        lines = [f"{key} = {_toml(value)}" for key, value in self._changed().items()]
        return "\n".join(["[feed]", *lines, ""])

    def section(self) -> Section:
        """The feed beside the log, for the report."""
        order = (
            f"in an order whose score has a correlation of {number(self.ranking, 2)} with the log-odds of a click"
            if self.ranking
            else "in random order"
        )
        body: list[Block] = [
            Text(
                f"A simulated feed was given the sizes, means and spreads of the log. Its own log is of "
                f"{count(self.n_sessions, 'session')}, to each of which candidates were shown {order}. No policy of "
                "the log is copied beyond that."
            ),
            *(Caution(each) for each in self.cautions),
        ]
        if self.clicks_told and len(self.click_rate) > 1:
            body.append(self._click_figure())
        body.append(self._popularity_figure())
        if self.clicks_told and curves.gap(self.item_rates) is not None:
            body.append(self._items_figure())
        if len(self.survival):
            body.append(self._survival_figure())
        return Section("A simulated feed like this log", [*body, self._table()])

    def _changed(self) -> dict[str, Any]:
        """Settings that are not those of the preset."""
        return {name: value for name, value in asdict(self.settings).items() if value != getattr(NEUTRAL, name)}

    def _click_figure(self) -> Figure:
        frame = self.click_rate
        positions = frame["position"].to_numpy() + 1
        figure = plots.curves_beside(positions, *_stacked(frame), _NAMES, x_title=POSITION, y_title="click rate")
        show_positions(figure, positions)
        return Figure(
            figure,
            "Click rate by position, in the log and in the fitted feed, with 95 % intervals.",
        )

    def _popularity_figure(self) -> Figure:
        frame = self.popularity
        figure = plots.curves_beside(
            frame["items"],
            *_stacked(frame),
            _NAMES,
            x_title="share of the items, those shown most first",
            y_title="share of the impressions",
            highest=1.0,
        )
        figure.update_xaxes(tickformat=".0%")
        return Figure(figure, "How unevenly items are shown: on the diagonal, all alike.")

    def _items_figure(self) -> Figure:
        frame = self.item_rates
        figure = plots.curves_beside(
            frame["quantile"],
            *_stacked(frame),
            _NAMES,
            x_title="share of the items with a lower click rate",
            y_title="clicks per impression of an item",
        )
        figure.update_xaxes(tickformat=".0%")
        return Figure(
            figure,
            f"How much items differ in clicks per impression, of those shown at least {curves.LEAST_SHOWN} times; "
            "chance is part of both curves.",
        )

    def _survival_figure(self) -> Figure:
        frame = self.survival
        return Figure(
            plots.curves_beside(
                frame["items"],
                *_stacked(frame),
                _NAMES,
                x_title="items shown",
                y_title="share of sessions still there",
                highest=1.0,
            ),
            "Share of the sessions that went on after so many items.",
        )

    def _table(self) -> Table:
        changed = self._changed()
        names = [field.name for field in fields(LiveSettings)]
        frame = pl.DataFrame(
            {
                "setting": names,
                "value": [_shown(getattr(self.settings, name)) for name in names],
                "preset “all”": ["" if name not in changed else _shown(getattr(NEUTRAL, name)) for name in names],
            }
        )
        return Table(frame, "The settings of the feed, and those of the preset where they differ.")


def fit_feed(log: Log, *, seed: int = 0, progress: Callable[[int, int], None] | None = None) -> Likeness:
    """Fit a `LiveFeed` to a log, and hold a log of its own against it.

    Parameters
    ----------
    log
        Best with sessions of several pages that say who left, timestamps, users and candidates.
    seed
        Of the simulated feed and its people.
    progress
        Called with (sessions simulated, sessions in all).

    Raises
    ------
    LogError
        If the log has no valid rows, not one click, or a session that goes on after a page that was left.
    """
    fitted = fit_settings(log)
    settings, pages = fitted.settings, fitted.pages
    n = min(pages.n_sessions, MOST_SESSIONS)
    rng = np.random.default_rng([seed, _FITTED])
    logs = simulate_log_of(LiveFeed(settings, seed=seed), n, ranking=fitted.ranking, rng=rng, progress=progress)
    simulated = curves.joined(logs, settings.page_size)
    as_logged, as_simulated = (curves.Curves.of(each, thinned_to=n) for each in (pages, simulated))
    return Likeness(
        settings=settings,
        cautions=fitted.cautions,
        ranking=fitted.ranking,
        n_sessions=n,
        click_rate=curves.click_rates(as_logged, as_simulated),
        popularity=curves.popularities(as_logged, as_simulated),
        item_rates=curves.item_rates(as_logged, as_simulated),
        survival=curves.stays(as_logged, as_simulated, n_pages=settings.n_pages, page_size=settings.page_size),
        clicks_told=fitted.clicks_told,
    )


def _stacked(frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Both curves and their standard errors, 0 where there are none, (2, t) each."""
    values = frame.select(_NAMES).to_numpy().T
    errors = frame.select(f"{name}_se" for name in _NAMES).to_numpy().T if "log_se" in frame.columns else 0.0 * values
    return values, errors


def _points(frame: pl.DataFrame) -> str:
    gap = curves.gap(frame)
    return f"{number(None if gap is None else 100.0 * gap, 2)} points"


def _apart(frame: pl.DataFrame) -> str:
    """The largest distance, and the largest in its standard errors."""
    return f"{_points(frame)} or {number(curves.gap_in_errors(frame), 2)} standard errors"


def _toml(value: Any) -> str:
    return f"[{', '.join(_toml(each) for each in value)}]" if isinstance(value, tuple) else json.dumps(value)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(number(each) for each in value)
    return number(value) if isinstance(value, int | float) else "1 everywhere" if value is None else str(value)
