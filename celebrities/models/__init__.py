from celebrities.models.desk import Change, Decision, FormerAddress, Job, Pair, Threshold
from celebrities.models.do_not_import import DoNotImport
from celebrities.models.imports import GalleryImport
from celebrities.models.index import BuildCohort, IndexBuild, Likeness, Resemblance
from celebrities.models.people import (
    MAX_FILE_BYTES,
    NUMBERS,
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
    "NUMBERS",
    "THUMBNAIL_WIDTHS",
    "BuildCohort",
    "Category",
    "Celebrity",
    "CelebrityQuerySet",
    "Change",
    "Decision",
    "DoNotImport",
    "FormerAddress",
    "GalleryImport",
    "IndexBuild",
    "Job",
    "Likeness",
    "Pair",
    "Portrait",
    "PortraitQuerySet",
    "RemovalRequest",
    "Resemblance",
    "Threshold",
    "cleaned",
    "gallery_storage",
    "received_path",
]
