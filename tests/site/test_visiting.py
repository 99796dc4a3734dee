"""Each finding of docs/visiting.md names tests that are there."""

from __future__ import annotations

import re

from tests.conftest import CHECKOUT


def test_it_works() -> None:
    text = (CHECKOUT / "docs" / "visiting.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")][2:]
    found = {int(each) for row in rows for each in re.findall(r"\d+", row[1])}
    assert found == set(range(1, 30))

    for row in rows:
        path = ""
        for named, test in re.findall(r"`([\w/.]*)::(\w+)`", row[3]):
            path = named or path
            assert f"def {test}(" in (CHECKOUT / path).read_text(), (path, test)
        assert path, row
