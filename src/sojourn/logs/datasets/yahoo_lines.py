"""Yahoo! Front Page Today Module, R6A and R6B: one article shown to each visitor, drawn uniformly from a pool.

A line is a visit. R6A (2009) describes the visitor and each article by six numbers, R6B (2011) the visitor alone, by
the numbers of the set bits among 136::

    1241160900 109513 0 |user 2:0.000012 ... 1:1.000000 |109498 2:0.306008 ... 1:1.000000 |109509 ...
    1317513292 id-552077 0 |user 1 7 11 37 13 23 |id-552077 |id-555224 ...

Because the draw was uniform, ``propensity`` is 1 / (number of candidates), which makes replay unbiased
(Li, Chu, Langford and Wang 2011). The files are read line by line in constant memory, plain, .gz or .xz.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import UNREADABLE, open_binary
from sojourn.records import FloatArray

CARD = DatasetCard(
    name="yahoo",
    title="Yahoo! Front Page Today Module User Click Log, R6A and R6B",
    size="R6A 45.8M visits, R6B 28.0M visits",
    exposure="yes",
    click="yes",
    position="one slot",
    propensity="uniform over the pool",
    session_end="no",
    licence="Webscope agreement, non-commercial research",
    source="Yahoo Webscope, catalogue R6 (asks for an agreement)",
    load="sojourn.logs.datasets.yahoo.blocks",
    citation="Li, Chu, Langford and Schapire (2010), WWW 2010",
)
N_R6A_FEATURES = 6
N_R6B_FEATURES = 136


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Visit:
    """One line: a visitor, the pool of articles, the one shown.

    Parameters
    ----------
    file, line
        Name of the file and number of the line, from 1.
    timestamp
        Unix seconds.
    shown
        Article shown.
    click
        0 or 1.
    user : (6,) or (136,) float
        The visitor; feature number i of the file at index i - 1.
    candidates
        The pool, in the order of the line.
    features : (m, 6) or (m, 0) float
        The articles of the pool; R6B has none.
    """

    file: str
    line: int
    timestamp: int
    shown: str
    click: int
    user: FloatArray
    candidates: tuple[str, ...]
    features: FloatArray


Reject = Callable[[str, int, str], None]
"""Called with file, line and reason of each line that is not a visit."""


def stream(paths: Path | str | Iterable[Path | str], *, reject: Reject | None = None) -> Iterator[Visit]:
    """Read visits one by one, file after file.

    Parameters
    ----------
    paths
        One file or several, in the order in which to read them.
    reject
        Told of each malformed line, which is then left out. Without it the first one is an error.

    Raises
    ------
    LogError
        A file is missing or damaged; a malformed line, unless ``reject`` is given.
    """
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        file = Path(path)
        if not file.is_file():
            raise LogError(f"{CARD.title}: expected a day's file at {file}, found none; get it from {CARD.source}")
        for number, line in _lines(file):
            try:
                visit = parse_visit(line, file=file.name, number=number)
            except LogError as error:
                if reject is None:
                    raise LogError(f"{file}, line {number}: {error}; pass reject= to count such lines") from error
                reject(file.name, number, str(error))
            else:
                yield visit


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with open_binary(file) as binary, io.TextIOWrapper(binary, encoding="ascii", errors="replace") as text:
            for number, line in enumerate(text, start=1):
                if line.strip():
                    yield number, line
    except UNREADABLE as error:
        raise LogError(f"{file}: expected lines of R6A or R6B, could not read on: {error}") from error


def parse_visit(line: str, *, file: str = "<line>", number: int = 1) -> Visit:
    """Read one line.

    Raises
    ------
    LogError
        The line is not in the format of R6A or R6B, or the article shown is not in the pool.
    """
    parts = line.split("|")
    head = parts[0].split()
    if len(parts) < 3 or len(head) != 3 or head[2] not in ("0", "1") or not head[0].isdigit():
        raise LogError(f"expected 'time article 0|1 |user ... |article ...', got {line.strip()[:60]!r}")
    user = _user(parts[1])
    n_features = N_R6A_FEATURES if len(user) == N_R6A_FEATURES else 0
    pool = [_article(part, n_features) for part in parts[2:]]
    candidates = tuple(article for article, _ in pool)
    if candidates.count(head[1]) != 1 or len(set(candidates)) < len(candidates):
        raise LogError(f"expected the article shown, {head[1]}, and any other once in the pool, got {candidates}")
    return Visit(
        file=file,
        line=number,
        timestamp=int(head[0]),
        shown=head[1],
        click=int(head[2]),
        user=user,
        candidates=candidates,
        features=np.stack([features for _, features in pool]),
    )


def _user(part: str) -> FloatArray:
    name, *tokens = part.split() or [""]
    if name != "user" or not tokens:
        raise LogError(f"expected '|user' and its features, got {part.strip()[:60]!r}")
    if ":" in tokens[0]:
        return _vector(tokens, N_R6A_FEATURES)
    bits = [int(token) for token in tokens if token.isdigit()]
    if len(bits) < len(tokens) or not 1 <= min(bits) <= max(bits) <= N_R6B_FEATURES:
        raise LogError(f"expected numbers from 1 to {N_R6B_FEATURES} after '|user', got {' '.join(tokens)[:60]!r}")
    user = np.zeros(N_R6B_FEATURES)
    user[np.array(bits) - 1] = 1.0
    return user


@lru_cache(maxsize=4096)  # an article's text repeats in every line of its day
def _article(part: str, n_features: int) -> tuple[str, FloatArray]:
    name, *tokens = part.split() or [""]
    if not name:
        raise LogError("expected an article after each '|', got nothing")
    features = _vector(tokens, n_features)
    features.setflags(write=False)
    return name, features


def _vector(tokens: list[str], n_features: int) -> FloatArray:
    """Tokens ``i:value``, each i from 1 to ``n_features`` once."""
    try:
        values = {int(index): float(value) for index, _, value in (token.partition(":") for token in tokens)}
    except ValueError as error:
        raise LogError(f"expected features 'number:value', got {' '.join(tokens)[:60]!r}") from error
    if len(tokens) != n_features or values.keys() != set(range(1, n_features + 1)):
        raise LogError(f"expected features 1 to {n_features} once each, got {' '.join(tokens)[:60]!r}")
    vector = np.array([values[index] for index in range(1, n_features + 1)])
    if not np.isfinite(vector).all():
        raise LogError(f"expected finite features, got {' '.join(tokens)[:60]!r}")
    return vector
