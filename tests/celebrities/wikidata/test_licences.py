"""Which licences are taken, and what the credit says."""

from __future__ import annotations

import pytest

from celebrities.wikidata.licences import Credit, NotFree, html_to_text, read_credit

BY_SA = "https://creativecommons.org/licenses/by-sa/4.0/"


def credit(**fields: str) -> Credit:
    return read_credit({name: {"value": value} for name, value in fields.items()})


def test_it_works() -> None:
    found = credit(
        Artist='<a href="//commons.wikimedia.org/wiki/User:Jo" title="User:Jo">Jo &amp; Al</a>',
        License="cc-by-sa-4.0",
        LicenseShortName="CC BY-SA 4.0",
        LicenseUrl="https://creativecommons.org/licenses/by-sa/4.0",
        AttributionRequired="true",
        Restrictions="personality",
        Copyrighted="True",
    )

    assert found == Credit("Jo & Al", "CC BY-SA 4.0", BY_SA.removesuffix("/"))


@pytest.mark.parametrize(
    ("key", "name", "url", "licence", "licence_url"),
    [
        ("cc-by-sa-4.0", "CC BY-SA 4.0", "", "CC BY-SA 4.0", BY_SA),
        ("cc-by-2.0", "", "", "CC BY 2.0", "https://creativecommons.org/licenses/by/2.0/"),
        ("cc-by-sa-3.0-de", "CC BY-SA 3.0 de", f"{BY_SA}de", "CC BY-SA 3.0 de", f"{BY_SA}de"),
        ("", "CC BY 4.0", "", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("cc-by-sa-4.0", "CC BY-SA 4.0", "http://creativecommons.org/x", "CC BY-SA 4.0",
         "https://creativecommons.org/x"),
        ("cc-by-sa-4.0", "CC BY-SA 4.0", "//creativecommons.org/x", "CC BY-SA 4.0",
         "https://creativecommons.org/x"),
        ("cc-by-sa-4.0", "CC BY-SA 4.0", "http://[x", "CC BY-SA 4.0", BY_SA),
        ("cc-by-sa-4.0", "CC BY-SA 4.0", "javascript:alert(1)", "CC BY-SA 4.0", BY_SA),
        ("cc0", "CC0", "", "CC0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("pd", "Public domain", "", "Public domain", ""),
        ("pd-usgov", "Public domain", "", "Public domain", ""),
        ("", "Public domain", "", "Public domain", ""),
    ],
)  # fmt: skip
def test_takes_free_licences(key: str, name: str, url: str, licence: str, licence_url: str) -> None:
    found = credit(Artist="Jo", License=key, LicenseShortName=name, LicenseUrl=url)

    assert found == Credit("Jo", licence, licence_url)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no free licence"),
        ({"LicenseShortName": "GFDL"}, "GFDL is not taken"),
        ({"License": "attribution", "LicenseShortName": "Attribution"}, "not taken"),
        ({"License": "cc-by-nc-2.0", "LicenseShortName": "CC BY-NC 2.0"}, "NC"),
        ({"License": "cc-by-nd-2.0", "LicenseShortName": "CC BY-ND 2.0"}, "ND"),
        ({"License": "cc-by-nc-sa-2.0"}, "NC"),
        ({"License": "cc-by-4.0", "LicenseShortName": "CC BY-NC-ND 4.0"}, "NC"),
        ({"License": "cc-by-4.0", "UsageTerms": "Attribution-NonCommercial 4.0"}, "NC"),
        ({"License": "cc-by-4.0", "UsageTerms": "Attribution-NoDerivs 2.0"}, "ND"),
        (
            {
                "License": "cc-by-4.0",
                "LicenseUrl": "https://creativecommons.org/licenses/by-nd/4.0/",
            },
            "ND",
        ),
        ({"LicenseShortName": "Fair use"}, "no free licence"),
        ({"License": "pd", "UsageTerms": "All rights reserved"}, "no free licence"),
        ({"License": "cc-by-sa-4.0", "NonFree": "true"}, "NonFree"),
        ({"License": "cc-by-sa-4.0", "NonFree": "1"}, "NonFree"),
        ({"License": "cc-by-sa-4.0", "DeletionReason": "<p>copyvio</p>"}, "deletion"),
        ({"License": "cc-by-sa-4.0", "Artist": ""}, "author"),
        ({"License": "cc-by-sa-4.0", "Artist": "<i>Unknown author</i>"}, "author"),
        ({"License": "cc-by-4.0", "Artist": '<span style="display:none">Jo</span>'}, "author"),
        ({"License": "pd", "Artist": "", "AttributionRequired": "true"}, "author"),
    ],
)
def test_refuses_everything_else(fields: dict[str, str], reason: str) -> None:
    with pytest.raises(NotFree, match=reason):
        credit(**{"Artist": "Jo", **fields})


def test_an_author_is_not_needed_where_the_licence_asks_for_none() -> None:
    assert credit(License="cc0", AttributionRequired="false").author == ""
    assert credit(License="pd", NonFree="false").author == ""


def test_prefers_the_attribution_that_the_author_asks_for() -> None:
    found = credit(License="cc-by-4.0", Artist="Jo", Attribution="© Jo Doe / example.org")

    assert found.author == "© Jo Doe / example.org"


def test_cuts_an_author_that_the_gallery_has_no_room_for() -> None:
    assert len(credit(License="cc-by-4.0", Artist="Jo " * 500).author) == 300


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Jo Doe", "Jo Doe"),
        ("R&amp;D &lt;Jo&gt;", "R&D <Jo>"),
        ("<table><tr><td>Jo</td><td>Doe<table><tr><td>x</td></tr></table></td></tr></table>",
         "Jo Doe x"),
        ("Jo<br>Doe<br/>Al", "Jo Doe Al"),
        ("<b>J</b>o", "Jo"),
        ("<div class='fn value'>\n<a href='#'>Jo</a>\u00a0Doe</div>", "Jo Doe"),
        ("Jo<script>alert(1)</script><style>p {}</style>", "Jo"),
        ("Jo<span style='display: none;'> creator <b>QS:P170</b><br></span> Doe", "Jo Doe"),
        ("<p>Jo<p>Doe", "Jo Doe"),
        ("<td>Jo <b>Doe", "Jo Doe"),
        ("Jo <!-- <b>hidden</b> --> Doe", "Jo Doe"),
        ("<img src=x onerror=alert(1)>Jo", "Jo"),
    ],
)  # fmt: skip
def test_html_becomes_text(html: str, text: str) -> None:
    assert html_to_text(html) == text
