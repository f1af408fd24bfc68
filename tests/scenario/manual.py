# SPDX-License-Identifier: Apache-2.0
"""README.md and docs/ as a reader has them: pages, their blocks, and a shell to type those into.

What is typed is what is written, but for places and addresses: ports are free ones, platforms are
peers on this host, and /etc/cowgate and the like lie below the test's directory.
"""
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import time

from tests.scenario.daemon import BUILD, PROGRAM, ROOT, K, eventually, sanitizer_runtime

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*")
# A gateway in the foreground, or at the end of a block in the background.
GATEWAY = re.compile(r"(?:^|\s)(?:cowgate|\S*/cowgate|\./dev) run(?: &)?$")
# Programs that pages tell to install.
STAND_INS = ("opencode", "claude-agent-acp", "codex-acp", "gemini")
# What would change the machine that tests run on.
ELSEWHERE = re.compile(r"\b(sudo|apt|apt-get|systemctl|loginctl|launchctl|npm|docker|git)\b"
                       r"|(?<![\w.])/(boot|etc|opt|root|srv|usr|var)/")
BLOCK_SECONDS = 120


def pages():
    names = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
    return [ROOT / name for name in names] + sorted((ROOT / "docs").rglob("*.md"))


class Block:
    """A fenced block without its indentation."""

    def __init__(self, page, match):
        self.page = str(page.relative_to(ROOT))
        self.kind = match[2]
        indentation = len(match[1])
        lines = [line[indentation:] for line in match[3].splitlines()]
        self.text = "\n".join(lines) + "\n"
        self.first = lines[0]
        self.number = page.read_text()[: match.start()].count("\n") + 1

    def is_settings(self):
        """Lines for an environment file."""
        lines = [line for line in self.text.splitlines() if line and not line.startswith("#")]
        return not self.is_gateway() and all(SETTING.fullmatch(line) for line in lines)

    def is_gateway(self):
        return bool(GATEWAY.search(self.text.rstrip().splitlines()[-1]))

    def __repr__(self):
        return f"{self.page}:{self.number}: {self.first}"


def blocks(page, kind="sh"):
    found = [Block(page, match) for match in FENCE.finditer(page.read_text())]
    return [block for block in found if kind is None or block.kind == kind]


def prose(page):
    """What is outside of fenced blocks."""
    return FENCE.sub("", page.read_text())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Reader:
    """Somebody who types a page into a shell, in an empty home."""

    def __init__(self, directory, settings):
        self.home = pathlib.Path(directory)
        self.port = free_port()
        self.data = self.home / "data"
        self.swaps = {
            "127.0.0.1:8790": f"127.0.0.1:{self.port}",
            "/etc/cowgate": str(self.home / "etc/cowgate"),
            "/srv/agent": str(self.home / "srv/agent"),
            "/opt/opencode": str(self.home / "opt/opencode"),
            "/var/backups": str(self.home / "backups"),
            "/var/lib/cowgate": str(self.data),
            "install -o cowgate ": "install ",  # pages say so, for who has no such user
        }
        self.count = 0
        self.gateway = False
        self.programs()
        self.environment = {
            "PATH": f"{self.home}/programs:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            K + "DATA_DIR": str(self.data),
            K + "PORT": str(self.port),
            K + "ENV_FILE": "",
            **{K + name: str(value) for name, value in settings.items()},
        }
        if sanitizer_runtime():
            self.environment["CFLAGS"] = "-fsanitize=address,undefined"
        self.shell = subprocess.Popen(
            ["sh", "-e"], cwd=self.home / "checkout", env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def programs(self):
        """A checkout that has been built, and what pages tell to install."""
        tree = self.home / "checkout"
        (tree / "build").mkdir(parents=True)
        (tree / "build/release").symlink_to(BUILD)
        (tree / "plugin-api").mkdir()
        subprocess.run(["cp", "-R", ROOT / "plugin-api/example", tree / "plugin-api"], check=True)
        self.program(tree / "dev", '[ "$1" = run ] || exit 2\nshift\n[ $# -gt 0 ] || set -- run\n'
                     'exec cowgate "$@"\n')
        self.program(self.home / "programs/cowgate", f'exec {PROGRAM} "$@"\n')
        for name in STAND_INS:
            self.program(self.home / "programs" / name, "exit 0\n")
        self.program(self.home / "opt/opencode/bin/opencode", "exit 0\n")
        (self.home / "backups").mkdir()
        (self.home / "etc/cowgate").mkdir(parents=True)

    @staticmethod
    def program(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def here(self, text):
        """The same with places and addresses of this test."""
        for there, here in self.swaps.items():
            text = text.replace(there, here)
        return text

    def type(self, text, stdin=""):
        """What it printed; an error when a command of it failed."""
        if ELSEWHERE.search(text):
            raise AssertionError(f"not to be typed on this machine:\n{text}")
        self.count += 1
        paths = {name: self.home / f"{name}-{self.count}"
                 for name in ("in", "block", "out", "done")}
        paths["in"].write_text(stdin)
        paths["block"].write_text(text)
        self.shell.stdin.write(f". {paths['block']} <{paths['in']} >{paths['out']} 2>&1\n"
                               f": >{paths['done']}\n")
        self.shell.stdin.flush()
        end = time.monotonic() + BLOCK_SECONDS
        while not paths["done"].exists():
            if self.shell.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"failed:\n{text}\n{self.said()}")
            time.sleep(0.02)
        return paths["out"].read_text(errors="replace")

    def said(self):
        return "\n".join(path.read_text(errors="replace")[-4000:]
                         for path in sorted(self.home.glob("out-*")))

    def start(self, text):
        """A gateway; the one before it ends, as by a reader's Ctrl-C."""
        self.stop()
        self.type(text.rstrip() + ("" if text.rstrip().endswith("&") else " &") + "\ngateway=$!\n")
        self.gateway = True
        ready = eventually(lambda: "is ready on" in self.said() or self.shell.poll(), 60)
        if not ready or self.shell.poll() is not None or not self.answers():
            raise AssertionError(f"never ready:\n{text}\n{self.said()}")

    def answers(self):
        command = [self.home / "programs/cowgate", "status"]
        return eventually(lambda: subprocess.run(
            command, env=self.environment, capture_output=True, check=False).returncode == 0)

    def stop(self):
        if self.gateway and self.shell.poll() is None:
            self.type('kill "$gateway"\nwait "$gateway"\n')
        self.gateway = False

    def close(self):
        """Whatever happened, nothing of it goes on."""
        try:
            os.killpg(self.shell.pid, 9)
        except ProcessLookupError:
            pass
        self.shell.wait()
        with contextlib.suppress(BrokenPipeError):
            self.shell.stdin.close()

    # What a reader does besides typing.

    def settings_file(self, text, add=False):
        """The block as the file that a page speaks of, with the secrets that it names."""
        for name in re.findall(r"=file:(\S+)", text):
            path = pathlib.Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text("not-a-real-secret-0123456789abcdef\n")
            path.chmod(0o600)
        path = self.home / "checkout/cowgate.env"
        path.write_text((path.read_text() if add and path.exists() else "") + text)
        path.chmod(0o600)
        self.type(f"export {K}ENV_FILE=cowgate.env\n")
        self.environment[K + "ENV_FILE"] = str(path)
