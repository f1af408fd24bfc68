# SPDX-License-Identifier: Apache-2.0
"""The wire as other people understand it: their emulator answers us, their library talks to ours."""
import unittest

from tests.peers.model import Model
from tests.peers.npm import Driver
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    MODEL_KEY,
    TELEGRAM_TOKEN,
    Scenario,
    model_settings,
)


class TelegramTestApi(Scenario):
    def setUp(self):
        super().setUp()
        self.driver = self.peer(Driver("telegram-test-api", TELEGRAM_TOKEN))
        line = self.driver.wait_for(lambda line: "port" in line)
        self.assertIsNotNone(line, "the emulator did not start")
        self.settings = {
            "TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN,
            "TELEGRAM_API_BASE_URL": f"http://127.0.0.1:{line['port']}",
            "TELEGRAM_ALLOW_FROM": "*",
        }

    def say(self, text):
        self.driver.tell({"say": text})

    def await_text(self, kind, text, daemon):
        line = self.driver.wait_for(
            lambda line: kind in line and line[kind].get("text") == text
        )
        self.assertIsNotNone(line, f"{self.driver.lines}\n{daemon.said()}")
        return line[kind]

    def test_there_and_back(self):
        daemon = self.daemon(self.settings)
        for text in ("hello", "Grüße 😀"):
            self.say(text)
            message = self.await_text("sent", text, daemon)
            self.assertEqual(int(message["chat_id"]), 7)
            self.assertNotIn("message_thread_id", message)

    def test_an_answer_grows(self):
        model = self.peer(Model(MODEL_KEY))
        daemon = self.daemon({**self.settings, **model_settings(model)})
        model.script(("slow", 0.35))
        self.say("count to the end please")
        self.await_text("edited", Model.answer("count to the end please"), daemon)


class Grammy(Scenario):
    """What our emulator says and takes is what a bot library of others expects."""

    def test_a_bot_of_theirs(self):
        telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        user = telegram.private(7001)
        driver = self.peer(Driver("grammy", TELEGRAM_TOKEN, telegram.url))
        self.assertIsNotNone(driver.wait_for(lambda line: "ready" in line))
        telegram.say(user, "hello")
        self.assertTrue(telegram.wait_for(lambda t: len(t.sent(user)) == 2), driver.lines)
        text, file = telegram.sent(user)
        self.assertEqual(text.history, ["grammy: hello", "edited"])
        self.assertEqual(file.content["document"]["bytes"], b"a file")
        self.assertEqual(file.text, "below")
        self.assertEqual(telegram.actions, [(user, None, "typing")])
        query = telegram.press(user, text, "yes")
        self.assertTrue(telegram.wait_for(lambda t: t.queries[query] == "seen"))
        telegram.say(user, None, photo=telegram.photo(bytes(100)))
        self.assertTrue(
            telegram.wait_for(lambda t: "fetched 100" in t.texts(user)), driver.lines
        )
        self.assertEqual(list(telegram.reactions.values()), ["👀"])
        self.assertFalse([line for line in driver.lines if "failed" in line])
        self.assertEqual(telegram.mistakes, [])


if __name__ == "__main__":
    unittest.main()
