#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the product's sources, in the build directory that is named."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

import tree


def examine(build, path):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", build, path], capture_output=True,
                          text=True, check=False, cwd=tree.ROOT)
    found = re.findall(r"^\S+:\d+:\d+: (?:warning|error): .*$", done.stdout, re.MULTILINE)
    return [line.replace(tree.ROOT + "/", "") for line in found]


def check(root):
    build = sys.argv[1]
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        compiled = sorted({os.path.relpath(row["file"], root) for row in json.load(file)})
    wanted = [path for path in compiled if path.split("/")[0] in tree.PRODUCT]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda path: examine(build, path), wanted)
        return sorted({line for lines in found for line in lines})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tidy.py BUILD_DIRECTORY")
    tree.main(check)
