from __future__ import annotations

from django.apps import AppConfig


class LookalikeConfig(AppConfig):
    name = "lookalike"

    def ready(self) -> None:
        from lookalike import checks  # noqa: F401
