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
from benchmarks.portraits import make_photos
from benchmarks.site import run_site
from tests.visitor import PERSON, Visitor

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PRIVATE = "is-crawlable"
"""The audit that a visitor's result fails on purpose: search engines are told to stay away."""


def bench_pages() -> Figures:
    program = install_lighthouse()
    with run_site() as site, Visitor(site.url) as visitor:
        result = visitor.give(make_photos()["450x550 portrait"])
        text = visitor.wait_for_result(result)
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.session.cookies.items())
        person = PERSON.findall(text)[0]
        pages = {
            "first page": f"{site.url}/",
            "people": f"{site.url}/people/",
            "person": f"{site.url}/people/{person}/",
        }
        rows = [{"page": name, **ask(program, url)} for name, url in pages.items()]
        private = ask(program, result, f"--skip-audits={PRIVATE}", cookies=cookies)
        return {"rows": [*rows, {"page": "result", **private}]}


def install_lighthouse() -> Path:
    """Its command. Raises CalledProcessError without npm or its registry."""
    folder = WORK / "lighthouse"
    program = folder / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "install", "--silent", "--prefix", folder, LIGHTHOUSE], check=True)
    return program


def ask(program: Path, url: str, *options: str, cookies: str = "") -> dict[str, Any]:
    """Of 100 in each category; seconds to the largest paint, layout shift, kilobytes, requests."""
    headers = json.dumps({"Cookie": cookies} if cookies else {})
    command = [
        str(program),
        url,
        "--quiet",
        "--output=json",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={headers}",
        "--chrome-flags=--headless=new --no-sandbox",
        *options,
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
