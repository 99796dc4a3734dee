"""`make audit`: advisories about the requirements.

Ends with 1 when there is an advisory, when a requirement was skipped, and when no source of
advisories answers: silence is no good news.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements-dev.txt"


def judge(report: dict[str, Any], expected: int) -> list[str]:
    """What is wrong, a sentence each. ``report`` is pip-audit's, ``expected`` the number of
    requirements."""
    found = report.get("dependencies", [])
    problems = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in {flaw['fix_versions'] or '-'}"
        for one in found
        for flaw in one.get("vulns", [])
    ]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if skipped:
        problems.append(f"{len(skipped)} skipped, so nothing is known of: {', '.join(skipped)}")
    if len(found) < expected:
        problems.append(f"Only {len(found)} of {expected} requirements were looked at.")
    return problems


def main() -> int:
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if "==" in line]
    wanted = [Requirement(line.rstrip(" \\")) for line in lines]
    expected = sum(one.marker is None or one.marker.evaluate() for one in wanted)
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner", "off", "--format", "json", "-r", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        report = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"No source of advisories answers: {last}", file=sys.stderr)  # noqa: T201
        return 1
    problems = judge(report, expected)
    print("\n".join(problems or [f"{expected} requirements, no advisory."]))  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
