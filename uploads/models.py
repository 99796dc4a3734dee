"""A visitor's photo and what came of it."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from celebrities.models import Celebrity, Likeness, Portrait

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models.fields.related_descriptors import RelatedManager


def uploads_storage() -> Storage:
    return storages["uploads"]


def in_keep_hours() -> datetime:
    return timezone.now() + timedelta(hours=settings.KEEP_HOURS)


class Consent(models.Model):
    """A consent text as it stood on the page. Kept as long as the site is."""

    digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=10)
    text = models.TextField()
    first_shown_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.language})"


class UploadQuerySet(models.QuerySet["Upload"]):
    def waiting(self) -> UploadQuerySet:
        return self.filter(status=Upload.Status.QUEUED)

    def unfinished(self) -> UploadQuerySet:
        return self.filter(status__in=[Upload.Status.QUEUED, Upload.Status.RUNNING])

    def expired(self) -> UploadQuerySet:
        return self.filter(expires_at__lte=timezone.now())


class Upload(models.Model):
    """One photo, from the form to its result.

    Status: queued -> running -> done, or -> failed with a failure. A worker claims the row
    by a conditional UPDATE that counts the attempt and sets a fresh ``claim``; only the
    holder of the latest claim may finish it, and the third lost attempt fails it.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("at work")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Stage(models.TextChoices):
        NONE = "", ""
        READING = "reading", _("reading the photo")
        FINDING = "finding", _("finding faces")
        COMPARING = "comparing", _("comparing")

    class Failure(models.TextChoices):
        NONE = "", ""
        NO_FACE = "no_face", _("no face found")
        FACE_TOO_SMALL = "face_too_small", _("the face is too small")
        TOO_SMALL = "too_small", _("the photo is too small")
        UNREADABLE = "unreadable", _("the photo is damaged or cut short")
        UNSUPPORTED = "unsupported", _("unsupported format")
        TOO_LARGE = "too_large", _("too many bytes")
        TOO_MANY_PIXELS = "too_many_pixels", _("too many pixels")
        EMPTY_GALLERY = "empty_gallery", _("nobody to compare with")
        NO_INDEX = "no_index", _("the index is not ready")
        TOOK_TOO_LONG = "took_too_long", _("it took too long")
        INTERNAL = "internal", _("something went wrong on our side")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.UUIDField(db_index=True, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="+")
    language = models.CharField(max_length=10)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.NONE, blank=True)
    failure = models.CharField(max_length=20, choices=Failure, default=Failure.NONE, blank=True)
    detail = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(default=timezone.now)  # or last queued again
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(default=in_keep_hours, db_index=True)
    # What was asked for
    k = models.PositiveSmallIntegerField(default=6)
    category = models.CharField(max_length=50, blank=True)
    gender = models.CharField(max_length=10, blank=True)
    living_only = models.BooleanField(default=False)
    exhaustive = models.BooleanField(default=False)
    # What was received, and what is kept of it
    received = models.FileField(storage=uploads_storage, max_length=200, blank=True)
    photo = models.FileField(storage=uploads_storage, max_length=200, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    # What came of it
    build_name = models.CharField(max_length=80, blank=True)
    encoder = models.CharField(max_length=80, blank=True)
    compared_with = models.PositiveIntegerField(default=0)
    approximate_ms = models.FloatField(null=True)
    exact_ms = models.FloatField(null=True)
    share_token = models.CharField(max_length=40, null=True, unique=True, editable=False)  # noqa: DJ001

    objects = UploadQuerySet.as_manager()
    if TYPE_CHECKING:
        faces: RelatedManager[UploadedFace]

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes = [models.Index(fields=["status", "queued_at"])]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("uploads:detail", args=[self.pk])

    @staticmethod
    def new_share_token() -> str:
        return secrets.token_urlsafe(24)


class UploadedFace(models.Model):
    """A face found in an upload; number 0 is the largest. ``box`` is [left, top, right,
    bottom] in pixels of the stored photo. The face's vector is not kept."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="faces")
    number = models.PositiveSmallIntegerField()
    box = models.JSONField()
    confidence = models.FloatField()
    crop = models.FileField(storage=uploads_storage, max_length=200)
    chip = models.FileField(storage=uploads_storage, max_length=200)
    if TYPE_CHECKING:
        matches: RelatedManager[Match]

    class Meta:
        ordering = ["upload", "number"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="one_face_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.number}"


class Match(Likeness):
    """A celebrity who looks like a face: one row per rank and kind of search."""

    class Search(models.TextChoices):
        APPROXIMATE = "approximate", _("approximate")
        EXACT = "exact", _("exhaustive")

    face = models.ForeignKey(UploadedFace, models.CASCADE, related_name="matches")
    search = models.CharField(max_length=12, choices=Search, default=Search.APPROXIMATE)
    celebrity = models.ForeignKey(Celebrity, models.CASCADE, related_name="+")
    portrait = models.ForeignKey(Portrait, models.CASCADE, related_name="+")
    sees_it = models.BooleanField(null=True)

    class Meta:
        ordering = ["face", "search", "rank"]
        verbose_name = _("match")
        verbose_name_plural = _("matches")
        constraints = [
            models.UniqueConstraint(fields=["face", "search", "rank"], name="one_match_per_rank"),
            models.UniqueConstraint(
                fields=["face", "search", "celebrity"], name="one_match_per_celebrity"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.face_id} {self.rank}"
