"""Django's system checks for this project: what is set wrongly is said before it does harm."""

from __future__ import annotations
