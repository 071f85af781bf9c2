"""What every experiment needs: results that survive an interruption, and a README whose tables are made from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.report import machine

Record = dict[str, Any]

_SECONDS: Final = {"hours": 3_600.0, "minutes": 60.0}


class Results:
    """Records in a file of JSON lines, one written as each run ends; a run that is there need not be done again.

    Parameters
    ----------
    path
        The file; it need not exist.
    key
        Fields that tell one run from another.
    """

    def __init__(self, path: Path, *, key: Sequence[str]) -> None:
        self._path = path
        self._key = key

    def read(self) -> list[Record]:
        """All records, in the order in which they were written."""
        if not self._path.exists():
            return []
        return [self._parse(number, line) for number, line in enumerate(self._path.read_text().splitlines(), start=1)]

    def done(self) -> set[tuple[Any, ...]]:
        """The keys of the runs that are there."""
        return {tuple(record[name] for name in self._key) for record in self.read()}

    def append(self, record: Record) -> None:
        """Write one record at once. What is not a finite number must be None."""
        with self._path.open("a") as file:
            file.write(json.dumps(record, allow_nan=False) + "\n")

    def clear(self) -> None:
        """Forget all runs."""
        self._path.unlink(missing_ok=True)

    def _parse(self, number: int, line: str) -> Record:
        try:
            record: Record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{self._path}, line {number}: expected a JSON object; remove the line ({error})"
            ) from error
        return record


def describe_machine() -> str:
    """What timings depend on, in a few words, and nothing that names the machine."""
    about = machine()
    return f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}"


def processor_time(records: Iterable[Record], *, unit: Literal["hours", "minutes"]) -> str:
    """The machine, and what each study took of its processors, in a sentence."""
    spent: dict[str, float] = {}
    for record in records:
        spent[record["study"]] = spent.get(record["study"], 0.0) + record["seconds"] / _SECONDS[unit]
    parts = ", ".join(f"{name} {each:.1f}" for name, each in spent.items())
    total = f"{sum(spent.values()):.{1 if unit == 'hours' else 0}f}"
    return f"{describe_machine()}. Processor time in {unit}: {parts}; {total} in all."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def fill(readme: Path, name: str, text: str) -> None:
    """Put the text between the lines ``<!-- name -->`` and ``<!-- end of name -->`` of the file."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = readme.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{readme}: expected the lines {begin.strip()} and {end}")
    readme.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")
