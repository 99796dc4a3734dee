from __future__ import annotations

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig


class LookalikeConfig(AppConfig):
    name = "lookalike"
    default = True

    def ready(self) -> None:
        from lookalike import checks  # noqa: F401
        from lookalike.logins import LoginForm

        admin.site.login_form = LoginForm


class DeskConfig(SimpleAdminConfig):
    """Django's admin, as the curators' desk."""

    default_site = "lookalike.desk.Desk"
    default = False

    def ready(self) -> None:
        super().ready()
        admin.autodiscover()
