"""The web process stays small: it never imports what only a worker needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.live import CHECKOUT, Site
from tests.visitor import Visitor

LOAD_ALL_OF_THE_WEB_SIDE = """
import importlib, json, pkgutil, sys
import lookalike.wsgi
from django.urls import get_resolver
import celebrities, uploads

def count(patterns):
    return sum(count(p.url_patterns) if hasattr(p, "url_patterns") else 1 for p in patterns)

pages = count(get_resolver().url_patterns)
for app in (uploads, celebrities):
    for module in pkgutil.walk_packages(app.__path__, app.__name__ + "."):
        if ".migrations" not in module.name and ".management" not in module.name:
            importlib.import_module(module.name)
import lookalike.views, lookalike.processes.heartbeat, lookalike.checks, lookalike.engine
import lookalike.celery, lookalike.queue
print(json.dumps([pages, sorted(name for name in sys.modules if "." not in name)]))
"""


def test_it_imports_no_torch_no_onnxruntime_no_annoy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL_OF_THE_WEB_SIDE],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    pages, modules = json.loads(done.stdout.splitlines()[-1])
    assert pages > 10
    assert "django" in modules
    heavy = {"torch", "torchvision", "onnx", "onnxruntime", "annoy", "facenet_pytorch", "scipy"}
    assert heavy.isdisjoint(modules)


def test_it_has_no_image_library_however_it_is_used(
    live_site: Site, cast: dict[str, list[Path]]
) -> None:
    """A photo taken and refused, its result, and the picture to share."""
    with Visitor(live_site.url) as visitor:
        page = visitor.give(cast["kenji-morishige"][2])
        visitor.wait_for_result(page)
        shared = visitor.session.get(f"{page}faces/0/share.png", timeout=60)
        assert shared.content.startswith(b"\x89PNG")

    processes = [live_site.processes["web"].pid, *live_site.children("web")]
    assert len(processes) > 2
    for process in processes:
        libraries = Path(f"/proc/{process}/maps").read_text()
        assert "libpython" in libraries or "_socket" in libraries
        assert "_imaging" not in libraries
        assert "pillow" not in libraries
