from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from sojourn import __version__
from sojourn.cli.app import app
from sojourn.engine import FeedPolicy
from sojourn.jobs.fitting import load_fitted
from sojourn.logs.datasets import DATASETS

Run = Callable[..., CompletedProcess[str]]
WritePages = Callable[..., Path]

CONFIG = """
[policy]
name = "mine"
model = { type = "bayesian_ridge", per_slot = true }
explorer = { type = "thompson", scale = 0.1 }
sampler = { type = "plackett_luce", temperature = 0.05 }
exposure = { type = "design_scaling", weights = [1.0, 0.7] }
"""


@pytest.mark.parametrize(
    "command", ["inspect", "fit", "evaluate", "compare", "simulate", "plan", "demo", "datasets", "check"]
)
def test_every_command_has_a_help_page(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"sojourn {__version__}\n"


@pytest.mark.parametrize(
    ("suffix", "read"), [("parquet", pl.read_parquet), ("csv", pl.read_csv), ("jsonl", pl.read_ndjson)]
)
def test_inspect_counts_what_the_file_holds(
    run: Run, write_pages: WritePages, suffix: str, read: Callable[[Path], pl.DataFrame]
) -> None:
    log = write_pages(f"log.{suffix}")
    position, click = (read(log)[name].to_numpy() for name in ("position", "click"))
    done = run("inspect", log, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert (found["n_rows"], found["n_requests"], found["n_clicks"]) == (80, 40, click.sum())
    assert found["problems"] == []
    for place, row in enumerate(found["click_curve"]):
        clicks = click[position == place]
        expected = {"position": place, "n": 40, "n_clicks": clicks.sum(), "rate": clicks.mean()}
        assert row == pytest.approx(expected | {"stderr": clicks.std() / 40**0.5})
    assert len(found["attention"]["weights"]) == 2


def test_inspect_says_it_in_sentences_and_writes_a_report(run: Run, simulated: Path, tmp_path: Path) -> None:
    done = run("inspect", simulated, "--html", tmp_path / "deep" / "report.html")
    assert done.returncode == 0
    assert "1,200 impressions" in done.stdout
    assert "off-policy evaluation is on" in done.stdout
    assert f"report: {tmp_path / 'deep' / 'report.html'}" in done.stderr
    assert "What this log can tell you" in (tmp_path / "deep" / "report.html").read_text()


def test_fit_writes_a_policy_that_evaluate_values(run: Run, simulated: Path, tmp_path: Path) -> None:
    fitted = run(
        "fit", simulated, "--out", tmp_path / "policy", "--candidates", "catalogue", "--recipe", "uniform", "--json"
    )
    assert json.loads(fitted.stdout)["rounds"] == 600
    valued = run("evaluate", simulated, "--fitted", tmp_path / "policy", "--candidates", "catalogue", "--json")
    found = json.loads(valued.stdout)
    assert valued.returncode == 0
    assert found["logged"]["rounds"] == 600
    for row in found["policies"]:  # the log is uniform: its own clicks are the value
        assert row["value"] == pytest.approx(found["logged"]["value"])
        assert row["effective_n"] == pytest.approx(600)


def test_fit_says_what_it_did(run: Run, simulated: Path, tmp_path: Path) -> None:
    done = run("fit", simulated, "--out", tmp_path / "a [bold]policy[/] :100:")
    assert done.returncode == 0
    assert "Fitted default_feed on 600 pages of 600 sessions" in done.stdout
    assert "Learned in 20 blocks: people leave inside the page; differences between items" in done.stdout
    assert "warning: the log names no page after which people left" in done.stderr
    assert "a [bold]policy[/] :100:" in done.stdout.replace("\n", "")
    assert (tmp_path / "a [bold]policy[/] :100:" / "model.npz").is_file()


def test_fit_learns_from_products_of_columns(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 1_200
    age, genre = rng.choice(["young", "old"], size=(2, n))
    frame = pl.DataFrame(
        {
            "request_id": np.arange(n),
            "item_id": np.char.add(genre.astype(str), rng.integers(5, size=n).astype(str)),
            "position": np.zeros(n, dtype=np.int64),
            "click": (rng.random(n) < np.where(age == genre, 0.4, 0.05)).astype(int),
            "x_age": age,
            "x_genre": genre,
        }
    )
    frame.write_csv(tmp_path / "log.csv")
    fit = ("fit", tmp_path / "log.csv", "--candidates", "shown")
    assert run(*fit, "--out", tmp_path / "policy", "--cross", "x_age:x_genre").returncode == 0
    policy, _, _ = load_fitted(tmp_path / "policy")
    assert isinstance(policy, FeedPolicy)
    assert np.abs(policy.stay.clicks.posterior.weights[-4:]).max() > 0.1  # type: ignore[attr-defined]
    for cross, message in (("age", "two columns such as age:genre, got age"), ("x_age:kind", "got x_age and kind")):
        done = run(*fit, "--out", tmp_path / "other", "--cross", cross)
        assert done.returncode == 2
        assert message in " ".join(done.stderr.split())
    done = run(*fit, "--out", tmp_path / "other", "--recipe", "linucb_k", "--cross", "age:genre")
    assert done.returncode == 2
    assert "--cross: expected default_feed" in " ".join(done.stderr.split())


def test_fit_of_a_slate_says_nothing_of_leaving(run: Run, simulated: Path, tmp_path: Path) -> None:
    done = run("fit", simulated, "--out", tmp_path / "policy", "--recipe", "linucb_k_sw")
    assert "Fitted linucb_k_sw on 600 pages" in done.stdout
    assert "Learned in" not in done.stdout
    assert "left" not in done.stderr


def test_the_engine_goes_from_fit_to_evaluate_and_compare(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    log, folder = write_pages("log.csv", 120), tmp_path / "policy"
    fitted = json.loads(run("fit", log, "--out", folder, "--candidates", "catalogue", "--json").stdout)
    assert (fitted["policy"], fitted["sessions"], fitted["blocks"]) == ("default_feed", 120, 20)
    assert {"sight", "slope", "doubt"} <= set(fitted)
    for policy in (["--fitted", folder], ["--recipe", "default_feed", "--recipe", "uniform"]):
        valued = run("evaluate", log, "--candidates", "catalogue", *policy, "--json")
        assert valued.returncode == 0
        assert json.loads(valued.stdout)["policies"][0]["policy"] == "default_feed"
    compared = run("compare", "logged", folder, "--log", log, "--candidates", "catalogue", "--json")
    assert compared.returncode in (0, 1, 3)
    assert json.loads(compared.stdout)["verdict"]


def test_evaluate_values_recipes_and_a_configuration_side_by_side(
    run: Run, write_pages: WritePages, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text(CONFIG)
    done = run(
        "evaluate", write_pages("log.csv"), "--candidates", "catalogue", "--recipe", "uniform",
        "--config", tmp_path / "policy.toml", "--html", tmp_path / "report.html", "--train-share", "0.8",
    )  # fmt: skip
    assert done.returncode == 0
    assert "uniform" in done.stdout
    assert "mine" in done.stdout
    assert "What other policies would have earned" in (tmp_path / "report.html").read_text()


def test_evaluate_without_policies_takes_the_demos(run: Run, write_pages: WritePages) -> None:
    done = run("evaluate", write_pages("log.csv", 300), "--candidates", "catalogue", "--json")
    names = {row["policy"] for row in json.loads(done.stdout)["policies"]}
    assert names == {"linucb_k", "linucb_k_sw", "iba_linucb", "iba_linucb_sw"}


@pytest.mark.usefixtures("few_weight_pages")
def test_simulate_prints_json_and_nothing_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(CONFIG)
    done = run(
        "simulate", "--world", "lin", "--rounds", 20, "--seeds", 1, "--slots", 2, "--recipe", "logged_order",
        "--config", tmp_path / "policy.toml", "--json",
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["seeds"] == [0]
    assert [row["policy"] for row in found["table"]] == ["logged_order", "mine"]
    assert {row["regret_se"] for row in found["table"]} == {None}  # one seed has no standard error


@pytest.mark.usefixtures("few_weight_pages")
def test_simulate_with_twelve_slots_writes_a_report(run: Run, tmp_path: Path) -> None:
    sizes = ("--rounds", 10, "--seeds", 1, "--slots", 12)
    done = run("simulate", "--world", "lin", *sizes, "--html", tmp_path / "report.html")
    assert done.returncode == 0
    assert "lin: 10 rounds, 1 seed " in done.stdout
    assert "How policies learn" in (tmp_path / "report.html").read_text()


@pytest.mark.usefixtures("few_weight_pages")
def test_the_engine_and_a_policy_of_a_file_learn_from_pages(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nameless.toml").write_text('[policy]\nrecipe = "linucb_k"\n')
    sizes = ("--world", "lin", "--rounds", 5, "--seeds", 1)
    policies = ("--policy", "feed", "--recipe", "default_feed", "--policy", tmp_path / "nameless.toml")
    found = json.loads(run("simulate", *sizes, *policies, "--json").stdout)
    rows = {row["policy"]: row for row in found["table"]}
    assert list(rows) == ["feed", "default_feed", "nameless"]
    assert rows["feed"]["expected_clicks"] == rows["default_feed"]["expected_clicks"]


def test_datasets_lists_every_card(run: Run) -> None:
    assert {card["name"] for card in json.loads(run("datasets", "--json").stdout)} == {card.name for card in DATASETS}
    text = run("datasets").stdout
    assert all(card.title in text for card in DATASETS)


def test_check_keeps_and_breaks(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cli_own_policies.py").write_text(
        "from sojourn import recipes\n"
        "kept = recipes.uniform\n"
        "def broken(*, n_features, n_slots):\n"
        "    policy = recipes.uniform()\n"
        "    policy.update = lambda batch: batch.click.fill(1.0)\n"
        "    return policy\n"
    )
    kept = run("check", "cli_own_policies:kept")
    assert kept.returncode == 0
    assert "broken" not in kept.stdout
    broken = run("check", "cli_own_policies:broken", "--json")
    assert broken.returncode == 1
    assert "update_leaves_the_log_alone" in {each["name"] for each in json.loads(broken.stdout) if not each["passed"]}
    assert "promises kept" in run("check", "cli_own_policies:broken").stdout


def test_evaluate_says_whom_it_cannot_value_and_whom_it_doubts(run: Run, write_pages: WritePages) -> None:
    log = write_pages("log.csv", 8, propensity=0.05)  # truly 1/5 and 1/4, so the weights average 4 and more
    done = run("evaluate", log, "--candidates", "catalogue", "--recipe", "uniform", "--recipe", "logged_order")
    assert done.returncode == 0
    assert "warning: logged_order cannot be valued: all weights" in done.stderr
    assert "warning: uniform: The mean weight is" in done.stderr


def test_inspect_tells_how_long_sessions_last_and_what_the_propensities_are_worth(run: Run, tmp_path: Path) -> None:
    lengths = {"a": 1, "b": 1, "c": 2, "d": 4}
    rows = [
        {"request_id": f"{name}{i}", "session_id": name, "position": 0, "item_id": i, "click": i % 2, "propensity": p}
        for name, length in lengths.items()
        for i, p in zip(range(length), (0.5, 0.25, 0.5, 0.25), strict=False)
    ]
    log = tmp_path / "log.csv"
    pl.DataFrame(rows).write_csv(log)
    told = run("inspect", log).stdout
    shares = re.findall(r"│ +(\d+) │ (\d\.\d+) │\n", told)
    assert shares == [("1", "0.500"), ("2", "0.250"), ("3", "0.250")]
    assert "Propensities: 0.250 to 0.500, median 0.500; worth 7.12 slots" in told  # 22 ** 2 / 68
    assert "With one position there is no position effect to correct." in told
