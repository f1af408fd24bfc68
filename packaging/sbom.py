#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a build stands on, as an SPDX 2.3 document: the program, and every shared library that its
files load, with the Debian package and version that it comes from.

usage: sbom.py VERSION ARCHITECTURE ROOT FILE...

ROOT is where that architecture's libraries lie, / for this machine's own; DPKG_ADMINDIR names the
package database that knows them.  FILE: the executable and the modules as built.
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def libraries(architecture, root, files):
    """Paths of all shared objects that these files load, and that those load."""
    triplet = run("dpkg-architecture", "-f", "-a", architecture, "-q", "DEB_HOST_MULTIARCH").strip()
    folders = [pathlib.Path(root) / top / triplet for top in ("lib", "usr/lib")]
    found, left = {}, list(files)
    while left:
        for name in re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-dW", left.pop())):
            if name not in found:
                found[name] = next((str(folder / name) for folder in folders
                                    if (folder / name).exists()), None)
                if found[name] is None:
                    raise SystemExit(f"sbom: {name} is not in {folders}")
                left.append(found[name])
    return set(found.values())


def package_of(path):
    """(name, version) of the package that owns a file; the file may be named by its old place."""
    real = os.path.realpath(path)
    for name in dict.fromkeys((path, real, real.removeprefix("/usr"), "/usr" + path)):
        done = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            package = done.stdout.split(": ")[0].split(",")[0]
            return package, run("dpkg-query", "-W", "-f", "${Version}", package)
    raise SystemExit(f"sbom: no package owns {path}")


def spdx_id(text):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def document(version, architecture, root, files):
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    packages = [{
        "SPDXID": "SPDXRef-cowgate",
        "name": "cowgate",
        "versionInfo": version,
        "licenseDeclared": "Apache-2.0",
        "downloadLocation": "NOASSERTION",
        "checksums": [{
            "algorithm": "SHA256",
            "checksumValue": hashlib.sha256(pathlib.Path(files[0]).read_bytes()).hexdigest(),
        }],
    }]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-cowgate")]
    for name, number in sorted({package_of(path) for path in libraries(architecture, root, files)}):
        bare = name.split(":")[0]
        packages.append({
            "SPDXID": spdx_id(bare),
            "name": bare,
            "versionInfo": number,
            "licenseDeclared": "NOASSERTION",
            "downloadLocation": "NOASSERTION",
            "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:deb/debian/{bare}@{number}?arch={architecture}",
            }],
        })
        relations.append(("SPDXRef-cowgate", "DYNAMIC_LINK", spdx_id(bare)))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"cowgate-{version}",
        "documentNamespace": f"https://example.org/cowgate/sbom/{version}/{architecture}/{epoch}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
            "creators": ["Organization: The Cowgate authors"],
        },
        "packages": packages,
        "relationships": [
            {"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
            for a, kind, b in relations
        ],
    }


if __name__ == "__main__":
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    print(json.dumps(document(*sys.argv[1:4], sys.argv[4:]), indent=2))
