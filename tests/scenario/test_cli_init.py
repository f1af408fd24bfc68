# SPDX-License-Identifier: Apache-2.0
"""Set-up by flags and at a terminal: what is checked, what is written, what then runs."""
import json
import os
import pty
import re
import select
import stat
import subprocess
import time

from tests.peers.model import Model
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    ADMIN_TOKEN,
    MODEL_KEY,
    PROGRAM,
    TELEGRAM_TOKEN,
    K,
    Daemon,
    Scenario,
)


class SetUp(Scenario):
    def setUp(self):
        super().setUp()
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        self.model = self.peer(Model(MODEL_KEY))
        self.home = self.directory / "home"
        self.home.mkdir()
        self.file = self.home / "cowgate.env"

    def environment(self, **more):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            K + "DATA_DIR": str(self.home / "data"),
            K + "ENV_FILE": "",
        }
        environment.update(more)
        return environment

    def init(self, *arguments, stdin="", **more):
        done = subprocess.run(
            [str(PROGRAM), "init", "--file", str(self.file), *arguments],
            cwd=self.home,
            env=self.environment(**more),
            input=stdin.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = (done.stdout + done.stderr).decode()
        for secret in (TELEGRAM_TOKEN, MODEL_KEY):
            self.assertNotIn(secret, said)
        self.assertNotIn("Sanitizer", said)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def flags(self, token=TELEGRAM_TOKEN):
        return (
            *("--channel", "telegram", "--token", token, "--allow", "77"),
            *("--set", f"TELEGRAM_API_BASE_URL={self.telegram.url}"),
            *("--agent", "openai", "--url", self.model.base),
            *("--model", "test-model", "--key", MODEL_KEY, "--yes"),
        )

    def test_flags_alone_make_a_gateway_that_answers(self):
        code, out, err = self.init(*self.flags())
        self.assertEqual(code, 0, out + err)
        self.assertIn("@cow_gate_bot", out)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(os.listdir(self.home), ["cowgate.env"], "nothing else is left")
        daemon = Daemon(self.home, {"ENV_FILE": self.file})
        self.daemons.append(daemon)
        daemon.start()
        self.telegram.private(77)
        self.telegram.say(77, "are you there?")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("answer to are you there?" in x for x in t.texts(77))
            ),
            daemon.said(),
        )

    def test_what_is_there_is_not_replaced(self):
        self.assertEqual(self.init(*self.flags())[0], 0)
        before = self.file.read_bytes()
        code, _, err = self.init(*self.flags(), "--set", "PORT=1234")
        self.assertEqual(code, 1)
        self.assertIn("--force", err)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(self.init(*self.flags(), "--set", "PORT=1234", "--force")[0], 0)
        self.assertIn(b'PORT="1234"', self.file.read_bytes())

    def test_a_wrong_answer_writes_nothing(self):
        code, out, err = self.init(*self.flags("1:wrong"), "--json")
        self.assertEqual(code, 1, out + err)
        self.assertFalse(self.file.exists())
        found = {one["what"]: one for one in json.loads(out)["findings"]}
        self.assertEqual(found["channel telegram"]["level"], "fault")
        self.assertIn("@BotFather", found["channel telegram"]["mend"])
        code, out, err = self.init(*self.flags("1:wrong"), "--no-check")
        self.assertEqual(code, 0, out + err)

    def test_rules_of_the_settings_hold(self):
        code, _, err = self.init("--channel", "slack", "--token", "xoxb-1", "--yes")
        self.assertEqual(code, 1)
        self.assertIn("SLACK_SIGNING_SECRET", err)
        self.assertFalse(self.file.exists())

    def test_a_secret_comes_over_stdin(self):
        flags = list(self.flags())
        flags[flags.index("--token") + 1] = "-"
        code, out, err = self.init(*flags, stdin=TELEGRAM_TOKEN + "\n")
        self.assertEqual(code, 0, out + err)
        self.assertIn(TELEGRAM_TOKEN, self.file.read_text())

    def test_what_is_not_understood(self):
        for arguments in (
            (),
            ("--channel", "nothing"),
            ("--token", "x"),
            ("--nonsense", "x"),
            ("--set", "PORT"),
            ("--channel",),
            ("--set", "port=1"),
        ):
            code, _, err = self.init(*arguments)
            self.assertIn(code, (1, 2), arguments)
            self.assertNotEqual(err, "", arguments)
            self.assertFalse(self.file.exists(), arguments)

    def test_questions_at_a_terminal(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = subprocess.Popen(
            [str(PROGRAM), "init", "--file", str(self.file)]
            + ["--set", f"TELEGRAM_API_BASE_URL={self.telegram.url}"],
            cwd=self.home,
            env=self.environment(),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        shown = ""
        for question, answer in (
            ("Channel", "telegram"),
            ("BotFather", TELEGRAM_TOKEN),
            ("Members", "77"),
            ("Who answers", "openai"),
            ("Base URL", self.model.base),
            ("Model", "test-model"),
            ("API key", MODEL_KEY),
        ):
            shown += self.read_until(master, question + ".*: $")
            os.write(master, answer.encode() + b"\n")
        shown += self.read_until(master, "mode 0600")
        self.assertEqual(process.wait(20), 0)
        self.assertNotIn(TELEGRAM_TOKEN, shown)
        self.assertNotIn(MODEL_KEY, shown)
        self.assertIn('_ALLOW_FROM="77"', self.file.read_text())
        self.assertNotIn(ADMIN_TOKEN, self.file.read_text())

    def read_until(self, master, wanted, seconds=20):
        shown, end = "", time.monotonic() + seconds
        while not re.search(wanted, shown):
            self.assertLess(time.monotonic(), end, f"{wanted!r} was not shown in {shown!r}")
            if select.select([master], [], [], 0.2)[0]:
                shown += os.read(master, 65536).decode(errors="replace")
        return shown
