"""The curators' pages: people with their portraits, index builds, removal requests."""

from __future__ import annotations

from celebrities.admin import builds, do_not_import, imports, jobs, people, portraits, requests

__all__ = ["builds", "do_not_import", "imports", "jobs", "people", "portraits", "requests"]
