"""What a worker does with one photo, run within a site's own environment."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.profiling import profile_parts

PARTS = {
    "read and decode": "faces/photos/decoding.py:open_photo",
    "shrink to keep": "celebrities/photos.py:shrink_photo",
    "find faces": "faces/pipeline.py:find_faces",
    "encode": "faces/pipeline.py:encode_faces",
    "search": "uploads/matching.py:_search",
    "cut and write JPEG": "uploads/crops.py:cut_faces",
    "store the photo": "uploads/matching.py:_store_photo",
    "write the result": "uploads/matching.py:_save",
}

RUNS = 9


def print_profile(photo: Path) -> None:
    """The profile as a line of JSON, of uploads like the latest one with this photo."""
    from uuid import uuid4

    from uploads.matching import match_upload
    from uploads.models import Upload
    from uploads.storage import store_file

    content = photo.read_bytes()
    latest = Upload.objects.latest("created_at")
    uploads = [Upload(owner=uuid4(), consent=latest.consent, k=latest.k) for _ in range(RUNS + 1)]
    for upload in uploads:  # Beforehand: it is the web process that receives them.
        upload.received.name = store_file(upload.pk, content)
        upload.save(force_insert=True)
    waiting = iter(uploads)
    profile = profile_parts(lambda: match_upload(next(waiting).pk), PARTS, RUNS)
    done = Upload.objects.filter(pk__in=[upload.pk for upload in uploads], status="done")
    assert done.count() == len(uploads)
    print(json.dumps(profile))
