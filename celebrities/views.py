"""The public gallery: people, credits, how it works, removal requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db import models
from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from celebrities.forms import RemovalForm
from celebrities.models import NUMBERS, Category, Celebrity, IndexBuild, Portrait, gallery_storage
from lookalike.faces.similarity import BANDS
from lookalike.http import HtmxRequest
from lookalike.senders import client_network

PEOPLE_A_PAGE = 48
CREDITS_A_PAGE = 100
ORDERS = {"name": ("sort_key", "pk"), "newest": ("-created_at", "-pk")}
PICTURE_CACHING = "public, max-age=3600, immutable"
"""An hour: whoever is taken out of sight is soon out of caches too."""
PICTURE_TYPES = {".jpg": "image/jpeg", ".webp": "image/webp"}


@require_safe
def list_people(request: HtmxRequest) -> HttpResponse:
    """All people, or those that match the search; htmx gets the list alone."""
    query = " ".join(request.GET.get("q", "").split())[:200]
    category = request.GET.get("category", "")
    order = request.GET.get("order", "name")
    order = order if order in ORDERS else "name"
    people = Celebrity.objects.searchable().named(query).order_by(*ORDERS[order]).with_portraits()
    if category:
        people = people.filter(categories__slug=category)
    asked = {"q": query, "category": category, "order": order if order != "name" else ""}
    asked = {name: value for name, value in asked.items() if value}
    context: dict[str, Any] = {
        "page_obj": Paginator(people, PEOPLE_A_PAGE).get_page(request.GET.get("page")),
        "query": query,
        "category": category,
        "order": order,
        "query_string": f"{urlencode(asked)}&" if asked else "",
    }
    if request.htmx and not request.htmx.history_restore_request:
        response = render(request, "celebrities/_people.html", context)
    else:
        context["categories"] = Category.objects.offered()
        context["coming"] = Celebrity.objects.coming().count()
        context["people_count"] = Celebrity.objects.searchable().order_by().count()
        response = render(request, "celebrities/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def show_person(request: HttpRequest, slug: str) -> HttpResponse:
    """A person's page. A former address leads to it; curators also see who is not shown."""
    person = Celebrity.objects.searchable().filter(slug=slug).first()
    if person is None:
        hidden = find_hidden(request, slug)
        if isinstance(hidden, str):
            return redirect(hidden, permanent=True)
        person = hidden
    people = Celebrity.objects.searchable()
    resemblances = person.resemblances.filter(other__in=people.order_by().values("pk"))
    others = Prefetch("other", queryset=people.with_portraits())
    portraits = list_portraits(person)
    cover = next(iter(portraits), None)
    context = {
        "celebrity": person,
        "portraits": portraits,
        "picture_url": request.build_absolute_uri(cover.thumbnail_url(640)) if cover else "",
        "resemblances": resemblances.prefetch_related(others),
    }
    return render(request, "celebrities/detail.html", context)


def list_portraits(person: Celebrity) -> models.QuerySet[Portrait]:
    """What visitors see of the person, the cover first."""
    mine = Portrait.objects.ready().filter(celebrity=person).defer(*NUMBERS)
    is_cover = models.Q(pk=person.chosen_cover_id or 0)
    return mine.order_by(models.Case(models.When(is_cover, then=0), default=1), "pk")


def find_hidden(request: HttpRequest, slug: str) -> Celebrity | str:
    """Whom a curator may look at although visitors may not, or the address that a former one
    leads to. Raises Http404."""
    person = Celebrity.objects.filter(slug=slug, merged_into=None).first()
    if person is not None and request.user.has_perm("celebrities.view_celebrity"):
        return person
    shown = Celebrity.objects.searchable()
    merged = models.Q(merged__slug=slug)
    current = shown.filter(merged | models.Q(former_addresses__slug=slug)).first()
    if person is None and current is not None:
        return current.get_absolute_url()
    raise Http404


@require_safe
def list_credits(request: HttpRequest) -> HttpResponse:
    """Every portrait with its author, licence and source."""
    portraits = (
        Portrait.objects.ready()
        .filter(celebrity__published=True)
        .select_related("celebrity")
        .defer(*NUMBERS)
        .order_by("celebrity__sort_key", "celebrity_id", "pk")
    )
    page = Paginator(portraits, CREDITS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "celebrities/credits.html", {"page_obj": page, "query_string": ""})


@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """How it works: the index in use, and what the numbers mean."""
    context = {"build": IndexBuild.objects.current(), "bands": list_bands()}
    return render(request, "celebrities/how.html", context)


def list_bands() -> list[dict[str, Any]]:
    """Each phrase with its lowest and highest number, the most alike first."""
    lows = [round(least) for least, _phrase in BANDS]
    highs = [*(low - 1 for low in lows[1:]), 100]
    return [
        {"low": low, "high": high, "phrase": gettext(phrase)}
        for low, high, (_least, phrase) in reversed(list(zip(lows, highs, BANDS, strict=True)))
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_removal(request: HttpRequest) -> HttpResponse:
    """Take a request for removal, which then appears in the admin."""
    if request.method == "POST":
        form = RemovalForm(request.POST, network=client_network(request))
        if form.is_valid():
            form.save()
            return redirect(f"{reverse('celebrities:removal')}?sent=1")
    else:
        person = Celebrity.objects.published().filter(slug=request.GET.get("person", "")).first()
        form = RemovalForm(initial={"person": person.name if person else ""})
    context = {"form": form, "sent": request.method != "POST" and "sent" in request.GET}
    return render(request, "celebrities/removal.html", context)


@require_safe
def show_picture(request: HttpRequest, name: str) -> HttpResponseBase:
    """A portrait's picture from local storage. No other file can be read.

    Pictures of people who are not published, and rejected ones, are for curators alone. The
    content of a name never changes, so browsers may cache it for an hour.
    """
    suffix = name[name.rfind(".") :]
    if not name.startswith("portraits/") or ".." in name or suffix not in PICTURE_TYPES:
        raise Http404
    shown = is_shown(name)
    if not shown and not request.user.has_perm("celebrities.view_portrait"):
        raise Http404
    try:
        file = gallery_storage().open(name)
    except (OSError, ValueError) as error:
        raise Http404 from error
    headers = {"Cache-Control": PICTURE_CACHING if shown else "private, no-store"}
    return FileResponse(file, content_type=PICTURE_TYPES[suffix], headers=headers)


def is_shown(name: str) -> bool:
    """Whether the picture belongs to a portrait that visitors may see."""
    stem = name[: name.rfind(".")].partition("-")[0]
    portraits = Portrait.objects.ready().filter(image=f"{stem}.jpg", celebrity__published=True)
    return portraits.exists()
