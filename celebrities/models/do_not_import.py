"""Who may not come back into the gallery."""

from __future__ import annotations

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class DoNotImport(models.Model):
    """A person, or pictures, that no import and no form may add.

    ``names`` are folded; ``sha256`` and ``phashes`` are hexadecimal, of the files as received
    and of the pictures as `hash_picture` sees them.
    """

    wikidata_id = models.CharField(_("Wikidata id"), max_length=20, blank=True)
    names = models.JSONField(_("names"), default=list, blank=True)
    sha256 = models.JSONField(default=list, blank=True)
    phashes = models.JSONField(default=list, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("entry of the do-not-import list")
        verbose_name_plural = _("do-not-import list")

    def __str__(self) -> str:
        pictures = len(self.sha256) or len(self.phashes)
        parts = [
            self.wikidata_id,
            ", ".join(self.names),
            f"{pictures} pictures" if pictures else "",
        ]
        return "; ".join(part for part in parts if part)

    @property
    def sentence(self) -> str:
        day = date_format(localtime(self.created_at), "Y-m-d")
        return gettext("on the do-not-import list since %s") % day

    def has_picture_like(self, phash: int, limit: int) -> bool:
        """Whether one of the pictures differs in at most ``limit`` of 256 bits."""
        return any((int(each, 16) ^ phash).bit_count() <= limit for each in self.phashes)
