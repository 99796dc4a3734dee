from celebrities.models.do_not_import import DoNotImport
from celebrities.models.index import BuildCohort, IndexBuild, Likeness, Resemblance
from celebrities.models.people import (
    MAX_FILE_BYTES,
    THUMBNAIL_WIDTHS,
    Category,
    Celebrity,
    CelebrityQuerySet,
    Portrait,
    PortraitQuerySet,
    cleaned,
    gallery_storage,
    received_path,
)
from celebrities.models.requests import RemovalRequest

__all__ = [
    "MAX_FILE_BYTES",
    "THUMBNAIL_WIDTHS",
    "BuildCohort",
    "Category",
    "Celebrity",
    "CelebrityQuerySet",
    "DoNotImport",
    "IndexBuild",
    "Likeness",
    "Portrait",
    "PortraitQuerySet",
    "RemovalRequest",
    "Resemblance",
    "cleaned",
    "gallery_storage",
    "received_path",
]
