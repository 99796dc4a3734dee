"""The figures of all parts -> docs/benchmarks.md and its plots. No number is typed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.photos import GOALS
from benchmarks.plots import plot_bars, plot_line
from benchmarks.reasons import INDEX, PHOTO, QUALITY, SITE

Results = dict[str, Any]

INTRODUCTION = """# Benchmarks

Made by `make benchmark`, which runs every contestant on the same machine in the same run,
warm, in alternating order, and takes medians. Ratios count; absolute times are this
machine's. Peers are used as their own documentation shows them.
"""


def write_report(results: Results, folder: Path) -> None:
    """Write ``folder``/benchmarks.md, and the plots to ``folder``/benchmarks."""
    sections = {
        "photos": _write_photos,
        "encoders": _write_encoders,
        "site": _write_site,
        "index": _write_index,
        "growth": _write_growth,
        "memory": _write_memory,
        "quality": _write_quality,
        "pages": _write_pages,
    }
    plots = folder / "benchmarks"
    plots.mkdir(parents=True, exist_ok=True)
    lines = [INTRODUCTION]
    for name, write in sections.items():
        if name in results:
            part = results[name]
            lines += [*write(part["figures"], plots), "", _say_where(part), ""]
    (folder / "benchmarks.md").write_text("\n".join(lines).rstrip() + "\n")


def _say_where(part: dict[str, Any]) -> str:
    machine = part["machine"]
    return (
        f"*{part['date']}: {machine['cores']} cores of {machine['processor']} "
        f"({machine['instructions']}), {machine['memory_gb']} GB, "
        f"Python {machine['python']}, load {machine['load_before']} at the start; "
        f"{part['seconds']} s.*"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return [*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)]


def _profile_table(what: str, profiles: dict[str, dict[str, float]]) -> list[str]:
    parts = list(next(iter(profiles.values())))
    rows = [[name, *profile.values()] for name, profile in profiles.items()]
    return _table([what, *parts], rows)


def _explain(goals: Iterable[Sequence[object]], reasons: dict[str, str]) -> list[str]:
    """The reason of each kind of missed goal, by words that its line in the table has."""
    missed = [" ".join(map(str, goal)) for goal in goals if goal[-1] == "missed"]
    why = [f"- {words}: {why}" for words, why in reasons.items() if any(words in m for m in missed)]
    return ["", "Missed, and why:", "", *why] if why else []


def _judge(reached: float, goal: float, *, least: bool = True) -> str:
    return "reached" if (reached >= goal if least else reached <= goal) else "missed"


def _write_photos(figures: dict[str, Any], plots: Path) -> list[str]:
    rows, goals = [], []
    for photo, found in figures["photos"].items():
        ours = found["lookalike"]["ms"]
        for name, one in found.items():
            times = f"{one['ms'] / ours:.1f}"
            rows.append([photo, name, f"{one['ms']:.1f}", one["faces"], one["runs"], times])
            goal = GOALS[photo].get(name)
            if goal:
                goals.append([photo, name, goal, times, _judge(one["ms"] / ours, goal)])
    plot_bars(figures["photos"], plots / "photos.svg")
    absent = [f"- {name} took no part: {why}" for name, why in figures["absent"].items()]
    return [
        f"## Photo to vectors, one photo, {figures['threads']} thread",
        "",
        "From the file's bytes to a vector for each face. facenet-pytorch with its trained "
        "detector and an encoder of random weights (the time is the same); deepface with the "
        "detector and encoder of dlib, since all its others fetch weights from elsewhere.",
        "",
        *_table(["photo", "who", "ms", "faces", "runs", "times ours"], rows),
        "",
        *([*absent, ""] if absent else []),
        "Where our own time goes, milliseconds, profiled:",
        "",
        *_profile_table("photo", figures["profile"]),
        "",
        *_table(["photo", "beside", "goal", "reached", ""], goals),
        *_explain(goals, dict.fromkeys(figures["photos"], PHOTO)),
        "",
        "![Milliseconds a photo](benchmarks/photos.svg)",
    ]


def _write_encoders(figures: dict[str, Any], plots: Path) -> list[str]:
    dlib, facenet = figures["dlib"], figures["facenet"]
    names = list(next(iter(dlib["ms_a_face"].values())))
    work = dlib["gflop_a_face"]
    dlib_rows = [
        [n, *(f"{t[name]:.2f}" for name in names), f"{work / t['lookalike'] * 1000:.0f}"]
        for n, t in dlib["ms_a_face"].items()
    ]
    rate = figures["matrix_gflops"]
    facenet_rows, best_dlib, best_eager, best_rate = [], 0.0, 0.0, 0.0
    for times in dlib["ms_a_face"].values():
        best_dlib = max(best_dlib, times["dlib"] / times["lookalike"])
    for batch, times in facenet["ms_a_face"].items():
        ours, eager = times["lookalike"], times["torch eager"]
        gflops = facenet["gflop_a_face"] / ours * 1000
        best_eager, best_rate = max(best_eager, eager / ours), max(best_rate, gflops / rate)
        facenet_rows.append(
            [batch, f"{ours:.1f}", f"{eager:.1f}", f"{eager / ours:.1f}", f"{gflops:.0f}"]
        )
    int8 = figures["int8"]
    ways = int8["ways"]
    least = min(times["dlib"] for times in dlib["ms_a_face"].values())
    eager_rate = max(
        facenet["gflop_a_face"] / times["torch eager"] * 1000
        for times in facenet["ms_a_face"].values()
    )
    goals = [
        ["embedded, times dlib", 40, f"{best_dlib:.1f}", _judge(best_dlib, 40)],
        [
            "same numbers as dlib",
            "1e-5",
            f"{dlib['largest_difference']:.1e}",
            _judge(dlib["largest_difference"], 1e-5, least=False),
        ],
        ["InceptionResnetV1, times eager", 3, f"{best_eager:.1f}", _judge(best_eager, 3)],
        ["share of the matrix rate", 0.8, f"{best_rate:.2f}", _judge(best_rate, 0.8)],
    ]
    reasons = {
        "times dlib": f"a face takes {work:.2f} GFLOP, at the matrix rate "
        f"{work / rate * 1000:.1f} ms; a fortieth of dlib's time is {least / 40:.1f} ms. Tried: "
        "dlib's scaling folded into the convolutions (kept), batches, and 8 bits (above), which "
        "is nearer to 40 times but has other numbers than dlib.",
        "times eager": f"eager torch itself does {eager_rate:.0f} GFLOP/s, so that three times "
        f"would be {3 * eager_rate:.0f}, more than the matrix rate of {rate:.0f}. Tried: the "
        "normalisations folded into the convolutions (kept), and batches.",
        "share of the matrix rate": "convolutions of few channels and pooling between them.",
    }
    return [
        f"## The encoders alone, {figures['threads']} thread",
        "",
        "The embedded encoder beside dlib, milliseconds a face. The first column does dlib's "
        "arithmetic once, as dlib does; the second is what the site runs, each chip with its "
        f"mirror image. The largest difference of any number is {dlib['largest_difference']:.1e}.",
        "",
        *_table(["faces at once", *names, "our GFLOP/s"], dlib_rows),
        "",
        "InceptionResnetV1 with random weights, milliseconds a face; the least cosine to torch "
        f"is {facenet['least_cosine']:.6f}. A product of two 2048 x 2048 float32 matrices runs "
        f"at {rate:.0f} GFLOP/s here (a multiplication and an addition are two).",
        "",
        *_table(
            ["faces at once", "lookalike", "torch eager", "times", "our GFLOP/s"], facenet_rows
        ),
        "",
        "The embedded encoder in 8 bits, as ONNX Runtime quantizes it, beside what the site runs. "
        f"The least cosine between the two is {int8['least_cosine']}. Not kept: its vectors would "
        "depend on the processor that made them, and a gallery outlives a processor.",
        "",
        *_table(
            ["", "ms a face", "people", "rank-1", "rank-6", "verification"],
            [
                [
                    name,
                    one["ms_a_face"],
                    one["people"],
                    *(f"{one[key]:.4f}" for key in ("rank1", "rank6", "verification")),
                ]
                for name, one in ways.items()
            ],
        ),
        "",
        *_table(["goal", "wanted", "reached", ""], goals),
        *_explain(goals, reasons),
    ]


def _write_site(figures: dict[str, Any], plots: Path) -> list[str]:
    rows, goals = [], []
    kinds = {name: one for name, one in figures.items() if name != "watched"}
    spent = next(iter(kinds.values()))["cpu_ms"]
    for kind, one in kinds.items():
        half, steps = one["at_half_rate"], one["steps"]
        rows.append(
            [
                kind,
                one["photos_per_second"],
                half["p50_s"],
                half["p95_s"],
                steps["queue_ms"],
                steps["worker_ms"],
                steps["engine_ms"],
                steps["added_ms"],
            ]
        )
        rate, p95, added = one["photos_per_second"], half["p95_s"], steps["added_ms"]
        goals += [
            [f"{kind}: photos a second", one["goal"], rate, _judge(rate, one["goal"])],
            [f"{kind}: p95 at half rate, s", 0.5, p95, _judge(p95, 0.5, least=False)],
            [f"{kind}: added to the engine, ms", 15, added, _judge(added, 15, least=False)],
        ]
    watched = figures["watched"]
    waits = {float(visitors): found["p95_s"] for visitors, found in watched["waits"].items()}
    ratio = waits[500] / waits[0]
    plot_line("waiting visitors", waits, plots / "waiting.svg", unit="p95, s")
    goals.append(
        ["p95 with 500 waiting visitors, times", 2, f"{ratio:.2f}", _judge(ratio, 2, least=False)]
    )
    return [
        "## Through the whole site",
        "",
        "gunicorn, Valkey over TCP, PostgreSQL and two worker processes on the same cores as "
        "the visitors who send the photos. All photos sent at once for the rate; then evenly "
        "at half of it, from the click to the page that shows the result, which is asked for as "
        "often as the waiting page asks.",
        "",
        *_table(
            ["photo", "photos/s", "p50 s", "p95 s", "queue ms", "worker ms", "engine ms", "added"],
            rows,
        ),
        "",
        "Milliseconds of a core that each kind of process spends on a photo while all are sent "
        "at once; the cores are shared by all of them.",
        "",
        *_table(
            ["photo", *spent, "together"],
            [
                [kind, *one["cpu_ms"].values(), f"{sum(one['cpu_ms'].values()):.1f}"]
                for kind, one in kinds.items()
            ],
        ),
        "",
        "Where the worker's time goes, one photo at a time, milliseconds, profiled:",
        "",
        *_profile_table("photo", {kind: one["profile"] for kind, one in kinds.items()}),
        "",
        "Four uploads a second beside visitors on the waiting page, who ask "
        f"{watched['questions_per_second']} questions a second at the most.",
        "",
        *_table(
            ["waiting visitors", *watched["waits"]],
            [["p95 s", *(found["p95_s"] for found in watched["waits"].values())]],
        ),
        "",
        "![Seconds by waiting visitors](benchmarks/waiting.svg)",
        "",
        *_table(["goal", "wanted", "reached", ""], goals),
        *_explain(goals, SITE),
    ]


def _write_index(figures: list[dict[str, Any]], plots: Path) -> list[str]:
    rows, goals, profiles = [], [], {}
    for one in figures:
        size = f"{one['items']:,} x {one['dimensions']}"
        for name in ("lookalike", "exact numpy", "hnswlib", "usearch", "faiss"):
            found = one.get(name)
            if not found:
                continue
            if "absent" in found:
                rows.append([size, name, found["absent"], "", "", "", ""])
                continue
            setting = found.get("setting", "")
            if name == "lookalike":
                setting = f"{found['method']}; {setting}"
            build = found.get("build_s", "")
            rows.append(
                [size, name, setting, found["recall"], found["p50_ms"], found["p95_ms"], build]
            )
        ours, exact = one["lookalike"], one["lookalike"]["exact"]
        profiles[size] = ours["profile"]
        goals += [
            [size, "recall", 0.99, ours["recall"], _judge(ours["recall"], 0.99)],
            [
                size,
                "p50 no slower than our exact scan, ms",
                exact["p50_ms"],
                ours["p50_ms"],
                _judge(ours["p50_ms"], exact["p50_ms"] * 1.2, least=False),
            ],
            [
                size,
                "p50 no slower than exact numpy, ms",
                one["exact numpy"]["p50_ms"],
                ours["p50_ms"],
                _judge(ours["p50_ms"], one["exact numpy"]["p50_ms"], least=False),
            ],
            [
                size,
                "added by a second process",
                0.05,
                ours["added_by_process"],
                _judge(ours["added_by_process"], 0.05, least=False),
            ],
        ]
        if one["items"] == 1_000_000:
            p95, build = ours["p95_ms"], ours["build_s"]
            goals += [
                [size, "p95, ms", 5, p95, _judge(p95, 5, least=False)],
                [size, "build, s", 180, build, _judge(build, 180, least=False)],
            ]
    return [
        "## The index",
        "",
        "Vectors drawn with the mean and covariance of the shared portraits' own; for 512 "
        "dimensions the spectrum is stretched. Recall of the true 12, single queries, one "
        "thread; the others widen their search until they find 0.99 of them.",
        "",
        *_table(["gallery", "who", "setting", "recall", "p50 ms", "p95 ms", "build s"], rows),
        "",
        "Where the time of an approximate search goes, milliseconds, profiled:",
        "",
        *_profile_table("gallery", profiles),
        "",
        *_table(["gallery", "goal", "wanted", "reached", ""], goals),
        *_explain(goals, INDEX),
    ]


def _write_growth(figures: dict[str, dict[str, float]], plots: Path) -> list[str]:
    lines = ["## Cost as work grows", ""]
    for number, (what, times) in enumerate(figures.items()):
        path = plots / f"growth-{number}.svg"
        plot_line(what, {float(amount): ms for amount, ms in times.items()}, path)
        lines += [
            *_table([what, *times], [["ms", *times.values()]]),
            "",
            f"![Milliseconds by {what}](benchmarks/{path.name})",
            "",
        ]
    return lines[:-1]


def _write_memory(figures: dict[str, float], plots: Path) -> list[str]:
    grown, size = figures["grown"], figures["after_all_mb"]
    return [
        "## Memory",
        "",
        f"A process with the engine, after 50 and after {figures['photos']:,} mixed photos.",
        "",
        *_table(
            ["goal", "wanted", "reached", ""],
            [
                ["resident, MB", 450, size, _judge(size, 450, least=False)],
                ["grown", "5 %", f"{grown * 100:.1f} %", _judge(grown, 0.05, least=False)],
            ],
        ),
    ]


def _write_quality(figures: dict[str, Any], plots: Path) -> list[str]:
    people, faces = figures["people"], figures["faces"]
    rows = [
        [
            name,
            one["people"],
            one["without_face"],
            f"{one['rank1']:.4f}",
            f"{one['rank6']:.4f}",
            f"{one['verification']:.4f}",
        ]
        for name, one in people.items()
    ]
    which = "real portraits" if figures["real"] else "photos of the fictional cast"
    ours, theirs = people["lookalike"], people["dlib"]
    goals = [
        [
            f"{words} above dlib's own pipeline",
            f"{theirs[key]:.4f}",
            f"{ours[key]:.4f}",
            _judge(ours[key] - theirs[key], 1e-9),
        ]
        for words, key in (("rank-1", "rank1"), ("rank-6", "rank6"))
    ]
    goals += [
        ["largest face as MTCNN's", 0.995, faces["agreed"], _judge(faces["agreed"], 0.995)],
        ["faces of 40 px lost", 0, faces["lost"], _judge(faces["lost"], 0, least=False)],
    ]
    return [
        "## Right as well as fast",
        "",
        f"{figures['photos']} {which}. Of the people with two, the first is the gallery and the "
        "second the query. Template and mirror averaging were chosen on these same pairs, so "
        "this is no held-out test; one person more or less is chance.",
        "",
        *_table(["who", "people", "no face", "rank-1", "rank-6", "verification"], rows),
        "",
        *_table(["goal", "wanted", "reached", ""], goals),
        *_explain(goals, QUALITY),
    ]


def _write_pages(figures: dict[str, Any], plots: Path) -> list[str]:
    rows, goals = [], []
    for address, page in figures["pages"].items():
        rows.append([f"`{address}`", page["queries"], page["ms"]])
        if address == "/people/":
            goals = [
                [
                    "queries of the list",
                    10,
                    page["queries"],
                    _judge(page["queries"], 9, least=False),
                ],
                ["its server time, ms", 100, page["ms"], _judge(page["ms"], 100, least=False)],
            ]
    return [
        f"## Pages with {figures['people']:,} people",
        "",
        "Server time of a page, the database SQLite, medians.",
        "",
        *_table(["page", "queries", "ms"], rows),
        "",
        *_table(["goal", "wanted", "reached", ""], goals),
    ]
