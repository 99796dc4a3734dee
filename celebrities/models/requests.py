"""What people ask of the curators."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from celebrities.models.people import Celebrity


class RemovalRequest(models.Model):
    """Someone asks to be taken out of the gallery, or to have a credit put right."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DONE = "done", _("done")
        DECLINED = "declined", _("declined")

    celebrity = models.ForeignKey(
        Celebrity, models.SET_NULL, null=True, blank=True, related_name="removal_requests"
    )
    person = models.CharField(_("name of the person in the gallery"), max_length=200)
    contact = models.EmailField(_("your email address"), blank=True)
    message = models.TextField(_("your request"), max_length=4000)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    curator_note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When it was done or declined; None while it is open."""

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("removal request")
        verbose_name_plural = _("removal requests")

    def __str__(self) -> str:
        return self.person
