"""`make choices`: compares the engine's constants with others, prints the tables, and writes
docs/likeness.md."""

from __future__ import annotations

import argparse
import os

from benchmarks.timing import QUICK

PARTS = ("turning", "template", "person", "faces", "number", "conditions", "alike")
"""Each is a module with a function `bench_<part>`, which returns its figures."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.choices", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument(
        "--quick", action="store_true", help="a fifth of the people; printed and not kept"
    )
    parser.add_argument(
        "--render", action="store_true", help="write the page from the figures that are kept"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if arguments.quick:
        # Read when the parts are imported.
        os.environ[QUICK] = "1"
    from benchmarks.choices.page import measure_parts, write_page

    if not arguments.render:
        measure_parts(arguments.parts or PARTS, keep=not arguments.quick)
    if not arguments.quick:
        write_page()


if __name__ == "__main__":
    main()
