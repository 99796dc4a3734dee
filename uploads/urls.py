"""The visitor's pages: the form, waiting, the result."""

from __future__ import annotations

from django.urls import path

from uploads.views import delete, pictures, share, status, upload, vote

app_name = "uploads"
urlpatterns = [
    path("", upload.new, name="new"),
    path("samples/<slug:key>.jpg", upload.sample, name="sample"),
    path("u/<uuid:upload_id>/", status.detail, name="detail"),
    path("u/<uuid:upload_id>/status/", status.status, name="status"),
    path("u/<uuid:upload_id>/photo.jpg", pictures.photo, name="photo"),
    path("u/<uuid:upload_id>/faces/<int:number>/crop.jpg", pictures.crop, name="crop"),
    path("u/<uuid:upload_id>/faces/<int:number>/chip.jpg", pictures.chip, name="chip"),
    path(
        "u/<uuid:upload_id>/faces/<int:number>/share.png", share.share_picture, name="share_picture"
    ),
    path("u/<uuid:upload_id>/faces/<int:number>/link/", share.link, name="link"),
    path("u/<uuid:upload_id>/vote/", vote.vote, name="vote"),
    path("u/<uuid:upload_id>/delete/", delete.delete, name="delete"),
    path("s/<str:token>/", share.shared, name="shared"),
    path("s/<str:token>/chip.jpg", share.shared_chip, name="shared_chip"),
    path("s/<str:token>/share.png", share.shared_picture, name="shared_picture"),
]
