# SPDX-License-Identifier: Apache-2.0
"""Programs that a test cannot do without.  Where one is missing the test is skipped, and says so;
in CI it fails, because a test that was left out there would pass for one that has passed."""
import os
import pathlib
import shutil
import sys
import unittest

# Servers lie in sbin, and what ./dev unpacks lies in the tree.
TOOLS = pathlib.Path(__file__).resolve().parents[2] / "build/tools/usr/bin"
PATH = os.environ.get("PATH", "") + f":/usr/sbin:/sbin:{TOOLS}"


def missing(what):
    if os.environ.get("CI"):
        raise AssertionError(f"{what} is missing, and CI does not pass without it")
    print(f"SKIPPED: {what} is missing", file=sys.stderr)  # ./dev repeats it
    raise unittest.SkipTest(f"{what} is missing")


def program(*names):
    """Path of the first that is installed."""
    for name in names:
        path = shutil.which(name, path=PATH)
        if path:
            return path
    return missing(names[0])
