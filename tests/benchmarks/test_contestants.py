"""Contestants: processes that answer for photos, and take turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import peers, portraits
from benchmarks.compare import CannotRun, compare_checkouts, describe_ratios
from benchmarks.peers import Contestant, sum_seconds, take_turns
from benchmarks.photos import make_rows
from benchmarks.portraits import KINDS

RUNNER = """
import json, sys
print('{"ready": true}', flush=True)
for number, line in enumerate(sys.stdin):
    photo = json.loads(line)["photo"]
    if "fatal" in photo:
        sys.exit("it ran out of memory")
    sum(range(WORK))
    print(json.dumps({"seconds": SECONDS, "faces": number}), flush=True)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose contestant says that a photo took 20 seconds."""
    for module in (peers, portraits):
        monkeypatch.setattr(module, "WORK", tmp_path)
    return make_checkout(tmp_path / "one", 20)


def make_checkout(folder: Path, seconds: float = 1, work: int = 1) -> Path:
    (folder / "benchmarks").mkdir(parents=True)
    runner = RUNNER.replace("SECONDS", str(seconds)).replace("WORK", str(work))
    (folder / "benchmarks" / "runner.py").write_text(runner)
    return folder


@pytest.fixture
def contestant(checkout: Path) -> Iterator[Contestant]:
    with Contestant("lookalike", 1, checkout) as contestant:
        yield contestant


def test_it_works(contestant: Contestant) -> None:
    assert contestant.analyse(Path("a.jpg")) == {"seconds": 20, "faces": 0}
    assert contestant.analyse(Path("b.jpg")) == {"seconds": 20, "faces": 1}
    assert contestant.error == ""


def test_handles_a_contestant_that_dies(contestant: Contestant) -> None:
    assert contestant.analyse(Path("fatal.jpg")) is None
    assert contestant.error == "it ran out of memory"
    assert contestant.analyse(Path("a.jpg")) is None


def test_handles_a_contestant_that_cannot_start(checkout: Path) -> None:
    (checkout / "benchmarks" / "runner.py").write_text("import missing_package")

    with Contestant("lookalike", 1, checkout) as contestant:
        assert contestant.error == "ModuleNotFoundError: No module named 'missing_package'"


def test_leaves_out_the_warm_rounds_and_stops_after_a_minute(contestant: Contestant) -> None:
    answers = take_turns(Path("a.jpg"), {"one": contestant}, runs=9)["one"]

    assert [answer["faces"] for answer in answers] == [2]
    assert sum_seconds(answers) == 20


def test_makes_a_row_for_each_contestant_that_answered() -> None:
    ours = [{"seconds": seconds, "faces": 5} for seconds in (0.1, 0.9, 0.2)]
    peer = [{"seconds": 0.5, "faces": 4}]

    rows = make_rows("group", {"lookalike": ours, "peer": peer, "dead": []})  # type: ignore[dict-item]

    assert [row["who"] for row in rows] == ["lookalike", "peer"]
    assert rows[0] | {"photo": "group", "ms": 200.0, "runs": 3, "times_ours": 1.0} == rows[0]
    assert rows[1] | {"faces": 4, "ms": 500.0, "runs": 1, "times_ours": 2.5} == rows[1]


def test_says_which_checkout_cannot_run(checkout: Path, tmp_path: Path) -> None:
    base = make_checkout(tmp_path / "base")
    (base / "benchmarks" / "runner.py").write_text("raise SystemExit('no weights')")

    with pytest.raises(CannotRun, match="no weights"):
        compare_checkouts(base, checkout)


def test_compares_two_checkouts(checkout: Path, tmp_path: Path) -> None:
    base = make_checkout(tmp_path / "base", work=200_000)
    new = make_checkout(tmp_path / "new", work=50_000)

    lines = compare_checkouts(base, new)

    assert [line.partition(":")[0] for line in lines] == [*KINDS]
    assert all(line.endswith("60 pairs): faster") for line in lines)


def test_gives_the_ratio_of_pairs() -> None:
    assert describe_ratios("portrait", [0.02, 0.04, 0.06], [0.01, 0.02, 0.03]) == (
        "portrait: 40.0 ms before, 20.0 ms after, "
        "ratio 0.500 (95 %: 0.500 to 0.500, 3 pairs): faster"
    )


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ([1.1] * 30, "slower"),
        ([0.9] * 30, "faster"),
        ([0.9, 1.1] * 15, "no difference beyond the noise"),
    ],
)
def test_calls_a_difference_only_what_is_beyond_the_noise(after: list[float], verdict: str) -> None:
    assert describe_ratios("portrait", [1.0] * 30, after).endswith(f": {verdict}")
