"""A policy plays a stream of news online, its model frozen within each block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Explorer, RewardModel
from sojourn.records import Categorical, FieldLayout, Rows
from sojourn.simulation.news.block import NewsBlock
from sojourn.simulation.news.choosing import choose, predicted_click_rate
from sojourn.simulation.news.learning import learn
from sojourn.simulation.news.result import NewsLedger, NewsResult

NEW_UNTIL = 200
"""Impressions of an item that count as new: half of what an article of the findings' worlds gets on average."""


class NewsStream(Protocol):
    """Blocks whose truth is known: a `NewsWorld` or `HeadlineTests`."""

    @property
    def layout(self) -> FieldLayout:
        """What the columns of the features stand for; ``item_id`` names the item's code."""
        ...

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        ...

    def warm_up(self) -> Rows:
        """A uniform log before the stream."""
        ...

    def blocks(self) -> Iterator[NewsBlock]:
        """All blocks, in order of time."""
        ...


def play_online(
    model: RewardModel,
    explorer: Explorer,
    stream: NewsStream,
    *,
    rng: np.random.Generator,
    warm_up: bool = True,
    share: float = 1.0,
    new_until: int = NEW_UNTIL,
    progress: Callable[[int, int], None] | None = None,
) -> NewsResult:
    """Answer block after block: score all candidates, show the best, earn its clicks, then learn from the block.

    The fast equivalent of replaying a uniform log (`replay_lines`): each kept line is a visit of its own. What people
    do hangs on the stream alone, so policies that play the same stream are paired.

    Parameters
    ----------
    model
        A fresh one: it learns. It takes features (n, m, d).
    explorer
        What turns the model into scores.
    stream
    rng
        For the explorer.
    warm_up
        Whether the model learns from the stream's warm-up first; False if it has already.
    share
        Part of each block that is played, in (0, 1]: .5 halves the log, while items come and go as before. The
        warm-up stays as it is.
    new_until
        Impressions of an item, the warm-up's included, that count as new.
    progress
        Told (blocks done, blocks in all).
    """
    expect_share(share)
    layout = stream.layout
    ledger = NewsLedger(n_codes=n_item_codes(layout), new_until=new_until)
    before = stream.warm_up()
    ledger.know(layout.item_codes(before.features), before.weight)
    if warm_up:
        learn(model, before)
    del before
    for done, whole in enumerate(stream.blocks(), start=1):
        block = whole if share == 1.0 else whole.first(max(1, round(share * len(whole))))
        _play(model, explorer, block, layout, ledger, rng)
        if progress is not None:
            progress(done, stream.n_blocks)
    return ledger.result()


def _play(
    model: RewardModel,
    explorer: Explorer,
    block: NewsBlock,
    layout: FieldLayout,
    ledger: NewsLedger,
    rng: np.random.Generator,
) -> None:
    chosen = choose(model, explorer, block.requests, rng=rng)
    rows = block.rows(chosen)
    predicted = predicted_click_rate(model, rows.features) * rows.weight
    codes = layout.item_codes(rows.features)
    ledger.add(codes, rows.weight, rows.reward * rows.weight, predicted, offered=float(rows.weight.sum()))
    truth, candidates = block.click_probability, block.requests.candidate.sum(axis=1)
    ledger.add_truth(
        earned=block.visitors * float(block.probability_of(chosen).sum()),
        best=block.visitors * float(truth.max(axis=1).sum()),
        uniform=block.visitors * float((truth.sum(axis=1) / candidates).sum()),
    )
    learn(model, rows)


def expect_share(share: float) -> None:
    """Refuse a share outside (0, 1]."""
    if not 0.0 < share <= 1.0:
        raise InvalidInputError(f"share: expected a part of the stream in (0, 1], got {share}")


def n_item_codes(layout: FieldLayout) -> int:
    """Number of codes of the field that tells items apart."""
    codes = [f.n_levels for f in layout.fields if isinstance(f, Categorical) and f.name == layout.item_id]
    if not codes:
        raise InvalidInputError("layout: expected an item_id, the field that tells items apart, got None")
    return codes[0]
