"""`make image`: built with whatever is there, from Debian and PyPI packages alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import CHECKOUT

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3000)]

NAME = "localhost/lookalike-tests"


def run(*words: str) -> str:
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def share_certificates(folder: Path) -> str:
    """Flags for a build behind a proxy with a certificate of its own, of which pip here is told by
    PIP_CERT."""
    certificates = os.environ.get("PIP_CERT")
    if not certificates:
        return ""
    told = folder / "pip.conf"
    told.write_text("[global]\ncert = /run/certificates.crt\n")
    return f"-v {certificates}:/run/certificates.crt:ro -v {told}:/etc/pip.conf:ro"


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container of the image, made with buildah."""
    if not shutil.which("buildah"):
        pytest.skip("buildah is not installed here, so the image was not built")
    flags = share_certificates(tmp_path_factory.mktemp("pip"))
    run("env", "TOOL=buildah", f"IMAGE={NAME}", f"BUILD_FLAGS={flags}", "deploy/build_image.sh")
    name = run("buildah", "from", NAME)
    yield name
    run("buildah", "rm", name)


@pytest.fixture(scope="module")
def root(container: str) -> Path:
    """The image's files."""
    return Path(run("buildah", "mount", container))


def test_21_it_is_small_and_runs_as_nobody_in_particular(container: str, root: Path) -> None:
    about = json.loads(run("buildah", "inspect", container))
    assert about["OCIv1"]["config"]["User"] == "lookalike"
    size = int(run("du", "-sxm", str(root)).split()[0])
    assert size <= 600


def test_21_static_files_and_networks_are_in_it(root: Path) -> None:
    project = root / "opt" / "lookalike"
    assert (project / "static" / "staticfiles.json").is_file()
    assert [*(project / "lookalike" / "faces" / "networks").glob("encoder-dlib-*.onnx")]
    assert not (project / "tests").exists()
    assert not [*project.glob(".venv/lib/python*/site-packages/torch")]


def test_21_annoy_runs_on_any_processor_of_the_baseline(root: Path) -> None:
    [library] = (root / "opt" / "lookalike").glob(".venv/lib/python*/site-packages/annoy/*.so")
    assert not re.search(r"%[yz]mm", run("objdump", "-d", "--no-show-raw-insn", str(library)))


def test_21_it_prepares_offline_as_its_user(container: str) -> None:
    # A chroot has the network of whoever starts it.
    words = ("unshare", "--net", "buildah", "run", "--isolation", "chroot", container, "--")
    said = run(*words, "python", "manage.py", "prepare")
    assert "admin_password" in said
    faces = run(*words, "python", "manage.py", "load_demo", "--fictional")
    assert "48 people" in faces
    assert "48 people" in run(*words, "python", "manage.py", "prepare")
