#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls, words and paths that do not belong in this tree."""
import re

import tree

CALLS = {
    "strcpy": "cg_buffer_* or snprintf",
    "strcat": "cg_buffer_*",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "fgets or getline",
    "strtok": "strcspn and strspn",
    "atoi": "cg_text_integer or strtol with a check",
    "atol": "strtol with a check",
    "system": "posix_spawn with an argument list",
}
CALL = re.compile(r"\b(" + "|".join(CALLS) + r")\s*\(")
STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|//.*')
# Written so that they do not find themselves.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(^|[^A-Za-z0-9._$}-])/(work|root|farm|home/[a-z]{2,}|Users/[a-z]{2,})/[A-Za-z]")
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */"
# Bytes from outside, kept as they came.
DATA = ("tests/fuzz/corpus/", "LICENSE")


def without_text(line):
    """The line without strings, comments, and the inside of a comment of several lines."""
    if re.match(r"\s*\*( |/|$)", line):
        return ""
    return STRING_OR_COMMENT.sub('""', line)


def check(root):
    findings = []
    for path in tree.files(root):
        if path.startswith(DATA):
            continue
        code = path.endswith((".c", ".h"))
        content = tree.lines(root, path)
        if code and content[0][1] != LICENCE:
            findings.append(f"{path}:1: the first line is not {LICENCE}")
        for number, line in content:
            call = CALL.search(without_text(line)) if code else None
            if call:
                findings.append(f"{path}:{number}: {call[1]}() is banned; "
                                f"mend: {CALLS[call[1]]}")
            if UNFINISHED.search(line):
                findings.append(f"{path}:{number}: unfinished; mend: do it, or an issue")
            if MACHINE.search(line):
                findings.append(f"{path}:{number}: a path of some machine; mend: a neutral one")
    return findings


if __name__ == "__main__":
    tree.main(check)
