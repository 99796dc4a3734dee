"""Without the networks that are kept in the checkout, and without torch to make them, each command
says in one sentence what is missing and how to get it (line 20)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import MakeSite
from tests.live import CHECKOUT, Site, wait_for
from tests.visitor import Visitor

CAST = "celebrities/galleries/fictional"
NO_TORCH = """
import sys
class Missing:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in {"torch", "facenet_pytorch"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site without the networks, where torch cannot be imported."""
    copy = tmp_path_factory.mktemp("without") / "site"
    ignored = shutil.ignore_patterns(
        *(".git", ".venv", "var", "tests", "docs", "networks", ".*_cache", "__pycache__")
    )
    shutil.copytree(CHECKOUT, copy, ignore=ignored, symlinks=True)
    (copy / "sitecustomize.py").write_text(NO_TORCH)
    return copy


@pytest.fixture(scope="module")
def site(checkout: Path, demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site whose portraits are to be read anew, with photos of somebody new beside it."""
    folder = tmp_path_factory.mktemp("site") / "var"
    shutil.copytree(demo_data, folder)
    site = Site(folder, {"PYTHONPATH": str(checkout)})
    site.run_python(
        "from celebrities.models import Portrait; Portrait.objects.update(status='pending')"
    )
    site.checkout = checkout
    new = folder / "new"
    new.mkdir()
    shutil.copy(checkout / CAST / "aiko-tsukimori_1.jpg", new / "Somebody New_1.jpg")
    return site


@pytest.mark.faults
@pytest.mark.parametrize(
    "words",
    [
        "prepare",
        "serve",
        "rebuild_index",
        f"match {CAST}/aiko-tsukimori_1.jpg",
        "import_celebrities {new}",
        "load_demo",
        f"evaluate --gallery {CAST} --queries {CAST}",
    ],
)
def test_20_a_command_says_how_to_get_them(site: Site, words: str) -> None:
    words = words.replace("{new}", str(site.data_dir / "new"))
    done = site.manage(*words.split(), fails=True)

    assert done.returncode in {1, 2}, done.stdout + done.stderr
    assert "make export (needs PyTorch)" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.faults
def test_20_a_worker_says_so_and_a_photo_waits_for_nobody(
    make_site: MakeSite, checkout: Path, cast: dict[str, list[Path]]
) -> None:
    site = make_site(demo=True, PYTHONPATH=str(checkout))
    site.start("valkey", "web")
    site.checkout = checkout
    site.start("worker")
    with Visitor(site.url) as visitor:
        text = visitor.wait_for_result(visitor.give(cast["aiko-tsukimori"][2]))
    assert "Something went wrong on our side" in text
    wait_for(lambda: "make export" in site.log("worker"), "the worker's log")
    assert "Traceback" not in site.log("worker"), site.log("worker")
