"""Index builds, and who in the gallery looks like whom."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from celebrities.models.people import Celebrity, Portrait
from lookalike.faces import similarity
from lookalike.faces.index import BuildFacts


class IndexBuildQuerySet(models.QuerySet["IndexBuild"]):
    def current(self) -> IndexBuild | None:
        """The build that searches use, or None before the first."""
        return self.filter(status=IndexBuild.Status.PUBLISHED).order_by("-finished_at").first()


class IndexBuild(models.Model):
    """One build of the index: building -> published -> superseded, or building -> failed."""

    class Status(models.TextChoices):
        BUILDING = "building", _("building")
        PUBLISHED = "published", _("in use")
        SUPERSEDED = "superseded", _("superseded")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    # "host:pid" of the process that builds, so that a dead one's build can be taken over.
    builder = models.CharField(max_length=100, blank=True)
    encoder = models.CharField(max_length=80)
    # A key of `celebrities.index.backends.BACKENDS`; empty for builds of earlier versions.
    backend = models.CharField(max_length=20, blank=True)
    items = models.PositiveIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=12, choices=Status, default=Status.BUILDING)
    error = models.TextField(blank=True)
    manifest = models.JSONField(default=dict, blank=True)
    # How well the gallery is told apart; see `celebrities.index.measuring`.
    measured = models.JSONField(default=dict, db_default={}, blank=True)
    # What is being done for it, and the share of that which is done.
    step = models.CharField(max_length=40, default="", db_default="", blank=True)
    share = models.FloatField(default=0, db_default=0)
    # No build is made without being asked for: this one was taken instead of the next, or stopped.
    held = models.BooleanField(default=False, db_default=False)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = IndexBuildQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("index build")
        verbose_name_plural = _("index builds")
        constraints = [
            # One build at a time: the second to start fails here, whatever process it is in.
            models.UniqueConstraint(
                fields=["status"], condition=models.Q(status="building"), name="one_build_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["status"], condition=models.Q(status="published"), name="one_build_in_use"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def facts(self) -> BuildFacts | None:
        """What is known of a finished build; None for one of an earlier version."""
        try:
            return BuildFacts.from_json(self.manifest)
        except ValueError:
            return None

    @property
    def method(self) -> str:
        """How this build searches unless asked otherwise: "exact" or "approximate"."""
        return str(self.facts.method) if self.facts else ""


class BuildCohort(models.Model):
    """The portraits that a build's people were compared with, as
    `lookalike.faces.people.Cohort.to_bytes` writes them."""

    build = models.OneToOneField(
        IndexBuild, models.CASCADE, primary_key=True, related_name="cohort"
    )
    content = models.BinaryField()

    def __str__(self) -> str:
        return str(self.build)


class Likeness(models.Model):
    """How alike a person of the gallery is to the face that was searched with. The most alike
    has rank 1; ``similarity`` is that of `lookalike.faces.types.Neighbour`."""

    rank = models.PositiveSmallIntegerField()
    similarity = models.FloatField()

    class Meta:
        abstract = True

    @property
    def number(self) -> int:
        """0 to 100, as pages show it."""
        return max(0, round(self.similarity))

    @property
    def phrase(self) -> str:
        """The words for `number`, in the active language."""
        return gettext(similarity.phrase(self.number))


class Resemblance(Likeness):
    """Who in the gallery looks most like another person in it."""

    celebrity = models.ForeignKey(Celebrity, models.CASCADE, related_name="resemblances")
    other = models.ForeignKey(Celebrity, models.CASCADE, related_name="+")

    class Meta:
        ordering = ["celebrity", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["celebrity", "rank"], name="one_resemblance_per_rank")
        ]

    def __str__(self) -> str:
        return f"{self.celebrity}: {self.rank}"

    @property
    def portrait(self) -> Portrait | None:
        return self.other.cover
