"""The web process stays small: it never imports what only a worker needs."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.live import CHECKOUT

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
