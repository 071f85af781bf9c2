from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import polars as pl
import pytest

from sojourn import recipes
from sojourn.simulation import simulate_log, worlds, write_log

Run = Callable[..., CompletedProcess[str]]
WritePages = Callable[..., Path]

ROW = pl.int_range(pl.len())
ODD: dict[str, dict[str, object]] = {
    "no click": {"click": 0},
    "one click": {"click": (ROW == 7).cast(pl.Int64)},
    "all clicks": {"click": 1},
    "clicks as words": {"click": pl.when(pl.col("click") == 1).then(pl.lit("true")).otherwise(pl.lit("False"))},
    "tiny propensities": {"propensity": 1e-300},
    "item ids as text": {"item_id": pl.format("ärtikel/{} 🎈[red]:100:", "item_id")},
    "item ids beyond 64 bits": {"item_id": pl.format("9999999999999999999{}", "item_id")},
    "positions from 1": {"position": pl.col("position") + 1},
    "one position": {"request_id": pl.format("q{}", ROW), "position": 0},
    "one session": {"session_id": "one"},
    "times as text": {"timestamp": "2026-01-31T12:00:00Z"},
    "rewards beyond 1": {"reward": 250.0},
    "negative rewards": {"reward": -1.0},
    "features that are constant": {"x_item": 1.0},
    "features that are missing": {"x_item": pl.when(ROW % 3 == 0).then(None).otherwise(pl.col("x_item"))},
    "features as text": {"x_item": pl.when(ROW % 3 == 0).then(pl.lit("[/b]")).otherwise(pl.lit("ü"))},
    "a column of nothing": {"user_id": pl.lit(None, dtype=pl.String)},
}


@pytest.mark.parametrize("name", ODD)
def test_odd_logs_are_inspected_fitted_and_valued_or_refused_in_a_sentence(
    run: Run, write_pages: WritePages, tmp_path: Path, name: str
) -> None:
    log = write_pages("log.csv", **ODD[name])
    inspected = run("inspect", log, "--json", "--html", tmp_path / "report.html")
    assert inspected.returncode == 0
    assert json.loads(inspected.stdout)["n_rows"] == 80
    assert run("fit", log, "--out", tmp_path / "policy", "--candidates", "catalogue").returncode == 0
    for policy in (["--recipe", "uniform"], ["--fitted", tmp_path / "policy"]):
        valued = run("evaluate", log, "--candidates", "catalogue", *policy)
        assert valued.returncode == 0 or (valued.returncode == 2 and "error: " in valued.stderr)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_pages_are_inspected_and_fitted(run: Run, write_pages: WritePages, tmp_path: Path, n: int) -> None:
    log = write_pages("log.csv", n)
    assert run("inspect", log, "--html", tmp_path / "report.html").returncode == 0
    assert run("fit", log, "--out", tmp_path / "policy").returncode == 0
    valued = run("evaluate", log, "--candidates", "catalogue", "--recipe", "uniform")
    assert valued.returncode == 2  # one page or none is left to value on
    assert "leaves none" in valued.stderr or "at least 2 sessions" in valued.stderr


def test_two_sessions_are_enough_to_value(run: Run, write_pages: WritePages) -> None:
    done = run("evaluate", write_pages("log.csv", 4), "--candidates", "catalogue", "--recipe", "uniform", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["logged"]["rounds"] == 2


def test_one_row_is_a_log(run: Run, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("request_id,item_id,position,click\nr,1,0,1\n")
    done = run("inspect", tmp_path / "log.csv", "--html", tmp_path / "report.html")
    assert done.returncode == 0
    assert "1 click on 1 impression " in done.stdout


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.csv", b""),
        ("log.csv", b"\n\n"),
        ("log.csv", b"request_id,item_id,position,click\n"),
        ("log.csv", bytes(range(256)) * 9),
        ("log.jsonl", b""),
        ("log.jsonl", b"[1, 2]\n"),
        ("log.parquet", b""),
        ("log.parquet", b"PAR1 but no more"),
        ("log.txt", b"hello"),
    ],
)
def test_a_file_that_is_no_log_gets_a_sentence(run: Run, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    done = run("inspect", tmp_path / name)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")


def test_a_folder_of_two_formats_is_refused(run: Run, write_pages: WritePages) -> None:
    folder = write_pages("both/a.csv").parent
    write_pages("both/b.parquet")
    done = run("inspect", folder)
    assert done.returncode == 2
    assert "csv and parquet" in done.stderr


def test_candidates_without_the_shown_item_keep_the_page_out(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    log = write_pages("log.csv")
    lists = pl.DataFrame({"request_id": [f"r{i}" for i in range(40)], "candidates": ["0 1 2 3"] * 40})
    lists.write_csv(tmp_path / "requests.csv")
    pages = pl.read_csv(log).group_by("request_id").agg((pl.col("item_id") == 4).any().alias("outside"))
    found = json.loads(run("inspect", log, "--requests", tmp_path / "requests.csv", "--json").stdout)
    assert 0 < found["n_requests"] == 40 - pages["outside"].sum() < 40
    assert sum(problem["count"] for problem in found["problems"]) == 2 * pages["outside"].sum()


def test_the_candidates_of_the_log_are_taken_unless_told_otherwise(
    run: Run, write_pages: WritePages, tmp_path: Path
) -> None:
    log = write_pages("log.csv")
    lists = pl.DataFrame({"request_id": [f"r{i}" for i in range(40)], "candidates": ["4 3 2 1 0"] * 40})
    lists.write_csv(tmp_path / "requests.csv")
    done = run("evaluate", log, "--requests", tmp_path / "requests.csv", "--recipe", "uniform", "--json")
    found = json.loads(done.stdout)
    ips = next(row for row in found["policies"] if row["estimator"] == "IPS")
    assert ips["value"] == pytest.approx(found["logged"]["value"])  # uniform over the same five items as the log


def test_a_position_far_down_is_no_reason_to_fail(run: Run, write_pages: WritePages) -> None:
    assert run("inspect", write_pages("log.csv", position=pl.col("position") + 50)).returncode == 0


BAD: dict[str, tuple[dict[str, object], str, str]] = {
    "one position only": (
        {"request_id": pl.format("q{}", ROW), "position": 0, "propensity": 0.2},
        "nothing to compare: the log holds position 0 alone",
        "With one position there is no position effect to correct.",
    ),
    "items that never move": (
        {"item_id": pl.col("position")},
        "not identifiable: no chain of clicked items that moved joins position 0",
        "What was seen cannot be told from this log",
    ),
    "no click": ({"click": 0}, "not identifiable: not one click in 80 views", "What was seen cannot be told"),
    "all clicks": ({"click": 1}, "not identifiable: nothing but clicks in 80 views", "What was seen cannot be told"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_a_log_cannot_tell_is_said_wherever_it_matters(
    run: Run, write_pages: WritePages, tmp_path: Path, name: str
) -> None:
    columns, warning, finding = BAD[name]
    log = write_pages("log.csv", **columns)
    inspected = run("inspect", log)
    assert inspected.returncode == 0
    assert f"warning: {warning}" in inspected.stderr
    assert finding in inspected.stdout
    fitted = run("fit", log, "--out", tmp_path / "policy", "--recipe", "linucb_k_sw")
    assert f"warning: {warning}" in fitted.stderr
    valued = run("evaluate", log, "--candidates", "catalogue", "--recipe", "linucb_k_sw", "--recipe", "uniform")
    told = valued.returncode == 0 and f"warning: {warning.split(' in 80')[0]}" in valued.stderr
    assert told or (valued.returncode == 2 and "error: " in valued.stderr)


@pytest.mark.parametrize("candidates", ["shown", "catalogue"])
def test_a_page_that_names_an_item_twice_is_kept_out_and_counted(
    run: Run, write_pages: WritePages, candidates: str
) -> None:
    twice = pl.when(ROW < 4).then(0).otherwise(pl.col("item_id"))  # the first two pages of forty
    log = write_pages("log.csv", item_id=twice, propensity=1.0 / (2.0 - pl.col("position")))
    found = json.loads(run("inspect", log, "--json").stdout)
    assert found["n_rows"] == 76
    assert {each["reason"]: each["count"] for each in found["problems"]} == {
        "a request shows the same item_id twice": 4
    }
    assert "Rows kept out" in run("inspect", log).stdout
    valued = run("evaluate", log, "--candidates", candidates, "--recipe", "uniform")
    assert valued.returncode == 0
    assert "warning: 4 rows kept out" in valued.stderr
    strict = run("evaluate", log, "--candidates", candidates, "--strict")
    assert strict.returncode == 2
    assert "a request shows the same item_id twice" in strict.stderr


def test_nothing_but_pages_with_repeats_is_no_log(run: Run, write_pages: WritePages) -> None:
    done = run("inspect", write_pages("log.csv", item_id=7))
    assert done.returncode == 2
    assert "expected at least one valid row" in done.stderr
    assert "a request shows the same item_id twice: 80 rows" in done.stderr


def test_inspect_compares_click_models_and_looks_at_the_items_above(run: Run, simulated: Path, tmp_path: Path) -> None:
    done = run("inspect", simulated, "--html", tmp_path / "report.html")
    assert "Click models on the last fifth" in done.stdout
    assert "hazard+readers" in done.stdout
    assert "Items that resemble one above them" in done.stdout.replace("\n", " ")
    page = (tmp_path / "report.html").read_text()
    assert "Items that resemble one above them" in page
    assert "Perplexity by position" in page


def test_inspect_warns_of_items_that_resemble_one_above_them(run: Run, tmp_path: Path) -> None:
    feed = worlds.cannibal(seed=0, n_items=100, n_slots=6)
    write_log(simulate_log(feed, recipes.logged_order(), 1_000, rng=np.random.default_rng(1)), tmp_path / "log.parquet")
    done = run("inspect", tmp_path / "log.parquet")
    assert "warning: items that resemble one above them get fewer clicks than their position explains" in done.stderr


@pytest.mark.usefixtures("few_weight_pages")
@pytest.mark.parametrize("recipe", ["ubm_linucb", "linucb_k_scroll", "linucb_k_posterior"])
def test_recipes_that_ask_for_more_than_weights_run_from_the_command_line(
    run: Run, write_pages: WritePages, tmp_path: Path, recipe: str
) -> None:
    simulated = run("simulate", "--recipe", recipe, "--rounds", 20, "--seeds", 1, "--slots", 2, "--world", "scroll")
    assert simulated.returncode == 0
    assert "pages" in simulated.stdout
    assert recipe in simulated.stdout
    fitted = run("fit", write_pages("log.csv"), "--recipe", recipe, "--out", tmp_path / "policy")
    if recipe == "ubm_linucb":
        assert fitted.returncode == 0
    else:
        assert fitted.returncode == 2
        assert "expected a policy that can be stored" in fitted.stderr
    valued = run("evaluate", write_pages("log.csv"), "--candidates", "catalogue", "--recipe", recipe)
    assert valued.returncode == 0
