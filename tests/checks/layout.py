#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-format 14 decides layout; files and functions keep to their sizes.

With --write, lays every file out instead of judging it, and mends torn members.
"""
import os
import re
import shutil
import subprocess
import sys

import tree

VERSION = "14"
FILE_LINES = 800
FUNCTION_LINES = 100
# A member's long comment tears type and name apart; above the member it does not.
TORN = re.compile(r"^\t((?:const |struct |enum |unsigned )*\w+(?: \*)?)\n"
                  r"\t\t(\*?\w+(?:\[\w+\])?;) (/\*[^\n]*\*/)$", re.MULTILINE)


def formatter():
    """The program of the right version, or None: other versions lay out differently."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if program is None:
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True,
                              check=False).stdout
        if re.search(rf"version {VERSION}\.", said):
            return program
    return None


def formatting(root, paths):
    program = formatter()
    if program is None:
        said = f"clang-format {VERSION} is not here"
        if os.environ.get("CI") == "true":
            return [f"{said}; mend: install it"]
        print(f"{said}: formatting was not judged")
        return []
    done = subprocess.run([program, "--dry-run", "-Werror", *paths], capture_output=True,
                          text=True, check=False, cwd=root)
    found = re.findall(r"^(\S+:\d+):\d+: error:.*$", done.stderr, re.MULTILINE)
    if done.returncode != 0 and not found:
        return [done.stderr.strip()]
    return [f"{where}: layout; mend: ./dev format" for where in found]


def sizes(root, path):
    """Files, and functions of the product, that are too long."""
    findings = []
    begun = None
    content = tree.lines(root, path)
    if len(content) > FILE_LINES:
        findings.append(f"{path}:{FILE_LINES}: {len(content)} lines; mend: a file is one noun")
    for number, line in content:
        if line == "{":
            begun = number
        elif line == "}" and begun is not None:
            long = number - begun > FUNCTION_LINES and path.startswith(tree.PRODUCT)
            if long:
                findings.append(f"{path}:{begun}: a function of {number - begun} lines; "
                                "mend: name its parts")
            begun = None
    return findings


def torn(root, path):
    text = tree.text(root, path)
    return [f"{path}:{text.count(chr(10), 0, match.start()) + 2}: type and name torn apart; "
            "mend: ./dev format" for match in TORN.finditer(text)]


def join(match):
    """The member whole again, its comment above it."""
    kind, name, comment = match.groups()
    space = "" if kind.endswith("*") else " "
    return f"\t{comment}\n\t{kind}{space}{name}"


def check(root):
    paths = tree.files(root, ".c", ".h")
    findings = formatting(root, paths)
    for path in paths:
        findings += sizes(root, path) + torn(root, path)
    return findings


def write(root):
    program = formatter()
    if program is None:
        sys.exit(f"clang-format {VERSION} is not here; other versions lay out differently")
    for path in tree.files(root, ".c", ".h"):
        before = tree.text(root, path)
        after = TORN.sub(join, before)
        if after != before:
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(after)
    subprocess.run([program, "-i", *tree.files(root, ".c", ".h")], check=True, cwd=root)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write(tree.ROOT)
    else:
        tree.main(check)
