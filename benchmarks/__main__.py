"""`make benchmark`: measures parts, keeps their figures and renders docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from benchmarks.compare import compare_checkouts
from benchmarks.figures import load_records, save_record
from benchmarks.page import write_pages
from benchmarks.parts import PARTS, run_part
from benchmarks.paths import BESIDE, FIGURES, WORK
from benchmarks.timing import QUICK


def run_parts(parts: list[str], *, quick: bool) -> None:
    for part in parts:
        print(f"{part} ...", flush=True)
        record = run_part(part)
        print(f"{part}: {record['seconds']} s", flush=True)
        if quick:
            print(json.dumps(record["figures"], indent=1))
        else:
            save_record(FIGURES, part, record)
    write_pages(load_records(FIGURES), FIGURES.parent)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="reduced runs, printed and not kept")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure parts (all by default) and write the page")
    run.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part")
    run.add_argument(
        "--beside", type=Path, help="folder of another checkout, whose site is measured in between"
    )
    commands.add_parser("render", help="write the page from the figures that are kept")
    compare = commands.add_parser("compare", help="photos by another checkout and by this one")
    compare.add_argument("base", type=Path, help="folder of the other checkout")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    if arguments.quick:
        os.environ[QUICK] = "1"
    if arguments.command == "compare":
        print(*compare_checkouts(arguments.base), sep="\n")
    elif arguments.command == "render":
        write_pages(load_records(FIGURES), FIGURES.parent)
    else:
        if arguments.beside:
            os.environ[BESIDE] = str(arguments.beside)
        run_parts(arguments.parts or [*PARTS], quick=arguments.quick)


if __name__ == "__main__":
    main()
