"""`make benchmark`: runs every part, keeps the figures, writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.encoders import bench_encoders
from benchmarks.growth import bench_growth, bench_memory
from benchmarks.index import bench_index
from benchmarks.pages import bench_pages
from benchmarks.peers import ROOT, WORK
from benchmarks.photos import bench_photos
from benchmarks.quality import bench_quality
from benchmarks.report import write_report
from benchmarks.site import bench_site

PARTS: dict[str, Callable[[], Any]] = {
    "photos": bench_photos,
    "encoders": bench_encoders,
    "site": bench_site,
    "index": bench_index,
    "growth": bench_growth,
    "memory": bench_memory,
    "quality": bench_quality,
    "pages": bench_pages,
}


def describe_machine() -> dict[str, Any]:
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    wide = "avx512f" in Path("/proc/cpuinfo").read_text()
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "instructions": "AVX-512" if wide else "AVX2 or less",
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="make benchmark", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--report", action="store_true", help="only write the page anew")
    chosen = parser.parse_args()
    unknown = set(chosen.parts) - PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    WORK.mkdir(parents=True, exist_ok=True)
    kept = WORK / "results.json"
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    for name in [] if chosen.report else chosen.parts or PARTS:
        print(f"{name} ...", flush=True)
        machine, started = describe_machine(), time.monotonic()
        # Each part in a process of its own: none inherits another's memory or threads.
        code = (
            "import json; from benchmarks.__main__ import PARTS; "
            f"print('\\n' + json.dumps(PARTS[{name!r}]()))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"The part {name} failed; its message stands above.")
        results[name] = {
            "figures": json.loads(done.stdout.strip().splitlines()[-1]),
            "machine": machine,
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": round(time.monotonic() - started),
        }
        print(f"{name}: {results[name]['seconds']} s", flush=True)
        kept.write_text(json.dumps(results, indent=1))
    write_report(results, ROOT / "docs")


if __name__ == "__main__":
    main()
