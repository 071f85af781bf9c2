"""Six click models fitted to Yandex logs: 60 queries of 10 documents each, a simulator's truth.

Each query has one attraction per document; what else a model has (examination, continuation, ...) is the same for
all queries. The files end each record with the seed of their authors' own simulator, which says nothing about
clicks and is not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import locate, read_text
from sojourn.records import FloatArray

CARD = DatasetCard(
    name="click_model_parameters",
    title="Click-model parameters of 60 Yandex queries",
    size="6 models x 60 queries x 10 documents",
    exposure="parameters only",
    click="parameters only",
    position="10",
    propensity="no",
    session_end="no",
    licence="research use, as the Yandex logs behind it",
    source="no public page that we know of: any click_models.json of this form",
    load="sojourn.logs.datasets.click_model_parameters.load",
    citation="Chuklin, Markov and de Rijke (2015), Click Models for Web Search (the models)",
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PBM:
    """Position-based model: clicked if the rank is examined and the document attracts.

    Parameters
    ----------
    attraction : (10,) float
        Of each document, in the order of the file.
    examination : (10,) float
        Of each rank, top first.
    """

    attraction: FloatArray
    examination: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CM:
    """Cascade model: reads down to the first click.

    Parameters
    ----------
    attraction : (10,) float
    """

    attraction: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DCM:
    """Dependent click model: a cascade that may go on after a click.

    Parameters
    ----------
    attraction : (10,) float
    continuation : (10,) float
        P(reads on | clicked at this rank).
    """

    attraction: FloatArray
    continuation: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DBN:
    """Dynamic Bayesian network: a click may satisfy, which ends the page; else the reader may give up.

    Parameters
    ----------
    attraction : (10,) float
    satisfaction : (10,) float
        P(satisfied | clicked), of each document.
    abandonment
        P(stops | not satisfied), the complement of the literature's gamma. About 2e-6 in this set.
    """

    attraction: FloatArray
    satisfaction: FloatArray
    abandonment: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CCM:
    """Click chain model (Guo et al. 2009): three ways of reading on.

    Parameters
    ----------
    attraction : (10,) float
    tau1
        P(reads on | not clicked).
    tau2
        P(reads on | clicked, document irrelevant).
    tau3
        P(reads on | clicked, document relevant).
    """

    attraction: FloatArray
    tau1: float
    tau2: float
    tau3: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UBM:
    """User browsing model: examination by rank and by rank of the click before.

    Parameters
    ----------
    attraction : (10,) float
    examination : (10, 10) float
        ``examination[rank, last]`` with ``last`` the rank of the previous click, -1 (the last column) for none yet.
        Cells with ``last >= rank`` cannot occur and hold 0.2 in this set.
    """

    attraction: FloatArray
    examination: FloatArray


ClickModelParameters = PBM | CM | DCM | DBN | CCM | UBM


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterSet:
    """The parameters of each model, by query.

    Parameters
    ----------
    pbm, cm, dcm, dbn, ccm, ubm
        Query id to the query's parameters.
    """

    pbm: dict[str, PBM]
    cm: dict[str, CM]
    dcm: dict[str, DCM]
    dbn: dict[str, DBN]
    ccm: dict[str, CCM]
    ubm: dict[str, UBM]


_VECTOR, _SQUARE, _NUMBER = (10,), (10, 10), ()
_Shapes = dict[str, tuple[int, ...]]
_FIELDS: dict[str, tuple[Callable[..., ClickModelParameters], _Shapes]] = {
    "PBM": (PBM, {"attraction": _VECTOR, "examination": _VECTOR}),
    "CM": (CM, {"attraction": _VECTOR}),
    "DCM": (DCM, {"attraction": _VECTOR, "continuation": _VECTOR}),
    "DBN": (DBN, {"attraction": _VECTOR, "satisfaction": _VECTOR, "abandonment": _NUMBER}),
    "CCM": (CCM, {"attraction": _VECTOR, "tau1": _NUMBER, "tau2": _NUMBER, "tau3": _NUMBER}),
    "UBM": (UBM, {"attraction": _VECTOR, "examination": _SQUARE}),
}


def load(path: Path | str) -> ParameterSet:
    """Read ``click_models.json``: model to query to ``{"args": [parameters ..., seed]}``.

    Parameters
    ----------
    path
        The file or the folder it lies in.

    Raises
    ------
    LogError
        No such file, not this format, or a probability outside [0, 1].
    """
    file = locate(path, ("click_models.json",), CARD)
    try:
        models = json.loads(read_text(file))
        queries = {name: models[name] for name in _FIELDS}
        parsed: dict[str, Any] = {
            name.lower(): {query: _record(name, query, record["args"]) for query, record in records.items()}
            for name, records in queries.items()
        }
    except LogError as error:
        raise LogError(f"{file}: {error}") from error
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise LogError(
            f'{file}: expected JSON {{model: {{query: {{"args": [...]}}}}}} for {", ".join(_FIELDS)}, '
            f"got something else ({type(error).__name__}: {error}); give the file as it was downloaded"
        ) from error
    return ParameterSet(**parsed)


def _record(model: str, query: str, args: list[Any]) -> ClickModelParameters:
    make, shapes = _FIELDS[model]
    if len(args) != len(shapes) + 1:
        raise LogError(f"{model}, query {query}: expected {len(shapes)} parameters and a seed, got {len(args)} values")
    values: dict[str, Any] = {}
    for (name, shape), value in zip(shapes.items(), args[:-1], strict=True):
        array = _probabilities(value, shape, f"{model}, query {query}, {name}")
        values[name] = array if shape else float(array)
    return make(**values)


def _probabilities(value: object, shape: tuple[int, ...], where: str) -> FloatArray:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LogError(f"{where}: expected numbers of shape {shape}, got {value!r}") from error
    if array.shape != shape:
        raise LogError(f"{where}: expected shape {shape}, got {array.shape}")
    if not (array.min() >= 0.0 and array.max() <= 1.0):
        raise LogError(f"{where}: expected probabilities in [0, 1], got {array.min()} to {array.max()}")
    return array
