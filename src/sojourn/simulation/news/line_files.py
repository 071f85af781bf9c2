"""Uniform logs of news as files in the format of Yahoo's R6B: read, and written by simulated worlds."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs.datasets.yahoo_lines import N_R6B_FEATURES, Reject, Visit, stream
from sojourn.records import FieldLayout
from sojourn.simulation.news.block import NewsLines
from sojourn.simulation.news.requests import NewsRequests
from sojourn.simulation.news.world import NewsWorld, news_layout

_START: Final = 1_317_513_291  # seconds; the stamps of a written log start here and go by their line


@dataclass(frozen=True, kw_only=True, slots=True)
class LineFiles:
    """Days of R6B as lines to replay, in constant memory; articles get their codes by arrival, from 1.

    Parameters
    ----------
    paths
        Files in order of time, plain, .gz or .xz.
    n_articles
        At least the articles in all the files; R6B is said to have 652.
    reject
        Told of each malformed line, which is then left out. Without it the first one is an error.
    size
        Lines of a piece.
    """

    paths: tuple[Path, ...]
    n_articles: int = 1_000
    reject: Reject | None = None
    size: int = 1_000

    def __post_init__(self) -> None:
        if not self.paths or min(self.n_articles, self.size) < 1:
            raise InvalidInputError(
                "paths, n_articles, size: expected at least one file, one article and one line in a piece, got "
                f"{len(self.paths)}, {self.n_articles} and {self.size}"
            )

    @property
    def layout(self) -> FieldLayout:
        """What the columns of the features stand for."""
        return news_layout(self.n_articles)

    def lines(self) -> Iterator[NewsLines]:
        """The lines in pieces; a shorter one at the end.

        Raises
        ------
        LogError
            A file is missing, damaged or no R6B; more articles than ``n_articles``.
        """
        codes: dict[str, int] = {}
        visits = stream(self.paths, reject=self.reject)
        while piece := list(islice(visits, self.size)):
            yield self._lines_of(piece, codes)

    def _lines_of(self, visits: list[Visit], codes: dict[str, int]) -> NewsLines:
        lists = {visit.candidates: np.zeros(0, dtype=np.int64) for visit in visits}  # few: a pool lasts for hours
        for names in lists:
            lists[names] = np.array([codes.setdefault(name, len(codes) + 1) for name in names])
        if len(codes) > self.n_articles:
            raise LogError(
                f"{visits[-1].file}, line {visits[-1].line}: expected at most {self.n_articles} articles, got "
                f"{len(codes)}; set n_articles to their number"
            )
        item = np.zeros((len(visits), max(map(len, lists))), dtype=np.int64)
        for row, visit in enumerate(visits):
            item[row, : len(visit.candidates)] = lists[visit.candidates]
        return NewsLines(
            requests=NewsRequests(
                context=_bits(visits),
                item=item,
                candidate=item > 0,
                descriptions=np.empty((0, 0), dtype=np.float32),
            ),
            shown=np.array([visit.candidates.index(visit.shown) for visit in visits]),
            click=np.array([float(visit.click) for visit in visits]),
        )


def _bits(visits: list[Visit]) -> NDArray[np.float32]:
    other = next((visit for visit in visits if len(visit.user) != N_R6B_FEATURES), None)
    if other is not None:
        raise LogError(
            f"{other.file}, line {other.line}: expected a visitor of {N_R6B_FEATURES} bits as in R6B, got "
            f"{len(other.user)} numbers; R6A has no codes to learn from, read it with sojourn.logs.datasets.yahoo"
        )
    return np.array([visit.user for visit in visits], dtype=np.float32)


def write_lines(world: NewsWorld, path: Path | str) -> int:
    """Write `NewsWorld.lines` in the format of R6B, gzipped if the name ends in .gz; the number of lines.

    The article of code 7 is called ``id-7``.
    """
    target = Path(path)
    n_lines = 0
    with gzip.open(target, "wt") if target.suffix == ".gz" else target.open("w") as file:
        for piece in world.lines():
            file.writelines(_texts(piece, n_lines))
            n_lines += len(piece)
    return n_lines


def _texts(lines: NewsLines, n_before: int) -> Iterable[str]:
    item = lines.requests.item
    pool = "".join(f" |id-{code}" for code in item[0])  # a world's piece has one pool
    for row, (place, click) in enumerate(zip(lines.shown, lines.click, strict=True)):
        bits = " ".join(map(str, np.flatnonzero(lines.requests.context[row]) + 1))
        yield f"{_START + n_before + row} id-{item[row, place]} {click:.0f} |user {bits}{pool}\n"
