"""Real logs, which lie outside the repository."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(name: str) -> Path | None:
    """The set of that name in ``$SOJOURN_DATA``, or in the folder beside the repository where we develop."""
    folder = Path(os.environ.get("SOJOURN_DATA", Path(__file__).parents[2] / "shared" / "data")) / name
    return folder if folder.is_dir() else None


def required_folder(name: str) -> Path:
    """The same where it is known to be there, as it is in studies that name the data they need."""
    folder = data_folder(name)
    if folder is None:
        raise FileNotFoundError(f"expected a folder {name} in the data; set SOJOURN_DATA to theirs")
    return folder
