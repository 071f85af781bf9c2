from __future__ import annotations

import gzip
import lzma
from dataclasses import astuple
from importlib import import_module
from pathlib import Path

import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import DATASETS, DatasetCard
from sojourn.logs.datasets.files import find, locate, read_table, read_text

CARD = DATASETS[0]


@pytest.mark.parametrize("card", DATASETS, ids=lambda card: card.name)
def test_each_card_names_a_function_and_fills_short_fields(card: DatasetCard) -> None:
    module, _, function = card.load.rpartition(".")
    assert callable(getattr(import_module(module), function))
    assert module == f"sojourn.logs.datasets.{card.name}"
    assert all(field and len(field) <= 110 for field in astuple(card))


def test_names_are_unique_and_no_set_of_the_room_is_missing() -> None:
    folder = Path(import_module("sojourn.logs.datasets").__path__[0])
    plumbing = {"__init__", "card", "files", "yahoo_lines"}
    assert {card.name for card in DATASETS} == {file.stem for file in folder.glob("*.py")} - plumbing
    assert len({card.name for card in DATASETS}) == len(DATASETS)


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
def test_a_file_is_found_and_read_plain_or_compressed(tmp_path: Path, suffix: str) -> None:
    text = b"a,b\n1,2\n"
    file = tmp_path / f"table.csv{suffix}"
    file.write_bytes({"": text, ".gz": gzip.compress(text), ".xz": lzma.compress(text)}[suffix])
    assert find(tmp_path, ["other.csv", "table.csv"], CARD) == file
    assert locate(file, ["other.csv"], CARD) == file
    assert read_table(file, ["a"], CARD).to_dicts() == [{"a": 1, "b": 2}]
    assert read_text(file) == "a,b\n1,2\n"


def test_a_missing_file_is_named_with_the_place_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"expected the file one\.csv or two\.csv .* research\.zozo\.com"):
        locate(tmp_path, ["one.csv", "two.csv"], CARD)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "could not read"),
        ("t.csv", b"a;b\n1;2\n", "missing a, b; it has a;b"),
        ("t.csv", b"a,b\n1,x\n", "expected numbers in the column b"),
        ("t.csv.gz", b"a,b\n1,2\n", "could not read"),
        ("t.csv.xz", b"a,b\n1,2\n", "could not read"),
        ("t.parquet", b"a,b\n1,2\n", "could not read"),
    ],
)
def test_what_is_not_the_table_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(LogError, match=message):
        read_table(file, ["a", "b"], CARD, numbers=["b"])


def test_text_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pages.txt"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LogError, match="could not read"):
        read_text(file)
