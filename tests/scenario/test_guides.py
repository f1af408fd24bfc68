# SPDX-License-Identifier: Apache-2.0
"""docs/channels, followed to the letter: what a guide says to type is typed, its settings are put
into a file as they stand, and somebody gets an answer.  Exchanged are secrets, the platform's
address, and places that belong to the host."""
import json
import os
import re
import subprocess
import textwrap
import unittest

from tests.peers import wanted
from tests.peers.email_servers import PASSWORD, Dovecot
from tests.peers.authority import Authority
from tests.peers.receiver import Receiver
from tests.peers.slack import Slack
from tests.peers.smtp import Smtp
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    BUILD,
    K,
    ROOT,
    SECRETS,
    SLACK_SECRET,
    SLACK_TOKEN,
    TELEGRAM_TOKEN,
    Scenario,
)

GUIDES = ROOT / "docs/channels"


def blocks(path):
    """The blocks of shell or settings of a guide."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```", path.read_text(), re.M | re.S)
    return [textwrap.dedent(body) for _, body in found]


class Settings(unittest.TestCase):
    def test_no_value_has_a_comment_behind_it(self):
        """In such a file it would be a part of the value."""
        for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
            for line in re.findall(rf"^ *{K}\w+=.*$", path.read_text(), re.M):
                self.assertNotRegex(line, r"\s#", path)


class Guides(Scenario):
    secrets = (*SECRETS, PASSWORD)

    def begin(self, kind, **exchanged):
        """The guide of that kind with other places in it."""
        self.place = self.directory / "etc"
        self.place.mkdir()
        self.exchanged = {"/etc/cowgate": str(self.place), "-o cowgate ": "", **exchanged}
        self.blocks = [self.exchange(block) for block in blocks(GUIDES / f"{kind}.md")]
        self.settings = self.place / "cowgate.env"
        self.settings.touch(0o600)

    def exchange(self, text):
        for old, new in self.exchanged.items():
            text = text.replace(old, new)
        return text

    def block(self, words):
        """The one that has these words."""
        found = [block for block in self.blocks if words in block]
        self.assertEqual(len(found), 1, words)
        return found[0]

    def configure(self, words, **more):
        """Put a block of settings into the file, and what the test's platform needs."""
        with self.settings.open("a") as settings:
            settings.write(self.block(words))
            settings.writelines(f"{K}{name}={value}\n" for name, value in more.items())

    def type(self, commands, given=b"", **variables):
        """What they print."""
        environment = {"PATH": f"{BUILD}:{os.environ['PATH']}", **variables}
        done = subprocess.run(
            ["sh", "-eu", "-c", commands], input=given, capture_output=True,
            timeout=60, check=False, cwd=self.place, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def type_line(self, words, given):
        """The one line that has these words."""
        lines = [line for block in self.blocks for line in block.splitlines() if words in line]
        self.assertEqual(len(lines), 1, words)
        self.type(lines[0], given)

    def start(self):
        """As the guides say: first the check, then the gateway."""
        daemon = self.daemon({"ENV_FILE": self.settings}, start=False)
        checked = daemon.cli("check")
        self.assertEqual(checked.returncode, 0, checked.stderr.decode())
        return daemon.start()

    def test_telegram(self):
        telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        user = telegram.private(123456789)
        self.begin("telegram")
        self.type_line("telegram-token   #", TELEGRAM_TOKEN.encode() + b"\n")
        self.configure("TELEGRAM_ALLOW_FROM", TELEGRAM_API_BASE_URL=telegram.url)
        daemon = self.start()
        telegram.say(user, "hello")
        self.assertTrue(telegram.wait_for(lambda t: t.texts(user) == ["hello"]), daemon.said())
        self.assertEqual(daemon.stop(), 0)
        self.type(self.block("openssl rand"))
        self.configure("TELEGRAM_MODE=webhook")
        daemon.start()
        telegram.hook_port = daemon.port
        telegram.say(user, "again")
        self.assertTrue(
            telegram.wait_for(lambda t: t.texts(user) == ["hello", "again"]), daemon.said())
        self.assertGreater(telegram.hook_calls, 0)
        self.assertEqual(telegram.mistakes, [])

    def test_slack(self):
        slack = self.peer(Slack(SLACK_TOKEN, SLACK_SECRET))
        slack.users["U0123456789"] = "Ann"
        direct = slack.direct("D1")
        self.begin("slack")
        self.type_line("slack-token     #", SLACK_TOKEN.encode() + b"\n")
        self.type_line("slack-signing   #", SLACK_SECRET.encode() + b"\n")
        self.configure("SLACK_BOT_TOKEN", SLACK_API_BASE_URL=slack.base)
        daemon = self.start()
        slack.port_of_app = daemon.port
        self.until(
            lambda: "this is the app @cowgate in the workspace" in daemon.said(), "up", daemon)
        self.assertTrue(slack.verify())
        self.assertIn("Slack has verified the request URL", daemon.said())
        slack.say("U0123456789", "hello", direct)
        self.assertTrue(slack.wait_for(lambda s: s.texts(direct) == ["hello"]), daemon.said())
        self.assertEqual(slack.mistakes, [])

    def follow_webhooks(self, kind, url):
        wanted.program("curl")
        receiver = self.peer(Receiver("not yet known"))
        self.begin(kind, **{url: receiver.url + "/hook"})
        self.type(self.block("openssl rand"))
        receiver.secret = (self.place / f"{kind}-secret").read_text().strip()
        self.secrets = (*self.secrets, receiver.secret)
        self.configure("_DELIVERY_URL")
        daemon = self.start()
        request = self.block("/webhooks/" + kind).replace(":8790", f":{daemon.port}")
        self.assertEqual(json.loads(self.type(request)), {"ok": True})
        self.assertTrue(receiver.wait_for(lambda r: r.texts("c1") == ["hello"]), daemon.said())
        self.assertEqual(receiver.refused, [])

    def test_webhook(self):
        self.follow_webhooks("webhook", "https://receiver.example.org/cowgate")

    def test_discord(self):
        self.follow_webhooks("discord", "http://127.0.0.1:9100/cowgate")

    def test_whatsapp(self):
        self.follow_webhooks("whatsapp", "http://127.0.0.1:9100/cowgate")

    def test_signal(self):
        self.follow_webhooks("signal", "http://127.0.0.1:9100/cowgate")

    def mail(self, text):
        """From who is let in by the guide's settings, as the guide's host has checked it."""
        return (
            "Authentication-Results: mx.example.org; dkim=pass header.d=example.org\n"
            "From: You <you@example.org>\nTo: agent@example.org\n"
            f"Message-ID: <{text}@example.org>\nSubject: A word\n\n{text}\n"
        )

    def test_email(self):
        wanted.program("curl")
        authority = Authority(self.directory / "tls")
        pair = authority.issue("server", "DNS:localhost", "IP:127.0.0.1")
        smtp = self.peer(Smtp("implicit", pair, "agent@example.org", PASSWORD))
        dovecot = self.peer(Dovecot(self.directory / "dovecot", pair))
        self.begin("email", **{
            "imaps://imap.example.org": f"imaps://localhost:{dovecot.tls_port}",
            "smtp.example.org": "localhost",
            "SMTP_PORT=465": f"SMTP_PORT={smtp.port}",
        })
        self.type_line("mail-password   #", PASSWORD.encode() + b"\n")
        self.configure("EMAIL_IMAP_URL", EMAIL_CA_FILE=authority.pem)
        self.type(self.block("openssl rand"))
        self.configure("EMAIL_INBOUND_SECRET")
        secret = (self.place / "mail-secret").read_text().strip()
        self.secrets = (*self.secrets, secret)
        daemon = self.start()
        self.until(lambda: "from its end" in daemon.said(), "the mailbox is read", daemon)
        dovecot.deliver(self.mail("mailbox"))
        self.assertTrue(smtp.wait_for(lambda s: s.texts() == ["mailbox"], 40), daemon.said())
        pipe = self.block("--data-binary").replace(
            "https://gateway.example.org", f"http://127.0.0.1:{daemon.port}")
        self.type(pipe, self.mail("relay").encode(), SECRET=secret)
        self.assertTrue(
            smtp.wait_for(lambda s: s.texts() == ["mailbox", "relay"]), daemon.said())
        self.assertEqual(smtp.mails[0].message["From"].addresses[0].display_name, "Agent")
        self.assertEqual(smtp.mistakes, [])

    def test_cli(self):
        self.begin("cli")
        place = {K + "DATA_DIR": str(self.place / "data"), K + "PORT": "0"}
        answer = json.loads(self.type(self.block("What is 6 times 7?"), **place))
        self.assertEqual((answer["type"], answer["text"]), ("text", "What is 6 times 7?"))
        said = self.type(self.block("CLI_ENABLED=true"), b"hello\n", **place)
        self.assertEqual(json.loads(said)["text"], "hello")


if __name__ == "__main__":
    unittest.main()
