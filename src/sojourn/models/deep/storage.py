"""A deep model as one safetensors file: arrays, and the rest as JSON in its metadata; no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError, MissingExtraError
from sojourn.models.deep.fitting import FitPlan
from sojourn.models.deep.gate import GatingUnit
from sojourn.models.deep.training import StreamTraining
from sojourn.records import FieldLayout

try:
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save_file
except ImportError as error:
    raise MissingExtraError("safetensors", "torch") from error

FORMAT: Final = "sojourn deep click rate 1"


_NO_UNCERTAINTY: Final = type(None).__name__


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class About:
    """The settings of a model, but for what only code can make: its network and its uncertainty, which are named.

    Parameters
    ----------
    layout, training, fitting, gate, seed
        As in `DeepClickRate`.
    network_name, uncertainty_name
        Of the classes; that of None where there is no uncertainty.
    """

    layout: FieldLayout
    training: StreamTraining
    fitting: FitPlan
    gate: GatingUnit | None
    seed: int
    network_name: str
    uncertainty_name: str

    def to_json(self) -> str:
        """The settings as text."""
        return json.dumps(
            {
                "layout": self.layout.to_dict(),
                "training": asdict(self.training),
                "fitting": asdict(self.fitting),
                "gate": None if self.gate is None else self.gate.settings(),
                "seed": self.seed,
                "network": self.network_name,
                "uncertainty": self.uncertainty_name,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The settings that `to_json` wrote."""
        values = json.loads(text)
        return cls(
            layout=FieldLayout.from_dict(values["layout"]),
            training=StreamTraining(**values["training"]),
            fitting=FitPlan(**values["fitting"]),
            gate=None if values["gate"] is None else GatingUnit(**values["gate"]),
            seed=int(values["seed"]),
            network_name=values["network"],
            uncertainty_name=values["uncertainty"],
        )

    def expect_made_with(self, network: object, uncertainty: object) -> None:
        """Refuse a network or an uncertainty of another class."""
        for what, part, stored in (
            ("network", network, self.network_name),
            ("uncertainty", uncertainty, self.uncertainty_name),
        ):
            given = type(part).__name__
            if given != stored:
                raise InvalidInputError(
                    f"{what}: expected {_said(stored)}, as the stored model was made with, got {_said(given)}; "
                    f"pass it to load"
                )


def write(path: Path, arrays: dict[str, NDArray[Any]], about: About) -> None:
    """Write the arrays and the settings."""
    save_file(arrays, path, metadata={"format": FORMAT, "about": about.to_json()})


def read(path: Path) -> tuple[dict[str, NDArray[Any]], About]:
    """What `write` wrote.

    Raises
    ------
    InvalidInputError
        The file is missing, damaged or of another kind.
    """
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise InvalidInputError(f"its format is {metadata.get('format')!r}, not {FORMAT!r}")
            arrays = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 - not a mapping
            return arrays, About.from_json(metadata["about"])
    except (OSError, SafetensorError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InvalidInputError(f"{path}: expected a file that DeepClickRate.save wrote: {error}") from error


def _said(name: str) -> str:
    return "none" if name == _NO_UNCERTAINTY else name
