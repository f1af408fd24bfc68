# SPDX-License-Identifier: Apache-2.0
"""Peers that others wrote in JavaScript: installed from their lock file, spoken to in lines."""
import json
import os
import shutil
import subprocess
import threading
import time

from tests.peers import wanted
from tests.scenario.daemon import BUILD, ROOT


def package(name):
    """Where the package's files lie in the tree."""
    return ROOT / "tests" / "peers" / name


def install(name):
    """npm ci into the build directory, once for each state of the lock file; where that is."""
    wanted.program("node")
    npm = wanted.program("npm")
    installed = BUILD / "tests" / name
    installed.mkdir(parents=True, exist_ok=True)
    stamp = installed / "installed"
    lock = (package(name) / "package-lock.json").read_bytes()
    if stamp.exists() and stamp.read_bytes() == lock:
        return installed
    for file in ("package.json", "package-lock.json"):
        shutil.copy(package(name) / file, installed / file)
    subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=installed,
        check=True,
        capture_output=True,
        timeout=240,
    )
    stamp.write_bytes(lock)
    return installed


def node(installed):
    """The Node that a package brings along, for one that is too new for the system's; else that."""
    for brought in sorted((installed / "node_modules").glob("node-*/bin/node")):
        return str(brought)
    return shutil.which("node")


class Driver:
    """The package's driver.cjs in a process of its own; lines is what it told."""

    def __init__(self, name, *arguments):
        installed = install(name)
        self.process = subprocess.Popen(
            ["node", str(package(name) / "driver.cjs"), str(installed), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(installed)},
        )
        self.changed = threading.Condition()
        self.lines = []
        self.errors = []  # none of ours run there
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(json.loads(line))
                self.changed.notify_all()

    def tell(self, value):
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()

    def wait_for(self, predicate, seconds=30):
        """The first line of which predicate is true; None: none came in time."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for line in self.lines:
                    if predicate(line):
                        return line
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self.changed.wait(min(left, 0.5))

    def ask(self, value, seconds=30):
        """Tell it, and its next line; None: none came in time."""
        with self.changed:
            before = len(self.lines)
        self.tell(value)
        self.wait_for(lambda line: len(self.lines) > before, seconds)
        with self.changed:
            return self.lines[before] if len(self.lines) > before else None

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()
