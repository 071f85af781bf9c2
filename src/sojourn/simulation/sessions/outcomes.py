"""What orders of items earn in a world, expected and as it happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray, survival_of
from sojourn.records.arrays import expect_shape
from sojourn.simulation.sessions.leaving import step_hazard
from sojourn.simulation.sessions.visits import Visits
from sojourn.simulation.sessions.world import SessionWorld


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outcomes:
    """Sessions that were played, or what is expected of them.

    Parameters
    ----------
    clicks : (b,) float
        IPV of each session: clicks on what was seen (Zhao et al. 2020, eq. 13, 16).
    items : (b,) float
        BL of each session: items seen (eq. 14, 16).
    """

    clicks: FloatArray
    items: FloatArray

    def __post_init__(self) -> None:
        expect_shape(self.items, self.clicks.shape, "items")

    @property
    def click_rate(self) -> float:
        """CTR: clicks of all sessions over items of all sessions (eq. 15)."""
        return float(self.clicks.sum() / self.items.sum())


def expected_outcomes(world: SessionWorld, visits: Visits, orders: IntArray, *, page_size: int = 1) -> Outcomes:
    """Exact expectation of each session, given its candidates (eqs. 13, 14 where people leave item by item).

    Parameters
    ----------
    world, visits
        The truth and the people. What chance will decide for them is not looked at.
    orders : (b, t) int
        Candidates of each session in the order in which they are shown.
    page_size
        Items of a page; the last page may be shorter. Without effect where people leave item by item.

    Raises
    ------
    InvalidInputError
        If the orders are of another number of sessions, or name what is no candidate.
    """
    reward, hazard = _along(world, visits, orders, page_size)
    survival = survival_of(hazard)
    return Outcomes(clicks=(reward * survival).sum(axis=1), items=survival.sum(axis=1))


def simulated_outcomes(world: SessionWorld, visits: Visits, orders: IntArray, *, page_size: int = 1) -> Outcomes:
    """What happens to the people of ``visits``; arguments as in `expected_outcomes`.

    An item that an order repeats is clicked each time or never.
    """
    reward, hazard = _along(world, visits, orders, page_size)
    seen = used_before(hazard) <= visits.patience[:, None]
    click = seen & (np.take_along_axis(visits.threshold, orders, axis=1) < reward)
    return Outcomes(clicks=click.sum(axis=1).astype(np.float64), items=seen.sum(axis=1).astype(np.float64))


def patience_used(hazard: FloatArray) -> FloatArray:
    """-log(1 - q) of steps with hazards q, elementwise; infinite at q = 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log1p(-hazard))


def used_before(hazard: FloatArray) -> FloatArray:
    """Patience used before each step of orders whose steps have the hazards (..., t), (..., t); 0 first."""
    used = np.zeros(hazard.shape)
    np.cumsum(patience_used(hazard[..., :-1]), axis=-1, out=used[..., 1:])
    return used


def _along(world: SessionWorld, visits: Visits, orders: IntArray, page_size: int) -> tuple[FloatArray, FloatArray]:
    """Reward and hazard of each step, (b, t) each."""
    if orders.ndim != 2 or len(orders) != visits.n_sessions or orders.shape[1] < 1:
        raise InvalidInputError(
            f"orders: expected an array of shape ({visits.n_sessions}, t) with t >= 1, got {orders.shape}"
        )
    sessions = np.arange(visits.n_sessions)[:, None]
    inside = orders.min() >= 0 and orders.max() < visits.candidate.shape[1]
    if not (inside and visits.candidate[sessions, orders].all()):
        raise InvalidInputError("orders: expected rows of the session's candidates, got rows where visits has none")
    features = visits.features[sessions, orders]
    hazard = step_hazard(world.hazard_of(features), page_size=page_size, leaving=world.leaving)
    return world.reward_of(features), hazard
