"""A feed that lives day by day, whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.records import Categorical, FieldLayout, FloatArray, IntArray, LogBatch, Numeric
from sojourn.records.arrays import expect_shape
from sojourn.simulation.live.arrivals import arrival_days, draw_rates, live_items
from sojourn.simulation.live.best_page import best_page
from sojourn.simulation.live.browsing import Browsing
from sojourn.simulation.live.log import log_of
from sojourn.simulation.live.pages import LivePage, LiveState, expect_candidates
from sojourn.simulation.live.population import Population
from sojourn.simulation.live.settings import LiveSettings
from sojourn.simulation.live.truth import LiveTruth, LogOdds
from sojourn.simulation.live.visits import EMPTY, LiveVisits
from sojourn.simulation.sessions import Outcomes

_WORLD, _PEOPLE, _FAME = 1, 2, 4  # 3 are the choices of `sojourn.simulation.live.loop`


class LiveFeed:
    """People who come day by day to a feed whose items come and go.

    What chance decides of a day depends on the seed and the day alone, so all policies meet the same people::

        feed = LiveFeed(PRESETS["all"], seed=0)
        for day in range(feed.settings.days):
            visits = feed.visits(day)
            state, pages = feed.begin(visits), []
            while state.n_sessions:
                chosen = ...  # (p, k) rows of visits.item[state.session], none that state.open(visits) denies
                pages.append(feed.page(visits, state, chosen))
                state = state.after(pages[-1])
            log = feed.log(visits, pages)

    Parameters
    ----------
    settings
    seed
        Draws the world and all its days.
    population
        People and items in place of drawn ones; the feed's items are some of them, in an order by the seed. Means and
        spreads are still those of people with independent normal tastes, so that with others they are met nearly.

    Attributes
    ----------
    layout
        Of the features: the item's description x, the match u * x, the item's code.
    users : (n_users, d) float
        Tastes u.
    items : (n + 1, d) float
        Descriptions x by item code; row 0 belongs to no item.
    category, arrival : (n + 1,) int
        Of each item: its category, and the day on which it came.
    live : (days, n_live) int
        Codes of the items that are live on each day, rising.
    """

    def __init__(self, settings: LiveSettings, *, seed: int, population: Population | None = None) -> None:
        self.settings, self.seed = settings, seed
        rng = np.random.default_rng([seed, _WORLD])
        n, d = settings.n_items, settings.n_dims
        self.users, items = _drawn(settings, rng=rng) if population is None else population.some(settings, seed=seed)
        self.items: FloatArray = np.concatenate([np.zeros((1, d)), items])
        self.live = live_items(settings, rng=rng)
        self.arrival = arrival_days(settings)
        self._truth = LiveTruth.draw(
            self.items[1:], settings, rng=rng, taste=None if population is None else population.taste
        )
        self.category: IntArray = np.concatenate([[-1], rng.integers(settings.n_categories, size=n)])
        self._rates = draw_rates(self.live, settings.popularity, rng=np.random.default_rng([seed, _FAME]))
        self._browsing = Browsing(settings, self.category)
        self.layout = FieldLayout(
            fields=(
                Numeric("description", d, "item"),
                Numeric("match", d, "item"),
                Categorical("item_id", n + 1, "item"),
            ),
            item_id="item_id",
        )

    def visits(self, day: int) -> LiveVisits:
        """The sessions of a day."""
        rng = np.random.default_rng([self.seed, _PEOPLE, self._expect_day(day)])
        b = self.settings.n_sessions
        return self.draw_visits(day, session=day * b + np.arange(b), rng=rng)

    def draw_visits(self, day: int, *, session: IntArray, rng: np.random.Generator) -> LiveVisits:
        """Other people on that day: one session for each of the numbers (b,)."""
        settings, b = self.settings, len(session)
        live = self.live[self._expect_day(day)]
        user = rng.integers(settings.n_users, size=b)
        luck = rng.random((b, settings.n_live))
        if self._rates is not None:  # who comes first in a race of exponential times is drawn by these rates
            luck = -np.log1p(-luck) / self._rates[day]
        item = live[np.argpartition(luck, settings.n_candidates - 1, axis=1)[:, : settings.n_candidates]]
        return LiveVisits(
            session=session,
            user=user,
            item=item,
            features=self.features_of(user[:, None], item),
            category=self.category[item],
            threshold=rng.random(item.shape),
            glance=rng.random((b, settings.n_steps)),
            patience=rng.exponential(size=b),
            kept=rng.random((b, settings.n_pages)) >= settings.lost,
        )

    def features_of(self, user: IntArray, item: IntArray) -> FloatArray:
        """Feature rows (..., d) of persons and item codes, which broadcast."""
        described = self.items[item]
        return np.concatenate([described, self.users[user] * described, item[..., None]], axis=-1)

    def reward_of(self, user: IntArray, item: IntArray) -> FloatArray:
        """True P(click | looked at), (...,) of persons and item codes, which broadcast: rested people."""
        return self._probability(self._truth.reward, user, item)

    def hazard_of(self, user: IntArray, item: IntArray) -> FloatArray:
        """True P(leaves | looked at), (...,) of persons and item codes, which broadcast: rested people."""
        return self._probability(self._truth.hazard, user, item)

    @property
    def mean_reward(self) -> FloatArray:
        """`reward_of` each item by its code, on average over all people that there could be, (n + 1,); 0 of no item."""
        return self._truth.reward.mean_rate(self.items)

    def begin(self, visits: LiveVisits) -> LiveState:
        """All sessions before their first page."""
        b, t = visits.n_sessions, self.settings.n_steps
        return LiveState(
            session=np.arange(b),
            n_pages=np.zeros(b, dtype=np.int64),
            shown=np.full((b, t), EMPTY),
            click=np.zeros((b, t)),
            used=np.zeros(b),
        )

    def page(
        self, visits: LiveVisits, state: LiveState, chosen: IntArray, *, propensity: FloatArray | None = None
    ) -> LivePage:
        """What the people of ``state`` do with their next page.

        Parameters
        ----------
        visits, state
            The day's people, and where they stand.
        chosen : (p, k) int
            Rows of each session's candidates, top first, at most a page; `EMPTY` (-1) leaves a slot empty, and so do
            slots that are not named.
        propensity : (p, k) float, optional
            For the log.

        Raises
        ------
        InvalidInputError
            If the choices are of another number of sessions, or name what is no candidate or was shown before.
        """
        if propensity is not None:
            expect_shape(propensity, chosen.shape, "propensity")
        chosen = self._expect_page(visits, state, chosen)
        reward, hazard = self._of_page(visits, state, chosen)
        steps = state.steps_of(self.settings.page_size)
        glance, patience = visits.glance[state.session[:, None], steps], visits.patience[state.session]
        looks = glance < self._browsing.examination(chosen != EMPTY)
        seen, used = self._browsing.goes(hazard, looks, state.used, patience)
        threshold = visits.threshold[state.session[:, None], chosen]
        return LivePage(
            session=state.session,
            number=state.n_pages,
            step=state.step,
            chosen=chosen,
            click=(seen & (threshold < reward)).astype(np.float64),
            seen=seen,
            leaves=used > patience,
            used=used,
            propensity=None if propensity is None else _widened(propensity, self.settings.page_size, 1.0),
        )

    def play(self, visits: LiveVisits, orders: IntArray) -> list[LivePage]:
        """What happens to orders (b, t) of candidates that are shown as they are, page by page."""
        self._expect_orders(visits, orders)
        size = self.settings.page_size
        state, pages = self.begin(visits), []
        for first in range(0, orders.shape[1], size):
            if not state.n_sessions:
                break
            pages.append(self.page(visits, state, orders[state.session, first : first + size]))
            state = state.after(pages[-1])
        return pages

    def expected(self, visits: LiveVisits, orders: IntArray) -> Outcomes:
        """Exact expectation of clicks and of items looked at, of whole sessions that show orders (b, t).

        What chance decides for the visits is not looked at.
        """
        self._expect_orders(visits, orders)
        item = visits.codes(np.arange(visits.n_sessions), orders)
        reward, hazard = self._rested(visits.user[:, None], item)
        if self.settings.tires:
            reward, hazard = self._browsing.tired(reward, hazard, self._browsing.n_alike(item))
        looked_at = self._browsing.looked_at(hazard, orders != EMPTY)
        return Outcomes(clicks=(looked_at * reward).sum(axis=1), items=looked_at.sum(axis=1))

    def expected_page(self, visits: LiveVisits, state: LiveState, chosen: IntArray) -> FloatArray:
        """Exact expected clicks on the next page, (p,), given that the person has come to it."""
        chosen = self._expect_page(visits, state, chosen)
        reward, hazard = self._of_page(visits, state, chosen)
        return np.asarray((self._browsing.looked_at(hazard, chosen != EMPTY) * reward).sum(axis=1))

    def best_page(self, visits: LiveVisits, state: LiveState) -> IntArray:
        """Rows (p, k) of the next page with the most expected clicks on itself, whatever comes after it.

        It is the best of all, unless people tire, or people who leave item by item do not look at all slots alike: then
        it is the best for somebody as tired all along as at the top of the page, who looks at all slots alike.
        """
        reward, hazard = self._rested(visits.user[state.session, None], visits.item[state.session])
        if self.settings.tires:
            reward, hazard = self._browsing.tired(reward, hazard, self._alike_at_top(visits, state))
        return best_page(reward, hazard, state.open(visits), self._browsing.of_slots, self.settings.leaving)

    def log(self, visits: LiveVisits, pages: Sequence[LivePage]) -> LogBatch:
        """The pages as a log, less those that are lost; see `sojourn.simulation.live.log_of`."""
        return log_of(visits, pages)

    def _rested(self, user: IntArray, item: IntArray) -> tuple[FloatArray, FloatArray]:
        return self.reward_of(user, item), self.hazard_of(user, item)

    def _of_page(self, visits: LiveVisits, state: LiveState, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of the next page's slots, (p, k) each, of people as tired as they are there."""
        reward, hazard = self._rested(visits.user[state.session, None], visits.codes(state.session, chosen))
        if not self.settings.tires:
            return reward, hazard
        steps, path = state.steps_of(self.settings.page_size), state.shown.copy()
        np.put_along_axis(path, steps, chosen, axis=1)
        alike = self._browsing.n_alike(visits.codes(state.session, path))
        return self._browsing.tired(reward, hazard, np.take_along_axis(alike, steps, axis=1))

    def _alike_at_top(self, visits: LiveVisits, state: LiveState) -> IntArray:
        """Items of each candidate's category just before the next page, (p, m)."""
        item = visits.item[state.session]
        before = state.n_pages[:, None] * self.settings.page_size + np.arange(-self.settings.window, 0)
        rows = np.where(before < 0, EMPTY, np.take_along_axis(state.shown, np.maximum(before, 0), axis=1))
        path = np.empty((*item.shape, self.settings.window + 1), dtype=np.int64)
        path[..., :-1] = visits.codes(state.session, rows)[:, None]
        path[..., -1] = item
        return self._browsing.n_alike(path)[..., -1]

    def _expect_page(self, visits: LiveVisits, state: LiveState, chosen: IntArray) -> IntArray:
        """The choices as wide as a page."""
        size = self.settings.page_size
        expect_candidates(chosen, state.n_sessions, visits.n_candidates, size, "chosen")
        chosen = _widened(chosen, size, EMPTY)
        rows, slots = np.nonzero(chosen != EMPTY)
        if not state.open(visits)[rows, chosen[rows, slots]].all():
            raise InvalidInputError(
                "chosen: expected each candidate once in a session, got some that were shown before"
            )
        return chosen

    def _expect_orders(self, visits: LiveVisits, orders: IntArray) -> None:
        expect_candidates(orders, visits.n_sessions, visits.n_candidates, self.settings.n_steps, "orders")

    def _probability(self, log_odds: LogOdds, user: IntArray, item: IntArray) -> FloatArray:
        match = np.einsum("...d,...d->...", self.users[user] * log_odds.taste, self.items[item])
        return np.asarray(expit(log_odds.of_item[item] + match))

    def _expect_day(self, day: int) -> int:
        if not 0 <= day < self.settings.days:
            raise InvalidInputError(f"day: expected 0 to {self.settings.days - 1}, got {day}")
        return day


def _drawn(settings: LiveSettings, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Tastes and descriptions, all independent and normal."""
    users = rng.standard_normal((settings.n_users, settings.n_dims))
    return users, rng.standard_normal((settings.n_items, settings.n_dims))


def _widened(values: np.ndarray, width: int, fill: float) -> np.ndarray:
    """Rows (b, t) made as wide as ``width``."""
    return np.pad(values, ((0, 0), (0, width - values.shape[1])), constant_values=fill)
