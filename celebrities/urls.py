from __future__ import annotations

from django.contrib.sitemaps.views import index, sitemap
from django.urls import path

from celebrities import views
from celebrities.sitemaps import list_sitemaps

SITEMAPS = list_sitemaps()

app_name = "celebrities"
urlpatterns = [
    path("how-it-works/", views.explain, name="how"),
    path("people/", views.list_people, name="list"),
    path("people/<str:slug>/", views.show_person, name="detail"),
    path("credits/", views.list_credits, name="credits"),
    path("removal/", views.ask_for_removal, name="removal"),
    path(
        "sitemap.xml",
        index,
        {"sitemaps": SITEMAPS, "sitemap_url_name": "celebrities:sitemap"},
        name="sitemaps",
    ),
    path("sitemap-<section>.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("media/gallery/<path:name>", views.show_picture, name="picture"),
]
