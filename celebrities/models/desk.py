"""What curators decide and change, and what waits for them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from celebrities.models.people import Celebrity, Portrait

UNDO_DAYS = 90


def name_field(model: type[models.Model], name: str) -> str:
    """The field's name as pages show it."""
    return str(getattr(model._meta.get_field(name), "verbose_name", name))


class Change(models.Model):
    """One row that somebody changed: fields with their values ``before`` and ``after``.

    All changes of one operation have the same ``group`` and are taken back together. Without
    values it only says what happened, such as that somebody was added.
    """

    class Way(models.TextChoices):
        FORM = "form", _("on a form")
        ACTION = "action", _("by an action on a list")
        QUEUE = "queue", _("in a queue")
        IMPORT = "import", _("by an import")
        COMMAND = "command", _("by a command")

    group = models.UUIDField(default=uuid.uuid4, db_index=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    way = models.CharField(_("how"), max_length=10, choices=Way)
    what = models.CharField(_("what"), max_length=200)
    celebrity = models.ForeignKey(Celebrity, models.CASCADE, related_name="changes")
    portrait = models.ForeignKey(
        Portrait, models.CASCADE, null=True, blank=True, related_name="changes"
    )
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("change")
        verbose_name_plural = _("changes")

    def __str__(self) -> str:
        return f"{self.celebrity}: {self.what}"

    @property
    def can_be_undone(self) -> bool:
        recent = self.created_at > timezone.now() - timedelta(days=UNDO_DAYS)
        return bool(self.after) and recent and self.undone_at is None

    @property
    def lines(self) -> list[tuple[str, Any, Any]]:
        """(name of the field, before, after) of each field."""
        model = Portrait if self.portrait_id else Celebrity
        return [
            (name_field(model, name), self.before.get(name), value)
            for name, value in self.after.items()
        ]


class Decision(models.Model):
    """A case of a queue that a curator has decided, so that nobody is asked again.

    ``key`` names the pictures by their SHA-256, or two people by their ids. ``group`` is that of
    the changes which came of it.
    """

    queue = models.CharField(max_length=20)
    key = models.CharField(max_length=140)
    choice = models.CharField(max_length=20)
    group = models.UUIDField(default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(fields=["queue", "key"], name="one_decision_per_case")
        ]

    def __str__(self) -> str:
        return f"{self.queue}: {self.choice}"


class Pair(models.Model):
    """Two portraits that may be one picture, or of one person under two names.

    ``key`` is that of the decision. ``distance`` is between two pictures' vectors; of two people
    it is the number that says how alike they are. ``why`` is empty where that alone counts.
    """

    class Kind(models.TextChoices):
        PICTURE = "picture", _("the same picture")
        PERSON = "person", _("the same person")

    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=140)
    one = models.ForeignKey(Portrait, models.CASCADE, related_name="+")
    other = models.ForeignKey(Portrait, models.CASCADE, related_name="+")
    distance = models.FloatField()
    why = models.CharField(max_length=100, blank=True)
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["distance", "pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="one_pair_per_key")]

    def __str__(self) -> str:
        return f"{self.one} / {self.other}"


class Threshold(models.Model):
    """A limit of the queues set by hand, which counts for more than what builds measure. See
    `celebrities.index.thresholds`."""

    class Name(models.TextChoices):
        ODD = "odd", _("odd one out: least distance to the person's other portraits")
        PICTURE = "picture", _("the same picture: greatest distance")
        PERSON = "person", _("the same person: least number, 0 to 100")

    name = models.CharField(_("queue"), max_length=10, choices=Name, unique=True)
    value = models.FloatField(_("limit"), validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("limit of a queue")
        verbose_name_plural = _("limits of queues")

    def __str__(self) -> str:
        return f"{self.get_name_display()}: {self.value}"


class FormerAddress(models.Model):
    """A slug that somebody had before, for as long as nobody else has it."""

    slug = models.SlugField(max_length=200, unique=True, allow_unicode=True)
    celebrity = models.ForeignKey(Celebrity, models.CASCADE, related_name="former_addresses")

    def __str__(self) -> str:
        return self.slug


class JobQuerySet(models.QuerySet["Job"]):
    def open(self) -> JobQuerySet:
        return self.filter(status__in=[Job.Status.WAITING, Job.Status.RUNNING])


class Job(models.Model):
    """Work on many rows that a worker does a few at a time: waiting -> running -> done, or
    stopped. ``ids`` are the rows, of which the first ``at`` are done."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")

    kind = models.CharField(_("what"), max_length=20)
    options = models.JSONField(default=dict, blank=True)
    selection = models.CharField(_("selection"), max_length=300, blank=True)
    ids = models.JSONField(default=list)
    total = models.PositiveIntegerField(default=0)
    at = models.PositiveIntegerField(_("done"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    problem = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    group = models.UUIDField(default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return f"{self.kind} ({self.total})"

    @property
    def rate(self) -> float | None:
        """Rows a second since the start."""
        if self.started_at is None or not self.at:
            return None
        until = self.finished_at or self.heartbeat_at or timezone.now()
        return self.at / max((until - self.started_at).total_seconds(), 0.1)

    @property
    def seconds_left(self) -> float | None:
        rate = self.rate
        if rate is None or self.status != Job.Status.RUNNING:
            return None
        return (self.total - self.at) / rate
