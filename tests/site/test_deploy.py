"""What lies in `deploy/`: each file is accepted by the program that reads it, and names processes
that exist. `make faults` puts up a site by them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lookalike.processes.commands import NAMES
from tests.live import CHECKOUT

DEPLOY = CHECKOUT / "deploy"

yaml: Any = pytest.importorskip("yaml")


def find_roles(commands: list[list[str]]) -> list[str]:
    return [words[1] for words in commands if words[0] == "serve" and len(words) > 1]


def test_22_compose_runs_each_process() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    site = {name: one for name, one in services.items() if one["image"] == "lookalike"}
    assert find_roles([one["command"] for one in site.values()]) == ["web", "worker", "gallery"]
    for one in site.values():
        assert one["read_only"]
        assert one["mem_limit"]
        assert not [name for name in one["environment"] if name in {"LOOKALIKE_SECRET_KEY"}]
    assert services["proxy"]["depends_on"]["web"] == {"condition": "service_healthy"}


def test_kubernetes_runs_each_process() -> None:
    documents = [*yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())]
    pods = [
        one["spec"]["template"]["spec"] for one in documents if "template" in one.get("spec", {})
    ]
    containers = [container for pod in pods for container in pod["containers"]]
    assert find_roles([one["args"] for one in containers]) == ["web", "worker", "gallery"]
    for one in containers:
        assert one["securityContext"]["readOnlyRootFilesystem"]
        assert one["resources"]["limits"]["memory"]


def test_23_systemd_accepts_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed here")
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text().replace("/opt/lookalike/.venv/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to" in verified.stderr and "bus" in verified.stderr:
        pytest.skip("systemd-analyze does not work here")
    assert "lookalike" not in verified.stderr
    assert verified.returncode == 0


@pytest.mark.parametrize("name", NAMES[1:])
def test_23_a_unit_may_write_to_its_data_alone(name: str) -> None:
    unit = (DEPLOY / "systemd" / f"lookalike-{name}.service").read_text()
    assert f"manage.py serve {name}\n" in unit
    for line in ("User=lookalike", "ProtectSystem=strict", "PrivateTmp=yes", "Restart=always"):
        assert f"\n{line}\n" in unit
    assert re.search(r"^MemoryMax=\d+M$", unit, re.M)
    assert "TimeoutStopSec=10" in unit


def test_24_proxies_set_what_they_forward() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text()
    assert "X-Forwarded-For $remote_addr;" in nginx
    assert "$proxy_add_x_forwarded_for" not in nginx
    assert "proxy_request_buffering on;" in nginx
    assert "access_log off;" in nginx
    assert "trusted_proxies" not in (DEPLOY / "Caddyfile").read_text()


def test_21_without_a_builder_the_image_says_what_to_install(tmp_path: Path) -> None:
    for name in ("sh", "dirname"):
        found = shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    refused = subprocess.run(
        [str(DEPLOY / "build_image.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 3
    assert "Install one" in refused.stderr
