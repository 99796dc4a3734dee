"""A visitor's photo and its result."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from celebrities.models import Celebrity, Likeness, Portrait
from lookalike.faces.types import Part

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


def uploads_storage() -> Storage:
    return storages["uploads"]


def in_keep_hours() -> datetime:
    return timezone.now() + timedelta(hours=settings.KEEP_HOURS)


class Consent(models.Model):
    """A consent text as the page showed it. Never deleted: uploads refer to it."""

    digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=10)
    text = models.TextField()
    first_shown_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.language})"


def sent_by(owner: uuid.UUID, sender: str) -> Q:
    """Those of a visitor, or from the network that the visitor sends from."""
    return Q(owner=owner) | Q(sender=sender) & ~Q(sender="")


class UploadQuerySet(models.QuerySet["Upload"]):
    def waiting(self) -> UploadQuerySet:
        return self.filter(status=Upload.Status.QUEUED)

    def unfinished(self) -> UploadQuerySet:
        return self.filter(status__in=[Upload.Status.QUEUED, Upload.Status.RUNNING])

    def sent_by(self, owner: uuid.UUID, sender: str) -> UploadQuerySet:
        return self.filter(sent_by(owner, sender))

    def live(self, owner: uuid.UUID) -> UploadQuerySet:
        """The owner's uploads that are still there, newest first, each with ``first_face``, the
        number of its largest face or None."""
        live = self.filter(owner=owner, expires_at__gt=timezone.now())
        return live.annotate(first_face=models.Min("faces__number")).order_by("-created_at")

    def expired(self) -> UploadQuerySet:
        return self.filter(expires_at__lte=timezone.now())


class Upload(models.Model):
    """One photo, from the form to its result: queued -> running -> done, or failed with a
    ``failure``, a value of `lookalike.faces.errors.Reason`. Workers claim rows: see
    `uploads.claims`."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("at work")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Stage(models.TextChoices):
        NONE = "", ""
        FINDING = "finding", _("finding faces")
        COMPARING = "comparing", _("comparing")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.UUIDField(db_index=True, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="+")
    language = models.CharField(max_length=10)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.NONE, blank=True)
    failure = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # `lookalike.senders.hash_sender` of where it came from, until it is finished
    sender = models.CharField(max_length=32, blank=True, editable=False)
    # How many levels it waits behind a first and cheap photo; see `uploads.intake`
    turn = models.PositiveSmallIntegerField(default=0, editable=False)
    claim = models.UUIDField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(default=timezone.now)  # or last queued again
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(default=in_keep_hours, db_index=True)
    # What was asked for
    k = models.PositiveSmallIntegerField(default=6)
    filters = models.JSONField(default=dict, blank=True)  # celebrities.filters.Filters
    exhaustive = models.BooleanField(default=False)
    # The received file, until the upright photo replaces it
    received = models.FileField(storage=uploads_storage, max_length=200, blank=True)
    photo = models.FileField(storage=uploads_storage, max_length=200, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    # Quarter turns clockwise that the visitor has asked for and that are still to be made; null
    # where the site decides. Whether the site has turned the photo.
    rotation = models.PositiveSmallIntegerField(null=True, editable=False)
    is_turned = models.BooleanField(default=False, db_default=False, editable=False)
    # What the search did; exact_ms if an exhaustive search followed an approximate one
    build_name = models.CharField(max_length=80, blank=True)
    encoder = models.CharField(max_length=80, blank=True)
    compared_with = models.PositiveIntegerField(default=0)
    method = models.CharField(max_length=12, blank=True)
    search_ms = models.FloatField(null=True)
    exact_ms = models.FloatField(null=True)
    # The median number of the best match of somebody not in the gallery, if that was measured
    usual_best = models.FloatField(null=True)
    # How alike the two people of a photo with two are, 0 to 100
    pair = models.FloatField(null=True)

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


class UploadedFace(models.Model):
    """A face found in an upload; number 0 is the largest. ``box`` is [left, top, right,
    bottom] in pixels of the stored photo. The vector is never stored."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="faces")
    number = models.PositiveSmallIntegerField()
    box = models.JSONField()
    confidence = models.FloatField()
    is_weak = models.BooleanField(default=False)  # lookalike.faces.types.Face
    crop = models.FileField(storage=uploads_storage, max_length=200)
    chip = models.FileField(storage=uploads_storage, max_length=200)
    share_token = models.CharField(max_length=40, null=True, unique=True, editable=False)  # noqa: DJ001
    # Whether the link's preview shows the visitor's face beside the portrait.
    shows_in_preview = models.BooleanField(default=False, db_default=False, editable=False)
    if TYPE_CHECKING:
        matches: RelatedManager[Match]

    class Meta:
        ordering = ["upload", "number"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="one_face_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.number}"

    @staticmethod
    def new_share_token() -> str:
        return secrets.token_urlsafe(24)


PART_NAMES = {
    Part.BROWS: _("the brows"),
    Part.EYES: _("the eyes"),
    Part.NOSE: _("the nose"),
    Part.CHEEKS: _("the cheeks"),
    Part.MOUTH: _("the mouth"),
    Part.CHIN: _("the chin"),
}


class Match(Likeness):
    """A celebrity who looks like a face, and the portrait of theirs that looks most like it.
    ``distance`` is that of `lookalike.faces.types.Neighbour`. ``exhaustive`` rows are
    of the second search, which is shown beside an approximate one."""

    face = models.ForeignKey(UploadedFace, models.CASCADE, related_name="matches")
    exhaustive = models.BooleanField(default=False)
    distance = models.FloatField()
    celebrity = models.ForeignKey(Celebrity, models.CASCADE, related_name="+")
    portrait = models.ForeignKey(Portrait, models.CASCADE, related_name="+")
    sees_it = models.BooleanField(null=True)
    # Of the best and the sixth match: how many of 100 people who are not in the gallery have a less
    # similar one. Null where that was not measured, or the search was narrower.
    percentile = models.FloatField(null=True)
    # What makes the two alike, as `uploads.explaining` saves it: empty if that is not clear.
    why = models.JSONField(null=True, editable=False)

    class Meta:
        ordering = ["face", "exhaustive", "rank"]
        verbose_name = _("match")
        verbose_name_plural = _("matches")
        constraints = [
            models.UniqueConstraint(
                fields=["face", "exhaustive", "rank"], name="one_match_per_rank"
            ),
            models.UniqueConstraint(
                fields=["face", "exhaustive", "celebrity"], name="one_match_per_celebrity"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.face_id} {self.rank}"

    @property
    def rarity(self) -> tuple[int, int] | None:
        """How unusual it is, rounded down: (7, 10) if closer than that of 7 in 10 people. None
        below 3 in 10: then it says nothing."""
        share = self.percentile or 0.0
        if share >= 99:
            return 99, 100
        if share >= 95:
            return 19, 20
        return (int(share / 10), 10) if share >= 30 else None

    @property
    def most_alike(self) -> str:
        """Such as "the nose and the mouth". Raises KeyError if ``why`` is empty."""
        names = [str(PART_NAMES[Part(part)]) for part in (self.why or {})["most"]]
        if len(names) == 1:
            return names[0]
        return _("%(one)s and %(other)s") % {"one": names[0], "other": names[1]}

    @property
    def least_alike(self) -> str:
        return str(PART_NAMES[Part((self.why or {})["least"])])
