# SPDX-License-Identifier: Apache-2.0
"""A person at Telegram: against an emulator that refuses what the real one refuses."""
import json
import os
import threading
import time
import unittest
import urllib.request

from tests.peers.model import Model
from tests.peers.telegram import Telegram, units
from tests.scenario.daemon import (
    MODEL_KEY,
    TELEGRAM_TOKEN,
    Scenario,
    model_settings,
    telegram_settings,
)

LABEL = "♻ This may be a repeat:\n"


class TelegramCase(Scenario):
    def setUp(self):
        super().setUp()
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        self.user = self.telegram.private(7001)
        self.clean = True

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.telegram.mistakes, [])
        if self.clean:
            self.assertEqual(self.telegram.conflicts, 0)

    def await_text(self, daemon, wanted, chat=None, thread=None, seconds=30):
        chat = self.user if chat is None else chat
        self.assertTrue(
            self.telegram.wait_for(lambda t: wanted in t.texts(chat, thread), seconds),
            f"{wanted!r}: {self.telegram.texts(chat, thread)}\n{daemon.said()}",
        )

    def await_mark(self, daemon, number, mark):
        """On the message of that number, counted from the first that was heard."""

        def is_shown(telegram):
            heard = sorted(telegram.heard)
            return len(heard) > number and telegram.reactions.get(heard[number]) == mark

        self.assertTrue(
            self.telegram.wait_for(is_shown),
            f"{mark}: {self.telegram.reactions}\n{daemon.said()}",
        )

    def await_polling(self, daemon):
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.polling > 0), f"no poll\n{daemon.said()}"
        )


class TelegramEcho(TelegramCase):
    def test_there_and_back(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, "Grüße 😀")
        self.await_text(daemon, "Grüße 😀")
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.confirmed == t.next_update), "confirmed"
        )
        self.assertEqual(self.telegram.count("deleteWebhook"), 1)

    def test_a_quiet_bot_is_ready_at_once(self):
        """Not only once somebody writes, or a poll ends without anything."""
        daemon = self.daemon(telegram_settings(self.telegram))
        self.until(lambda: daemon.operator("/ready").status == 200, "ready", daemon)
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.polling > 0 and t.count("getUpdates") == 2),
            daemon.said(),
        )

    def test_waiting_messages_are_not_lost(self):
        """Written before the start, and while it was down."""
        for number in range(3):
            self.telegram.say(self.user, f"early {number}")
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_text(daemon, "early 2")
        self.assertEqual(daemon.stop(), 0, daemon.said())
        for number in range(3):
            self.telegram.say(self.user, f"late {number}")
        daemon.start()
        self.await_text(daemon, "late 2")
        self.assertEqual(
            self.telegram.texts(self.user),
            [f"{word} {n}" for word in ("early", "late") for n in range(3)],
        )

    def test_more_than_a_batch(self):
        for number in range(130):
            self.telegram.say(self.user, f"number {number}")
        daemon = self.daemon(telegram_settings(
            self.telegram, TELEGRAM_RATE_PERCENT=1000))
        self.await_text(daemon, "number 129", seconds=90)
        self.assertEqual(
            self.telegram.texts(self.user), [f"number {n}" for n in range(130)]
        )

    def test_topics_and_plain_groups(self):
        forum = self.telegram.group(-100500, topics=(11, 12))
        plain = self.telegram.group(-100600)
        daemon = self.daemon(
            telegram_settings(self.telegram, TELEGRAM_RESPOND_IN_GROUPS="all")
        )
        self.telegram.say(self.user, "in eleven", chat=forum, thread=11)
        self.telegram.say(self.user, "in twelve", chat=forum, thread=12)
        self.telegram.say(self.user, "in general", chat=plain)
        self.await_text(daemon, "in eleven", forum, 11)
        self.await_text(daemon, "in twelve", forum, 12)
        self.await_text(daemon, "in general", plain)

    def test_groups_are_left_alone(self):
        group = self.telegram.group(-100700)
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, "not for you", chat=group)
        self.telegram.say(self.user, "/help@another_bot", chat=group)
        self.telegram.say(self.user, "/help@cow_gate_bot", chat=group)
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.texts(group)), daemon.said()
        )
        self.telegram.say(self.user, "the end")
        self.await_text(daemon, "the end")
        self.assertEqual(len(self.telegram.texts(group)), 1)
        self.assertIn("/new", self.telegram.texts(group)[0])

    def test_bots_and_odd_updates_are_passed_over(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        chat = {"id": self.user, "type": "private"}
        bot = {"id": 5, "is_bot": True, "first_name": "B"}
        for update in (
            {"message": {"message_id": 900, "date": 1, "chat": chat, "from": bot, "text": "x"}},
            {"message": {"message_id": 901, "date": 1, "chat": chat}},
            {"message": {}},
            {"message": None},
            {"message": "text"},
            {"edited_message": {"message_id": 902, "chat": chat, "text": "y"}},
            {"something_new": {"a": [1, {"b": None}]}},
            {"callback_query": {"id": "1"}},
            {},
        ):
            self.telegram.push(update)
        self.telegram.say(self.user, "after all that")
        self.await_text(daemon, "after all that")
        self.assertEqual(self.telegram.texts(self.user), ["after all that"])
        self.assertTrue(self.telegram.wait_for(lambda t: not t.updates), "all confirmed")

    def test_a_stale_button_is_answered(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, "hello")
        self.await_text(daemon, "hello")
        message = self.telegram.sent(self.user)[0]
        query = self.telegram.press(self.user, message, "apv:gone")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: t.queries[query] is not None or len(t.texts(self.user)) > 1
            ),
            daemon.said(),
        )

    def test_blocked_by_the_person(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        other = self.telegram.private(7002)
        self.telegram.block(self.user)
        self.telegram.say(self.user, "blocked")
        self.telegram.say(other, "not blocked")
        self.await_text(daemon, "not blocked", other)
        record = self.until(
            lambda: daemon.delivery("blocked", status="dead"), "dead", daemon
        )
        self.assertEqual(record["outcome"], "refused")
        self.assertEqual(record["scope"], "chat")
        self.assertEqual(record["platformStatus"], 403)

    def test_revoked_token(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        self.telegram.revoked = True
        self.telegram.say(self.user, "wakes the poll")
        self.until(
            lambda: not daemon.operator("/ready").json()["providers"][0]["healthy"],
            "unhealthy",
            daemon,
            60,
        )
        self.assertEqual(daemon.request("GET", "/health").status, 200)


class TelegramFaults(TelegramCase):
    """What becomes of a send when its answer is odd."""

    def send(self, step, text="message"):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        self.telegram.script("sendMessage", step)
        self.telegram.say(self.user, text)
        return daemon

    def test_limited(self):
        daemon = self.send(("status", 429, "Too Many Requests: retry after 2", 2))
        self.await_text(daemon, "message")
        self.assertEqual(self.telegram.count("sendMessage"), 2)
        record = self.until(
            lambda: daemon.delivery("message", status="sent"), "sent", daemon
        )
        self.assertEqual(record["attemptCount"], 2)

    def test_lost_before_it_was_done(self):
        """It may have arrived, so the second one says so."""
        for step in ("lost", "lost-reset"):
            with self.subTest(step):
                daemon = self.send(step, step)
                self.await_text(daemon, LABEL + step)
                self.assertEqual(self.telegram.texts(self.user)[-1:], [LABEL + step])
                self.assertEqual(daemon.stop(), 0)

    def test_done_and_the_answer_lost(self):
        for step in ("done-lost", "done-reset"):
            with self.subTest(step):
                daemon = self.send(step, step)
                self.await_text(daemon, LABEL + step)
                self.assertEqual(
                    self.telegram.texts(self.user)[-2:], [step, LABEL + step]
                )
                self.assertEqual(daemon.stop(), 0)

    def test_server_error(self):
        daemon = self.send(("status", 500, "Internal Server Error"))
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.texts(self.user)), daemon.said()
        )
        self.assertIn(self.telegram.texts(self.user)[0], ("message", LABEL + "message"))

    def test_a_proxy_answers(self):
        daemon = self.send("html")
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.texts(self.user)), daemon.said()
        )
        self.assertEqual(len(self.telegram.texts(self.user)), 1)

    def test_an_outage_that_answers(self):
        """Every copy is answered with an error: nobody's answer is given up for that."""
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        self.telegram.script("sendMessage", *["html"] * 4)
        self.telegram.say(self.user, "message")
        self.await_text(daemon, LABEL + "message", seconds=60)
        self.assertEqual(self.telegram.texts(self.user), [LABEL + "message"])

    def test_turned_away_on_the_way(self):
        """Something in between refuses with a page of its own: neither bot nor message is bad."""
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        self.telegram.script("sendMessage", ("page", 403), ("page", 404))
        self.telegram.script("getUpdates", ("page", 401), ("page", 302))
        self.telegram.say(self.user, "message")
        self.await_text(daemon, "message", seconds=60)
        self.telegram.say(self.user, "the end")
        self.await_text(daemon, "the end", seconds=60)
        self.assertEqual(self.telegram.texts(self.user), ["message", "the end"])

    def test_refused(self):
        daemon = self.send(("status", 400, "Bad Request: something is wrong"))
        record = self.until(
            lambda: daemon.delivery("message", status="dead"), "dead", daemon
        )
        self.assertEqual(record["outcome"], "refused")
        self.telegram.say(self.user, "the next one")
        self.await_text(daemon, "the next one")

    def test_polls_that_fail(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        self.telegram.script(
            "getUpdates",
            ("status", 500, "Internal"),
            "lost",
            "html",
            ("status", 429, "Too Many Requests", 1),
            "done-reset",
        )
        for number in range(3):
            self.telegram.say(self.user, f"number {number}")
        self.await_text(daemon, "number 2", seconds=60)
        self.assertEqual(
            self.telegram.texts(self.user), [f"number {n}" for n in range(3)]
        )

    def test_a_server_that_does_not_wait(self):
        """It says at once that there is nothing, so it is asked now and then, not for ever."""
        self.telegram.impatient = True
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, "first")
        self.await_text(daemon, "first")
        begun, before = time.monotonic(), self.telegram.count("getUpdates")
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.count("getUpdates") >= before + 4)
        )
        self.assertGreater(time.monotonic() - begun, 1.0)
        self.telegram.say(self.user, "second")
        self.await_text(daemon, "second")

    def test_a_second_poller(self):
        """Another program polls with our token: it is survived, and nothing is taken twice."""
        self.clean = False
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        url = f"{self.telegram.url}/bot{TELEGRAM_TOKEN}/getUpdates"
        for _ in range(2):
            before = self.telegram.conflicts
            request = urllib.request.Request(
                url,
                json.dumps({"timeout": 0}).encode(),
                {"content-type": "application/json"},
            )
            urllib.request.urlopen(request, timeout=10).close()
            self.assertTrue(self.telegram.wait_for(lambda t: t.conflicts > before))
            self.telegram.say(self.user, f"after conflict {before}")
            self.await_text(daemon, f"after conflict {before}", seconds=30)
        self.assertEqual(len(self.telegram.texts(self.user)), 2)


class TelegramModel(TelegramCase):
    def setUp(self):
        super().setUp()
        self.model = self.peer(Model(MODEL_KEY))
        self.settings = {
            **telegram_settings(self.telegram),
            **model_settings(self.model),
        }

    def test_edits_and_final(self):
        daemon = self.daemon(self.settings)
        self.model.script(("slow", 0.35))
        self.telegram.say(self.user, "id-5 count slowly to the end please")
        whole = Model.answer("id-5 count slowly to the end please")
        self.await_text(daemon, whole)
        sent = self.telegram.sent(self.user)
        self.assertEqual(len(sent), 1, "one message that grows")
        self.assertGreaterEqual(len(sent[0].history), 3, sent[0].history)
        for text in sent[0].history:
            self.assertTrue(whole.startswith(text), sent[0].history)
        lengths = [len(text) for text in sent[0].history]
        self.assertEqual(lengths, sorted(lengths), "it never shrinks")
        self.assertTrue(any(a[2] == "typing" for a in self.telegram.actions))

    def test_the_final_text_is_there_already(self):
        """Telegram calls that an error; it is none."""
        daemon = self.daemon(self.settings)
        go = threading.Event()
        self.model.script(("late", go, 0.3))
        self.telegram.say(self.user, "id-8 count to the end")
        whole = Model.answer("id-8 count to the end")
        self.await_text(daemon, whole)
        edits = self.telegram.count("editMessageText")
        go.set()
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.count("editMessageText") > edits),
            daemon.said(),
        )
        self.until(
            lambda: daemon.delivery(whole, status="sent"), "the final is sent", daemon
        )
        self.assertEqual(self.telegram.texts(self.user), [whole])
        self.assertEqual(daemon.deliveries(status="dead"), [])

    def test_the_growing_message_is_deleted(self):
        daemon = self.daemon(self.settings)
        go = threading.Event()
        self.model.script(("hold", go, 0.4))
        self.telegram.say(self.user, "id-9 and what if it is gone")
        self.assertTrue(self.telegram.wait_for(lambda t: t.texts(self.user)), daemon.said())
        self.until(lambda: daemon.deliveries(status="sent"), "it has its receipt", daemon)
        self.telegram.delete(self.telegram.sent(self.user)[0])
        go.set()
        whole = Model.answer("id-9 and what if it is gone")
        self.await_text(daemon, whole)
        self.assertEqual(self.telegram.texts(self.user), [whole])

    def test_edits_are_limited(self):
        """The platform asks for patience in the middle: the final still comes."""
        daemon = self.daemon(self.settings)
        self.telegram.script(
            "editMessageText",
            ("status", 429, "Too Many Requests: retry after 1", 1),
            ("status", 429, "Too Many Requests: retry after 1", 1),
        )
        self.model.script(("slow", 0.35))
        self.telegram.say(self.user, "id-10 count slowly to the end please")
        whole = Model.answer("id-10 count slowly to the end please")
        self.await_text(daemon, whole)
        self.assertEqual(self.telegram.texts(self.user), [whole])

    def test_formatting_becomes_entities(self):
        daemon = self.daemon(self.settings)
        text = "😀 **bold** and `code` and [a link](https://example.org/x)\n\n```c\nint a;\n```"
        self.model.script(("text", text))
        self.telegram.say(self.user, "format")
        self.assertTrue(self.telegram.wait_for(lambda t: t.texts(self.user)), daemon.said())
        message = self.telegram.sent(self.user)[-1]
        kinds = {e["type"] for e in message.content["entities"]}
        self.assertLessEqual({"bold", "code", "text_link", "pre"}, kinds)
        self.assertNotIn("**", message.text)
        bold = next(e for e in message.content["entities"] if e["type"] == "bold")
        data = message.text.encode("utf-16-le")
        cut = data[bold["offset"] * 2 : (bold["offset"] + bold["length"]) * 2]
        self.assertEqual(cut.decode("utf-16-le"), "bold")

    def test_long_answer_in_astral_letters(self):
        """4096 is counted in UTF-16 units; the emulator refuses one more."""
        daemon = self.daemon(self.settings)
        words = [f"w{n:04}😀😀😀" for n in range(1200)]
        self.model.script(("text", " ".join(words)))
        self.telegram.say(self.user, "long")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: words[-1] in "".join(t.texts(self.user)), 60
            ),
            daemon.said(),
        )
        shown = self.telegram.texts(self.user)
        self.assertGreater(len(shown), 2)
        self.assertLessEqual(max(units(text) for text in shown), 4096)
        self.assertEqual(" ".join(shown).split(), words)

    CODE = "".join(f"print({n}, '😀 a line of some length')\n" for n in range(400))

    def files(self):
        return [
            message.content["document"]
            for message in self.telegram.sent(self.user)
            if "document" in message.content
        ]

    def test_long_code_becomes_a_file(self):
        """The text names it, and it comes behind."""
        daemon = self.daemon(self.settings)
        self.model.script(("text", f"Run this:\n\n```python\n{self.CODE}```\n\nThat is all."))
        self.telegram.say(self.user, "write it")
        self.assertTrue(self.telegram.wait_for(lambda t: self.files(), 60), daemon.said())
        text, file = self.telegram.sent(self.user)
        self.assertEqual(text.text, "Run this:\n\n📎 code.py (400 lines)\n\nThat is all.")
        self.assertEqual(
            file.content["document"], {"file_name": "code.py", "bytes": self.CODE.encode()}
        )
        self.assertEqual(file.text, "")
        self.until(lambda: not os.listdir(daemon.directory / "data" / "spool"), "it is gone", daemon)

    def test_killed_while_long_code_goes_out(self):
        daemon = self.daemon(self.settings)
        self.model.script(("text", f"This:\n\n```python\n{self.CODE}```"))
        self.telegram.script("sendDocument", "hang")
        self.telegram.say(self.user, "write it")
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.count("sendDocument") == 1, 60), daemon.said()
        )
        self.clean = False  # the dead process's poll lingers
        daemon.kill()
        daemon.start()
        self.assertTrue(self.telegram.wait_for(lambda t: self.files(), 60), daemon.said())
        self.telegram.say(self.user, "after that")
        self.await_text(daemon, Model.answer("after that"))
        self.assertEqual(
            self.telegram.texts(self.user),
            ["This:\n\n📎 code.py (400 lines)", LABEL.strip(), Model.answer("after that")],
        )
        self.assertEqual([file["bytes"] for file in self.files()], [self.CODE.encode()])

    def mark_over_a_restart(self, is_time):
        """It dies when it is time; what the person sees becomes true all the same."""
        daemon = self.daemon(self.settings)
        self.telegram.say(self.user, "id-7 tell me")
        self.await_mark(daemon, 0, "👀")
        self.assertTrue(self.telegram.wait_for(is_time), daemon.said())
        self.clean = False  # the dead process's poll lingers
        daemon.kill()
        self.assertNotIn("👍", self.telegram.reactions.values())
        daemon.start()
        self.await_mark(daemon, 0, "👍")
        self.assertIn(Model.answer("id-7 tell me"), "".join(self.telegram.texts(self.user)))

    def test_seen_then_killed_before_the_answer(self):
        self.model.script(("hold", threading.Event()))
        self.mark_over_a_restart(lambda t: self.model.active == 1)

    def test_seen_then_killed_before_the_receipt(self):
        self.telegram.script("sendMessage", "hang")
        self.mark_over_a_restart(lambda t: t.count("sendMessage") == 1)

    def test_seen_then_killed_before_it_is_shown_as_done(self):
        self.telegram.script("setMessageReaction", "ok", "hang")
        self.mark_over_a_restart(lambda t: t.count("setMessageReaction") == 2)
        self.assertEqual(self.telegram.texts(self.user), [Model.answer("id-7 tell me")])

    def test_stop_and_status_and_new(self):
        daemon = self.daemon(self.settings)
        never = threading.Event()
        self.model.script(("hold", never))
        self.telegram.say(self.user, "work for ever")
        self.assertTrue(self.model.wait_for(lambda m: m.active == 1), daemon.said())
        self.telegram.say(self.user, "/status")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("working" in text for text in t.texts(self.user))
            ),
            daemon.said(),
        )
        self.telegram.say(self.user, "/stop")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("Stopped" in text for text in t.texts(self.user))
            ),
            daemon.said(),
        )
        self.telegram.say(self.user, "/new")
        self.telegram.say(self.user, "and now")
        self.await_text(daemon, Model.answer("and now"))

    def restart_in_the_middle(self, end):
        daemon = self.daemon(self.settings)
        never = threading.Event()
        self.model.script(("hold", never, 0.4))
        self.telegram.say(self.user, "id-6 tell me everything there is")
        self.assertTrue(self.telegram.wait_for(lambda t: t.texts(self.user)), daemon.said())
        self.until(lambda: daemon.deliveries(status="sent"), "it has its receipt", daemon)
        # A poll that a dead process leaves behind is no conflict worth a complaint.
        self.clean = False
        end(daemon)
        daemon.start()
        whole = Model.answer("id-6 tell me everything there is")
        self.await_text(daemon, whole, seconds=60)
        self.telegram.say(self.user, "after that")
        self.await_text(daemon, Model.answer("after that"))
        self.assertEqual(
            self.telegram.texts(self.user), [whole, Model.answer("after that")]
        )

    def test_stopped_in_the_middle_of_an_answer(self):
        self.restart_in_the_middle(lambda daemon: daemon.stop())

    def test_killed_in_the_middle_of_an_answer(self):
        self.restart_in_the_middle(lambda daemon: daemon.kill())

    def killed_among_five_parts(self, step):
        """Killed while the third is on its way; the parts, and which of them are repeats."""
        daemon = self.daemon(self.settings)
        words = [f"w{n:04}" for n in range(2900)]
        self.model.script(("text", " ".join(words)))
        self.telegram.script("sendMessage", "ok", "ok", step)
        self.telegram.say(self.user, "tell me everything")
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.count("sendMessage") == 3, 30),
            daemon.said(),
        )
        self.clean = False  # the dead process's poll lingers
        daemon.kill()
        daemon.start()
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: words[-1] in "".join(t.texts(self.user)), 60
            ),
            daemon.said(),
        )
        shown = self.telegram.texts(self.user)
        once = [text for text in shown if not text.startswith(LABEL)]
        again = [text.removeprefix(LABEL) for text in shown if text.startswith(LABEL)]
        self.assertEqual(len(again), 1, "one part, whose fate nobody knows")
        return shown, once, again, words

    def test_killed_before_the_third_of_five_parts_arrived(self):
        shown, once, again, words = self.killed_among_five_parts("hang")
        self.assertEqual(len(shown), 5)
        self.assertEqual(shown[2], LABEL + again[0])
        self.assertEqual(" ".join(once[:2] + again + once[2:]).split(), words)

    def test_killed_after_the_third_of_five_parts_arrived(self):
        _, once, again, words = self.killed_among_five_parts("done-hang")
        self.assertEqual(len(once), 5)
        self.assertEqual(" ".join(once).split(), words)
        self.assertEqual(again, once[2:3])


class TelegramMarks(TelegramCase):
    """What a person sees on their own messages."""

    def test_seen_then_done(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, "slow 2 something")
        self.await_mark(daemon, 0, "👀")
        self.assertEqual(self.telegram.texts(self.user), [])
        self.await_mark(daemon, 0, "👍")
        self.assertNotEqual(self.telegram.texts(self.user), [])
        self.assertEqual(self.telegram.count("setMessageReaction"), 2)

    def test_failed_and_commands(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, "fail on purpose")
        self.await_mark(daemon, 0, "👎")
        self.assertIn("on purpose", self.telegram.texts(self.user)[0])
        self.telegram.say(self.user, "/status")
        self.await_text(daemon, "The agent is idle.\nAgent: echo")
        self.assertEqual(len(self.telegram.reactions), 1)

    def test_switched_off(self):
        daemon = self.daemon(telegram_settings(self.telegram, REACTIONS="false"))
        self.telegram.say(self.user, "hello")
        self.await_text(daemon, "hello")
        self.assertEqual(self.telegram.count("setMessageReaction"), 0)


class TelegramPairing(TelegramCase):
    def test_stranger(self):
        boss = self.telegram.private(7009)
        daemon = self.daemon(
            telegram_settings(self.telegram, TELEGRAM_ALLOW_FROM=str(boss))
        )
        self.telegram.say(self.user, "let me in")
        self.assertTrue(self.telegram.wait_for(lambda t: t.texts(self.user)), daemon.said())
        told = self.telegram.texts(self.user)[0]
        code = told.split("code:")[1].split()[0]
        self.telegram.say(boss, f"/approve {code}")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("may talk" in text for text in t.texts(boss))
            ),
            daemon.said(),
        )
        self.telegram.say(self.user, "am I in")
        self.await_text(daemon, "am I in")


if __name__ == "__main__":
    unittest.main()
