"""Ordering: the plan of some candidates and the orders to hold it against, under what is known of the session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sojourn.interfaces import PathModel, Planner
from sojourn.jobs.sessions.pages import PageByPage
from sojourn.jobs.sessions.path_planning import counted, valued_along
from sojourn.jobs.sessions.planning import GREEDY, PLAN, Planning
from sojourn.planning import (
    AcceptedPages,
    certify,
    plan_accepted_pages,
    plan_by_ratio,
    plan_compromise,
    plan_greedy,
    plan_session,
    posterior_mean,
)
from sojourn.records import Plan, SessionMDP
from sojourn.reporting import count

OTHERS: Final[Mapping[str, Planner]] = {GREEDY: plan_greedy, "ratio": plan_by_ratio, "compromise": plan_compromise}
"""What the plan is held against: the largest reward first, the largest reward per leave first, and the order of
Zhao et al. (2020), who plan with repeats and then remove them."""


def plan_candidates(
    item_ids: NDArray[Any],
    mdp: SessionMDP,
    *,
    path: PathModel | None = None,
    unit: str = "clicks",
    proviso: str = "",
) -> Planning:
    """Plan a session, and order the same candidates by the other strategies.

    Parameters
    ----------
    item_ids : (m,) int or str
    mdp
        With standard errors where its values are independent estimates: then all is made and valued with posterior
        means. Not with those of a fitted model: its errors hang together, and another shrinkage flattens the hazards.
    path
        The same candidates along orders that count what they show themselves, where a fitted model knows that.
    unit, proviso
        As in `Planning`.
    """
    believed = _believed(mdp)
    plans = {PLAN: certify(believed, plan_session(believed), tight=True)} | _others(believed)
    found = Planning(
        item_ids=item_ids, mdp=believed, plans=plans, notes=tuple(_doubts(mdp, path)), unit=unit, proviso=proviso
    )
    return found if path is None else counted(found, path, believed)


def plan_pages(
    item_ids: NDArray[Any],
    mdp: SessionMDP,
    *,
    page_size: int,
    path: PathModel | None = None,
    unit: str = "clicks",
    proviso: str = "",
) -> Planning:
    """The same of pages after which people leave unless they accepted one of the items.

    The hazards of ``mdp``, whose first step counts, and of ``path`` are those of a page of one item.
    """
    believed = _believed(mdp)
    reward, hazard = (each[0] for each in believed.by_step())
    pages = AcceptedPages(reward=reward, acceptance=1.0 - hazard, page_size=page_size, n_steps=mdp.n_steps)
    orders = {PLAN: plan_accepted_pages(pages).order}
    orders |= {name: each.order for name, each in _others(pages.item_by_item).items()}
    found = Planning(
        item_ids=item_ids,
        mdp=pages.item_by_item,
        plans=valued_along(pages, orders),
        notes=(_of_pages(page_size), *_doubts(mdp, path)),
        unit=unit,
        proviso=proviso,
    )
    return found if path is None else counted(found, PageByPage(path=path, page_size=page_size), pages)


def _of_pages(page_size: int) -> str:
    return (
        f"People decide after pages of {count(page_size, 'item')} whether to go on: they leave where they accepted "
        "none of them. The hazard of a single item is that of a page of this item alone."
    )


def _others(mdp: SessionMDP) -> dict[str, Plan]:
    return {name: planner(mdp) for name, planner in OTHERS.items()}


def _believed(mdp: SessionMDP) -> SessionMDP:
    """Posterior means where there are standard errors; what comes without one is known."""
    if mdp.reward_std is None and mdp.hazard_std is None:
        return mdp
    reward_std, hazard_std = (
        np.zeros(value.shape) if std is None else std
        for value, std in ((mdp.reward, mdp.reward_std), (mdp.hazard, mdp.hazard_std))
    )
    return posterior_mean(replace(mdp, reward_std=reward_std, hazard_std=hazard_std))


def _doubts(mdp: SessionMDP, path: PathModel | None) -> Iterator[str]:
    """What standard errors do, and what their absence does; of values that are all the same nothing need be said."""
    if path is not None:
        yield (
            "Rewards and hazards are taken as the models give them. What a log has taught by chance the plan takes for "
            "true, so it is worth somewhat less than it says; the less, the larger the log."
        )
        return
    parts = (("rewards", mdp.reward, mdp.reward_std), ("hazards", mdp.hazard, mdp.hazard_std))
    differing = [(name, std) for name, values, std in parts if np.ptp(values) > 0.0]
    drawn = " and ".join(name for name, std in differing if std is not None)
    known = " and ".join(name for name, std in differing if std is None)
    if drawn:
        yield (
            f"The {drawn} are posterior means: estimates with large standard errors are drawn towards the mean of the "
            "candidates, so that the plan does not chase noise."
        )
    if known:
        yield (
            f"The {known} come without standard errors, so they count as known. Where they are estimates, a plan picks "
            "what was overrated by chance, and is worth less than it says."
        )
