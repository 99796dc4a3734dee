"""What can go wrong in the gallery, each named for the fact."""

from __future__ import annotations


class GalleryError(Exception):
    """The root of everything the gallery raises on purpose; its text is for people."""


class EmptyGallery(GalleryError):
    """No published person has a portrait that can be searched."""


class NoIndex(GalleryError):
    """There are people, but no index that this site's encoder can search."""


class BuildRunning(GalleryError):
    """Another process is building the index at this moment."""


class PgvectorMissing(GalleryError):
    """The index is to be kept in the database, which cannot; the sentence says what to do."""


class BadSource(GalleryError):
    """A path or archive that nothing can be imported from."""
