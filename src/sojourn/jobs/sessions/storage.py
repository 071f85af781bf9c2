"""Session models as files, and the sessions that they are asked to plan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import ConfigError
from sojourn.jobs.sessions.candidate_table import steps_of_plan
from sojourn.jobs.sessions.models import SessionModels
from sojourn.jobs.sessions.planning import Planning
from sojourn.logs import SessionEncoder
from sojourn.models import LogisticClickRate
from sojourn.models.json_state import kind_of
from sojourn.models.quit import AnyAccepted, BoostedNoisyOr, NoisyOr
from sojourn.records import SessionState

FILE: Final = "session_models.json"
_KINDS: Final = {each.__name__: each for each in (AnyAccepted, BoostedNoisyOr, NoisyOr)}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionSoFar:
    """A session to plan, as an app or a file tells it.

    Parameters
    ----------
    pages
        Item ids and clicks of each page shown, in order.
    candidates
        What may be shown now; all items of the log unless given.
    context
        Values of the columns that tell of the request.
    """

    pages: tuple[tuple[list[Any], list[float]], ...] = ()
    candidates: tuple[Any, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)


def save_session_models(models: SessionModels, folder: Path) -> None:
    """Write models as JSON to a folder, which is made if missing.

    Raises
    ------
    ConfigError
        If a model cannot be stored, or not there.
    """
    clicks, leaving = models.clicks, models.leaving
    if not isinstance(leaving, AnyAccepted | BoostedNoisyOr | NoisyOr):
        raise ConfigError(
            f"quit model: expected one that can be stored ({', '.join(_KINDS)}), got {type(leaving).__name__}: on this "
            "log items do not tell who leaves, so there is nothing to plan with"
        )
    if not isinstance(clicks, LogisticClickRate | None):
        raise ConfigError(f"click model: expected a LogisticClickRate, got {type(clicks).__name__}")
    state = {
        "encoder": models.encoder.to_json(),
        "clicks": None if clicks is None else clicks.to_json(),
        "leaving": leaving.to_json(),
        "page_size": models.page_size,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(state), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: expected a folder for the models, it cannot be written: {error}") from error


def load_session_models(folder: Path) -> SessionModels:
    """What `save_session_models` wrote.

    Raises
    ------
    ConfigError
        If it is not there, or something else is.
    """
    try:
        state = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return SessionModels(
            encoder=SessionEncoder.from_json(state["encoder"]),
            clicks=None if state["clicks"] is None else LogisticClickRate.from_json(state["clicks"]),
            leaving=_KINDS[kind_of(state["leaving"])].from_json(state["leaving"]),
            page_size=state["page_size"],
        )
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise ConfigError(f"{folder}: expected models that `sojourn plan LOG --out` wrote ({FILE}): {error}") from error


def read_session(path: Path) -> SessionSoFar:
    """A session of a file: ``{"pages": [{"item_ids": [..], "click": [..]}], "candidates": [..], "context": {..}}``.

    Each of the three may be left out.

    Raises
    ------
    ConfigError
        If the file cannot be read, or is something else.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or not set(told) <= {"pages", "candidates", "context"}:
            raise ConfigError("got other keys" if isinstance(told, dict) else f"got {type(told).__name__}")
        pages = [(list(page["item_ids"]), [float(each) for each in page["click"]]) for page in told.get("pages", [])]
        return SessionSoFar(
            pages=tuple(pages),
            candidates=tuple(told.get("candidates", ())),
            context=dict(told.get("context", {})),
        )
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise ConfigError(
            f"{path}: expected JSON with pages (item_ids and click of each), candidates and context: {error}"
        ) from error


def plan_saved(models: SessionModels, session: SessionSoFar, *, n_steps: int | None = None) -> Planning:
    """Plan a session with models that were saved.

    Raises
    ------
    ConfigError
        If the models know none of the candidates, all have been shown, or more steps are asked for than are left.
    """
    known = models.encoder.encoder.item_ids
    state = SessionState()
    for item_ids, click in session.pages:
        ids = _ids(item_ids, known)
        state = state.after(ids, np.array(click), columns=models.encoder.columns_of(ids))
    wanted = _ids(session.candidates, known) if session.candidates else known
    item_ids_left = wanted[~np.isin(wanted, state.item_ids)]
    if not len(item_ids_left):
        raise ConfigError("candidates: expected items that the session has not shown, all have been")
    if not np.isin(item_ids_left, known).any():
        raise ConfigError(
            f"candidates: expected items that the models know, such as {known[:3].tolist()}, "
            f"got {item_ids_left[:3].tolist()}"
        )
    steps = steps_of_plan(n_steps, len(item_ids_left))
    return models.plan(state, item_ids_left, n_steps=steps, context=session.context)


def _ids(ids: Sequence[Any], known: NDArray[Any]) -> NDArray[Any]:
    """Ids of the type of those that are known."""
    try:
        return np.array(ids).astype(known.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"item_ids: expected ids like {known[:3].tolist()}, got {list(ids)[:3]}") from error
