# SPDX-License-Identifier: Apache-2.0
"""Telegram's other ways: webhooks, files, albums, groups that move, two programs with one bot."""
import http.client
import json
import unittest

from tests.scenario.daemon import telegram_settings
from tests.scenario.test_telegram import TelegramCase

SECRET = "hook-Secret_1"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40


class TelegramWebhook(TelegramCase):
    def settings(self, **more):
        return telegram_settings(
            self.telegram,
            TELEGRAM_MODE="webhook",
            TELEGRAM_WEBHOOK_SECRET=SECRET,
            TELEGRAM_PUBLIC_URL="https://gateway.example.org",
            **more,
        )

    def start(self, daemon):
        daemon.start()
        self.telegram.hook_port = daemon.port

    def test_there_and_back(self):
        daemon = self.daemon(self.settings(), start=False)
        self.start(daemon)
        self.telegram.say(self.user, "Grüße 😀")
        self.await_text(daemon, "Grüße 😀")
        self.assertEqual(self.telegram.count("getUpdates"), 0)
        self.assertEqual(
            self.telegram.webhook, "https://gateway.example.org/webhooks/telegram"
        )
        self.until(
            lambda: daemon.operator("/ready").json()["providers"][0]["healthy"],
            "healthy",
            daemon,
        )

    def test_a_forged_call(self):
        daemon = self.daemon(self.settings(), start=False)
        self.start(daemon)
        self.telegram.say(self.user, "real")
        self.await_text(daemon, "real")
        update = {
            "update_id": 99999,
            "message": {
                "message_id": 1,
                "date": 1,
                "chat": {"id": self.user, "type": "private"},
                "from": {"id": self.user, "is_bot": False, "first_name": "F"},
                "text": "forged",
            },
        }
        for secret in (None, "", SECRET[:-1], SECRET + "x", SECRET.upper()):
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
            headers = {"content-type": "application/json"}
            if secret is not None:
                headers["X-Telegram-Bot-Api-Secret-Token"] = secret
            connection.request("POST", "/webhooks/telegram", json.dumps(update), headers)
            self.assertEqual(connection.getresponse().status, 401)
            connection.close()
        self.telegram.say(self.user, "the end")
        self.await_text(daemon, "the end")
        self.assertEqual(self.telegram.texts(self.user), ["real", "the end"])

    def test_what_comes_while_we_are_away_comes_again(self):
        daemon = self.daemon(self.settings(), start=False)
        self.start(daemon)
        self.telegram.say(self.user, "first")
        self.await_text(daemon, "first")
        self.assertEqual(daemon.stop(), 0, daemon.said())
        calls = self.telegram.hook_calls
        for number in range(3):
            self.telegram.say(self.user, f"away {number}")
        self.assertTrue(self.telegram.wait_for(lambda t: t.hook_calls > calls))
        self.start(daemon)
        self.await_text(daemon, "away 2")
        self.assertEqual(
            self.telegram.texts(self.user), ["first"] + [f"away {n}" for n in range(3)]
        )

    def test_from_calls_to_polls_and_back(self):
        daemon = self.daemon(self.settings(), start=False)
        self.start(daemon)
        self.telegram.say(self.user, "by call")
        self.await_text(daemon, "by call")
        for mode, text in (("polling", "by poll"), ("webhook", "by call again")):
            self.assertEqual(daemon.stop(), 0, daemon.said())
            self.telegram.hook_port = None
            self.telegram.say(self.user, text)
            daemon.settings["TELEGRAM_MODE"] = mode
            self.start(daemon)
            self.await_text(daemon, text)
        self.assertEqual(
            self.telegram.texts(self.user), ["by call", "by poll", "by call again"]
        )


class TelegramFiles(TelegramCase):
    def test_files_reach_the_agent(self):
        """The demo agent answers with their names, types and sizes."""
        daemon = self.daemon(telegram_settings(self.telegram))
        update = self.telegram.say(
            self.user, None, photo=self.telegram.photo(JPEG), caption="look"
        )
        picture = f"(image/jpeg, {len(JPEG)} bytes)"
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any(picture in text for text in t.texts(self.user))
            ),
            daemon.said(),
        )
        self.assertEqual(self.telegram.count("getFile"), 1)
        self.assertTrue(self.telegram.wait_for(lambda t: t.confirmed >= update))
        self.telegram.say(self.user, None, voice=self.telegram.file("v", b"OggS sound"))
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("audio/ogg, 10 bytes" in x for x in t.texts(self.user))
            ),
            daemon.said(),
        )

    def test_an_album_is_one_message(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        for number in range(3):
            self.telegram.say(
                self.user, None, photo=self.telegram.photo(JPEG), media_group_id="g1"
            )
        self.telegram.say(self.user, "the end")
        self.await_text(daemon, "the end")
        shown = self.telegram.texts(self.user)
        self.assertEqual(len(shown), 2, shown)
        self.assertEqual(shown[0].count("image/jpeg"), 3)

    def test_the_agents_file_arrives(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, "file notes.txt what was said")
        self.await_text(daemon, "notes.txt has 13 bytes.")
        file = self.telegram.sent(self.user)[0].content["document"]
        self.assertEqual(file, {"file_name": "notes.txt", "bytes": b"what was said"})

    def test_a_file_over_a_restart(self):
        """Fetched and stored, and then everything dies: the agent gets it all the same."""
        daemon = self.daemon(telegram_settings(self.telegram))
        self.await_polling(daemon)
        self.clean = False  # the dead process's poll lingers
        update = self.telegram.say(
            self.user, None, document=self.telegram.file("a.bin", JPEG), caption="keep"
        )
        self.assertTrue(self.telegram.wait_for(lambda t: t.confirmed >= update))
        daemon.kill()
        daemon.start()
        listing = f"a.bin (application/octet-stream, {len(JPEG)} bytes)"
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any(listing in text for text in t.texts(self.user))
            ),
            f"{self.telegram.texts(self.user)}\n{daemon.said()}",
        )

    def test_a_file_that_is_lost_loses_no_text(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.script("file", "lost", "lost")
        self.telegram.say(
            self.user, None, document=self.telegram.file("a.txt", b"x"), caption="read it"
        )
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("read it" in text for text in t.texts(self.user))
            ),
            daemon.said(),
        )
        said = "a.txt could not be fetched from Telegram"
        self.assertTrue(any(said in text for text in self.telegram.texts(self.user)))

    def test_what_is_too_large_is_said(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        large = {**self.telegram.file("film.mp4", b"x"), "file_size": 34 << 20}
        self.telegram.say(self.user, None, video=large, caption="watch it")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("20 MB" in text for text in t.texts(self.user))
            ),
            daemon.said(),
        )
        self.assertEqual(self.telegram.count("getFile"), 0)

    def test_a_sticker_is_named(self):
        daemon = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(self.user, None, sticker={"file_id": "s", "emoji": "🐄"})
        self.await_text(daemon, "[sticker 🐄]")


class TelegramMoves(TelegramCase):
    def setUp(self):
        super().setUp()
        self.group = self.telegram.group(-600)
        self.telegram.chats[-600]["type"] = "group"
        self.settings = telegram_settings(
            self.telegram, TELEGRAM_RESPOND_IN_GROUPS="all"
        )

    def test_a_group_becomes_a_supergroup(self):
        daemon = self.daemon(self.settings)
        self.telegram.say(self.user, "before", chat=-600)
        self.await_text(daemon, "before", -600)
        self.telegram.migrate(-600, -1000600)
        self.telegram.say(self.user, "after", chat=-1000600)
        self.await_text(daemon, "after", -1000600)
        daemon.restart()
        self.telegram.say(self.user, "much later", chat=-1000600)
        self.await_text(daemon, "much later", -1000600)
        self.assertEqual(self.telegram.texts(-600), ["before"])
        self.assertEqual(self.telegram.texts(-1000600), ["after", "much later"])
        chats = {r["target"]["chatId"] for r in daemon.deliveries(limit=50)}
        self.assertEqual(chats, {"-600"}, "it is one conversation all along")

    def test_an_answer_follows_its_group(self):
        """Asked before the move, answered after it, and nobody had told us."""
        self.telegram.say(self.user, "asked before", chat=-600)
        self.telegram.migrate(-600, -1000600)
        self.telegram.updates = self.telegram.updates[:1]
        daemon = self.daemon(self.settings)
        self.await_text(daemon, "asked before", -1000600)
        self.assertEqual(self.telegram.texts(-600), [])


class TelegramDay(TelegramCase):
    """What one does with an agent all day: it streams, asks leave, asks back."""

    def setUp(self):
        super().setUp()
        self.settings = telegram_settings(self.telegram)

    def await_card(self, daemon, words):
        """The message with buttons that says this."""

        def cards(telegram):
            return [
                m
                for m in telegram.sent(self.user)
                if words in m.text and "reply_markup" in m.content
            ]

        self.assertTrue(self.telegram.wait_for(cards), daemon.said())
        return cards(self.telegram)[-1]

    def press(self, daemon, card, label, user=None, answer=None):
        """Press the button of that label; the wheel stops, with what was said."""
        rows = card.content["reply_markup"]["inline_keyboard"]
        data = next(b["callback_data"] for row in rows for b in row if b["text"] == label)
        query = self.telegram.press(user or self.user, card, data)
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.queries[query] is not None), daemon.said()
        )
        if answer is not None:
            self.assertIn(answer, self.telegram.queries[query])

    def test_an_answer_grows(self):
        daemon = self.daemon(self.settings)
        words = " ".join(f"word{n}" for n in range(60))
        self.telegram.say(self.user, f"stream 60 {words}")
        self.await_text(daemon, words)
        sent = self.telegram.sent(self.user)
        self.assertEqual(len(sent), 1, "one message that grows")
        self.assertGreaterEqual(len(sent[0].history), 2)

    def test_leave_is_given_by_a_button(self):
        daemon = self.daemon(self.settings)
        self.telegram.say(self.user, "ask ls -l")
        card = self.await_card(daemon, "ls -l")
        self.press(daemon, card, "Approve", answer="Approved")
        self.await_text(daemon, "allowed once")
        self.assertTrue(
            self.telegram.wait_for(lambda _: "Approved by User7001" in card.text)
        )
        self.assertNotIn("reply_markup", card.content, "it is decided")

    def test_a_button_works_after_a_restart(self):
        daemon = self.daemon(self.settings)
        self.telegram.say(self.user, "ask rm -r x")
        card = self.await_card(daemon, "rm -r x")
        self.until(lambda: daemon.deliveries(status="sent"), "its receipt", daemon)
        old = dict(card.content)
        self.clean = False  # the dead process's poll lingers
        daemon.kill()
        daemon.start()
        self.press(daemon, card, "Deny")
        self.assertTrue(
            self.telegram.wait_for(lambda _: "reply_markup" not in card.content),
            daemon.said(),
        )
        card.content = old  # as a client shows it that has slept
        self.press(daemon, card, "Approve")
        self.assertFalse(
            any("allowed" in text for text in self.telegram.texts(self.user))
        )

    def test_a_question_is_answered_by_a_button(self):
        daemon = self.daemon(self.settings)
        self.telegram.say(self.user, "question Tea?")
        card = self.await_card(daemon, "Tea?")
        self.press(daemon, card, "no")
        self.assertTrue(
            self.telegram.wait_for(lambda _: "Answered: no" in card.text), daemon.said()
        )
        self.assertNotIn("reply_markup", card.content)

    def test_a_question_is_answered_by_a_reply(self):
        """In a group, where other messages are none; to its card, and to nothing else."""
        group = self.telegram.group(-1000901)
        self.settings.update(TELEGRAM_RESPOND_IN_GROUPS="all")
        daemon = self.daemon(self.settings)
        self.telegram.say(self.user, "question Tea?", chat=group)
        self.assertTrue(self.telegram.wait_for(lambda t: t.sent(group)), daemon.said())
        card = self.telegram.sent(group)[-1]
        self.until(lambda: daemon.deliveries(status="sent"), "its receipt", daemon)
        self.telegram.say(
            self.user,
            "with milk",
            chat=group,
            reply_to_message={"message_id": card.id, "from": self.telegram.me},
        )
        self.assertTrue(
            self.telegram.wait_for(lambda _: "Answered: with milk" in card.text),
            f"{card.text}\n{daemon.said()}",
        )
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("with milk" in text for text in t.texts(group)[1:])
            ),
            f"{self.telegram.texts(group)}\n{daemon.said()}",
        )

    def test_a_stranger_presses(self):
        """In the same group, but nobody has let them in."""
        group = self.telegram.group(-1000900)
        stranger = self.telegram.private(7666)
        self.settings.update(
            TELEGRAM_ALLOW_FROM=str(self.user), TELEGRAM_RESPOND_IN_GROUPS="all"
        )
        daemon = self.daemon(self.settings)
        self.telegram.say(self.user, "ask ls -l", chat=group)
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.sent(group)), daemon.said()
        )
        card = self.telegram.sent(group)[-1]
        self.press(daemon, card, "Approve", user=stranger)
        self.telegram.say(self.user, "/status", chat=group)
        self.assertTrue(
            self.telegram.wait_for(lambda t: len(t.sent(group)) > 1), daemon.said()
        )
        self.assertIn("reply_markup", card.content, "still to be decided")
        self.press(daemon, card, "Approve")
        self.await_text(daemon, "allowed once", chat=group)


class TelegramLock(TelegramCase):
    def test_two_daemons_with_one_bot(self):
        first = self.daemon(telegram_settings(self.telegram))
        self.await_polling(first)
        second = self.daemon(telegram_settings(self.telegram), start=False)
        second.spawn()
        holder = f"process {first.process.pid} on this host uses the same bot"
        self.until(lambda: holder in second.said(), "the holder is named", second)
        self.assertEqual(self.telegram.conflicts, 0)
        self.telegram.say(self.user, "to the first")
        self.await_text(first, "to the first")
        first.stop()
        self.telegram.say(self.user, "to the second")
        self.await_text(second, "to the second", seconds=60)
        self.assertEqual(len(self.telegram.texts(self.user)), 2)


if __name__ == "__main__":
    unittest.main()
