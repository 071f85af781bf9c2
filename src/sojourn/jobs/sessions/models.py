"""What a log's sessions taught, and the plans that it makes of a session that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from numpy.typing import NDArray

from sojourn.interfaces import ClickRateModel, QuitModel
from sojourn.jobs.sessions.ordering import plan_candidates, plan_pages
from sojourn.jobs.sessions.planning import Planning
from sojourn.logs import SessionEncoder
from sojourn.models.quit import AnyAccepted
from sojourn.planning import SessionModel
from sojourn.records import Request, SessionState

PROVISO: Final = "If people stay with what they are shown as they did with what they chose to view"
"""Of a log of views."""

VIEWS: Final = (
    "Every row of the log is a click, so an item that is seen earns one view, and the greedy order leaves the "
    "candidates as they come: those that the log shows most often first, or as they were given. People chose what they "
    "viewed: a hazard says how often they left after an item, not that the item drove them away."
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionModels:
    """Models of what is clicked and of what makes people leave, with the features that they learned from.

    Parameters
    ----------
    encoder
        Features of items and of the session so far.
    clicks
        P(click | seen); None where every row of the log is a click.
    leaving
        P(leaves | seen), or of pages as a whole.
    page_size
        Items of a page in the log, the median.
    """

    encoder: SessionEncoder
    clicks: ClickRateModel | None
    leaving: QuitModel
    page_size: int

    def plan(
        self,
        state: SessionState,
        item_ids: NDArray[Any],
        *,
        n_steps: int,
        context: Mapping[str, Any] | None = None,
    ) -> Planning:
        """Plan the rest of a session.

        Parameters
        ----------
        state
            What it has shown so far.
        item_ids : (m,) int or str
            The candidates; of those that earn the same, the greedy order shows the first.
        n_steps
            Steps that the session still has at most, >= 1.
        context
            Values of the columns that tell of the request; what is not given is not known.
        """
        known = {each.name: (context or {}).get(each.name) for each in self.encoder.encoder.part("context")}
        request = Request(
            request_id="plan",
            item_ids=item_ids,
            features=self.encoder.encoder.pairs(known, item_ids),
            n_slots=min(self.page_size, len(item_ids)),
            step=state.n_items,
            state=state,
        )
        model = SessionModel(
            session=self.encoder.session,
            columns_of=self.encoder.columns_of,
            quits=self.leaving,
            click_rate=self.clicks,
            page_size=self.page_size,
        )
        path = model.path(request, n_steps)
        mdp = replace(model.mdp(request, n_steps), reward_std=None, hazard_std=None)  # they are not independent
        unit, proviso, notes = ("clicks", "", ()) if self.clicks is not None else ("views", PROVISO, (VIEWS,))
        if isinstance(self.leaving, AnyAccepted):
            found = plan_pages(item_ids, mdp, page_size=self.page_size, path=path, unit=unit, proviso=proviso)
        else:
            found = plan_candidates(item_ids, mdp, path=path, unit=unit, proviso=proviso)
        return replace(found, notes=(*notes, *found.notes))
