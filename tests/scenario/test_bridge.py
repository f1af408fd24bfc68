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


class Conversation(Scenario):
    """One person and an agent, with a bridge between them."""

    def begin(self, kind):
        self.kind = kind
        self.receiver = self.peer(Receiver(f"the-secret-of-{kind}"))
        self.running = self.daemon(bridge_settings(kind, self.receiver))

    def tearDown(self):
        super().tearDown()
        for receiver in self.peers:
            self.assertEqual(receiver.refused, [])

    def say(self, text, **more):
        body = message(text, **more)
        answer = self.running.post(body, self.kind, self.receiver.secret)
        self.assertEqual(answer.status, 202, f"{answer!r}\n{self.running.said()}")

    def await_text(self, wanted):
        self.assertTrue(
            self.receiver.wait_for(lambda r: any(wanted in t for t in r.texts()), 30),
            f"{wanted}: {self.receiver.texts()}\n{self.running.said()}",
        )

    def seen(self, kind):
        """Without twins, which the bridge drops."""
        return [d.body for d in list(self.receiver.accepted) if d.type == kind]

    def await_one(self, kind, count=1):
        self.assertTrue(
            self.receiver.wait_for(lambda _: len(self.seen(kind)) >= count, 30),
            f"{count} {kind}\n{self.running.said()}",
        )
        return self.seen(kind)[count - 1]

    def press(self, card, label, said):
        """Press the button of that label, and be told this."""
        buttons = [button for row in card["buttons"] for button in row]
        token = next(b["token"] for b in buttons if b["label"] == label)
        count = len(self.seen("answer_interaction")) + 1
        pressed = {"id": f"p{count}", "token": token, "kind": "button"}
        self.say("", event_id=pressed["id"], interaction=pressed)
        answer = self.await_one("answer_interaction", count)
        self.assertEqual(answer["interactionId"], pressed["id"])
        self.assertIn(said, answer["text"], self.running.said())


class WholeConversation(Conversation):
    """From the first word to a file, with a restart in between."""

    def approve(self):
        self.press(self.await_one("buttons"), "Approve", "Approved.")
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

    def ask_in_words(self):
        """More choices than there is room for buttons: the command is named."""
        self.say("question Tea?")
        self.await_text("/answer")
        self.say("/answer no, thank you")
        self.assertTrue(
            self.receiver.wait_for(
                lambda r: any("no, thank you" in t for t in r.texts()), 30
            ),
            f"{self.receiver.texts()}\n{self.running.said()}",
        )

    def test_discord(self):
        self.begin("discord")
        words = " ".join(f"word{n}" for n in range(60))
        self.say(f"stream 60 {words}")
        self.await_text(words)
        self.assertTrue(self.receiver.tries("chat-1", "edit"), "it grows")
        self.say("ask make coffee")
        self.approve()
        self.say("question Tea?")
        self.press(self.await_one("buttons", 2), "no", "Answered")
        self.running.restart()
        self.files()

    def test_whatsapp(self):
        self.begin("whatsapp")
        self.say("stream 20 one two three four five")
        self.await_text("one two three four five")
        self.say("ask make coffee")
        card = self.await_one("buttons")
        self.assertEqual(len(card["buttons"]), 1, "one row")
        self.approve()
        self.ask_in_words()
        self.running.restart()
        self.files()
        self.assertEqual(self.receiver.tries("chat-1", "edit"), [])

    def test_signal(self):
        self.begin("signal")
        self.say("ask make coffee")
        self.await_text("/approve")
        self.say("/approve")
        self.await_text("allowed once")
        self.ask_in_words()
        self.running.restart()
        self.files()
        kinds = {delivery.type for delivery in self.receiver.deliveries}
        self.assertFalse(kinds & {"edit", "buttons", "answer_interaction"}, kinds)


class OverRestarts(Conversation):
    """The process dies at the worst moment: the person sees one whole answer, once, and what
    was asked can still be decided."""

    def each(self, check):
        for kind in ("webhook", *LIMITS):
            with self.subTest(kind):
                self.begin(kind)
                check()
                self.assertEqual(self.running.stop(), 0, self.running.said())

    def die(self):
        self.running.kill()
        self.running.start()

    def amid_a_streamed_answer(self):
        words = " ".join(f"word{n}" for n in range(60))
        grows = self.kind in ("webhook", "discord")
        self.say(f"stream 60 {words}")
        kind = "text" if grows else "typing"
        self.assertTrue(
            self.receiver.wait_for(lambda r: r.tries("chat-1", kind)), self.running.said()
        )
        self.die()
        self.await_text(words)
        self.say("the end")
        self.await_text("the end")
        self.assertEqual(self.receiver.texts(), [words, "the end"])
        self.assertEqual(bool(self.seen("edit")), grows)

    def test_amid_a_streamed_answer(self):
        self.each(self.amid_a_streamed_answer)

    def amid_a_pending_approval(self):
        """The agent died with the process and asks again."""
        self.say("ask make release")
        if self.kind == "signal":
            self.await_text("/approve")
            self.die()
            self.assertTrue(
                self.receiver.wait_for(
                    lambda r: sum("/approve" in t for t in r.texts()) == 2, 30
                ),
                f"{self.receiver.texts()}\n{self.running.said()}",
            )
            self.say("/approve")
        else:
            old = self.await_one("buttons")
            self.die()
            new = self.await_one("buttons", 2)
            self.press(old, "Approve", "no longer open")
            self.press(new, "Approve", "Approved.")
        self.await_text("allowed once")
        self.say("the end")
        self.await_text("the end")
        self.assertEqual(sum("allowed once" in t for t in self.receiver.texts()), 1)

    def test_amid_a_pending_approval(self):
        self.each(self.amid_a_pending_approval)

    def amid_a_message_of_five_parts(self):
        limit = LIMITS.get(self.kind, 4096)
        lines = [f"paragraph {n} " + "x" * (limit - 600) for n in range(5)]
        self.receiver.script("ok", "ok", "hang", chat="chat-1")
        self.say("\n\n".join(lines))
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.tries("chat-1")) == 3, 30),
            self.running.said(),
        )
        self.die()
        self.await_text("paragraph 4")
        self.say("the end")
        self.await_text("the end")
        self.assertEqual(self.receiver.texts(), [*lines, "the end"])

    def test_amid_a_message_of_five_parts(self):
        self.each(self.amid_a_message_of_five_parts)


class Loop(Scenario):
    """Another program sits in the chat and answers every answer, as a person at their account."""

    def setUp(self):
        super().setUp()
        self.discord = self.peer(Receiver("the-secret-of-discord"))
        self.signal = self.peer(Receiver("the-secret-of-signal"))

    def echo(self, daemon, turns):
        """Say something to each of so many answers."""
        for number in range(turns):
            answer = daemon.post(
                message(f"echo {number}"), "discord", self.discord.secret
            )
            self.assertEqual(answer.status, 202)
            self.assertTrue(
                self.discord.wait_for(lambda r: len(r.texts("chat-1")) > number),
                f"turn {number}\n{daemon.said()}",
            )
        return self.discord.texts("chat-1")

    def settings(self, **more):
        return {
            **bridge_settings("discord", self.discord),
            **bridge_settings("signal", self.signal),
            "OPERATOR_CHAT": "signal:ops",
            **more,
        }

    def test_it_is_told_once_and_then_ends(self):
        daemon = self.daemon(self.settings())
        said = self.echo(daemon, 31)
        self.assertEqual(said[:30], [f"echo {number}" for number in range(30)])
        self.assertIn("as if two programs talked to each other", said[30])
        self.assertTrue(self.signal.wait_for(lambda r: r.texts("ops")), daemon.said())
        self.assertEqual(
            self.signal.texts("ops"),
            ["A chat is left alone for a while: two programs seem to answer each other "
             "there. (discord:chat-1)"],
        )
        for text, chat in (("are you there", "chat-1"), ("hello", "chat-2")):
            daemon.post(message(text, chat=chat), "discord", self.discord.secret)
        self.assertTrue(self.discord.wait_for(lambda r: r.texts("chat-2")), daemon.said())
        self.assertEqual(len(self.discord.texts("chat-1")), 31)

    def test_switched_off(self):
        daemon = self.daemon(self.settings(LOOP_BRAKE="false"))
        self.assertEqual(self.echo(daemon, 40), [f"echo {n}" for n in range(40)])


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
