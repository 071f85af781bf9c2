"""The MDP Producer (Zhao et al. 2020): from a request, its session and two fitted models to what a planner needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ClickRateDoubt, ClickRateModel, HazardDoubt, QuitModel
from sojourn.records import FloatArray, IntArray, Request, SessionMDP, SessionState

if TYPE_CHECKING:  # policies run without tables
    from sojourn.logs import SessionFeatures, SessionView

_SAME: Final = 1e-12  # answers that differ by less differ by rounding

ColumnsOf = Callable[[NDArray[Any]], Mapping[str, NDArray[Any]]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionModel:
    """What the rest of a session is worth, as its person, its past and its candidates have it.

    The models were fitted to features in the order of a `SessionEncoder`: those of the request, then the session's.
    Requests bring the former, and their ``state`` the latter::

        encoder = SessionEncoder.fit(log, session=SessionFeatures(categories=("x_category",)))
        batch = log.to_batch(encoder).batch
        model = SessionModel(
            session=encoder.session,
            columns_of=encoder.columns_of,
            click_rate=click_rate.fit(batch),
            quits=quits.fit(batch),
        )
        plan_session(model.mdp(request, 50)).order
        SessionPolicy(mdp_of=model.mdp, planner=plan_session, sampler=TopK(), n_steps=50)

    Parameters
    ----------
    session
        What counts in a session.
    columns_of
        Candidates' ids (m,) -> the columns that ``session`` needs, (m,) each.
    quits
        Fitted; its hazard is the one at the first slot to fill, if it changes from slot to slot.
    click_rate
        Fitted; None where each item seen is worth 1, so that the length of the session is what counts.
    page_size
        Items of a page to come; None takes the whole rest of the session for one page.
    """

    session: SessionFeatures
    columns_of: ColumnsOf
    quits: QuitModel
    click_rate: ClickRateModel | None = None
    page_size: int | None = None

    def mdp(self, request: Request, n_steps: int, *, elapsed: float | None = None) -> SessionMDP:
        """The candidates at each of the next steps, with all that was counted held as it is now.

        Only the numbers of items and pages browsed grow. Rewards and hazards that do not change with them are given
        once for all steps, so that `plan_exact` applies. Standard errors are given where a model has them.

        Parameters
        ----------
        request
            With its ``state``, unless the session begins.
        n_steps
            Steps T that the session still has at most, >= 1.
        elapsed
            Seconds from the session's first page to this request; those of the last page unless given.

        Raises
        ------
        InvalidInputError
            If the request is not the session's first and has no state, or a column is missing.
        """
        ahead = self.path(request, n_steps, elapsed=elapsed).view.ahead(n_steps)  # (t, m, f)
        base = np.broadcast_to(request.features, (*ahead.shape[:2], request.features.shape[1]))
        features = np.concatenate([base, ahead], axis=2)
        reward, hazard = self.answers(request, features)
        reward_std, hazard_std = self._doubts(request, features)
        reward, reward_std = _once_if_same(reward, reward_std)
        hazard, hazard_std = _once_if_same(hazard, hazard_std)
        return SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps, reward_std=reward_std, hazard_std=hazard_std)

    def path(self, request: Request, n_steps: int, *, elapsed: float | None = None) -> SessionPath:
        """The same with everything counted along the path, fatigue included; arguments as for `mdp`."""
        if n_steps < 1:
            raise InvalidInputError(f"n_steps: expected at least 1, got {n_steps}")
        state = _state_of(request)
        if elapsed is None:
            elapsed = float(state.elapsed[-1]) if state.n_items else 0.0
        columns = self.columns_of(request.item_ids)
        view = self.session.view(state, request.item_ids, columns, elapsed=elapsed, page_size=self.page_size)
        return SessionPath(model=self, request=request, n_steps=n_steps, view=view)

    def answers(self, request: Request, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of features (..., d + f) of this request's candidates, both (...); one call of a model."""
        hazard = self.quits.hazard_of(features, step=request.first_position)
        reward = np.ones(hazard.shape) if self.click_rate is None else self.click_rate.click_rate_of(features)
        return reward, hazard

    def _doubts(self, request: Request, features: FloatArray) -> tuple[FloatArray | None, FloatArray | None]:
        """The standard errors of both, None where the model knows none."""
        reward_std = hazard_std = None
        if isinstance(self.click_rate, ClickRateDoubt):
            reward_std = self.click_rate.click_rate_std_of(features)
        if isinstance(self.quits, HazardDoubt):
            hazard_std = self.quits.hazard_std_of(features, step=request.first_position)
        return reward_std, hazard_std


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionPath:
    """A `PathModel` of a session, made by `SessionModel.path`.

    Each step sees the items above as shown and not clicked.
    """

    model: SessionModel
    request: Request
    n_steps: int
    view: SessionView

    @property
    def n_candidates(self) -> int:
        """Number of candidates m."""
        return len(self.request.item_ids)

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of each step of orders (..., t), both (..., t)."""
        paths = orders.reshape(-1, orders.shape[-1])
        features = np.concatenate([self.request.features[paths], self.view.along(paths)], axis=2)
        reward, hazard = self.model.answers(self.request, features)
        return reward.reshape(orders.shape), hazard.reshape(orders.shape)


def _state_of(request: Request) -> SessionState:
    if request.state is not None:
        return request.state
    if request.step:
        raise InvalidInputError(
            f"request: expected the state of its session after {request.step} items browsed, got none; keep a "
            "SessionState and give it to the request"
        )
    return SessionState()


def _once_if_same(values: FloatArray, std: FloatArray | None) -> tuple[FloatArray, FloatArray | None]:
    """(m,) in place of (t, m) where no step differs."""
    both = [values] if std is None else [values, std]
    if all(np.ptp(each, axis=0).max() <= _SAME for each in both):
        return values[0], None if std is None else std[0]
    return values, std
