"""All URLs. The apps are named by strings, so that nothing is imported from them."""

from django.contrib import admin
from django.urls import include, path

from lookalike import probes, views

urlpatterns = [
    path("", include("uploads.urls")),
    path("", include("celebrities.urls")),
    path("privacy/", views.privacy, name="privacy"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.icon, {"name": "favicon-32.png"}),
    path("apple-touch-icon.png", views.icon, {"name": "icon-180.png"}),
    path("apple-touch-icon-precomposed.png", views.icon, {"name": "icon-180.png"}),
    path("site.webmanifest", views.manifest, name="manifest"),
    path("service-worker.js", views.service_worker, name="service_worker"),
    path("healthz", probes.well, name="health"),
    path("healthz/live", probes.live),
    path("healthz/ready", probes.ready),
    path("metrics", probes.show_metrics),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]

handler400 = "lookalike.views.bad_request"
handler500 = "lookalike.views.server_error"
