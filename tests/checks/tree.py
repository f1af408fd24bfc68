# SPDX-License-Identifier: Apache-2.0
"""The tree that the checks look at, and how they say what they found."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Rooms whose code ships; tests and benchmarks may look anywhere.
PRODUCT = ("plugin-api", "runtime", "config", "cloud-client", "control-plane", "gateway",
           "cli", "providers")
SKIPPED = {".git", "build", "node_modules", ".cache", "__pycache__"}


def files(root, *endings):
    """Paths relative to the root, sorted, of files with one of the endings (or all)."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names
                  if name not in SKIPPED and (not endings or name.endswith(endings))]
    return sorted(found)


def text(root, path):
    """What stands in a text file; nothing of one that is not text."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return ""


def lines(root, path):
    """(number, line) of a text file."""
    return list(enumerate(text(root, path).split("\n"), 1))


def main(check):
    """Run check(root) → findings, print them, and exit as a check does."""
    findings = check(ROOT)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} found")
    sys.exit(1 if findings else 0)
