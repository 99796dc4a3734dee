"""The visitor's pages: the form, waiting, the result."""

from django.urls import path

from uploads.views import delete, pictures, rotate, share, status, upload, vote, why

FACE = "u/<uuid:upload_id>/faces/<int:number>"

app_name = "uploads"
urlpatterns = [
    path("", upload.new, name="new"),
    path("share/", upload.share_target, name="share_target"),
    path("u/<uuid:upload_id>/", status.detail, name="detail"),
    path("u/<uuid:upload_id>/status/", status.status, name="status"),
    path("u/<uuid:upload_id>/photo.jpg", pictures.photo, name="photo"),
    path(f"{FACE}/crop.jpg", pictures.face, {"field": "crop"}, name="crop"),
    path(f"{FACE}/chip.jpg", pictures.face, {"field": "chip"}, name="chip"),
    path(f"{FACE}/share.png", share.share_picture, name="share_picture"),
    path(f"{FACE}/link/", share.link, name="link"),
    path("u/<uuid:upload_id>/why/<int:match_id>/", why.why, name="why"),
    path("u/<uuid:upload_id>/vote/", vote.vote, name="vote"),
    path("u/<uuid:upload_id>/rotate/", rotate.rotate, name="rotate"),
    path("u/<uuid:upload_id>/delete/", delete.delete, name="delete"),
    path("results/delete/", delete.delete_all, name="delete_all"),
    path("s/<str:token>/", share.shared, name="shared"),
    path("s/<str:token>/chip.jpg", share.shared_chip, name="shared_chip"),
    path("s/<str:token>/share.png", share.shared_picture, name="shared_picture"),
]
