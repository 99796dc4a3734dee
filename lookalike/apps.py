from __future__ import annotations

from django.apps import AppConfig


class LookalikeConfig(AppConfig):
    name = "lookalike"

    def ready(self) -> None:
        from django.contrib import admin

        from lookalike import checks  # noqa: F401
        from lookalike.logins import LoginForm

        admin.site.login_form = LoginForm
