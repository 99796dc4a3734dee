"""The gallery's public pages."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "celebrities"
urlpatterns: list[URLPattern] = []
