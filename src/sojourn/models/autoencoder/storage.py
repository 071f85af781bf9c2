"""A fitted autoencoder as one file: arrays in npz and the rest as JSON inside it; no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError

FORMAT: Final = "sojourn denoising autoencoder 1"
_ABOUT: Final = "about"


def write(path: Path, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
    """Write ``arrays`` and the JSON values ``about``."""
    text = np.array(json.dumps({"format": FORMAT, **about}))
    with path.open("wb") as file:  # given a name, NumPy would add a suffix to it
        np.savez(file, **arrays, **{_ABOUT: text})  # type: ignore[arg-type]  # NumPy types the keywords as flags


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `write` wrote.

    Raises
    ------
    InvalidInputError
        The file is missing, damaged or of another kind.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays.pop(_ABOUT)))
        if about["format"] != FORMAT:
            raise InvalidInputError(f"its format is {about['format']!r}, not {FORMAT!r}")
    except (OSError, EOFError, BadZipFile, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InvalidInputError(f"{path}: expected a file that DenoisingAutoencoder.save wrote: {error}") from error
    return arrays, about
