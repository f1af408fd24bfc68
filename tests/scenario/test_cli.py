# SPDX-License-Identifier: Apache-2.0
"""A person at a real terminal: what they type, what they see, how it ends."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest
import urllib.request

from tests.peers.receiver import message, sign
from tests.scenario.daemon import PROGRAM

PREFIX = "OPEN_COWORK_GATEWAY_"
SECRET = "a-secret-of-the-webhook"
UP = "\033[A"
STEER = re.compile(r"\033\[[?0-9;]*[a-zA-Z]")


class Terminal:
    """The daemon on a pseudo terminal of its own."""

    def __init__(self, data, columns=80, term="xterm-256color", **settings):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.raw = b""
        environment = {"PATH": os.environ["PATH"], "TERM": term, "HOME": data}
        environment[PREFIX + "DATA_DIR"] = data
        environment[PREFIX + "PORT"] = "0"
        environment.update({PREFIX + name: value for name, value in settings.items()})
        self.process = subprocess.Popen(
            [str(PROGRAM), "run"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=data,
            start_new_session=True,
        )
        self.slave = slave  # ours, too, to ask for its modes

    def type(self, keys):
        os.write(self.master, keys.encode())

    def _read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.raw += os.read(self.master, 65536)

    def until(self, wanted, seconds=20):
        """Read until this has been shown since the last call; what was shown until then."""
        end = time.monotonic() + seconds
        while True:
            shown = self.raw.decode(errors="replace")
            found = re.search(wanted, shown)
            if found:
                self.raw = shown[found.end() :].encode()
                return shown[: found.end()]
            if time.monotonic() > end:
                raise AssertionError(f"{wanted!r} was not shown in {shown!r}")
            self._read(0.2)

    def ends(self, seconds=20):
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self._read(0.1)
        return self.process.poll()

    def modes(self):
        return termios.tcgetattr(self.slave)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


PROMPT = "\r› "


class AtATerminal(unittest.TestCase):
    def setUp(self):
        if not PROGRAM.exists():
            self.fail(f"{PROGRAM} is not built; set COWGATE_BUILD")
        self.data = tempfile.TemporaryDirectory(prefix="cowgate-cli-")
        self.addCleanup(self.data.cleanup)

    def terminal(self, **how):
        terminal = Terminal(self.data.name, **how)
        self.addCleanup(terminal.close)
        terminal.until(PROMPT)
        terminal.until("daemon.ready")
        terminal.until(PROMPT)
        return terminal

    def test_a_conversation_and_its_end(self):
        terminal = self.terminal()
        terminal.type("hello there\r")
        terminal.until("\r\033\\[Khello there\r\n\r\n")
        terminal.type("\x04")
        self.assertEqual(terminal.ends(), 0)
        self.assertEqual(terminal.modes(), terminal.before, "it is given back as it was")

    def test_history_and_editing(self):
        terminal = self.terminal()
        terminal.type("one\r")
        terminal.until("\r\033\\[Kone\r\n")
        terminal.type(UP + "\033[H" + "twenty-\r")
        terminal.until("\r\033\\[Ktwenty-one\r\n")
        terminal.type(UP + UP + "\r")
        terminal.until("\r\033\\[Kone\r\n")

    def test_many_lines_are_one_message(self):
        terminal = self.terminal()
        for keys in (
            "first\\\rsecond\r",
            "\033[200~first\rsecond\033[201~\r",
            '"""\rfirst\rsecond\r"""\r',
        ):
            terminal.type(keys)
            terminal.until("\r\033\\[Kfirst\r\nsecond\r\n\r\n")

    def test_markdown_is_readable_and_wrapped(self):
        terminal = self.terminal(columns=40)
        terminal.type("a **bold** word, `code`, [link](http://example.org)\r")
        shown = terminal.until("example.org\\)\r\n\r\n")
        self.assertIn("\033[1mbold\033[0m", shown)
        self.assertIn("\033[36mcode\033[0m", shown)
        answer = shown.split("\033[K")[-1]
        for line in STEER.sub("", answer).split("\r\n"):
            self.assertLessEqual(len(line), 40, shown)

    def test_an_agent_cannot_steer_the_terminal(self):
        terminal = self.terminal()
        terminal.type("x \033[200~\033]0;title\007\033[201~y\r")
        shown = terminal.until("\r\033\\[Kx .*y\r\n")
        self.assertNotIn("\033]0;", shown)

    def test_the_log_leaves_the_prompt_alone(self):
        terminal = Terminal(
            self.data.name,
            CLI_ENABLED="true",
            WEBHOOK_DELIVERY_URL="http://127.0.0.1:1/",
            WEBHOOK_SHARED_SECRET=SECRET,
            WEBHOOK_ALLOW_FROM="*",
            LOG_LEVEL="debug",
        )
        self.addCleanup(terminal.close)
        url = re.search(r"http://[0-9.:]+", terminal.until("ready on http://[0-9.:]+ "))
        terminal.type("half a thou")
        terminal.until("half a thou")
        body, stamp = message("from elsewhere"), str(int(time.time()))
        signed = {
            "x-open-cowork-gateway-webhook-timestamp": stamp,
            "x-open-cowork-gateway-webhook-signature": sign(SECRET, stamp, body),
        }
        request = urllib.request.Request(url.group() + "/webhooks/webhook", body, signed)
        with urllib.request.urlopen(request, timeout=20) as answer:
            self.assertEqual(answer.status, 202)
        shown = terminal.until("\r\033\\[K2[0-9-]+T[^\r]*message.prompted[^\r]*\r\n")
        terminal.until("\r› half a thou")
        self.assertNotRegex(shown, "thou2")
        terminal.type("ght\r")
        terminal.until("\r\033\\[Khalf a thought\r\n")

    def test_an_approval_is_a_number(self):
        terminal = self.terminal()
        terminal.type("ask make coffee\r")
        shown = terminal.until(r"\[(\d)\] Deny")
        self.assertIn("make coffee", shown)
        self.assertIn("[1] Approve", shown)
        terminal.type("1\r")
        terminal.until("Approved")
        terminal.until("allowed once")
        terminal.type("1\r")
        terminal.until(PROMPT)

    def test_a_dumb_terminal_has_lines(self):
        terminal = Terminal(self.data.name, term="dumb")
        self.addCleanup(terminal.close)
        terminal.until("daemon.ready")
        self.assertEqual(terminal.modes(), terminal.before)
        terminal.type("hello\n")
        terminal.until("\r\nhello\r\n\r\n")
        terminal.type("\x04")
        self.assertEqual(terminal.ends(), 0)

    def test_interrupted_it_gives_the_terminal_back(self):
        terminal = self.terminal()
        terminal.process.send_signal(signal.SIGINT)
        self.assertEqual(terminal.ends(), 0)
        self.assertEqual(terminal.modes(), terminal.before)


if __name__ == "__main__":
    unittest.main()
