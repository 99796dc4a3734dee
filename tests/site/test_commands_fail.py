"""What a command says where it cannot work: one sentence and status 1 (line 47)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import MakeSite


@pytest.mark.parametrize("command", ["check", "prepare", "status"])
def test_47_a_data_folder_that_cannot_be_made(
    make_site: MakeSite, tmp_path: Path, command: str
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    site = make_site()
    site.environment["LOOKALIKE_DATA_DIR"] = str(blocked / "var")
    done = site.manage(command, fails=True)

    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_47_a_data_folder_of_somebody_else(make_site: MakeSite) -> None:
    site = make_site()
    site.data_dir.chmod(0o500)
    done = site.manage("prepare", fails=True)
    site.data_dir.chmod(0o700)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_47_a_database_that_does_not_answer(make_site: MakeSite) -> None:
    site = make_site(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    done = site.manage("rebuild_index", fails=True)

    assert done.returncode == 1
    assert done.stderr.startswith("The database cannot be used: ")
    assert "Traceback" not in done.stderr
