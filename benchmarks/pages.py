"""Part "pages": what Lighthouse says of them on a phone with a slow processor and a slow line.

Needs chromium and npm, which needs a network once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures
from benchmarks.paths import WORK
from benchmarks.site import run_site
from tests.visitor import PERSON, Visitor

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def bench_pages() -> Figures:
    """Without a visitor's result: Lighthouse is not let in with a visitor's cookie."""
    program = install_lighthouse()
    with run_site() as site, Visitor(site.url) as visitor:
        person = PERSON.findall(visitor.session.get(f"{site.url}/people/", timeout=60).text)[0]
        pages = {
            "first page": f"{site.url}/",
            "people": f"{site.url}/people/",
            "person": f"{site.url}/people/{person}/",
        }
        return {"rows": [{"page": name, **ask(program, url)} for name, url in pages.items()]}


def install_lighthouse() -> Path:
    """Its command. Raises CalledProcessError without npm or its registry."""
    folder = WORK / "lighthouse"
    program = folder / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "install", "--silent", "--prefix", folder, LIGHTHOUSE], check=True)
    return program


def ask(program: Path, url: str) -> dict[str, Any]:
    """Of 100 in each category; seconds to the largest paint, layout shift, kilobytes, requests."""
    command = [
        str(program),
        url,
        "--quiet",
        "--output=json",
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless=new --no-sandbox",
    ]
    environment = {**os.environ, "CHROME_PATH": shutil.which("chromium") or ""}
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    report = json.loads(answer.stdout)
    audits = report["audits"]
    scores = {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}
    return {
        **scores,
        "paint_s": round(audits["largest-contentful-paint"]["numericValue"] / 1000, 2),
        "shift": round(audits["cumulative-layout-shift"]["numericValue"], 3),
        "kb": round(audits["total-byte-weight"]["numericValue"] / 1000),
        "requests": len(audits["network-requests"]["details"]["items"]),
    }
