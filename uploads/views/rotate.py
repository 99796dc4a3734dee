"""Turn the photo: another try where the site took a wrong side for up."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from lookalike.queue import QueueAway
from uploads.intake import rotate_upload
from uploads.limits import QueueFull, TooManyUploads, check_owner
from uploads.models import Upload
from uploads.views.upload import refuse_more
from uploads.visitors import own_upload


@require_POST
@own_upload
def rotate(request: HttpRequest, upload: Upload) -> HttpResponse:
    """Counts like sending a photo."""
    try:
        check_owner(upload.owner)
        rotate_upload(upload)
    except TooManyUploads as error:
        return refuse_more(request, error)
    except QueueFull:
        messages.warning(request, _("We’re busy. Please try again in a minute."))
    except QueueAway:
        pass  # The page waits, and says that face matching is offline.
    return redirect(upload)
