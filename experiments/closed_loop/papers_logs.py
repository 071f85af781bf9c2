"""Logs of several days as one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

import numpy as np

from sojourn.records import LogBatch


def joined(logs: Collection[LogBatch]) -> LogBatch:
    """All rounds, of logs of equally wide pages that hold the same columns."""
    columns = {field.name: [getattr(log, field.name) for log in logs] for field in fields(LogBatch)}
    found: dict[str, Any] = {name: None if each[0] is None else np.concatenate(each) for name, each in columns.items()}
    return LogBatch(**found)
