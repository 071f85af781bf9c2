"""Learning from a log that says where sessions end: what is clicked, and what makes people leave."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sojourn.errors import LogError, MissingExtraError
from sojourn.evaluation import judge_leaving, paired_page_log_loss
from sojourn.interfaces import QuitModel
from sojourn.jobs.sessions.learning import SessionLearning
from sojourn.jobs.sessions.models import SessionModels
from sojourn.jobs.sessions.parts import SessionParts
from sojourn.logs import Log
from sojourn.models import LogisticClickRate
from sojourn.models.quit import AnyAccepted, BoostedNoisyOr, ConstantHazard, NoisyOr, PageOutcomes, choose_quit_model
from sojourn.records import LogBatch

FEWEST_BOOSTED: Final = 1_000
"""With fewer items shown, trees find nowhere to split."""


def learn_from_ends(log: Log, *, progress: Callable[[int, int], None] | None = None) -> SessionLearning:
    """Learn from the first sessions of a log, choose a model by those after them, and judge on the last.

    Raises
    ------
    LogError
        If the log does not say where sessions end, or too few sessions do.
    """
    tell = progress or (lambda _done, _total: None)
    expect_ends(log)
    parts = SessionParts.of(log)
    tell(1, 3)
    candidates = quit_models(parts.learned)
    choice = choose_quit_model(candidates, parts.learned, parts.chosen)
    tell(2, 3)
    models = SessionModels(
        encoder=parts.encoder,
        clicks=None if parts.all_clicked else LogisticClickRate().fit(parts.learned),
        leaving=choice.model,
        page_size=parts.page_size,
    )
    tell(3, 3)
    return SessionLearning(
        models=models,
        chosen=choice.name,
        judged={name: judge_leaving(each, parts.judged) for name, each in candidates.items()},
        above_chosen={
            name: paired_page_log_loss(each, choice.model, parts.judged) for name, each in candidates.items()
        },
        n_sessions=parts.n_sessions,
        notes=parts.notes,
    )


def quit_models(learned: LogBatch) -> dict[str, QuitModel]:
    """How the items of a page may make people leave; boosted trees where LightGBM is installed and items are many.

    On pages of single items to accept none and to dislike any are the same.
    """
    models: dict[str, QuitModel] = {"the same for all": ConstantHazard(), "noisy-or": NoisyOr()}
    if learned.n_slots > 1:
        models["any accepted"] = AnyAccepted()
    if int(learned.shown.sum()) >= FEWEST_BOOSTED:
        with suppress(MissingExtraError):
            models["boosted noisy-or"] = BoostedNoisyOr()
    return models


def expect_ends(log: Log) -> None:
    """Refuse a log that does not say who left, or who stayed."""
    if not log.has("quit"):
        raise LogError(
            f"{log.source}: expected a log that says where sessions end; add a column `quit`, true on the last row of "
            "a session after which the person left, false or empty elsewhere. Or, if it has whole pages with clicks, "
            'learn who leaves from the clicks alone, with `--hazard clicks` (hazard="clicks")'
        )
    PageOutcomes.of(log.to_batch().batch)  # says what the whole log lacks, before a part of it does
