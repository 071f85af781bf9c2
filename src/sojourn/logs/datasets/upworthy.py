"""Upworthy Research Archive: randomised headline tests, counted per arm.

Each test showed its packages (headline, image, lede) to visitors at random, so within a test an arm's click rate
is free of selection. The archive holds counts, not visits: there is no log to replay, only arms to draw from.

In tests of 25 June 2013 to 10 January 2014 the arms were not shown evenly, and the authors advise against using them
(correction of June 2024). They are left out unless asked for; what stays are whole weeks outside 201325 to 201402.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import locate, read_table

CARD = DatasetCard(
    name="upworthy",
    title="Upworthy Research Archive, exploratory part",
    size="22,666 arms, 4,873 tests, 81.0M impressions",
    exposure="counts",
    click="counts",
    position="one slot",
    propensity="uniform in a test",
    session_end="no",
    licence="CC BY 4.0",
    source="the Open Science Framework, osf.io/jd64p (upworthy.natematias.com describes it)",
    load="sojourn.logs.datasets.upworthy.load",
    citation="Matias, Munger, Le Quere and Ebersole (2021), Scientific Data 8",
)
IMBALANCED_WEEKS = (201325, 201402)
"""First and last test week whose randomisation the authors warn of, as year and week."""

_FILES = ("upworthy_clean.parquet", "upworthy-archive-exploratory-packages-03.12.2020.csv")
_COLUMNS = ("clickability_test_id", "headline", "impressions", "clicks", "test_week")
_KEPT = ("created_at", "lede", "excerpt", "eyecatcher_id")


def load(path: Path | str, *, keep_imbalanced_weeks: bool = False) -> pl.DataFrame:
    """Read the arms of all tests, in the archive's order.

    Parameters
    ----------
    path
        The table, CSV or Parquet, or the folder it lies in.
    keep_imbalanced_weeks
        Keep the tests of `IMBALANCED_WEEKS`.

    Returns
    -------
    DataFrame
        One row per arm: ``test_id``, ``arm`` (0-based in its test), ``impressions``, ``clicks``, ``test_week``
        (year and week, 201303 to 201517), ``headline``; and ``created_at``, ``lede``, ``excerpt``, ``eyecatcher_id``
        where the table has them.

    Raises
    ------
    LogError
        No such file, a column is missing, or an arm has more clicks than impressions.
    """
    file = locate(path, _FILES, CARD)
    table = read_table(file, _COLUMNS, CARD, numbers=("impressions", "clicks", "test_week"))
    impossible = table.filter(~pl.col("clicks").is_between(0, pl.col("impressions")).fill_null(value=False))
    if len(impossible):
        raise LogError(
            f"{file}: expected 0 <= clicks <= impressions in each arm, {len(impossible)} break it, the first in test "
            f"{impossible['clickability_test_id'][0]}; get the archive anew from {CARD.source}"
        )
    if not keep_imbalanced_weeks:
        table = table.filter(~pl.col("test_week").is_between(*IMBALANCED_WEEKS))
    test = pl.col("clickability_test_id").alias("test_id")
    arm = pl.int_range(pl.len()).over("clickability_test_id").alias("arm")
    optional = [name for name in _KEPT if name in table.columns]
    return table.select(test, arm, "impressions", "clicks", "test_week", "headline", *optional)
