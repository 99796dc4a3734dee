"""The form for people in the gallery, and what curators' forms check."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from celebrities.candidates import find_candidates
from celebrities.models import RemovalRequest
from lookalike.senders import count

MOST_FROM_AN_ADDRESS = 10
MOST_AN_HOUR = 1000
"""Requests taken in an hour. Nobody alone can use up what everybody together may send."""


class RemovalForm(forms.ModelForm[RemovalRequest]):
    """A wish to be taken out, or to have a credit put right. No selfie, no ID."""

    # People don't see this field; programs that fill in everything give themselves away.
    website = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = RemovalRequest
        fields = ["person", "message", "contact"]
        widgets = {
            "person": forms.TextInput(attrs={"autocomplete": "name"}),
            "message": forms.Textarea(attrs={"rows": 6}),
            "contact": forms.EmailInput(attrs={"autocomplete": "email"}),
        }

    def __init__(self, *args: Any, network: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.network = network

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since = timezone.now() - timedelta(hours=1)
        if cleaned.get("website"):
            raise ValidationError(_("That looked automated. Please try again."))
        if (
            count(f"removal from {self.network}") > MOST_FROM_AN_ADDRESS
            or RemovalRequest.objects.filter(created_at__gte=since).count() >= MOST_AN_HOUR
        ):
            raise ValidationError(_("Too many requests right now. Please try again in an hour."))
        return cleaned

    def save(self, commit: bool = True) -> RemovalRequest:
        """Linked to the person in the gallery, where only one can be meant."""
        candidates = find_candidates(self.instance)
        if len(candidates) == 1:
            self.instance.celebrity = candidates[0]
        return super().save(commit)
