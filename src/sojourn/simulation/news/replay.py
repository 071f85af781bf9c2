"""Replay of a uniform log of news, as the papers on R6B do it: a block of lines, then an update."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from sojourn.errors import InvalidInputError, LogError
from sojourn.interfaces import Explorer, RewardModel
from sojourn.records import FieldLayout, Rows
from sojourn.simulation.news.block import NewsLines
from sojourn.simulation.news.choosing import choose, predicted_click_rate
from sojourn.simulation.news.learning import learn
from sojourn.simulation.news.online import NEW_UNTIL, expect_share, n_item_codes
from sojourn.simulation.news.result import NewsLedger, NewsResult


class NewsLog(Protocol):
    """Lines of a uniform log: of a `NewsWorld`, or of files (`LineFiles`)."""

    @property
    def layout(self) -> FieldLayout:
        """What the columns of the features stand for; ``item_id`` names the item's code."""
        ...

    def lines(self) -> Iterator[NewsLines]:
        """The lines in order of time, in pieces."""
        ...


def replay_lines(
    model: RewardModel,
    explorer: Explorer,
    log: NewsLog,
    *,
    rng: np.random.Generator,
    n_warm_up: int = 80_000,
    block_lines: int = 80_000,
    block_kept: int | None = None,
    share: float = 1.0,
    new_until: int = NEW_UNTIL,
    progress: Callable[[int, int], None] | None = None,
) -> NewsResult:
    """Keep the lines that show what the policy would show, and learn from them block by block (Li et al. 2011).

    Each kept line is a visit as the policy would have met it online, since the log is uniform. The protocol is that
    of the R6B studies (Du et al. 2021): the first lines teach every policy, whatever it would have shown.

    Parameters
    ----------
    model
        A fresh one: it learns after each block and is frozen within. It takes features (n, m, d).
    explorer
        What turns the model into scores.
    log
    rng
        For the explorer.
    n_warm_up
        Lines at the start that are all learned from, and none counted.
    block_lines
        Lines of a block.
    block_kept
        A block also ends with the piece of the log in which so many have been kept.
    share
        Part of each piece of the log that is read, in (0, 1]: .5 halves the log, the warm-up's lines still being as
        many.
    new_until
        Impressions of an item, the warm-up's included, that count as new.
    progress
        Told (lines done, 0: nobody knows how many there are).

    Raises
    ------
    LogError
        If the log ends within the warm-up.
    """
    if n_warm_up < 0 or block_lines < 1 or (block_kept is not None and block_kept < 1):
        raise InvalidInputError(
            "n_warm_up, block_lines, block_kept: expected >= 0, >= 1 and >= 1 or None, got "
            f"{n_warm_up}, {block_lines}, {block_kept}"
        )
    expect_share(share)
    pieces = (piece.take(slice(max(1, round(share * len(piece))))) for piece in log.lines())
    player = _Player(model, explorer, log.layout, pieces, rng=rng, new_until=new_until)
    player.warm_up(n_warm_up)
    while player.block(block_lines, block_kept or block_lines):
        if progress is not None:
            progress(player.n_read, 0)
    return player.ledger.result()


class _Player:
    """A policy on its way through a log."""

    def __init__(
        self,
        model: RewardModel,
        explorer: Explorer,
        layout: FieldLayout,
        pieces: Iterator[NewsLines],
        *,
        rng: np.random.Generator,
        new_until: int,
    ) -> None:
        self._model, self._explorer, self._rng, self._layout = model, explorer, rng, layout
        self._pieces = pieces
        self._rest: NewsLines | None = None
        self.n_read = 0
        self.ledger = NewsLedger(n_codes=n_item_codes(layout), new_until=new_until)

    def _read(self, at_most: int) -> NewsLines | None:
        """The next lines of the log; None at its end."""
        piece = next(self._pieces, None) if self._rest is None else self._rest
        if piece is None:
            return None
        self._rest = piece.take(slice(at_most, None)) if len(piece) > at_most else None
        part = piece.take(slice(at_most))
        self.n_read += len(part)
        return part

    def warm_up(self, n_lines: int) -> None:
        parts: list[Rows] = []
        while self.n_read < n_lines:
            part = self._read(n_lines - self.n_read)
            if part is None:
                raise LogError(f"log: expected more than the {n_lines} lines of the warm-up, got {self.n_read}")
            parts.append(part.rows())
        if parts:
            rows = _joined(parts)
            self.ledger.know(self._layout.item_codes(rows.features), rows.weight)
            learn(self._model, rows)

    def block(self, n_lines: int, n_kept: int) -> bool:
        """Play until so many lines are read or kept, and learn; False at the end of the log."""
        parts: list[Rows] = []
        begin, kept = self.n_read, 0
        while kept < n_kept and (part := self._read(n_lines - (self.n_read - begin))) is not None:
            agrees = choose(self._model, self._explorer, part.requests, rng=self._rng) == part.shown
            parts.append(part.rows(agrees))
            kept += int(agrees.sum())
            if self.n_read - begin == n_lines:
                break
        if not parts:
            return False
        self._learn(_joined(parts), offered=self.n_read - begin)
        return True

    def _learn(self, rows: Rows, *, offered: int) -> None:
        codes = self._layout.item_codes(rows.features)
        predicted = predicted_click_rate(self._model, rows.features) if len(codes) else np.zeros(0)
        self.ledger.add(codes, rows.weight, rows.reward, predicted, offered=offered)
        if len(codes):
            learn(self._model, rows)


def _joined(parts: list[Rows]) -> Rows:
    names = ("features", "reward", "weight", "slot")
    return Rows(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
