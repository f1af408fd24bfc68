# SPDX-License-Identifier: Apache-2.0
"""A person at a signed webhook, an agent, and back."""
import json
import re
import threading
import time
import unittest

from tests.peers.model import Model
from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import (
    MODEL_KEY,
    WEBHOOK_SECRET,
    Scenario,
    model_settings,
    webhook_settings,
)


class WebhookEcho(Scenario):
    """Echo answers: what comes back is what was said."""

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.receiver.refused, [])

    def await_texts(self, daemon, chat, count=1, seconds=20):
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts(chat)) >= count, seconds),
            f"{self.receiver.texts(chat)}\n{daemon.said()}",
        )
        return self.receiver.texts(chat)

    def test_there_and_back(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        text = 'Grüße, 你好, 😀 & <b>"quoted"</b> \\ and\n\n```c\nint x = 1 < 2;\n```\nend'
        daemon.say(text, chat="room 7/ü", target={
            "chatId": "room 7/ü", "threadId": "t-1", "isDirect": False})
        shown = self.await_texts(daemon, "room 7/ü")
        self.assertEqual(len(shown), 1)
        self.assertIn(text, shown[0], "Markdown arrives byte by byte")
        answer = self.receiver.tries("room 7/ü")[0].body
        self.assertEqual(answer["target"]["threadId"], "t-1")
        self.assertEqual(answer["providerKind"], "webhook")
        self.until(
            lambda: daemon.delivery("Grüße", status="sent"), "sent", daemon
        )
        record = daemon.delivery("Grüße")
        self.assertEqual(record["deliveryId"], answer["deliveryId"])
        self.assertEqual(record["attemptCount"], 1)

    def test_a_repeat_does_nothing(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        body = message("only once", event_id="event-1")
        for _ in range(3):
            self.assertEqual(daemon.post(body).status, 202)
        stamp = int(time.time()) - 5
        self.assertEqual(daemon.post(body, stamp=stamp).status, 202)
        other = message("another text", event_id="event-1")
        self.assertEqual(daemon.post(other).status, 409)
        self.await_texts(daemon, "chat-1")
        daemon.restart()
        self.assertEqual(daemon.post(body).status, 202, "also after a restart")
        daemon.say("the end", event_id="event-2")
        shown = self.await_texts(daemon, "chat-1", 2)
        self.assertEqual(len(shown), 2, shown)
        self.assertIn("only once", shown[0])
        self.assertIn("the end", shown[1])

    def test_without_an_id_the_signature_tells_a_repeat(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        stamp = int(time.time())
        for _ in range(2):
            self.assertEqual(daemon.post(message("no id"), stamp=stamp).status, 202)
        self.assertEqual(daemon.post(message("no id"), stamp=stamp - 1).status, 202)
        self.assertEqual(len(self.await_texts(daemon, "chat-1", 2)), 2)

    def test_standard_webhooks_signature(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        body = message("signed the other way")
        self.assertEqual(daemon.post(body, standard="msg_1").status, 202)
        self.assertEqual(daemon.post(body, standard="msg_1").status, 202)
        wrong = daemon.post(body, standard="msg_2", secret="another secret")
        self.assertEqual(wrong.status, 401)
        self.await_texts(daemon, "chat-1")
        daemon.say("the end")
        self.assertEqual(len(self.await_texts(daemon, "chat-1", 2)), 2)

    def test_order_within_a_chat(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        chats = [f"chat-{i}" for i in range(6)]

        def talk(chat):
            for number in range(8):
                daemon.say(f"{chat} says {number:03}", chat=chat)

        talkers = [threading.Thread(target=talk, args=(chat,)) for chat in chats]
        for talker in talkers:
            talker.start()
        for talker in talkers:
            talker.join(60)
        for chat in chats:
            shown = " ".join(self.await_texts(daemon, chat, 8, 60))
            numbers = re.findall(r"says (\d{3})", shown)
            self.assertEqual(numbers, [f"{n:03}" for n in range(8)], chat)

    def test_commands(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        for number, (command, words) in enumerate(
            (
                ("/help", "/new"),
                ("/start", "/help"),
                ("/status", "No conversation"),
                ("/stop", "Nothing is running"),
                ("/new", "new conversation"),
            ),
            1,
        ):
            daemon.say(command)
            shown = self.await_texts(daemon, "chat-1", number)
            self.assertIn(words, shown[-1], command)
        daemon.say("hello")
        self.await_texts(daemon, "chat-1", 6)
        daemon.say("/status@somebot extra words")
        self.assertIn("idle", self.await_texts(daemon, "chat-1", 7)[-1])
        daemon.say("/unknown is for the agent")
        self.assertIn("/unknown", self.await_texts(daemon, "chat-1", 8)[-1])

    def test_two_instances_of_a_kind(self):
        second = self.peer(Receiver("the-other-webhook-secret"))
        entries = [
            {
                "kind": "webhook",
                "channelBindingId": "first",
                "credentials": {"sharedSecret": WEBHOOK_SECRET},
                "settings": {"deliveryUrl": self.receiver.url, "allowFrom": ["*"]},
            },
            {
                "id": "webhook-two",
                "kind": "webhook",
                "channelBindingId": "second",
                "credentials": {"sharedSecret": second.secret},
                "settings": {"deliveryUrl": second.url, "allowFrom": ["*"]},
            },
        ]
        daemon = self.daemon({"PROVIDERS": json.dumps(entries)})
        self.assertIn("webhook-1", daemon.operator("/ready").body.decode())
        self.assertEqual(daemon.post(message("x"), "webhook-two").status, 401)
        posted = daemon.post(message("to two"), "webhook-two", second.secret)
        self.assertEqual(posted.status, 202)
        self.assertTrue(second.wait_for(lambda r: r.texts()), daemon.said())
        self.assertEqual(self.receiver.texts(), [])
        self.assertEqual(second.refused, [])


class WebhookModel(Scenario):
    """An OpenAI-compatible model answers, in a stream."""

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        self.model = self.peer(Model(MODEL_KEY))
        self.settings = {
            **webhook_settings(self.receiver),
            **model_settings(self.model),
        }

    def await_text(self, daemon, wanted, chat="chat-1", seconds=30):
        self.assertTrue(
            self.receiver.wait_for(lambda r: wanted in r.texts(chat), seconds),
            f"{self.receiver.texts(chat)}\n{daemon.said()}",
        )

    def test_grows_before_the_eyes(self):
        daemon = self.daemon(self.settings)
        self.model.script(("slow", 0.35))
        daemon.say("count to id-4711 slowly please")
        whole = Model.answer("count to id-4711 slowly please")
        self.await_text(daemon, whole)
        texts = self.receiver.tries("chat-1")
        edits = self.receiver.tries("chat-1", "edit")
        self.assertEqual(len(texts), 1, "one message, which is edited")
        self.assertTrue(whole.startswith(texts[0].text))
        self.assertLess(len(texts[0].text), len(whole))
        self.assertGreaterEqual(len(edits), 2, "it grows")
        for edit in edits:
            self.assertTrue(whole.startswith(edit.text), edit.text)
        self.assertEqual(self.receiver.texts("chat-1"), [whole])
        self.assertEqual(len({d.key for d in texts + edits}), 1 + len(edits))

    def test_typing_is_shown_meanwhile(self):
        daemon = self.daemon(self.settings)
        go = threading.Event()
        self.model.script(("hold", go))
        daemon.say("think")
        self.assertTrue(
            self.receiver.wait_for(lambda r: r.tries("chat-1", "typing")), daemon.said()
        )
        go.set()
        self.await_text(daemon, Model.answer("think"))

    def test_conversation_has_a_memory_until_new(self):
        daemon = self.daemon(self.settings)
        for text in ("first", "second"):
            daemon.say(text)
            self.await_text(daemon, Model.answer(text))
        roles = [m["role"] for m in self.model.requests[1]["messages"]]
        self.assertEqual(roles[-3:], ["user", "assistant", "user"])
        daemon.say("/new")
        self.assertTrue(self.receiver.wait_for(lambda r: len(r.texts("chat-1")) == 3))
        daemon.say("third")
        self.await_text(daemon, Model.answer("third"))
        contents = [m["content"] for m in self.model.requests[2]["messages"]]
        self.assertNotIn("first", contents)

    def test_long_answer_comes_in_parts(self):
        daemon = self.daemon(self.settings)
        lines = [f"line {n:04} of a long answer" for n in range(600)]
        self.model.script(("text", "\n".join(lines)))
        daemon.say("tell me more")
        self.assertTrue(
            self.receiver.wait_for(lambda r: lines[-1] in "".join(r.texts("chat-1")), 30),
            daemon.said(),
        )
        shown = self.receiver.texts("chat-1")
        self.assertGreater(len(shown), 3)
        for text in shown:
            self.assertLessEqual(len(text), 4096)
        self.assertEqual("\n".join(shown).split("\n"), lines, "nothing lost, in order")

    def test_stop(self):
        daemon = self.daemon(self.settings)
        never = threading.Event()
        self.model.script(("hold", never))
        daemon.say("work for a year")
        self.assertTrue(self.model.wait_for(lambda m: m.active == 1), daemon.said())
        daemon.say("/status")
        self.assertTrue(
            self.receiver.wait_for(
                lambda r: any("working" in t for t in r.texts("chat-1"))
            ),
            daemon.said(),
        )
        daemon.say("/stop")
        self.assertTrue(
            self.receiver.wait_for(
                lambda r: any("Stopped" in t for t in r.texts("chat-1"))
            ),
            daemon.said(),
        )
        self.assertTrue(self.model.wait_for(lambda m: m.active == 0), "it was let go")
        daemon.say("now something else")
        self.await_text(daemon, Model.answer("now something else"))

    def test_one_turn_at_a_time_in_a_chat(self):
        daemon = self.daemon(self.settings)
        for number in range(4):
            daemon.say(f"question {number}")
        self.await_text(daemon, Model.answer("question 3"), seconds=60)
        self.assertEqual(self.model.most_active, 1)
        self.assertEqual(
            self.receiver.texts("chat-1"),
            [Model.answer(f"question {n}") for n in range(4)],
        )

    def restart_in_the_middle(self, end):
        daemon = self.daemon(self.settings)
        never = threading.Event()
        self.model.script(("hold", never, 0.4))
        daemon.say("id-99 tell me everything there is")
        self.assertTrue(
            self.receiver.wait_for(lambda r: r.texts("chat-1"), 20), daemon.said()
        )
        self.until(lambda: daemon.deliveries(status="sent"), "it has its receipt", daemon)
        end(daemon)
        daemon.start()
        whole = Model.answer("id-99 tell me everything there is")
        self.await_text(daemon, whole)
        daemon.say("after that")
        self.await_text(daemon, Model.answer("after that"))
        shown = self.receiver.texts("chat-1")
        self.assertEqual(shown, [whole, Model.answer("after that")])

    def test_stopped_in_the_middle_of_an_answer(self):
        self.restart_in_the_middle(lambda daemon: daemon.stop())

    def test_killed_in_the_middle_of_an_answer(self):
        self.restart_in_the_middle(lambda daemon: daemon.kill())


class Pairing(Scenario):
    """Strangers get a code and nothing else."""

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))

    def code_of(self, daemon, chat):
        self.assertTrue(
            self.receiver.wait_for(lambda r: r.texts(chat)),
            f"no code came\n{daemon.said()}",
        )
        found = re.search(r"code: (\S+)", self.receiver.texts(chat)[0])
        self.assertTrue(found, self.receiver.texts(chat))
        return found.group(1)

    def test_approved_on_the_command_line(self):
        settings = webhook_settings(self.receiver, WEBHOOK_ALLOW_FROM="boss")
        daemon = self.daemon(settings)
        daemon.say("let me in", chat="s", sender="stranger")
        code = self.code_of(daemon, "s")
        daemon.say("and again", chat="s", sender="stranger")
        listed = daemon.cli("people", "list")
        self.assertIn(b"stranger", listed.stdout, listed)
        self.assertIn(b"pending", listed.stdout)
        wrong = daemon.cli("people", "approve", "WRONGCODE")
        self.assertNotEqual(wrong.returncode, 0)
        self.assertTrue(wrong.stderr)
        done = daemon.cli("people", "approve", code)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"stranger", done.stdout)
        daemon.say("am I in", chat="s", sender="stranger")
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts("s")) >= 2), daemon.said()
        )
        self.assertIn("am I in", self.receiver.texts("s")[-1])
        self.assertEqual(len(self.receiver.texts("s")), 2, "told once")

    def test_approved_in_the_chat(self):
        settings = webhook_settings(self.receiver, WEBHOOK_ALLOW_FROM="boss")
        daemon = self.daemon(settings)
        daemon.say("let me in", chat="s", sender="stranger")
        code = self.code_of(daemon, "s")
        daemon.say(f"/approve {code}", chat="s", sender="stranger")
        daemon.say("hello", chat="b", sender="boss")
        daemon.say("/approve NOSUCHCODE", chat="b", sender="boss")
        daemon.say(f"/approve {code}", chat="b", sender="boss")
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts("b")) >= 3), daemon.said()
        )
        shown = self.receiver.texts("b")
        self.assertTrue(any("unknown" in text for text in shown), shown)
        self.assertTrue(any("may talk" in text for text in shown), shown)
        daemon.say("am I in", chat="s", sender="stranger")
        self.assertTrue(
            self.receiver.wait_for(
                lambda r: any("am I in" in text for text in r.texts("s"))
            ),
            f"{self.receiver.texts('s')}\n{daemon.said()}",
        )


if __name__ == "__main__":
    unittest.main()
