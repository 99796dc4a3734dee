"""Who can be matched: people, their categories and their portraits."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from celebrities.models.imports import GalleryImport
from celebrities.names import fold, list_spellings, make_search_key
from celebrities.occupations import WORDS
from celebrities.reasons import list_reasons

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


def gallery_storage() -> Storage:
    return storages["gallery"]


def next_year() -> int:
    return timezone.localdate().year + 1


def year_validators() -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(-3000), MaxValueValidator(next_year)]


is_wikidata_id = RegexValidator(
    r"^Q[1-9][0-9]*\Z", _("A Wikidata id is a Q and a number, such as Q7259.")
)


class CategoryQuerySet(models.QuerySet["Category"]):
    def offered(self) -> CategoryQuerySet:
        """Those with at least one searchable person: what isn't there isn't offered."""
        people = Celebrity.objects.searchable().filter(categories=models.OuterRef("pk"))
        return self.filter(models.Exists(people))


class Category(models.Model):
    """What someone is known for, such as actor; `plural` heads lists and filters."""

    slug = models.SlugField(unique=True, allow_unicode=True)
    name = models.CharField(max_length=80)
    plural = models.CharField(max_length=80)
    name_ru = models.CharField(_("name in Russian"), max_length=80, blank=True)
    plural_ru = models.CharField(_("plural in Russian"), max_length=80, blank=True)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        own = self.name_ru if get_language() == "ru" else ""
        return own or str(WORDS.get(self.name, self.name))

    @property
    def local_plural(self) -> str:
        own = self.plural_ru if get_language() == "ru" else ""
        return own or str(WORDS.get(self.plural, self.plural))


class CelebrityQuerySet(models.QuerySet["Celebrity"]):
    def published(self) -> CelebrityQuerySet:
        return self.filter(published=True)

    def searchable(self) -> CelebrityQuerySet:
        """Published, with at least one portrait that has a vector."""
        ready = Portrait.objects.ready().filter(celebrity=models.OuterRef("pk"))
        return self.published().filter(models.Exists(ready))

    def coming(self) -> CelebrityQuerySet:
        """Published, but still waiting for a first portrait to be read."""
        waiting = Portrait.objects.due().order_by().values("celebrity")
        ready = Portrait.objects.ready().filter(celebrity=models.OuterRef("pk"))
        return self.published().filter(~models.Exists(ready), pk__in=waiting)

    def publish(self) -> int:
        return self.filter(published=False).update(published=True, updated_at=timezone.now())

    def unpublish(self) -> int:
        return self.filter(published=True).update(published=False, updated_at=timezone.now())

    def with_portraits(self) -> CelebrityQuerySet:
        """Each with its ready portraits, without their vectors, in one more query."""
        ready = Portrait.objects.ready().defer(*NUMBERS).order_by("pk")
        return self.prefetch_related(models.Prefetch("portraits", queryset=ready))

    def named(self, text: str) -> CelebrityQuerySet:
        """Those whose name or other name holds every word of the text, or sounds like it where
        one of the two is not in Latin letters."""
        found = self
        for word in fold(text).split():
            holds = models.Q()
            for spelling in filter(None, list_spellings(word)):
                holds |= models.Q(search_key__contains=spelling)
            found = found.filter(holds)
        return found


class Celebrity(models.Model):
    """One person of the gallery. `clean` derives the slug and the keys for search and order."""

    class Gender(models.TextChoices):
        FEMALE = "female", _("woman")
        MALE = "male", _("man")
        OTHER = "other", _("other")
        UNKNOWN = "", _("not stated")

    name = models.CharField(_("name"), max_length=200)
    other_names = models.TextField(_("other names"), blank=True, help_text=_("One a line."))
    slug = models.SlugField(_("slug"), max_length=200, unique=True, blank=True, allow_unicode=True)
    search_key = models.TextField(editable=False, blank=True)
    sort_key = models.CharField(max_length=400, editable=False, blank=True)
    gender = models.CharField(
        _("gender"), max_length=10, choices=Gender, default=Gender.UNKNOWN, blank=True
    )
    birth_year = models.SmallIntegerField(
        _("birth year"), null=True, blank=True, validators=year_validators()
    )
    death_year = models.SmallIntegerField(
        _("death year"), null=True, blank=True, validators=year_validators()
    )
    categories = models.ManyToManyField(
        Category, blank=True, related_name="celebrities", verbose_name=_("categories")
    )
    wikidata_id = models.CharField(
        _("Wikidata id"), max_length=20, blank=True, validators=[is_wikidata_id]
    )
    source_page = models.URLField(_("source page"), max_length=500, blank=True)
    # What an importer wrote last, by field. A field that differs was changed by hand.
    source_values = models.JSONField(default=dict, blank=True, editable=False)
    # Name and folder in the source of an import, so that it finds this person again.
    import_key = models.CharField(
        max_length=500, default="", blank=True, editable=False, db_index=True
    )
    imported_in = models.ForeignKey(
        GalleryImport,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="people",
        verbose_name=_("import"),
    )
    # Whether a visitor has ever had this person in a result.
    was_shown = models.BooleanField(default=False, db_default=False, editable=False)
    is_fictional = models.BooleanField(_("fictional"), default=False)
    chosen_cover = models.ForeignKey(
        "celebrities.Portrait",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("cover"),
    )
    # Kept for a while after a merge, so that it can be taken back.
    merged_into = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, editable=False, related_name="merged"
    )
    published = models.BooleanField(_("published"), default=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    objects = CelebrityQuerySet.as_manager()
    if TYPE_CHECKING:
        portraits: RelatedManager[Portrait]

    class Meta:
        ordering = ["sort_key", "pk"]
        verbose_name = _("celebrity")
        verbose_name_plural = _("celebrities")
        constraints = [
            models.UniqueConstraint(
                fields=["wikidata_id"],
                condition=~models.Q(wikidata_id=""),
                name="one_celebrity_per_wikidata_id",
            )
        ]
        indexes = [models.Index(fields=["sort_key"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("celebrities:detail", args=[self.slug])

    @property
    def label(self) -> str:
        """The name with what tells namesakes apart: years, categories, Wikidata id."""
        years = "–".join(str(year) for year in (self.birth_year, self.death_year) if year)
        known = ", ".join(each.local_name for each in self.categories.all())
        facts = [each for each in (years, known, self.wikidata_id) if each]
        return f"{self.name} ({'; '.join(facts)})" if facts else self.name

    @property
    def cover(self) -> Portrait | None:
        """The portrait that stands for the person; `with_portraits` loads it beforehand."""
        ready = [each for each in self.portraits.all() if each.status == Portrait.Status.READY]
        chosen = (each for each in ready if each.pk == self.chosen_cover_id)
        unflagged = (each for each in ready if each.flag != Portrait.Flag.ODD)
        return next(chosen, None) or next(unflagged, None) or next(iter(ready), None)

    def clean(self) -> None:
        born, died = self.birth_year, self.death_year
        if born is not None and died is not None and died < born:
            raise ValidationError({"death_year": _("The death year is before the birth year.")})
        self.set_keys()
        if not self.slug:
            self.slug = self.free_slug()

    def set_keys(self) -> None:
        self.search_key = make_search_key(f"{self.name}\n{self.other_names}")
        self.sort_key = fold(self.name)[:400]

    def free_slug(self) -> str:
        """The name as a slug, with a number when it is taken."""
        stem = slugify(self.name, allow_unicode=True)[:190] or "person"
        others = Celebrity.objects.filter(slug__startswith=stem).exclude(pk=self.pk)
        taken = set(others.values_list("slug", flat=True))
        slug, number = stem, 2
        while slug in taken:
            slug, number = f"{stem}-{number}", number + 1
        return slug


NUMBERS = ("vector", "landmarks")
"""Columns of a portrait that no page shows. Vectors make up most of a row."""


class PortraitQuerySet(models.QuerySet["Portrait"]):
    def ready(self) -> PortraitQuerySet:
        return self.filter(status=Portrait.Status.READY)

    def pending(self) -> PortraitQuerySet:
        return self.filter(status=Portrait.Status.PENDING)

    def due(self) -> PortraitQuerySet:
        """Pending, and not waiting for another attempt."""
        return self.pending().exclude(retry_at__gt=timezone.now())

    def unread(self, encoder: str) -> PortraitQuerySet:
        """In use, but not read by this encoder ("name/version")."""
        return self.ready().exclude(encoder=encoder).exclude(next_encoder=encoder)

    def outdated(self, encoder: str) -> PortraitQuerySet:
        """Those that wait for a worker, or that this encoder ("name/version") has not read: what
        was no portrait for another may be one."""
        kept = self.exclude(status=Portrait.Status.REJECTED)
        return self.pending() | kept.exclude(encoder=encoder).exclude(next_encoder=encoder)

    def read_by(self, encoder: str) -> PortraitQuerySet:
        """Ready, and read by this encoder ("name/version"), whose vector is ``vector_read``."""
        now, coming = models.Q(encoder=encoder), models.Q(next_encoder=encoder, next_reason="")
        vector = models.Case(models.When(now, then="vector"), default="next_vector")
        return self.ready().filter(now | coming).annotate(vector_read=vector)

    def searchable(self, encoder: str) -> PortraitQuerySet:
        """Those a search may return: `read_by` this encoder, published, and not flagged as
        somebody else's."""
        shown = self.read_by(encoder).filter(celebrity__published=True)
        return shown.exclude(flag=Portrait.Flag.ODD)


MAX_FILE_BYTES = 50_000_000
"""Curators may upload larger files than visitors; the stored picture is as small."""

THUMBNAIL_WIDTHS = (160, 320, 640)
"""Thumbnails are 4:5, so that a card looks the same whoever is on it."""


def received_path(portrait: Portrait, filename: str) -> str:
    """Where a curator's file waits, out of public reach, until a worker has read it."""
    return f"received/{uuid.uuid4().hex}"


class Portrait(models.Model):
    """A celebrity's reference photo, and what the engine read from it.

    Status: pending -> ready, or pending -> failed with a reason; "recompute" makes it
    pending again. A curator may reject it: it is then shown nowhere, and keeps its file from
    being imported again. If the last attempt failed for another cause than the file, status and
    vector stay as they were, ``problem`` says why, and ``retry_at`` when to try again.
    ``image`` is at first the file as received; reading it replaces that by an upright JPEG
    without metadata, with chip and thumbnails beside it, and sets ``width``.
    ``box`` ([left, top, right, bottom]) and ``landmarks`` (five [x, y]) are in pixels of
    that JPEG. ``vector`` is the float32 vector's bytes in little-endian order.
    When the site changes its encoder, what the next one reads waits in ``next_vector``, or
    ``next_reason`` if that finds no usable face, until no search needs the one before.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        REJECTED = "rejected", _("rejected")

    class Flag(models.TextChoices):
        NONE = "", _("none")
        ODD = "odd", _("seems to be somebody else")
        CONFIRMED = "kept", _("confirmed by a curator")

    celebrity = models.ForeignKey(
        Celebrity, models.CASCADE, related_name="portraits", db_index=False
    )
    image = models.FileField(
        _("image"), storage=gallery_storage, upload_to=received_path, max_length=200
    )
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    # The largest thumbnail's width, 0 before there is any.
    thumbnail_width = models.PositiveSmallIntegerField(default=0, editable=False)
    image_hash = models.CharField(max_length=64, editable=False)
    chip = models.FileField(storage=gallery_storage, max_length=200, blank=True, editable=False)
    box = models.JSONField(null=True, blank=True, editable=False)
    landmarks = models.JSONField(null=True, blank=True, editable=False)
    confidence = models.FloatField(null=True, blank=True, editable=False)
    vector = models.BinaryField(null=True, blank=True, editable=False)
    encoder = models.CharField(max_length=80, blank=True, editable=False)
    next_vector = models.BinaryField(null=True, blank=True, editable=False)
    next_encoder = models.CharField(max_length=80, default="", blank=True, editable=False)
    next_reason = models.CharField(
        max_length=20, choices=list_reasons, default="", blank=True, editable=False
    )
    embedded_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, editable=False)
    reason = models.CharField(
        max_length=20, choices=list_reasons, default="", blank=True, editable=False
    )
    problem = models.CharField(max_length=200, default="", blank=True, editable=False)
    retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The difference hash of the stored picture, hexadecimal; see `celebrities.do_not_import`.
    phash = models.CharField(max_length=64, default="", db_default="", blank=True, editable=False)
    # When it was last compared with all others, and its distance to the person's nearest other.
    compared_at = models.DateTimeField(null=True, blank=True, editable=False)
    apart = models.FloatField(null=True, blank=True, editable=False)
    # The portrait of somebody else that it is most like.
    nearest = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    # [left, top, right, bottom] in pixels of each face, where it is not clear whose portrait it
    # is, and of the one that a curator chose, as shares of the picture's width and height.
    faces = models.JSONField(null=True, blank=True, editable=False)
    chosen_face = models.JSONField(null=True, blank=True, editable=False)
    # Set to odd by a build, which searches then leave out, and decided by a curator.
    flag = models.CharField(
        _("flag"), max_length=5, choices=Flag, default=Flag.NONE, blank=True, editable=False
    )
    author = models.CharField(_("author"), max_length=300, blank=True)
    licence = models.CharField(_("licence"), max_length=300, blank=True)
    licence_url = models.URLField(_("licence address"), max_length=500, blank=True)
    source_page = models.URLField(_("source page"), max_length=500, blank=True)
    notes = models.CharField(_("notes"), max_length=500, blank=True)
    # The original's SHA-1 on Wikimedia Commons, and what an importer wrote last, by field.
    source_sha1 = models.CharField(max_length=40, default="", blank=True, editable=False)
    source_values = models.JSONField(default=dict, blank=True, editable=False)
    # Path in the source of an import, without the folders that enclose all of it.
    import_file = models.CharField(max_length=300, default="", blank=True, editable=False)
    imported_in = models.ForeignKey(
        GalleryImport,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="portraits",
        verbose_name=_("import"),
    )
    seen = models.PositiveIntegerField(_("votes: I see it"), default=0, editable=False)
    not_seen = models.PositiveIntegerField(_("votes: I don't"), default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PortraitQuerySet.as_manager()

    class Meta:
        ordering = ["celebrity", "pk"]
        verbose_name = _("portrait")
        verbose_name_plural = _("portraits")
        constraints = [
            models.UniqueConstraint(
                fields=["celebrity", "image_hash"], name="one_portrait_per_file_and_person"
            ),
            models.UniqueConstraint(
                fields=["source_sha1"],
                condition=~models.Q(source_sha1=""),
                name="one_portrait_per_source_file",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "encoder"]),
            # Whether a person has a ready portrait is read from here, without the rows. With the
            # encoder SQLite prefers it for some people's portraits to the index above.
            models.Index(fields=["celebrity", "status", "encoder"]),
            # Whose a picture's address is.
            models.Index(fields=["image"]),
            # What waits in the desk's queues, counted without reading the rows with their vectors.
            models.Index(fields=["flag", "apart"]),
            models.Index(fields=["status", "not_seen"]),
            models.Index(fields=["licence"]),
            # Two columns that must be equal: SQLite prefers it to the index of the status.
            models.Index(
                fields=["status", "licence", "celebrity", "image_hash", "created_at"],
                condition=models.Q(licence=""),
                name="portraits_without_licence",
            ),
            models.Index(
                fields=["status", "author", "celebrity", "image_hash", "created_at"],
                condition=models.Q(author=""),
                name="portraits_without_author",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.celebrity} ({self.pk})"

    @property
    def thumbnail_names(self) -> dict[int, str]:
        """File names by width, without widths that the picture is too small for."""
        stem = str(self.image.name).removesuffix(".jpg")
        widths = [width for width in THUMBNAIL_WIDTHS if width <= self.thumbnail_width]
        return {width: f"{stem}-{width}.webp" for width in widths}

    def thumbnail_url(self, width: int) -> str:
        """The narrowest thumbnail of at least that width, else the widest; "" before any."""
        names = self.thumbnail_names
        if not names:
            return ""
        fitting = [each for each in names if each >= width]
        return gallery_storage().url(names[min(fitting, default=max(names))])

    @property
    def src(self) -> str:
        """The thumbnail for browsers that know no srcset."""
        return self.thumbnail_url(320)

    @property
    def srcset(self) -> str:
        url, names = gallery_storage().url, self.thumbnail_names
        return ", ".join(f"{url(name)} {width}w" for width, name in names.items())

    @property
    def file_names(self) -> list[str]:
        """All files of this portrait in gallery storage."""
        names = [self.image.name, self.chip.name, *self.thumbnail_names.values()]
        return [name for name in names if name]


def cleaned(celebrity: Celebrity, **changes: Any) -> Celebrity:
    """The celebrity with changes applied and derived fields set, checked but not saved. Raises
    ValidationError."""
    for field, value in changes.items():
        setattr(celebrity, field, value)
    celebrity.full_clean()
    return celebrity
