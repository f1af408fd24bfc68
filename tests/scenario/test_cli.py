# SPDX-License-Identifier: Apache-2.0
"""A person at a real terminal: what they type, what they see, how it ends."""
import base64
import fcntl
import json
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
LABEL = "♻ This may be a repeat:\n"
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

    def die(self):
        self.process.kill()
        self.process.wait()

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

    def test_a_question_is_a_number_or_words(self):
        terminal = self.terminal()
        terminal.type("question Tea?\r")
        shown = terminal.until(r"\[4\] \S+")
        number = re.search(r"\[(\d)\] no\b", shown).group(1)
        terminal.type(f"{number}\r")
        terminal.until("answer 1: no")
        terminal.type("question Tea?\r")
        terminal.until(r"\[4\] \S+")
        terminal.type("/answer green, please\r")
        terminal.until("answer 1: green, please")

    def test_an_answer_over_a_restart(self):
        """Killed while it comes: the next process shows it, once."""
        terminal = self.terminal(LOG_LEVEL="debug")
        words = " ".join(f"w{number}" for number in range(100))
        terminal.type(f"stream 100 {words}\r")
        terminal.until("message.prompted")
        terminal.die()
        terminal = self.terminal()
        terminal.type("the end\r")
        shown = STEER.sub("", terminal.until("\r\033\\[Kthe end\r\n\r\n"))
        self.assertEqual(" ".join(shown.split()).count(words), 1, shown)

    def test_an_approval_over_a_restart(self):
        """The agent died with the process and asks again."""
        terminal = self.terminal()
        terminal.type("ask make coffee\r")
        terminal.until(r"\[\d\] Deny")
        terminal.die()
        terminal = Terminal(self.data.name)
        self.addCleanup(terminal.close)
        shown = terminal.until(r"\[\d\] Deny")
        self.assertIn("make coffee", shown)
        shown = ""
        while "allowed once" not in shown:
            # First the old card may come again, when its receipt died with the process.
            terminal.type("1\r")
            shown = terminal.until("allowed once|no longer open")

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


class Pipe:
    """The daemon between two pipes; the one that it writes to holds as little as one can."""

    def __init__(self, data):
        environment = {"PATH": os.environ["PATH"], "HOME": data}
        environment[PREFIX + "DATA_DIR"] = data
        environment[PREFIX + "PORT"] = "0"
        self.process = subprocess.Popen(
            [str(PROGRAM), "run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=data,
        )
        fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, 4096)

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def line(self, seconds=30):
        """The next one, read byte by byte so that nothing behind it leaves the pipe."""
        data = b""
        while not data.endswith(b"\n"):
            self.await_byte(seconds)
            byte = os.read(self.process.stdout.fileno(), 1)
            if byte == b"":
                raise AssertionError(f"it ended in {data!r}")
            data += byte
        return json.loads(data)

    def await_byte(self, seconds=30):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise AssertionError("nothing came")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class OnAPipe(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.TemporaryDirectory(prefix="cowgate-cli-")
        self.addCleanup(self.data.cleanup)

    def pipe(self):
        pipe = Pipe(self.data.name)
        self.addCleanup(pipe.close)
        return pipe

    def test_files_both_ways(self):
        pipe = self.pipe()
        content = base64.b64encode(b"eleven bytes").decode()
        file = {"filename": "a.txt", "mimeType": "text/plain", "bufferBase64": content}
        pipe.say(json.dumps({"text": "look", "attachments": [file]}))
        self.assertIn("a.txt (text/plain, 12 bytes)", pipe.line()["text"])
        pipe.say("file plan.txt step one")
        told = pipe.line()
        self.assertEqual((told["type"], told["file"]["filename"]), ("file", "plan.txt"))
        with open(told["file"]["path"], "rb") as plan:
            self.assertEqual(plan.read(), b"step one")

    def test_decided_in_words(self):
        pipe = self.pipe()
        pipe.say("ask make coffee")
        self.assertIn("/approve", pipe.line()["text"])
        pipe.say("/approve")
        texts = [pipe.line()["text"], pipe.line()["text"]]
        self.assertTrue(any("allowed once" in text for text in texts), texts)
        pipe.say("question Tea?")
        self.assertIn("/answer", pipe.line()["text"])

    def test_killed_among_five_parts(self):
        """In the middle of writing the third: it comes again and says so."""
        parts = [f"paragraph {number} " + "x" * 11000 for number in range(5)]
        pipe = self.pipe()
        pipe.say(json.dumps({"id": "one", "text": "\n\n".join(parts)}))
        shown = [pipe.line()["text"], pipe.line()["text"]]
        pipe.await_byte()
        pipe.close()
        pipe = self.pipe()
        shown += [pipe.line()["text"] for _ in range(3)]
        self.assertTrue(shown[2].startswith(LABEL), shown[2][:60])
        shown[2] = shown[2].removeprefix(LABEL)
        self.assertEqual(shown, parts)
        pipe.say("the end")
        self.assertEqual(pipe.line()["text"], "the end")


if __name__ == "__main__":
    unittest.main()
