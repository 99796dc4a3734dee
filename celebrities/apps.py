from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CelebritiesConfig(AppConfig):
    name = "celebrities"
    verbose_name = _("Gallery")

    def ready(self) -> None:
        from celebrities import checks, deleted, revision, watching  # noqa: F401
