"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# A busy machine is slow, which is no fault; and what lands must not hang on which examples were drawn that day.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")


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
