# SPDX-License-Identifier: Apache-2.0
"""The "acp" agent with the real Gemini CLI and a scripted model.  Takes a package from npm, so it
runs with the long tests only."""
import json
import os
import shutil
import unittest

from tests.peers import npm
from tests.peers.gemini_model import GeminiModel
from tests.scenario.agent_chat import AgentChat
from tests.scenario.daemon import Scenario

PROGRAM = "node_modules/@google/gemini-cli/bundle/gemini.js"


@unittest.skipUnless(os.environ.get("COWGATE_LONG"), "one of the long tests")
class Gemini(Scenario):
    @classmethod
    def setUpClass(cls):
        if shutil.which("npm") is None:
            raise unittest.SkipTest("npm is not there")
        cls.installed = npm.install("gemini")

    def begin(self):
        self.model = self.peer(GeminiModel())
        self.work = self.directory / "work"
        self.work.mkdir()
        daemon = self.daemon(
            {
                "AGENT_BACKEND": "acp",
                "AGENT_COMMAND": json.dumps(
                    [
                        npm.node(self.installed),
                        str(self.installed / PROGRAM),
                        "--experimental-acp",
                        "-m",
                        "gemini-2.5-pro",
                    ]
                ),
                "AGENT_DIRECTORY": str(self.work),
                "AGENT_ENVIRONMENT": "GEMINI_API_KEY=none,GOOGLE_GEMINI_BASE_URL="
                + self.model.url,
            }
        )
        self.until(
            lambda: "agent.ready" in daemon.said(), "the agent", daemon, seconds=60
        )
        return daemon, AgentChat(daemon)

    def test_all_that_it_can_do(self):
        _, chat = self.begin()
        end, said = chat.ask("hello")
        self.assertEqual((end["type"], said), ("session.idle", "answer to hello"), end)

        _, said = chat.ask("tick 5")
        self.assertEqual(said, "tick0 tick1 tick2 tick3 tick4 ")

        chat.say("run echo done > made.txt && cat made.txt")
        chat.wait("permission.requested", 60)
        self.assertFalse((self.work / "made.txt").exists())
        chat.permit("allow")
        self.assertEqual(chat.wait_end()["type"], "session.idle")
        self.assertEqual((self.work / "made.txt").read_text(), "done\n")
        chat.wait_for(lambda events: "tool said" in json.dumps(events), "the tool's words")

        chat.say("run touch never.txt")
        chat.permit("reject")
        chat.wait_end()
        self.assertFalse((self.work / "never.txt").exists())

        chat.say("tick 600")
        chat.wait_text("tick3")
        chat.abort()
        self.assertEqual(chat.wait_end(10)["type"], "session.aborted")
        end, said = chat.ask("still there")
        self.assertEqual((end["type"], said), ("session.idle", "answer to still there"))

        end, _ = chat.ask("fail 400")
        self.assertEqual(end["type"], "runtime.error")
        self.assertIn("scripted failure", end["payload"]["message"])


if __name__ == "__main__":
    unittest.main()
