#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source file has its unit test: tests/unit/<room>/<source>_test.c.

A file without a header of its own is a part of its noun (stream_show.c of stream.h) and may be
tested with it; so may a route with the resource that it serves.  What is only something together
with a host, a terminal or a whole daemon is shown by running that: ELSEWHERE says where, and has
no row that no file needs.
"""
import os
import re

import tree

# Rooms of several folders, and where the tests of each may lie.
ROOMS = {
    "plugin-api/sdk": ("plugin-api",), "control-plane/routes": ("control-plane",),
    "control-plane/agents": ("control-plane/agents", "control-plane"),
}
# (files, tests that show them): {} is the first group.
ELSEWHERE = (
    # Whole programs, which their tests run.
    (r"runtime/keeper/main\.c", "tests/unit/runtime/keeper_test.c"),
    (r"plugin-api/example/notes\.c", "tests/contract/example_test.c"),
    # Descriptors of modules: the contract suite loads them and holds them to what they say.
    (r"providers/(\w+)/plugin\.c", "tests/contract/{}_subject.c"),
    # The program itself: run as people run it.
    (r"cli/main\.c", "tests/scenario/test_cli.py"),
)


def rooms(path):
    """Where the unit tests of a source file may lie."""
    folder = os.path.dirname(path)
    if folder in ROOMS:
        return ROOMS[folder]
    return (folder.replace("/", "-") if folder.startswith("gateway/") else folder,)


def names(root, path):
    """What the test may be called after: the file, and the nouns that it is a part of."""
    folder, name = os.path.split(path[:-2])
    public = f"plugin-api/include/cowgate/sdk/{name}.h"
    found = [name]
    if not any(is_there(root, header) for header in (path[:-2] + ".h", public)):
        parts = name.split("_")
        found += ["_".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
    if folder == "control-plane/routes":
        found.append(re.sub(r"ies$", "y", name) if name.endswith("ies") else name[:-1])
    return found


def is_there(root, path):
    return os.path.exists(os.path.join(root, path))


def check(root, elsewhere=ELSEWHERE):
    findings = []
    needed = set()
    for path in tree.files(root, ".c"):
        if not path.startswith(tuple(f"{room}/" for room in tree.PRODUCT)):
            continue
        tests = [f"tests/unit/{folder}/{name}_test.c"
                 for name in names(root, path) for folder in rooms(path)]
        if any(is_there(root, test) for test in tests):
            continue
        rows = shown_elsewhere(root, path, elsewhere)
        needed.update(rows)
        if not rows:
            findings.append(f"{path}:1: has no unit test; mend: {tests[0]}")
    findings += [f"tests/checks/tested.py:1: {pattern} lets no file pass; mend: remove its row"
                 for pattern, _ in elsewhere if pattern not in needed]
    return findings


def shown_elsewhere(root, path, elsewhere):
    """The patterns of the rows by which the file may go without a test of its own."""
    matches = [(pattern, shown, re.fullmatch(pattern, path)) for pattern, shown in elsewhere]
    return [pattern for pattern, shown, match in matches
            if match and is_there(root, shown.format(*match.groups()))]


if __name__ == "__main__":
    tree.main(check)
