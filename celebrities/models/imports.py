"""Imports of people and portraits."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

UNDO = timedelta(days=30)
"""So long an import can be taken back."""


class GalleryImport(models.Model):
    """One import, by a command or at the desk.

    Of a file sent at the desk: receiving -> looking -> looked -> importing -> done. ``received``
    of ``size`` bytes are there, and the first ``at`` of ``total`` pictures are done. ``report`` is
    a CSV with a line for each thing that was done, or would be. ``digest`` is the SHA-256 of what
    was read: files' names with their own SHA-256.
    """

    class Status(models.TextChoices):
        RECEIVING = "receiving", _("being sent")
        LOOKING = "looking", _("being looked at")
        LOOKED = "looked", _("waits to be confirmed")
        IMPORTING = "importing", _("importing")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        TAKEN_BACK = "taken back", _("taken back")

    source = models.CharField(_("source"), max_length=300)
    digest = models.CharField(max_length=64, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    options = models.JSONField(_("options"), default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    report = models.TextField(blank=True)
    problem = models.TextField(blank=True)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.IMPORTING)
    # Sent to the desk, and so done by a worker; else a command does it.
    at_desk = models.BooleanField(default=False)
    # Whom a search on Wikidata found; see `celebrities.incoming.people`.
    found = models.JSONField(default=list, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    received = models.PositiveBigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    at = models.PositiveIntegerField(default=0)
    group = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("begun"), default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return f"{self.source} ({self.created_at:%Y-%m-%d %H:%M})"

    @property
    def can_be_taken_back(self) -> bool:
        ended = self.status in (self.Status.DONE, self.Status.FAILED)
        return ended and self.created_at > timezone.now() - UNDO
