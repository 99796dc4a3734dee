"""What waits for a curator's decision: queues of cases, each decided by one key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from celebrities.desk import portraits as desk
from celebrities.desk.history import Author, change_rows
from celebrities.desk.merging import merge
from celebrities.index.thresholds import Thresholds, thresholds
from celebrities.models import Celebrity, Decision, Pair, Portrait
from lookalike.faces.errors import Reason

Words = str | Promise
Given = Mapping[str, Any]
Work = Callable[["Case", Author, Given], object]

BAD_VOTES = 3
"""So many visitors must have said "I don't see it" before a curator is asked."""


class CaseGone(Exception):
    """The case has been decided, or its pictures are gone."""


@dataclass(frozen=True, slots=True)
class Case:
    """Pictures to decide about. ``key`` is that of the decision."""

    key: str
    portraits: list[Portrait]
    since: datetime
    why: str = ""

    @property
    def first(self) -> Portrait:
        return self.portraits[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """A button with its key. ``is_open``: the case comes back if it is still one."""

    name: str
    key: str
    words: Words
    work: Work
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """Cases of one kind. ``find`` finds its rows, portraits or pairs, decided or not."""

    slug: str
    title: Words
    question: Words
    find: Callable[[Thresholds], QuerySet[Any]]
    choices: tuple[Choice, ...] = ()
    order: tuple[str, ...] = ("pk",)
    fields: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> QuerySet[Any]:
        """Those that nobody has decided."""
        return self.undecided(thresholds())

    def undecided(self, limits: Thresholds) -> QuerySet[Any]:
        decided = Decision.objects.filter(queue=self.slug).values("key")
        rows = self.find(limits)
        name = "key" if rows.model is Pair else "image_hash"
        return rows.exclude(**{f"{name}__in": decided}).order_by(*self.order)

    def cases(self, limit: int, after: str = "") -> list[Case]:
        """The next cases, those that were put off last."""
        rows = self.rows
        if rows.model is Pair:
            rows = rows.select_related("one__celebrity", "other__celebrity")
            rows = rows.defer("one__vector", "other__vector")
        else:
            rows = rows.select_related("celebrity", "nearest__celebrity")
            rows = rows.defer("vector", "nearest__vector")
        if after.isdecimal():
            rows = rows.filter(pk__gt=int(after)) if self.order == ("pk",) else rows[1:]
        return [make_case(row) for row in rows[:limit]]

    def case(self, key: str) -> Case:
        """Raises CaseGone."""
        rows = self.rows
        row = rows.filter(**{"key" if rows.model is Pair else "image_hash": key}).first()
        if row is None:
            raise CaseGone
        return make_case(row)

    def decide(self, key: str, name: str, by: Author, given: Given) -> None:
        """Do what was chosen and remember it. Raises CaseGone, ValidationError or KeyError."""
        choice = next((each for each in self.choices if each.name == name), None)
        if choice is None:
            raise KeyError(name)
        with transaction.atomic():
            choice.work(self.case(key), by, given)
            if choice.is_open:
                return
            Decision.objects.create(
                queue=self.slug, key=key, choice=name, group=by.group, user_id=by.user_id
            )


def make_case(row: Portrait | Pair) -> Case:
    if isinstance(row, Pair):
        return Case(row.key, [row.one, row.other], row.found_at, row.why)
    return Case(row.image_hash, [row], row.created_at)


def nothing(case: Case, by: Author, given: Given) -> None:
    """The decision alone is what remains."""


def keep(case: Case, by: Author, given: Given) -> None:
    desk.confirm(desk.one(case.first), by)


def reject(case: Case, by: Author, given: Given) -> None:
    desk.reject(desk.one(case.first), by)


def reject_other(case: Case, by: Author, given: Given) -> None:
    desk.reject(desk.one(case.portraits[1]), by)


def move_to_nearest(case: Case, by: Author, given: Given) -> None:
    """File it under the person whose portrait is nearest. Raises CaseGone without one."""
    if case.first.nearest is None:
        raise CaseGone
    desk.move(desk.one(case.first), case.first.nearest.celebrity, by)


def read_again(case: Case, by: Author, given: Given) -> None:
    waiting = {"status": Portrait.Status.PENDING, "reason": ""}
    change_rows(desk.one(case.first), by, "read again", **waiting)


def choose_face(case: Case, by: Author, given: Given) -> None:
    """Take the face with the number ``face``, from 1, and have the picture read again."""
    number = int(given.get("face") or 0)
    faces = case.first.faces or []
    if not 1 <= number <= len(faces):
        raise CaseGone
    width, height = case.first.width, case.first.height
    left, top, right, bottom = faces[number - 1]
    share = [left / width, top / height, right / width, bottom / height]
    chosen = {"chosen_face": share, "status": Portrait.Status.PENDING, "reason": ""}
    change_rows(desk.one(case.first), by, "face chosen", **chosen)


def hide(case: Case, by: Author, given: Given) -> None:
    person = Celebrity.objects.filter(pk=case.first.celebrity_id)
    change_rows(person, by, "hidden", published=False)


def credit(case: Case, by: Author, given: Given) -> None:
    values = {name: value for name, value in given.get("credits", {}).items() if value}
    change_rows(desk.one(case.first), by, "credits set", **values)


def merge_into_first(case: Case, by: Author, given: Given) -> None:
    merge(case.portraits[1].celebrity, case.first.celebrity, by)


def merge_into_other(case: Case, by: Author, given: Given) -> None:
    merge(case.first.celebrity, case.portraits[1].celebrity, by)


def shown() -> QuerySet[Portrait]:
    return Portrait.objects.ready().filter(celebrity__published=True)


def odd_ones(limits: Thresholds) -> QuerySet[Portrait]:
    """Two searches by an index, where SQLite would read every portrait for an OR."""
    portraits = Portrait.objects.order_by().values("pk")
    far = portraits.filter(flag=Portrait.Flag.NONE, apart__gt=limits.odd)
    flagged = portraits.filter(flag=Portrait.Flag.ODD)
    return Portrait.objects.ready().filter(pk__in=far.union(flagged))


def doubted(limits: Thresholds) -> QuerySet[Portrait]:
    return shown().filter(not_seen__gte=BAD_VOTES, not_seen__gt=2 * F("seen"))


def unusable(limits: Thresholds) -> QuerySet[Portrait]:
    failed = Portrait.objects.filter(status=Portrait.Status.FAILED)
    return failed.exclude(reason=Reason.SEVERAL_FACES)


def several_faces(limits: Thresholds) -> QuerySet[Portrait]:
    failed = Portrait.objects.filter(status=Portrait.Status.FAILED)
    return failed.filter(reason=Reason.SEVERAL_FACES)


def same_pictures(limits: Thresholds) -> QuerySet[Pair]:
    both = Q(one__status=Portrait.Status.READY, other__status=Portrait.Status.READY)
    near = Q(distance__lte=limits.picture) | ~Q(why="")
    return Pair.objects.filter(both, near, kind=Pair.Kind.PICTURE)


def same_people(limits: Thresholds) -> QuerySet[Pair]:
    pairs = Pair.objects.filter(kind=Pair.Kind.PERSON).exclude(one__celebrity=F("other__celebrity"))
    both = Q(one__celebrity__merged_into=None, other__celebrity__merged_into=None)
    return pairs.filter(both).filter(~Q(why="") | Q(distance__gte=limits.person))


KEEP = Choice("keep", "k", _("It is this person"), keep)
REJECT = Choice("reject", "r", _("Reject"), reject)
SET = Choice("set", "s", _("Set what is filled in"), credit)
HIDE = Choice("hide", "h", _("Hide the person"), hide)

QUEUES: dict[str, Queue] = {
    queue.slug: queue
    for queue in (
        Queue(
            "odd",
            _("Odd one out"),
            _("Is this the same person as on the other portraits?"),
            odd_ones,
            (
                KEEP,
                REJECT,
                Choice("move", "m", _("Move to the person it is most like"), move_to_nearest),
            ),
        ),
        Queue(
            "faces",
            _("Choose a face"),
            _("Which face is the person's? Press its number."),
            several_faces,
            (Choice("face", "", _("This face"), choose_face, is_open=True), REJECT),
        ),
        Queue(
            "picture",
            _("The same picture twice"),
            _("Is one of them too many?"),
            same_pictures,
            (
                Choice("first", "1", _("Keep the first"), reject_other),
                Choice("second", "2", _("Keep the second"), reject),
                Choice("both", "b", _("Keep both"), nothing),
            ),
            order=("distance", "pk"),
        ),
        Queue(
            "person",
            _("Perhaps the same person"),
            _("Are these one person?"),
            same_people,
            (
                Choice("first", "1", _("One person: the first stays"), merge_into_first),
                Choice("second", "2", _("One person: the second stays"), merge_into_other),
                Choice("two", "t", _("Two people"), nothing),
            ),
            order=("-distance", "pk"),
        ),
        Queue(
            "unusable",
            _("Pictures that cannot be used"),
            _("What becomes of this picture?"),
            unusable,
            (Choice("again", "a", _("Read it again"), read_again, is_open=True), REJECT),
        ),
        Queue(
            "licence",
            _("Licence missing"),
            _("May it be shown?"),
            lambda limits: shown().filter(licence=""),
            (SET, Choice("fine", "f", _("Fine without a licence"), nothing), REJECT, HIDE),
            fields=("author", "licence", "licence_url", "source_page"),
        ),
        Queue(
            "author",
            _("Author missing"),
            _("Who made it?"),
            lambda limits: shown().filter(author=""),
            (SET, Choice("fine", "f", _("Fine without an author"), nothing)),
            fields=("author", "source_page"),
        ),
        Queue(
            "votes",
            _("Visitors don't see it"),
            _("Does the portrait show the person well?"),
            doubted,
            (KEEP, REJECT),
            order=("-not_seen", "pk"),
        ),
    )
}


def count_waiting() -> dict[str, tuple[int, datetime | None]]:
    """By queue: how many cases wait, and since when the oldest does. Queues without a case are
    left out. One statement beside those for the limits."""
    limits = thresholds()
    parts = [_count(queue, queue.undecided(limits)) for queue in QUEUES.values()]
    return {slug: (count, oldest) for slug, count, oldest in parts[0].union(*parts[1:], all=True)}


def _count(queue: Queue, rows: QuerySet[Any]) -> QuerySet[Any, tuple[str, int, datetime]]:
    since = "found_at" if rows.model is Pair else "created_at"
    grouped = rows.order_by().annotate(queue=Value(queue.slug)).values("queue")
    counted = grouped.annotate(count=Count("pk"), oldest=Min(since))
    found: QuerySet[Any, tuple[str, int, datetime]] = counted.values_list(
        "queue", "count", "oldest"
    )
    return found
