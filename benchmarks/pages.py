"""The public gallery with ten thousand people: queries and server time of its pages."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

PEOPLE = 10_000
PAGES = ("/", "/people/", "/people/?q=person+77", "/people/?page=100", "/people/person-7777/")

MEASURE = """
import json, statistics, time
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from celebrities.models import Celebrity, Portrait
people = [
    Celebrity(name=f"Person {n}", slug=f"person-{n}", search_key=f"person {n}")
    for n in range(%(people)d)
]
Celebrity.objects.bulk_create(people, 500)
Portrait.objects.bulk_create(
    [
        Portrait(
            celebrity=person, image=f"portraits/00/{person.pk}.jpg", image_hash=str(person.pk),
            status="ready", encoder="dlib/1", width=300, height=400, thumbnail_width=320,
        )
        for person in people
    ],
    500,
)
client, pages = Client(), {}
for address in %(pages)r:
    times = []
    for _ in range(11):
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            response = client.get(address, headers={"host": "localhost"})
            times.append((time.perf_counter() - started) * 1000)
        assert response.status_code == 200, (address, response.status_code)
    pages[address] = {"queries": len(queries), "ms": round(statistics.median(times[2:]), 1)}
print(json.dumps(pages))
"""


def bench_pages() -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lookalike.settings")
    from tests.live import Site

    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name), {"LOOKALIKE_HTTPS": "0"})
        site.manage("migrate")
        site.manage("collectstatic", "--noinput")
        site.start("valkey")
        try:
            printed = site.run_python(MEASURE % {"people": PEOPLE, "pages": PAGES})
        finally:
            site.stop()
    return {"people": PEOPLE, "pages": json.loads(printed.splitlines()[-1])}
