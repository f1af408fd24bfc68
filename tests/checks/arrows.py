#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom, and which file owns which library."""
import os
import re

import tree

# What a floor may include besides itself.  What is not here is forbidden.
FLOORS = {
    "plugin-api": set(),
    "runtime": {"plugin-api"},
    "config": {"plugin-api"},
    "cloud-client": {"plugin-api"},
    "control-plane": {"plugin-api", "runtime"},
    "gateway": {"plugin-api", "runtime", "config", "cloud-client", "control-plane"},
    "cli": {"plugin-api", "runtime", "config", "gateway"},
    "providers": {"plugin-api"},
}
# The same among the rooms of the gateway, and what of the lower floors each room sees.
ROOMS = {
    "journal": {"runtime"},
    "delivery": {"runtime", "gateway/journal"},
    "conversation": {"runtime", "cloud-client", "gateway/journal", "gateway/delivery"},
    "plugins": {"runtime", "gateway/journal"},
    "operator": {"runtime", "config", "gateway/journal"},
    "daemon": {"runtime", "config", "cloud-client", "control-plane", "gateway/journal",
               "gateway/delivery", "gateway/conversation", "gateway/plugins",
               "gateway/operator"},
}
# Header of a library → the files that own it.
OWNERS = {
    r"event2/": r"runtime/(loop|http_\w+|tls)\.[ch]",
    r"curl/": r"runtime/http_(client|call|head)\.[ch]|plugin-api/sdk/address\.c"
              r"|providers/email/(imap_link|smtp_implicit)\.c|cli/probe_mail\.c",
    r"sqlite3\.h": r"runtime/(database|statement|transaction|migration|writer)\.[ch]",
    r"openssl/": r"plugin-api/sdk/\w+\.c|runtime/tls\.[ch]|providers/email/smtp_esmtp\.c",
    r"json-c/|json\.h": r"plugin-api/sdk/json\w*\.c",
    r"md4c": r"plugin-api/sdk/markdown\.c",
    r"dlfcn\.h": r"gateway/plugins/\w+\.c",
    r"gmime/": r"providers/email/mime\w*\.[ch]",
    r"libesmtp\.h|auth-client\.h": r"providers/email/smtp\w*\.[ch]",
}
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def place(path):
    """(floor, room): the room only inside the gateway; a provider is a floor of its own."""
    parts = path.split("/")
    floor = parts[0] if parts[0] in FLOORS else None
    room = parts[1] if floor == "gateway" and len(parts) > 2 else None
    return floor, room


def judge(path, target):
    """None, or why this file may not include that one (a path from the root)."""
    floor, room = place(path)
    target_floor, target_room = place(target)
    if target_floor is None:
        return f'"{target}" is not on any floor'
    if floor == "providers" and target_floor == "providers":
        same = path.split("/")[1] == target.split("/")[1]
        return None if same else "a provider knows no other provider"
    if floor != target_floor and target_floor not in FLOORS[floor]:
        return f"{floor} may not include {target_floor}"
    if room is None or target_floor == "plugin-api" or room == target_room:
        return None
    wanted = f"gateway/{target_room}" if target_floor == "gateway" else target_floor
    if wanted not in ROOMS.get(room, set()):
        return f"gateway/{room} may not include {wanted}"
    return None


def examine(root, path, kind, name):
    """Findings about one #include of a product file."""
    if kind == "<":
        for library, owner in OWNERS.items():
            if re.match(library, name) and not re.fullmatch(owner, path):
                return f"<{name}> belongs to {owner}; mend: call what that file offers"
        return None
    if name.startswith("cowgate/"):
        return f'public headers are included as <{name}>; mend: angle brackets'
    beside = os.path.join(os.path.dirname(path), name)
    target = beside if "/" not in name else name
    if not os.path.exists(os.path.join(root, target)):
        return f'"{name}" is neither beside this file nor a path from the root'
    reason = judge(path, target)
    if reason is None:
        return None
    return f"{reason}; mend: define a struct of functions below, fill it in above"


def check(root):
    findings = []
    for path in tree.files(root, ".c", ".h", ".def"):
        if place(path)[0] is None:
            continue
        for number, line in tree.lines(root, path):
            match = INCLUDE.match(line)
            problem = match and examine(root, path, match[1], match[2])
            if problem:
                findings.append(f"{path}:{number}: {problem}")
    return findings


if __name__ == "__main__":
    tree.main(check)
