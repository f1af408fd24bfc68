# SPDX-License-Identifier: Apache-2.0
"""Discord, WhatsApp and Signal through a bridge: the same webhooks under their own limits."""
import base64
import json
import time
import unittest

from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, webhook_settings

LIMITS = {"discord": 2000, "whatsapp": 4096, "signal": 4096}


def bridge_settings(kind, receiver, **more):
    """The bridge with everybody let in."""
    prefix = kind.upper() + "_"
    settings = {
        prefix + "DELIVERY_URL": receiver.url + "/hook",
        prefix + "SHARED_SECRET": receiver.secret,
        prefix + "ALLOW_FROM": "*",
    }
    settings.update({prefix + name: value for name, value in more.items()})
    return settings


class Bridges(Scenario):
    def setUp(self):
        super().setUp()
        self.receivers = {
            kind: self.peer(Receiver(f"the-secret-of-{kind}")) for kind in LIMITS
        }

    def tearDown(self):
        super().tearDown()
        for receiver in self.receivers.values():
            self.assertEqual(receiver.refused, [])

    def all_settings(self, **more):
        settings = {}
        for kind, receiver in self.receivers.items():
            settings.update(bridge_settings(kind, receiver, **more))
        return settings

    def say(self, daemon, kind, text, **more):
        receiver = self.receivers[kind]
        answer = daemon.post(message(text, **more), kind, receiver.secret)
        self.assertEqual(answer.status, 202, f"{answer!r}\n{daemon.said()}")

    def await_texts(self, daemon, kind, count, seconds=30):
        receiver = self.receivers[kind]
        self.assertTrue(
            receiver.wait_for(lambda r: len(r.texts()) >= count, seconds),
            f"{kind}: {receiver.texts()}\n{daemon.said()}",
        )
        return receiver.texts()

    def test_all_three_at_once(self):
        daemon = self.daemon(self.all_settings())
        for kind in LIMITS:
            self.say(daemon, kind, f"**hello** {kind}")
        for kind, receiver in self.receivers.items():
            self.assertIn(f"**hello** {kind}", self.await_texts(daemon, kind, 1)[0])
            sent = receiver.tries("chat-1")[0].body
            self.assertEqual(sent["providerKind"], kind)
            self.assertEqual(sent["target"]["providerKind"], kind)
            self.assertEqual(
                sent["options"]["parseMode"], "markdown" if kind == "discord" else "plain"
            )
        wrong = daemon.post(message("x"), "discord", self.receivers["signal"].secret)
        self.assertEqual(wrong.status, 401)

    def test_long_answers_keep_to_each_limit(self):
        daemon = self.daemon(self.all_settings())
        lines = [f"line {n:04} of a long answer 😀" for n in range(300)]
        for kind, limit in LIMITS.items():
            self.say(daemon, kind, "\n".join(lines))
            receiver = self.receivers[kind]
            self.assertTrue(
                receiver.wait_for(lambda r: lines[-1] in "".join(r.texts()), 40),
                f"{kind}: {receiver.texts()}\n{daemon.said()}",
            )
            shown = receiver.texts()
            self.assertGreater(len(shown), 9000 // limit, kind)
            self.assertLessEqual(max(map(len, shown)), limit, kind)
            self.assertEqual("\n".join(shown).split("\n"), lines, "nothing lost, in order")
            if kind != "discord":
                self.assertEqual(receiver.tries("chat-1", "edit"), [], kind)

    def test_a_file_in_is_spooled_and_a_bot_is_not_heard(self):
        daemon = self.daemon(self.all_settings(MAX_ATTACHMENT_BYTES="1000"))
        receiver = self.receivers["signal"]
        body = json.loads(message("I am a bot as well"))
        body["sender"] = {"userId": "user-1", "isBot": True}
        heard = daemon.post(json.dumps(body).encode(), "signal", receiver.secret)
        self.assertEqual(heard.status, 202)
        content = base64.b64encode(b"some bytes").decode()
        attachment = {"filename": "a.txt", "mimeType": "text/plain", "bufferBase64": content}
        self.say(daemon, "signal", "look at this", attachments=[attachment])
        self.assertTrue(
            receiver.wait_for(
                lambda r: any("a.txt (text/plain, 10 bytes)" in t for t in r.texts())
            ),
            f"{receiver.texts()}\n{daemon.said()}",
        )
        self.assertFalse(any("bot as well" in text for text in receiver.texts()))
        large = {"filename": "b", "bufferBase64": base64.b64encode(bytes(1001)).decode()}
        refused = daemon.post(
            message("too large", attachments=[large]),
            "signal",
            self.receivers["signal"].secret,
        )
        self.assertEqual(refused.status, 400)


class WholeConversation(Scenario):
    """From the first word to a file, over a bridge, with a restart in between."""

    def begin(self, kind):
        self.kind = kind
        self.receiver = self.peer(Receiver(f"the-secret-of-{kind}"))
        self.running = self.daemon(bridge_settings(kind, self.receiver))

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.receiver.refused, [])

    def say(self, text, **more):
        body = message(text, **more)
        answer = self.running.post(body, self.kind, self.receiver.secret)
        self.assertEqual(answer.status, 202, f"{answer!r}\n{self.running.said()}")

    def await_text(self, wanted):
        self.assertTrue(
            self.receiver.wait_for(lambda r: any(wanted in t for t in r.texts()), 30),
            f"{wanted}: {self.receiver.texts()}\n{self.running.said()}",
        )

    def await_one(self, kind):
        self.assertTrue(
            self.receiver.wait_for(lambda r: any(d.type == kind for d in r.deliveries), 30),
            f"no {kind}\n{self.running.said()}",
        )
        return next(d.body for d in list(self.receiver.deliveries) if d.type == kind)

    def press(self, label):
        card = self.await_one("buttons")
        buttons = [button for row in card["buttons"] for button in row]
        token = next(b["token"] for b in buttons if b["label"] == label)
        pressed = {"id": "p1", "token": token, "kind": "button"}
        self.say("", event_id="p1", interaction=pressed)
        answer = self.await_one("answer_interaction")
        self.assertEqual(answer["interactionId"], "p1")
        self.assertEqual(answer["text"], "Approved.", self.running.said())
        self.await_text("allowed once")

    def files(self):
        attachment = {
            "filename": "notes.txt",
            "mimeType": "text/plain",
            "bufferBase64": base64.b64encode(b"seven words").decode(),
        }
        self.say("look", attachments=[attachment])
        self.await_text("notes.txt")
        self.say("file result.txt some bytes")
        sent = self.await_one("file")["file"]
        self.assertEqual(sent["filename"], "result.txt")
        self.assertEqual(base64.b64decode(sent["dataBase64"]), b"some bytes")

    def test_discord(self):
        self.begin("discord")
        words = " ".join(f"word{n}" for n in range(60))
        self.say(f"stream 60 {words}")
        self.await_text(words)
        self.assertTrue(self.receiver.tries("chat-1", "edit"), "it grows")
        self.say("ask make coffee")
        self.press("Approve")
        self.running.restart()
        self.files()

    def test_whatsapp(self):
        self.begin("whatsapp")
        self.say("stream 20 one two three four five")
        self.await_text("one two three four five")
        self.say("ask make coffee")
        card = self.await_one("buttons")
        self.assertEqual(len(card["buttons"]), 1, "one row")
        self.press("Approve")
        self.running.restart()
        self.files()
        self.assertEqual(self.receiver.tries("chat-1", "edit"), [])

    def test_signal(self):
        self.begin("signal")
        self.say("ask make coffee")
        self.await_text("/approve")
        self.say("/approve")
        self.await_text("allowed once")
        self.running.restart()
        self.files()
        kinds = {delivery.type for delivery in self.receiver.deliveries}
        self.assertFalse(kinds & {"edit", "buttons", "answer_interaction"}, kinds)


class SilentReceiver(Scenario):
    """A receiver that does not answer costs neither messages nor attempts."""

    def test_left_alone_then_everything_once_in_order(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        daemon = self.daemon(webhook_settings(receiver))
        receiver.script(*[("status", 503)] * 1000)
        for number in range(8):
            daemon.say(f"message {number}", chat=f"chat-{number}")
        said = "the receiver does not answer"
        self.until(
            lambda: said in daemon.operator("/ready").body.decode(), "it is told", daemon
        )
        self.assertEqual(daemon.operator("/ready").status, 200, "intake stays up")
        failed = len(receiver.deliveries)
        daemon.say("message 8", chat="chat-8")
        time.sleep(2)
        self.assertEqual(len(receiver.deliveries), failed, "it is left alone")
        receiver.script()
        self.assertTrue(
            receiver.wait_for(lambda r: len(r.texts()) == 9, 60),
            f"{receiver.texts()}\n{daemon.said()}",
        )
        keys = [delivery.key for delivery in receiver.accepted if delivery.text]
        self.assertEqual(len(keys), len(set(keys)), "each once")
        self.until(
            lambda: said not in daemon.operator("/ready").body.decode(), "it is over", daemon
        )


if __name__ == "__main__":
    unittest.main()
