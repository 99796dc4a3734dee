"""Whether visitors see a person, and why not."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from celebrities.models import Celebrity, Portrait
from celebrities.signals import person_shown

Status = Portrait.Status


def why_unseen(person: Celebrity) -> list[str]:
    """Sentences that say what keeps visitors from seeing the person; none if they do."""
    reasons = []
    if not person.published:
        reasons.append(_("Not published: tick “published” and save."))
    states = {each.status for each in person.portraits.all()}
    if Status.READY not in states:
        reasons.append(_explain(states))
    return reasons


def _explain(states: set[str]) -> str:
    if Status.PENDING in states:
        return _("No portrait has been read yet: a worker does so within a minute.")
    if Status.FAILED in states:
        return _("No portrait can be used: their cards say why. Add another one.")
    if Status.REJECTED in states:
        return _("All portraits are rejected: accept one, or add another.")
    return _("There is no portrait: add one below.")


def remarks(person: Celebrity) -> list[str]:
    """Sentences on what visitors see that a curator should know of."""
    ready = [each for each in person.portraits.all() if each.status == Status.READY]
    found = []
    if bare := sum(not each.licence for each in ready):
        words = ngettext(
            "%d portrait that visitors see has no licence.",
            "%d portraits that visitors see have no licence.",
            bare,
        )
        found.append(words % bare)
    if odd := sum(each.flag == Portrait.Flag.ODD for each in ready):
        words = ngettext(
            "%d portrait seems to be of somebody else; searches leave it out.",
            "%d portraits seem to be of somebody else; searches leave them out.",
            odd,
        )
        found.append(words % odd)
    told = (said for _receiver, said in person_shown.send(Celebrity, person=person))
    return [*found, *filter(None, told)]
