# SPDX-License-Identifier: Apache-2.0
"""The model of an agent over ACP is killed while a conversation rests, streams, waits for a
permission, or is in a tool."""
import unittest

from tests.scenario.test_agent_kills import KillCase
from tests.scenario.test_agent_opencode import RealCase


class ModelOfAnAcpAgent(KillCase, RealCase):
    """OpenCode over ACP tries a model that is away for ever, and says nothing of it: the person
    stops it, or it comes back."""

    def stop(self, chat):
        chat.abort()
        self.assertEqual(chat.wait_end(10)["type"], "session.aborted")
        self.model.dead.clear()
        self.expect_answers(chat)

    def test_model(self):
        _, chat = self.begin("acp")
        self.model.dead.set()
        chat.say("hello")
        self.until(lambda: self.model.connections > 1, "its tries", chat.daemon)
        self.model.dead.clear()
        self.assertEqual(chat.wait_end(90)["type"], "session.idle")
        chat.wait_text("answer to hello")

        chat.say("hold")
        chat.wait_text("first half, ")
        self.model.dead.set()
        self.stop(chat)

        chat.say("run echo once >> once.txt")
        chat.wait("permission.requested")
        self.model.dead.set()
        chat.permit("allow")
        once = self.work / "once.txt"
        self.until(lambda: once.exists() and once.stat().st_size, "the tool", chat.daemon)
        self.stop(chat)
        self.assertEqual((self.work / "once.txt").read_text(), "once\n")

        chat.say("run echo begun >> begun.txt; sleep 2")
        chat.permit("allow")
        begun = self.work / "begun.txt"
        self.until(lambda: begun.exists() and begun.stat().st_size, "the tool", chat.daemon)
        self.model.dead.set()
        self.stop(chat)
        self.assertEqual((self.work / "begun.txt").read_text(), "begun\n")


if __name__ == "__main__":
    unittest.main()
