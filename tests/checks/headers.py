#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, under gcc and under clang."""
import concurrent.futures
import os
import shutil
import subprocess

import tree

PACKAGES = ("libevent", "libcurl", "openssl", "json-c", "sqlite3", "md4c", "cunit")
FLAGS = ("-std=c17 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -D_POSIX_C_SOURCE=200809L "
         "-D_DEFAULT_SOURCE -D_DARWIN_C_SOURCE").split()


def package_flags():
    found = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True,
                           text=True, check=False)
    return found.stdout.split()


def compile_alone(root, path, compiler, extra):
    folder = os.path.dirname(os.path.join(root, path))
    command = [compiler, *FLAGS, *extra, f"-I{root}", f"-I{root}/plugin-api/include",
               f"-I{folder}", "-x", "c", "-"]
    # Twice: a header also guards against itself.
    text = f'#include "{path}"\n' * 2
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                          cwd=root)
    if done.returncode == 0:
        return None
    first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)
    return f"{path}:1: does not compile alone under {compiler}; mend: {first.strip()}"


def check(root, compilers=("gcc", "clang")):
    missing = [compiler for compiler in compilers if not shutil.which(compiler)]
    findings = [f"{compiler} is not installed" for compiler in missing]
    extra = package_flags()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compile_alone, root, path, compiler, extra)
                for path in tree.files(root, ".h")
                for compiler in compilers if compiler not in missing]
        findings += [job.result() for job in jobs if job.result()]
    return findings


if __name__ == "__main__":
    tree.main(check)
