"""What can go wrong in the gallery."""

from __future__ import annotations


class GalleryError(Exception):
    """The root of the gallery's errors. The text is for operators, and names no visitor."""


class EmptyGallery(GalleryError):
    """No published person has a portrait that can be searched."""


class NoIndex(GalleryError):
    """There are people, but no index that this site's encoder can search."""


class NoSpace(GalleryError):
    """The disk has no room for another build."""


class FilesMissing(GalleryError):
    """Too many portraits could not be read for a build to replace the one in use."""


class BuildRunning(GalleryError):
    """Another process is building the index."""


class PgvectorMissing(GalleryError):
    """The database cannot keep the index. The text says what to do."""


class BadSource(GalleryError):
    """Nothing can be imported from a path or archive."""
