# SPDX-License-Identifier: Apache-2.0
"""The same channel against an emulator that other people wrote: the wire, not the strictness."""
import json
import os
import shutil
import subprocess
import threading
import time
import unittest

from tests.peers.model import Model
from tests.scenario.daemon import (
    BUILD,
    MODEL_KEY,
    ROOT,
    TELEGRAM_TOKEN,
    Scenario,
    model_settings,
)

PACKAGE = ROOT / "tests" / "peers" / "telegram-test-api"
INSTALLED = BUILD / "tests" / "telegram-test-api"


def install():
    """npm ci into the build directory, once for each state of the lock file."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    stamp = INSTALLED / "installed"
    lock = (PACKAGE / "package-lock.json").read_bytes()
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGE / name, INSTALLED / name)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=INSTALLED,
        check=True,
        capture_output=True,
        timeout=240,
    )
    stamp.write_bytes(lock)


class Driver:
    """The emulator in its process; lines is what it told."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["node", str(PACKAGE / "driver.cjs"), str(INSTALLED), TELEGRAM_TOKEN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(INSTALLED)},
        )
        self.changed = threading.Condition()
        self.lines = []
        self.errors = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(json.loads(line))
                self.changed.notify_all()

    def say(self, text):
        self.process.stdin.write(json.dumps({"say": text}) + "\n")
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

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()


@unittest.skipUnless(shutil.which("node"), "node is not installed")
class TelegramTestApi(Scenario):
    def setUp(self):
        super().setUp()
        install()
        self.driver = self.peer(Driver())
        line = self.driver.wait_for(lambda line: "port" in line)
        self.assertIsNotNone(line, "the emulator did not start")
        self.settings = {
            "TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN,
            "TELEGRAM_API_BASE_URL": f"http://127.0.0.1:{line['port']}",
            "TELEGRAM_ALLOW_FROM": "*",
        }

    def await_text(self, kind, text, daemon):
        line = self.driver.wait_for(
            lambda line: kind in line and line[kind].get("text") == text
        )
        self.assertIsNotNone(line, f"{self.driver.lines}\n{daemon.said()}")
        return line[kind]

    def test_there_and_back(self):
        daemon = self.daemon(self.settings)
        for text in ("hello", "Grüße 😀"):
            self.driver.say(text)
            message = self.await_text("sent", text, daemon)
            self.assertEqual(int(message["chat_id"]), 7)
            self.assertNotIn("message_thread_id", message)

    def test_an_answer_grows(self):
        model = self.peer(Model(MODEL_KEY))
        daemon = self.daemon({**self.settings, **model_settings(model)})
        model.script(("slow", 0.35))
        self.driver.say("count to the end please")
        self.await_text("edited", Model.answer("count to the end please"), daemon)


if __name__ == "__main__":
    unittest.main()
