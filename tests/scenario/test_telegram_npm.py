# SPDX-License-Identifier: Apache-2.0
"""The same channel against an emulator that other people wrote: the wire, not the strictness."""
import shutil
import unittest

from tests.peers.model import Model
from tests.peers.npm import Driver
from tests.scenario.daemon import (
    MODEL_KEY,
    TELEGRAM_TOKEN,
    Scenario,
    model_settings,
)


@unittest.skipUnless(shutil.which("node"), "node is not installed")
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


if __name__ == "__main__":
    unittest.main()
