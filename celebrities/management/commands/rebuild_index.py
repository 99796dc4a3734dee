from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from celebrities.management.rebuilding import rebuild_and_tell


class Command(BaseCommand):
    help = (
        "Embed the portraits that wait or that another encoder has read, build the index of "
        "every published person, and put it in use. Visitors' searches go on meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rebuild_and_tell(self.stdout)
