"""A site put up by the blocks of docs/operations.md, in an empty folder: TLS and nginx, PostgreSQL
behind pgbouncer, Valkey, S3, each process a service of its own. Needs a way to PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.celebrities.postgres import make_database
from tests.live import ADMIN_PASSWORD, CHECKOUT, free_port, wait_for
from tests.services import run_pgbouncer
from tests.visitor import Visitor

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]

PAGE = (CHECKOUT / "docs" / "operations.md").read_text()
NAME = "lookalike.example.org"


def read_block(name: str) -> list[str]:
    found = re.search(rf"^```sh {name}\n(.*?)^```$", PAGE, re.M | re.S)
    assert found, f"docs/operations.md has no block `{name}`"
    return found[1].splitlines()


def require(*names: str) -> None:
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} cannot be found")


@contextmanager
def run(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def write_nginx(folder: Path, port: int, tls_port: int) -> Path:
    """deploy/nginx.conf with this folder's paths, as the page says to change them."""
    certificate = [folder / "fullchain.pem", folder / "privkey.pem"]
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"),
            *("-out", str(certificate[0]), "-keyout", str(certificate[1])),
        ],
        check=True,
        capture_output=True,
    )
    text = (CHECKOUT / "deploy" / "nginx.conf").read_text()
    for old, new in {
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        "listen 80;": f"listen {free_port()};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen {tls_port} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(certificate[0]),
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(certificate[1]),
        "/var/lib/nginx/body": str(folder / "body"),
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "nginx.conf"
    places = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("proxy", "fastcgi", "uwsgi", "scgi")
    )
    path.write_text(
        f"{'user root;' if os.getuid() == 0 else ''} daemon off; pid {folder / 'nginx.pid'};\n"
        f"error_log stderr error;\nevents {{}}\nhttp {{\ninclude /etc/nginx/mime.types;\n"
        f"{places}{text}\n}}\n"
    )
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's files in a folder of their own, with no environment yet."""
    names = (".git", ".venv", "var", "tests", ".*_cache", "__pycache__")
    return Path(
        shutil.copytree(CHECKOUT, tmp_path / "lookalike", ignore=shutil.ignore_patterns(*names))
    )


def test_24_it_works(
    project: Path,
    tmp_path: Path,
    postgres: str,
    redis_url: str,
    s3: dict[str, str],
    cast: dict[str, list[Path]],
) -> None:
    require("nginx", "pgbouncer", "openssl")
    data_dir, port, tls_port = tmp_path / "data", free_port(), free_port()
    make_database(postgres, "operated")
    with run_pgbouncer(postgres, size=4, database="operated") as database:
        settings = dict(line.split("=", 1) for line in read_block("settings"))
        here = {
            **s3,
            "LOOKALIKE_DATA_DIR": str(data_dir),
            "DATABASE_URL": database,
            "REDIS_URL": redis_url,
            "LOOKALIKE_PORT": str(port),
            "LOOKALIKE_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "LOOKALIKE_WORKERS": "1",
            # The certificate is for the name, and requests has no other way to say where it is.
            "LOOKALIKE_ALLOWED_HOSTS": f"{settings['LOOKALIKE_ALLOWED_HOSTS']},127.0.0.1",
        }
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **pip, **settings, **here}
        for line in [
            line for name in ("install", "prepare", "people") for line in read_block(name)
        ]:
            done = subprocess.run(
                ["/bin/sh", "-ec", line],
                cwd=project,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        nginx = write_nginx(tmp_path, port, tls_port)
        services = [
            subprocess.Popen(["/bin/sh", "-c", f"exec {line}"], cwd=project, env=environment)
            for line in read_block("serve")
        ]
        try:
            with run(["nginx", "-c", str(nginx)]):
                visit(f"https://127.0.0.1:{tls_port}/", tmp_path / "fullchain.pem", port, cast)
        finally:
            for service in services:
                service.terminate()
            assert [service.wait(20) for service in services] == [0, 0, 0]


def visit(url: str, certificate: Path, port: int, cast: dict[str, list[Path]]) -> None:
    def is_ready() -> bool:
        try:
            seen = requests.get(f"http://127.0.0.1:{port}/healthz/ready", timeout=5)
        except requests.ConnectionError:
            return False
        return seen.status_code == 200

    wait_for(is_ready, "every part of the site", seconds=120)
    with Visitor(url) as visitor:
        visitor.session.trust_env = False  # Else a bundle of the environment would come first.
        visitor.session.verify = str(certificate)
        # nginx passes the host on without a port: in public there is none.
        visitor.session.headers["Referer"] = "https://127.0.0.1/"
        page = visitor.session.get(url, timeout=30)
        assert page.headers["Strict-Transport-Security"]
        [style] = set(re.findall(r'href="(/static/[^"]+\.css)"', page.text)[:1])
        served = visitor.session.get(f"{url.rstrip('/')}{style}", timeout=30)
        assert "immutable" in served.headers["Cache-Control"]
        assert served.status_code == 200
        found = visitor.find_people(cast["kenji-morishige"][2])
        assert found[0] == "kenji-morishige"
