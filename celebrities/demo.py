"""The galleries that come with the project: portraits of the US Congress, and a fictional cast."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.conf import settings

from celebrities.gallery import delete_celebrities, delete_portraits
from celebrities.importers.layout import Plan, plan_import
from celebrities.importers.sources import FolderSource
from celebrities.models import Celebrity, Portrait, PortraitQuerySet

GALLERIES = settings.BASE_DIR / "celebrities" / "galleries"


@dataclass(frozen=True, slots=True)
class Demo:
    """``left_out`` is how the names of files end that stay out of the gallery."""

    folder: str
    is_fictional: bool
    left_out: str

    @property
    def source(self) -> FolderSource:
        return FolderSource(GALLERIES / self.folder)

    def plan(self) -> Plan:
        plan = plan_import(self.source)
        plan.portraits = [each for each in plan.portraits if not each.file.endswith(self.left_out)]
        plan.skipped.clear()
        return plan

    def portraits(self) -> PortraitQuerySet:
        """Those in the gallery, known by their files."""
        source, files = self.source, [each.file for each in self.plan().portraits]
        hashes = [hashlib.sha256(source.read(file)).hexdigest() for file in files]
        return Portrait.objects.filter(
            image_hash__in=hashes, celebrity__is_fictional=self.is_fictional
        )

    def remove(self) -> int:
        """Delete the portraits, and everybody who then has none. Returns how many people lost
        theirs."""
        portraits = self.portraits()
        people = set(portraits.values_list("celebrity", flat=True))
        delete_portraits(portraits)
        delete_celebrities(Celebrity.objects.filter(pk__in=people, portraits=None))
        return len(people)


CONGRESS = Demo("congress", is_fictional=False, left_out=".md")
# The third photo of each of the cast is for trying the site with.
FICTIONAL = Demo("fictional", is_fictional=True, left_out="_3.jpg")
