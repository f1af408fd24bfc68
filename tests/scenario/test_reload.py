# SPDX-License-Identifier: Apache-2.0
"""Settings that change while messages flow: what is touched, what is not, and what is refused."""
import collections
import json
import signal
import threading
import time
import unittest

from tests.peers.receiver import Receiver, message
from tests.scenario.test_service import Manager
from tests.scenario.daemon import K, WEBHOOK_SECRET, Scenario, eventually

SECRETS = {"webhook": WEBHOOK_SECRET, "discord": "the-secret-of-discord"}
CHANGES = 10


class Reload(Scenario):
    """Settings in a file, three channels: webhook, discord, fake."""

    def setUp(self):
        super().setUp()
        self.receivers = {
            kind: self.peer(Receiver(secret)) for kind, secret in SECRETS.items()
        }
        self.file = self.directory / "settings.env"
        self.outbox = self.directory / "fake.jsonl"
        self.values = {}
        for kind, receiver in self.receivers.items():
            self.values.update({
                f"{kind.upper()}_DELIVERY_URL": receiver.url + "/hook",
                f"{kind.upper()}_SHARED_SECRET": receiver.secret,
                f"{kind.upper()}_ALLOW_FROM": "*",
            })
        self.write()
        self.gateway = self.daemon({"ENV_FILE": self.file})

    def tearDown(self):
        super().tearDown()
        for receiver in self.receivers.values():
            self.assertEqual(receiver.refused, [])

    def write(self, **changes):
        self.values.update(changes)
        lines = [f"{K}{name}={value}\n" for name, value in self.values.items()]
        self.file.write_text("".join(lines), encoding="utf-8")
        self.file.chmod(0o600)

    def write_entries(self, limit):
        """The same two and the fake one, which variables give only when it is alone."""
        entries = [{
            "kind": kind, "id": kind, "channelBindingId": kind, "allowFrom": ["*"],
            "credentials": {"sharedSecret": SECRETS[kind]},
            "settings": {"deliveryUrl": receiver.url + "/hook"},
        } for kind, receiver in self.receivers.items()]
        entries[1]["settings"]["maxAttachmentBytes"] = limit
        entries.append({
            "kind": "fake", "id": "fake", "channelBindingId": "fake", "allowFrom": ["*"],
            "settings": {"outboxFile": str(self.outbox)},
        })
        self.values = {"PROVIDERS": json.dumps(entries)}
        self.write()

    def reload(self, **changes):
        self.write(**changes)
        return self.gateway.cli("reload")

    def state(self, kind):
        providers = self.gateway.operator("/diagnostics").json()["providers"]
        return next((p["state"] for p in providers if p["id"] == kind), None)

    def said_events(self, event):
        return [line for line in self.gateway.said().splitlines() if f" {event} " in line]

    def say(self, kind, text, chat):
        """As a platform does it: again, as long as it is told that nothing was stored."""
        body = message(text, chat=chat, sender=f"somebody of {kind}", event_id=text)
        for _ in range(100):
            answer = self.gateway.post(body, kind, SECRETS.get(kind, "none"))
            if answer.status == 202:
                return
            self.assertEqual(answer.status, 503, repr(answer))
            time.sleep(0.05)
        self.fail(f"{text} was never taken: {answer!r}")

    def fake_texts(self):
        if not self.outbox.exists():
            return []
        lines = self.outbox.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def test_under_load(self):
        self.write_entries(99999)
        self.assertIn(b"added          fake", self.gateway.cli("reload").stdout)
        first = len(self.said_events("channel.state"))
        sent = collections.Counter()
        stop = threading.Event()
        errors = []

        def talk(kind):
            try:
                while not stop.is_set():
                    number = sent[kind]
                    self.say(kind, f"{kind}-{number:04}", f"chat-{number % 5}")
                    sent[kind] += 1
                    time.sleep(0.02)
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)

        talkers = [
            threading.Thread(target=talk, args=(kind,))
            for kind in ("webhook", "discord", "fake")
        ]
        for talker in talkers:
            talker.start()
        for number in range(CHANGES):
            before = sent["discord"]
            self.write_entries(100000 + number)
            done = self.gateway.cli("reload")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b"restarted      discord\n", done.stdout)
            eventually(lambda n=before: errors or sent["discord"] > n + 3)
        stop.set()
        for talker in talkers:
            talker.join()
        self.assertEqual(errors, [])
        self.assertGreater(min(sent.values()), 3 * CHANGES)
        for kind in SECRETS:
            expected = sorted(f"{kind}-{n:04}" for n in range(sent[kind]))
            eventually(lambda k=kind, e=expected: len(self.answers(k)) >= len(e), 60)
            self.assertEqual(sorted(self.answers(kind)), expected)
        self.until(
            lambda: len(self.answers("fake")) >= sent["fake"], "answers", self.gateway, 60)
        self.assertEqual(
            sorted(self.answers("fake")),
            sorted(f"fake-{n:04}" for n in range(sent["fake"])))
        starts = [line for line in self.said_events("channel.state")[first:]
                  if "state=starting" in line]
        count = collections.Counter(
            kind for kind in ("webhook", "discord", "fake")
            for line in starts if f"instance={kind}" in line)
        self.assertEqual(count, {"discord": CHANGES})
        self.assertEqual(self.gateway.deliveries(status="dead"), [])

    def answers(self, kind):
        """What the echo said in the chats of a kind, without its own words."""
        if kind == "fake":
            texts = [entry["text"] for entry in self.fake_texts()]
        else:
            texts = self.receivers[kind].texts()
        return [word for text in texts for word in text.split() if word.startswith(kind)]

    def test_connections_of_others_stay(self):
        """The receiver of the untouched channel sees one connection, over all reloads."""
        webhook = self.receivers["webhook"]
        for number in range(3):
            self.say("webhook", f"webhook-{number}", "one")
            self.assertTrue(webhook.wait_for(lambda r, n=number: len(r.texts()) > n))
            self.assertEqual(self.reload(DISCORD_MAX_ATTACHMENT_BYTES=99999 - number).returncode, 0)
        numbers = [delivery.number for delivery in webhook.deliveries]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_errors_change_nothing(self):
        done = self.reload(DISCORD_DELIVERY_URL="not a url", LOG_LEVEL="warn")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"nothing was changed", done.stderr)
        self.assertIn(b"DISCORD_DELIVERY_URL", done.stderr)
        self.assertIn(str(self.file).encode(), done.stderr)
        self.assertEqual(self.state("discord"), "healthy")
        self.assertTrue(self.said_events("reload.refused"))
        self.say("discord", "discord-still-here", "one")
        self.assertTrue(self.receivers["discord"].wait_for(lambda r: r.texts()))
        self.gateway.process.send_signal(signal.SIGHUP)
        self.until(lambda: len(self.said_events("reload.refused")) >= 1, "refused", self.gateway)

    def test_a_line_that_is_no_setting_is_named(self):
        self.write()
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("this is no line\n")
        line = len(self.values) + 1
        done = self.gateway.cli("reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(line).encode(), done.stderr)

    def test_a_file_that_cannot_be_read_changes_nothing(self):
        """It is gone, a directory, or says nonsense: the reason is named, the last good ones stay."""
        self.say("discord", "discord-before", "one")
        good = self.file.read_bytes()
        cases = (
            (lambda: self.file.unlink(), b"settings.env"),
            (lambda: self.file.mkdir(), b"settings.env"),
            (lambda: self.file.write_bytes(good + b"\xff\xfe=1\n"), b"not a text file"),
            (lambda: self.file.write_bytes(good + K.encode() + b"DISCORD_DELIVERY_URL=nonsense\n"),
             b"DISCORD_DELIVERY_URL"),
            (lambda: self.file.write_bytes(b"x" * (2 << 20)), b"at most 1 MiB"),
        )
        for spoil, named in cases:
            if self.file.is_dir():
                self.file.rmdir()
            spoil()
            done = self.gateway.cli("reload")
            self.assertEqual(done.returncode, 1, (named, done))
            self.assertIn(named, done.stderr)
            self.assertIn(b"nothing was changed", done.stderr)
            self.assertEqual(self.gateway.cli("status").returncode, 0)
            self.assertEqual(self.state("discord"), "healthy")
        self.say("discord", "discord-after", "one")
        self.assertTrue(self.receivers["discord"].wait_for(
            lambda r: any("discord-after" in text for text in r.texts())))
        self.file.write_bytes(good)
        self.assertEqual(self.gateway.cli("reload").stdout, b"nothing has changed\n")

    def test_added_removed_and_named(self):
        done = self.reload(PORT=1234, LOG_FORMAT="text", WEBHOOK_ALLOW_FROM="nobody")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"restarted      webhook", done.stdout)
        self.assertEqual(self.gateway.cli("reload").stdout, b"nothing has changed\n")
        # Who may write is asked anew at once.
        self.say("webhook", "webhook-stranger", "one")
        self.until(lambda: self.said_events("message.stranger"), "a stranger", self.gateway)
        del self.values["DISCORD_DELIVERY_URL"]
        for name in [name for name in self.values if name.startswith("DISCORD_")]:
            del self.values[name]
        done = self.reload()
        self.assertIn(b"removed        discord", done.stdout)
        self.assertIsNone(self.state("discord"))
        answer = self.gateway.post(message("x"), "discord", SECRETS["discord"])
        self.assertEqual(answer.status, 404)
        done = self.reload(
            DISCORD_DELIVERY_URL=self.receivers["discord"].url + "/hook",
            DISCORD_SHARED_SECRET=SECRETS["discord"], DISCORD_ALLOW_FROM="*")
        self.assertIn(b"added          discord", done.stdout)
        self.say("discord", "discord-again", "one")
        self.assertTrue(self.receivers["discord"].wait_for(lambda r: r.texts()))

    def test_a_send_under_way_ends_first(self):
        receiver = self.receivers["discord"]
        receiver.script(("slow", 1))
        self.say("discord", "discord-slow", "one")
        self.assertTrue(receiver.wait_for(lambda r: r.deliveries))
        self.assertEqual(self.reload(DISCORD_MAX_ATTACHMENT_BYTES=5000).returncode, 0)
        self.assertEqual(len(receiver.accepted), 1)
        self.say("discord", "discord-next", "one")
        self.assertTrue(receiver.wait_for(lambda r: len(r.texts()) >= 2))
        self.assertEqual(len(receiver.deliveries), len(receiver.accepted))

    def test_settings_that_do_not_work_are_taken_back(self):
        """What only the provider itself can judge: the others go on, and so does it."""
        self.write_entries(99999)
        done = self.gateway.cli("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        entries = json.loads(self.values["PROVIDERS"])
        entries[2]["settings"]["faults"] = "nonsense"
        done = self.reload(PROVIDERS=json.dumps(entries))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"it goes on with the settings of before", done.stderr)
        self.assertEqual(self.state("fake"), "healthy")
        self.say("fake", "fake-still-here", "one")
        self.until(lambda: self.answers("fake"), "an answer", self.gateway)
        # It is still to be done, and is told again until it is mended.
        self.assertEqual(self.gateway.cli("reload").returncode, 1)
        entries[2]["settings"]["faults"] = "sent"
        done = self.reload(PROVIDERS=json.dumps(entries))
        self.assertEqual(done.stdout, b"restarted      fake\n", done.stderr)

    def test_manager_is_told(self):
        manager = Manager(self.gateway.directory)
        self.addCleanup(manager.close)
        self.gateway.stop()
        self.gateway.start({"NOTIFY_SOCKET": manager.path})
        self.assertTrue(manager.heard("READY=1"))
        self.gateway.process.send_signal(signal.SIGHUP)
        self.assertTrue(manager.heard("RELOADING=1"))
        eventually(lambda: manager.listen().count("READY=1") == 2)
        words = [m.splitlines()[0] for m in manager.listen() if not m.startswith("STATUS")]
        self.assertEqual(words, ["READY=1", "RELOADING=1", "READY=1"])

    def test_by_signal(self):
        self.write(DISCORD_MAX_ATTACHMENT_BYTES=4321)
        self.gateway.process.send_signal(signal.SIGHUP)
        self.until(lambda: self.said_events("reload.done"), "the reload", self.gateway)
        self.assertEqual(self.state("discord"), "healthy")


if __name__ == "__main__":
    unittest.main()
