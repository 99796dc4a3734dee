"""A visitor's pages: giving a photo, waiting, the result."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "uploads"
urlpatterns: list[URLPattern] = []
