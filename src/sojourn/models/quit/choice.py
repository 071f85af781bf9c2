"""Which quit model explains how people leave: the one of the highest likelihood on held-out pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import QuitModel
from sojourn.models.quit.pages import PageOutcomes
from sojourn.records import FloatArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class QuitChoice:
    """Quit models judged on the same held-out pages.

    Parameters
    ----------
    name, model
        Of the chosen one, fitted.
    log_loss
        Mean per page of minus the logarithm of the probability of what happened, by name, in nats.
    excess
        The same less that of the chosen one, >= 0.
    stderr
        Standard error of `excess`: paired, and clustered by session.
    n_pages, n_left
        Pages that they were judged on, and those of them that were left.
    """

    name: str
    model: QuitModel
    log_loss: Mapping[str, float]
    excess: Mapping[str, float]
    stderr: Mapping[str, float]
    n_pages: int
    n_left: int


def choose_quit_model(candidates: Mapping[str, QuitModel], train: LogBatch, held_out: LogBatch) -> QuitChoice:
    """Fit each candidate to ``train`` and choose the one with the lowest page log-loss on ``held_out``.

    Of equals the first is chosen. The candidates are fitted in place.

    Raises
    ------
    InvalidInputError
        If there is no candidate, or one rules out what happened.
    """
    if not candidates:
        raise InvalidInputError("candidates: expected at least one quit model, got none")
    pages = PageOutcomes.of(held_out)
    losses = {name: page_losses(model.fit(train), held_out) for name, model in candidates.items()}
    log_loss = {name: float(each.mean()) for name, each in losses.items()}
    best = min(log_loss, key=log_loss.__getitem__)
    return QuitChoice(
        name=best,
        model=candidates[best],
        log_loss=log_loss,
        excess={name: float((each - losses[best]).mean()) for name, each in losses.items()},
        stderr={name: _stderr(each - losses[best], pages) for name, each in losses.items()},
        n_pages=pages.n_pages,
        n_left=int(pages.left.sum()),
    )


def page_losses(model: QuitModel, batch: LogBatch) -> FloatArray:
    """`PageOutcomes.log_losses` of a model, on the pages of a log whose outcome is known, (p,)."""
    return PageOutcomes.of(batch).log_losses(model.page_survival(batch), model=type(model).__name__)


def page_log_loss(model: QuitModel, batch: LogBatch) -> float:
    """Mean of `page_losses`: the lower, the better; the true hazards have the lowest expectation."""
    return float(page_losses(model, batch).mean())


def _stderr(difference: FloatArray, pages: PageOutcomes) -> float:
    """Of the mean over pages, whose sessions are independent."""
    codes, session = np.unique(pages.session, return_inverse=True)
    of_session = np.bincount(session, weights=difference - difference.mean())
    n = len(codes)
    correction = n / (n - 1) if n > 1 else np.inf
    return float(np.sqrt(correction * (of_session**2).sum()) / pages.n_pages)
