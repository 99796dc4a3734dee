"""Which folders are people, and which hold people."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from celebrities.importers.manifest import MANIFEST, is_address
from celebrities.importers.naming import (
    is_container,
    is_full_name,
    is_name,
    is_occupation,
    may_be_person,
    strip_number,
)


def find_root(paths: Collection[str]) -> str:
    """The folders that enclose everything, as packers add them: "" or a path that ends in "/".
    A person's folder is none of them."""
    tops = {path.partition("/")[0] for path in paths}
    if len(tops) != 1 or any("/" not in path or is_address(path) for path in paths):
        return ""
    (top,) = tops
    inside = [path.removeprefix(f"{top}/") for path in paths]
    if any(path.lower() == MANIFEST for path in inside):
        return f"{top}/"
    folders = {path.partition("/")[0] for path in inside if "/" in path}
    people = not is_full_name(top) and folders and all(map(may_be_person, folders))
    if _is_group(top, inside) or (people and all("/" in path for path in inside)):
        return f"{top}/{find_root(inside)}"
    return ""


def find_groups(paths: Iterable[str]) -> set[str]:
    """The outermost folders in which each folder, or each file, is a person."""
    inside: dict[str, list[str]] = {}
    for path in paths:
        top, slash, rest = path.partition("/")
        if slash and not is_address(path):
            inside.setdefault(top, []).append(rest)
    return {top for top, rests in inside.items() if _is_group(top, rests)}


def _is_group(top: str, inside: Collection[str]) -> bool:
    """True for a folder that is named for people, or for no person, and holds people's; also
    for any that is not named as a person is, and holds nothing but folders that are."""
    folders = {path.partition("/")[0] for path in inside if "/" in path}
    stems = {strip_number(PurePosixPath(path).stem) for path in inside if "/" not in path}
    if folders and not stems and not is_full_name(top) and all(map(is_full_name, folders)):
        return True
    if is_container(top):
        return all(map(may_be_person, folders))
    people = all(map(may_be_person, folders)) and all(map(is_full_name, stems))
    return people and (is_occupation(top) or not is_name(top))
