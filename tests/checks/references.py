#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents that name tests name tests that are there."""
import re

import tree

# In a table's last cell: `file under tests/` case, case; `file` …
PART = re.compile(r"`([\w/.-]+\.(?:c|py))`([^;`]*)")
CASE = re.compile(r"[a-z_0-9]+")


def check(root):
    findings = []
    for path in tree.files(root, ".md"):
        if not path.startswith("docs/compatibility/"):
            continue
        for number, line in tree.lines(root, path):
            if not line.startswith("|"):
                continue
            for file, cases in PART.findall(line.split("|")[-2]):
                source = tree.text(root, "tests/" + file)
                if not source:
                    findings.append(f"{path}:{number}: tests/{file} is not there")
                    continue
                findings += [
                    f"{path}:{number}: tests/{file} has no case {case}"
                    for case in CASE.findall(cases)
                    if not re.search(rf"\b{case}\b", source)
                ]
    return findings


if __name__ == "__main__":
    tree.main(check)
