#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the product's sources, in the build directory that is named.

Each source once, as it is first compiled: many are compiled for their tests a second time.  On
stderr a line tells how far it is.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

import tree


def examine(database, path):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", database, path], capture_output=True,
                          text=True, check=False, cwd=tree.ROOT)
    found = re.findall(r"^\S+:\d+:\d+: (?:warning|error): .*$", done.stdout, re.MULTILINE)
    return [line.replace(tree.ROOT + "/", "") for line in found]


def check(root):
    with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as file:
        rows = {os.path.relpath(row["file"], root): row for row in reversed(json.load(file))}
    wanted = sorted(path for path in rows if path.split("/")[0] in tree.PRODUCT)
    findings = set()
    with tempfile.TemporaryDirectory() as database:
        with open(os.path.join(database, "compile_commands.json"), "w",
                  encoding="utf-8") as file:
            json.dump([rows[path] for path in wanted], file)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda path: examine(database, path), wanted)
            for number, lines in enumerate(found, 1):
                findings.update(lines)
                if number % 50 == 0 or number == len(wanted):
                    print(f"{number} of {len(wanted)} files, {len(findings)} found",
                          file=sys.stderr, flush=True)
    return sorted(findings)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tidy.py BUILD_DIRECTORY")
    tree.main(check)
