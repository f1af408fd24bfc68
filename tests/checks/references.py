#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents name what is there: tests in tables that show something, pages and headings that are
linked to, files and directories of this tree."""
import glob
import os
import re

import tree

# In the last cell of a table headed "shown by": `file under tests/` case, case; `file` …
PART = re.compile(r"`([\w/.-]+\.(?:c|py))`([^;`]*)")
CASE = re.compile(r"[a-z_0-9]+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
PLACE = re.compile(r"[\w.-]+(/[\w.*-]+)*/?")


def prose(root, path):
    """(number, line) of what is not in a fenced block."""
    fenced = False
    for number, line in tree.lines(root, path):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def headings(root, path):
    """Anchors of a page, as they are made of its headings."""
    titles = [line.lstrip("#").strip() for _, line in prose(root, path) if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def bad_tests(root, line):
    for file, cases in PART.findall(line.split("|")[-2]):
        source = tree.text(root, "tests/" + file)
        if not source:
            yield f"tests/{file} is not there"
            continue
        for case in CASE.findall(cases):
            if not re.search(rf"\b{case}\b", source):
                yield f"tests/{file} has no case {case}"


def bad_links(root, page, line):
    for target in LINK.findall(line):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(os.path.join(root, path)):
            yield f"{target} leads nowhere"
        elif anchor and anchor not in headings(root, path):
            yield f"{path} has no heading #{anchor}"


def bad_places(root, line):
    for text in CODE.findall(line):
        first = text.split("/")[0]
        if "/" not in text or not PLACE.fullmatch(text) or first in tree.SKIPPED:
            continue
        if os.path.isdir(os.path.join(root, first)) and not glob.glob(os.path.join(root, text)):
            yield f"{text} is not there"


def check(root):
    findings = []
    for path in tree.files(root, ".md"):
        if "/" in path and not path.startswith("docs/"):
            continue
        shows = False
        for number, line in prose(root, path):
            bad = [*bad_links(root, path, line), *bad_places(root, line)]
            if line.startswith("|"):
                last = line.split("|")[-2].strip()
                shows = last.lower() == "shown by" or shows
                bad += bad_tests(root, line) if shows else []
            else:
                shows = False
            findings += [f"{path}:{number}: {what}" for what in bad]
    return findings


if __name__ == "__main__":
    tree.main(check)
