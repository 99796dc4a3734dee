"""The curators' pages: people with their portraits, index builds, removal requests."""

from __future__ import annotations

from celebrities.admin import builds, people, portraits, requests

__all__ = ["builds", "people", "portraits", "requests"]
