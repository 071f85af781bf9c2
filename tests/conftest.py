"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real logs: $SOJOURN_DATA, or the folder that lies beside the repository where we develop."""
    folder = Path(os.environ.get("SOJOURN_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set SOJOURN_DATA to run this test")
    return folder
