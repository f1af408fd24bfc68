# SPDX-License-Identifier: Apache-2.0
"""The "openai" agent: files in prompts, several servers, and what an answer costs."""
import unittest

from tests.peers.tool_model import ToolModel
from tests.scenario.agent_chat import AgentChat
from tests.scenario.daemon import Scenario
from tests.scenario.test_agent_opencode import PIXEL, attachment


class OpenAi(Scenario):
    def begin(self, *models, **more):
        settings = {
            "AGENT_BACKEND": "openai",
            "AGENT_URL": models[0].base,
            "AGENT_MODEL": "tools-1",
        }
        if len(models) > 1:
            settings["AGENT_FALLBACK_URLS"] = ",".join(model.base for model in models[1:])
        settings.update(more)
        return AgentChat(self.daemon(settings))

    def test_files(self):
        chat = self.begin(self.peer(ToolModel(chat=True)))
        picture = attachment("dot.png", "image/png", PIXEL)
        text = attachment("n.txt", "text/plain", b"NOTE-5")
        _, said = chat.ask("see", attachments=[picture])
        self.assertEqual(said, "saw picture data:image/png")
        _, said = chat.ask("see", attachments=[text])
        self.assertEqual(said, "saw text NOTE-5")
        _, said = chat.ask("see", attachments=[picture, text])
        self.assertEqual(said, "saw text NOTE-5, picture data:image/png")

    def test_a_model_that_cannot_see(self):
        model = self.peer(ToolModel(chat=True, blind=True))
        chat = self.begin(model)
        picture = attachment("dot.png", "image/png", PIXEL)
        for requests in (2, 3):  # it is not shown a picture twice
            _, said = chat.ask("see", attachments=[picture])
            self.assertEqual(said, "saw a note")
            self.assertEqual(len(model.bodies), requests)

    def test_another_server_is_asked(self):
        first, second = (self.peer(ToolModel(chat=True)) for _ in range(2))
        first.dead.set()
        chat = self.begin(first, second)
        end, said = chat.ask("hello")
        self.assertEqual((end["type"], said), ("session.idle", "answer to hello"))
        self.assertEqual(len(second.prompts), 1)
        first.dead.clear()
        chat.ask("hello")
        self.assertEqual((len(first.prompts), len(second.prompts)), (1, 1))

    def test_tokens_are_counted(self):
        chat = self.begin(self.peer(ToolModel(chat=True)))
        chat.ask("hello")
        tokens = chat.payloads("cost.updated")[0]["tokens"]
        self.assertEqual((tokens["input"], tokens["output"]), (11, 7))

    def refused(self, chat, words):
        end, said = chat.ask("once more")
        self.assertEqual((end["type"], said), ("runtime.error", ""))
        self.assertIn(words, end["payload"]["message"])

    def test_a_budget_of_a_chat_and_of_all(self):
        """An answer of this model is eighteen tokens."""
        model = self.peer(ToolModel(chat=True))
        one = self.begin(
            model, AGENT_DAILY_TOKENS_PER_CHAT="36", AGENT_DAILY_TOKENS="54"
        )
        for _ in range(2):
            self.assertEqual(one.ask("hello")[0]["type"], "session.idle")
        self.refused(one, "This chat has used up its 36 tokens of today.")
        self.assertEqual(len(model.bodies), 2)  # it was not asked
        one.daemon.restart()
        one.return_after_a_restart()
        self.refused(one, "This chat has used up its 36 tokens of today.")
        two = AgentChat(one.daemon, "two")
        self.assertEqual(two.ask("hello")[0]["type"], "session.idle")
        self.refused(two, "The agent has used up its 54 tokens of today.")
        self.assertEqual(len(model.bodies), 3)

    def test_a_budget_with_a_server_that_tells_no_tokens(self):
        model = self.peer(ToolModel(chat=True, usage=False))
        chat = self.begin(model, AGENT_DAILY_TOKENS="2")
        self.assertEqual(chat.ask("hello")[0]["type"], "session.idle")
        self.assertGreater(chat.payloads("cost.updated")[0]["tokens"]["input"], 2)
        self.refused(chat, "The agent has used up its 2 tokens of today.")


if __name__ == "__main__":
    unittest.main()
