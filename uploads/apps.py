from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UploadsConfig(AppConfig):
    name = "uploads"
    verbose_name = _("Visitors' photos")

    def ready(self) -> None:
        from uploads import following, watching  # noqa: F401
