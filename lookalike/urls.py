"""All addresses. Apps are named by string only."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("uploads.urls")),
    path("people/", include("celebrities.urls")),
    path("admin/", admin.site.urls),
]
