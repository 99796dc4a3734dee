"""What other apps may want to follow in the gallery."""

from __future__ import annotations

from django.dispatch import Signal

portraits_moved = Signal()
"""Sent with ``ids`` of portraits and the id of the person ``to`` whom they belong from now on."""

person_shown = Signal()
"""Sent with the ``person`` whom a curator looks at; what receivers return, a sentence or "", stands
above the form."""
