"""KuaiRand-Pure: single exposures of a short-video feed, with what the viewer did.

A row is one video shown to one user. The other videos of the feed were taken out of the set, so a user's rows are not
a session: nothing here says where a video stood, how likely it was to be shown, or when the viewer left. Never estimate
quitting from it. Some exposures are recorded more than once; they stay as they are.

Only the *basic* feature tables are read. The set's statistics tables count clicks of the whole period, those to be
predicted included.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import find, read_table
from sojourn.logs.log import Log

CARD = DatasetCard(
    name="kuairand",
    title="KuaiRand-Pure",
    size="94,784 exposures in 6 days of the standard log",
    exposure="yes",
    click="yes; long view, like",
    position="no",
    propensity="no",
    session_end="no, feed thinned out",
    licence="CC BY-SA 4.0",
    source="the KuaiRand project page, kuairand.com (KuaiRand-Pure)",
    load="sojourn.logs.datasets.kuairand.load",
    citation="Gao et al. (2022), KuaiRand, CIKM 2022",
)
LOGS = (
    "val.parquet",
    "log_standard_4_22_to_5_08_pure.csv",
    "log_standard_4_08_to_4_21_pure.csv",
    "log_random_4_22_to_5_08_pure.csv",
)
"""Files of exposures, in the order in which `load` looks for them."""

Outcome = Literal["is_click", "long_view", "is_like", "is_follow", "is_comment", "is_forward"]
_USER_NUMBERS = ("follow_user_num", "fans_user_num", "friend_user_num", "register_days")
_VIDEO_NUMBERS = ("video_duration", "server_width", "server_height")
_COLUMNS = ("user_id", "video_id", "time_ms", "is_click", "tab")


def load(folder: Path | str, *, log: str | None = None, reward: Outcome = "is_click") -> Log:
    """Read the exposures of one log in order of the file, and the basic features of users and videos.

    Parameters
    ----------
    folder
        Holds a log, ``user_features_pure.csv`` and ``video_features_basic_pure.csv``.
    log
        Name of the log's file; the first of `LOGS` that is there unless given.
    reward
        Which outcome is the reward. ``click`` is always ``is_click``.

    Returns
    -------
    Log
        ``item_id`` is the video, ``position`` always 0, ``x_tab`` the part of the app. ``timestamp`` is UTC; the set's
        days are those of UTC+8. Users and items hold the basic features under their own names after ``x_``; those that
        are codes (all but counts, days, milliseconds and pixels) are text, which a `FeatureEncoder` takes as levels.

    Raises
    ------
    LogError
        A file or column is missing.
    """
    file = find(folder, LOGS if log is None else (log,), CARD)
    table = read_table(file, (*_COLUMNS, reward), CARD)
    slots = table.select(
        pl.col("user_id"),
        pl.col("time_ms").alias("timestamp"),
        pl.lit(0).alias("position"),
        pl.col("video_id").alias("item_id"),
        pl.col("is_click").alias("click"),
        pl.col(reward).alias("reward"),
        pl.col("tab").cast(pl.String).alias("x_tab"),
    )
    return Log.from_frame(
        slots,
        users=_features(find(folder, ("user_features_pure.csv",), CARD), "user_id", "user_id", _USER_NUMBERS),
        items=_features(find(folder, ("video_features_basic_pure.csv",), CARD), "video_id", "item_id", _VIDEO_NUMBERS),
        whole_pages=False,
        source=str(file),
    )


def _features(file: Path, key: str, name: str, numbers: tuple[str, ...]) -> pl.DataFrame:
    table = read_table(file, (key,), CARD)
    codes = pl.selectors.exclude(key, *numbers)
    whole = codes & pl.selectors.float()  # codes beside a null came as floats
    as_text = table.with_columns(whole.cast(pl.Int64, strict=False)).with_columns(codes.cast(pl.String))
    return as_text.select(pl.col(key).alias(name), pl.exclude(key).name.prefix("x_"))
