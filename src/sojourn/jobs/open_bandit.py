"""Open Bandit for the demo: its three campaigns as one log, and its production policy as a policy to be valued."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import numpy as np
import polars as pl

from sojourn.evaluation import ctr_sum
from sojourn.logs import EncodedLog, Log
from sojourn.logs.datasets import open_bandit
from sojourn.records import Decision, Estimate, FloatArray, IntArray, LogBatch, Request

CAMPAIGNS: Final = get_args(open_bandit.Campaign)


def all_campaigns(policy: open_bandit.Policy, folder: Path | str | None = None) -> Log:
    """One policy's three campaigns as one log, with the candidates of each request.

    Items are named ``campaign/item``: a request of a campaign chooses among the items of that campaign.
    """
    slots, items, requests = [], [], []
    for campaign in CAMPAIGNS:
        log = open_bandit.load(policy, campaign, folder)
        if log.items is None:
            continue
        named = pl.format(f"{campaign}/{{}}", pl.col("item_id")).alias("item_id")
        request = pl.format(f"{campaign}/{{}}", pl.col("row")).alias("request_id")
        catalogue = log.items.select(named, pl.exclude("item_id")).collect()
        rows = log.slots.with_columns(named, request, session_id=request).drop("row", "file", "step").collect()
        slots.append(rows)
        items.append(catalogue)
        lists = pl.lit(catalogue["item_id"].implode()).first().alias("candidates")
        requests.append(rows.select("request_id").with_columns(lists))
    return Log.from_frame(
        pl.concat(slots).sort("timestamp", maintain_order=True),
        items=pl.concat(items),
        requests=pl.concat(requests),
        whole_pages=False,
        source=f"Open Bandit, {policy} policy, campaigns {', '.join(CAMPAIGNS)}",
    )


def production_policy(log: Log, encoded: EncodedLog) -> tuple[ImpressionShares, Estimate]:
    """The policy that wrote ``log``, as a target for the log behind ``encoded``, and what it truly earned.

    Its choices are taken from its impressions; its clicks are used for the truth alone.
    """
    own = log.to_batch(item_ids=encoded.item_ids)
    n_positions = int(own.batch.position.max()) + 1
    shown = np.zeros((n_positions, own.n_items))
    np.add.at(shown, (own.batch.position, own.batch.item), 1.0)
    return ImpressionShares(shown[:, : encoded.n_items], name="bts"), ctr_sum(own.batch)


class ImpressionShares:
    """A policy known by what it showed: at each position, items by their share of the impressions.

    Parameters
    ----------
    shown : (k, n_items) float
        Impressions of each item code at each position.
    name
        What reports call it.
    """

    def __init__(self, shown: FloatArray, *, name: str) -> None:
        self.name = name
        self._shown = shown

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Draw the slate from the shares, slot by slot."""
        chosen: list[int] = []
        propensity: list[float] = []
        for _ in range(request.n_slots):
            share = self.slot_distribution(request, np.array(chosen, dtype=np.int64), rng=rng)
            row = int(rng.choice(len(share), p=share))
            chosen.append(row)
            propensity.append(float(share[row]))
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=np.array(chosen),
            propensity=np.array(propensity),
            deterministic=False,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Share of each choice among the open candidates."""
        return np.array(
            [self.slot_distribution(request, chosen[:slot], rng=rng)[row] for slot, row in enumerate(chosen)]
        )

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Shares of the open candidates; equal ones where it never showed any of them."""
        is_open = np.ones(len(request.item_ids))
        is_open[above] = 0.0
        shown = self._shown[request.first_position + len(above), request.item_ids] * is_open
        if not shown.any():
            shown = is_open
        share: FloatArray = shown / shown.sum()
        return share

    def update(self, batch: LogBatch) -> None:
        """Nothing to learn."""
