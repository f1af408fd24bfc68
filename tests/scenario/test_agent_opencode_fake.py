# SPDX-License-Identifier: Apache-2.0
"""The "opencode" agent against a stand-in: bad days, and many conversations at once."""
import unittest

from tests.peers.opencode_fake import OpenCodeFake
from tests.scenario.agent_chat import AgentChat
from tests.scenario.daemon import Scenario

MANY = 50


class FakeCase(Scenario):
    def begin(self, password=None):
        self.fake = self.peer(OpenCodeFake())
        daemon = self.daemon(
            {
                "AGENT_BACKEND": "opencode",
                "AGENT_URL": self.fake.url,
                "AGENT_API_KEY": password or self.fake.password,
            }
        )
        return daemon, AgentChat(daemon)

    def expect(self, chat, text, seconds=60):
        end, said = chat.ask(text, seconds)
        self.assertEqual((end["type"], said), ("session.idle", f"answer to {text}"), end)


class BadDays(FakeCase):
    def test_strange_things_are_survived(self):
        _, chat = self.begin()
        self.expect(chat, "strange")
        self.assertEqual(chat.payloads("permission.requested"), [])
        self.expect(chat, "hello")

    def test_a_break_of_the_stream_loses_nothing(self):
        _, chat = self.begin()
        self.expect(chat, "lose")
        self.expect(chat, "hello")
        self.assertEqual([text for _, text in self.fake.prompts], ["lose", "hello"])

    def test_an_event_without_end(self):
        _, chat = self.begin()
        self.expect(chat, "huge")
        self.expect(chat, "hello")

    def test_an_answer_that_overtakes(self):
        _, chat = self.begin()
        self.expect(chat, "late")

    def test_a_refusal(self):
        _, chat = self.begin()
        end, _ = chat.ask("refuse")
        self.assertIn("not this", end["payload"]["message"])
        self.expect(chat, "hello")

    def test_a_session_that_is_gone(self):
        _, chat = self.begin()
        end, said = chat.ask("vanish")
        self.assertEqual(end["type"], "session.idle")
        self.assertIn("lost this conversation", said)
        self.assertIn("answer to vanish", said)

    def test_a_wrong_password(self):
        daemon, _ = self.begin("wrong")
        self.until(
            lambda: "refused the password" in daemon.operator("/ready").body.decode(),
            "a word about it",
            daemon,
        )

    def test_a_prompt_is_not_sent_twice_after_a_kill(self):
        daemon, chat = self.begin()
        chat.say("hold this")
        self.until(lambda: self.fake.prompts, "the prompt", daemon)
        daemon.kill()
        daemon.start()
        chat.return_after_a_restart()
        self.fake.gate.set()
        self.assertEqual(chat.wait_end()["type"], "session.idle")
        chat.wait_text("answer to hold this")
        self.assertEqual([text for _, text in self.fake.prompts], ["hold this"])


class ManyAtOnce(FakeCase):
    def test_fifty_conversations(self):
        daemon, _ = self.begin()
        self.fake.pause = 0.05
        chats = [AgentChat(daemon, f"chat {i}") for i in range(MANY)]
        for turn in range(3):
            for i, chat in enumerate(chats):
                chat.say(f"chat {i} turn {turn}")
        for i, chat in enumerate(chats):
            chat.mark = 0
            wanted = "\n".join(f"answer to chat {i} turn {turn}" for turn in range(3))
            chat.wait_for(
                lambda events: sum(e["type"] == "session.idle" for e in events) == 3,
                "three answers",
                90,
            )
            chat.wait_text(wanted)  # in order, and each once
        order = [text for _, text in self.fake.prompts]
        self.assertEqual(len(order), 3 * MANY)
        # Fair: nobody's last word comes before everybody's first.
        firsts = [order.index(f"chat {i} turn 0") for i in range(MANY)]
        lasts = [order.index(f"chat {i} turn 2") for i in range(MANY)]
        self.assertLess(max(firsts), min(lasts))
        self.assertGreater(self.fake.most_busy, 8)


if __name__ == "__main__":
    unittest.main()
