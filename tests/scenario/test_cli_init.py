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

from tests.peers.authority import Authority
from tests.peers.imap import Imap
from tests.peers.model import Model
from tests.peers.smtp import Smtp
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    ADMIN_TOKEN,
    MODEL_KEY,
    PROGRAM,
    SECRETS,
    TELEGRAM_TOKEN,
    K,
    Daemon,
    Scenario,
)


MAIL_USER, MAIL_PASSWORD = "agent@example.org", "mail-password-Vb3sH7qNz1"


class InitCase(Scenario):
    secrets = (*SECRETS, MAIL_PASSWORD)

    def setUp(self):
        super().setUp()
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
        for secret in self.secrets:
            self.assertNotIn(secret, said)
        self.assertNotIn("Sanitizer", said)
        return done.returncode, done.stdout.decode(), done.stderr.decode()


class SetUp(InitCase):
    def setUp(self):
        super().setUp()
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        self.model = self.peer(Model(MODEL_KEY))

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

    def test_a_channel_without_a_token_says_what_it_has(self):
        code, _, err = self.init("--channel", "email", "--token", "x", "--yes")
        self.assertEqual(code, 1)
        self.assertIn("the channel email has no --token", err)
        self.assertIn("--set NAME=VALUE: EMAIL_INBOUND_SECRET, EMAIL_SMTP_PASSWORD", err)
        code, _, err = self.init("--token", "x", "--yes")
        self.assertIn("--token comes after a --channel", err)

    def test_a_channel_that_nothing_switches_on(self):
        code, _, err = self.init(
            "--channel", "email", "--set", "EMAIL_FROM=a@example.org",
            "--set", "EMAIL_SMTP_HOST=127.0.0.1", "--agent", "echo", "--yes")
        self.assertEqual(code, 1)
        self.assertIn("nothing switches the channel email on", err)
        self.assertIn("EMAIL_INBOUND_SECRET or EMAIL_IMAP_URL", err)
        self.assertFalse(self.file.exists())

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


class Mail(InitCase):
    """Both servers of a mailbox are logged in to before anything is written."""

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory / "tls")
        self.pair = self.authority.issue("server", "DNS:localhost", "IP:127.0.0.1")

    def servers(self, mode="starttls", pair=None):
        smtp = self.peer(Smtp(mode, pair or self.pair, MAIL_USER, MAIL_PASSWORD))
        imap = self.peer(Imap(self.pair, MAIL_USER, MAIL_PASSWORD))
        return smtp, imap

    def set_up(self, smtp, imap, *flags, **more):
        """Exit code, and level, text and mend of what was found of the mailbox."""
        settings = {
            "EMAIL_FROM": MAIL_USER,
            "EMAIL_SMTP_HOST": "localhost",
            "EMAIL_SMTP_PORT": smtp.port,
            "EMAIL_SMTP_SECURE": "true" if smtp.mode == "implicit" else "false",
            "EMAIL_SMTP_USERNAME": MAIL_USER,
            "EMAIL_SMTP_PASSWORD": MAIL_PASSWORD,
            "EMAIL_IMAP_URL": f"imaps://localhost:{imap.port}",
            "EMAIL_CA_FILE": self.authority.pem,
            **more,
        }
        pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        code, out, err = self.init(
            "--channel", "email", "--allow", "ada@example.com", *pairs,
            "--agent", "echo", "--yes", "--json", "--force", *flags,
        )
        self.assertEqual(smtp.mails, [], "no mail is sent")
        self.assertEqual(self.file.exists(), code == 0, out + err)
        findings = json.loads(out)["findings"]
        return code, [
            (one["level"], one["text"], one["mend"])
            for one in findings
            if one["what"] == "channel email"
        ]

    def test_both_are_logged_in_to(self):
        for mode in ("starttls", "implicit"):
            smtp, imap = self.servers(mode)
            code, found = self.set_up(smtp, imap)
            self.assertEqual(code, 0, found)
            self.assertEqual(
                found,
                [
                    ("ok", f"localhost:{smtp.port} takes the login of {MAIL_USER}", None),
                    ("ok", f"imaps://localhost:{imap.port} takes the login of {MAIL_USER}", None),
                ],
            )
            self.assertIn("AUTH", smtp.commands)
            self.assertEqual(smtp.commands[-2:], ["NOOP", "QUIT"])
            self.assertEqual(smtp.mistakes + imap.mistakes, [])
            self.file.unlink()

    def test_what_cannot_work_is_not_written(self):
        smtp, imap = self.servers()
        bare, _ = self.servers("none")
        strange, _ = self.servers("starttls", self.authority.issue("b", "DNS:b.example"))
        for server, said, mend, more in (
            (smtp, "refuses the login: 535 5.7.8 wrong", "EMAIL_SMTP_PASSWORD",
             {"EMAIL_SMTP_PASSWORD": "no", "EMAIL_IMAP_PASSWORD": MAIL_PASSWORD}),
            (smtp, "refuses the login: NO [AUTHENTICATIONFAILED] wrong", "EMAIL_IMAP_PASSWORD",
             {"EMAIL_IMAP_PASSWORD": "no"}),
            (smtp, "cannot be reached", "EMAIL_SMTP_PORT", {"EMAIL_SMTP_PORT": 9}),
            (smtp, "cannot be reached", "EMAIL_IMAP_URL",
             {"EMAIL_IMAP_URL": "imaps://localhost:9"}),
            (smtp, "does not come to terms about TLS", "unset it for 587",
             {"EMAIL_SMTP_SECURE": "true"}),
            (bare, "offers no TLS", "587", {}),
            (strange, "has a certificate that is not trusted", "EMAIL_CA_FILE", {}),
        ):
            with self.subTest(said):
                code, found = self.set_up(server, imap, **more)
                self.assertEqual(code, 1, found)
                faults = [one for one in found if one[0] == "fault"]
                self.assertEqual(len(faults), 1, found)
                self.assertIn(said, faults[0][1])
                self.assertIn(mend, faults[0][2])

    def test_the_doctor_asks_them_too(self):
        smtp, imap = self.servers()
        self.assertEqual(self.set_up(smtp, imap)[0], 0)
        daemon = Daemon(self.home, {"ENV_FILE": self.file}, self.secrets)
        found = json.loads(daemon.cli("doctor", "--json").stdout)["findings"]
        mail = [one["text"] for one in found if one["what"] == "channel email"]
        self.assertEqual(len(mail), 2, found)
        for text in mail:
            self.assertIn("takes the login", text)
        smtp.close()
        found = json.loads(daemon.cli("doctor", "--json").stdout)["findings"]
        faults = [one["text"] for one in found if one["what"] == "channel email"
                  and one["level"] == "fault"]
        self.assertEqual(len(faults), 1, found)
        self.assertIn("cannot be reached", faults[0])
