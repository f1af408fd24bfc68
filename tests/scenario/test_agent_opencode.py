# SPDX-License-Identifier: Apache-2.0
"""The "opencode" agent with the real OpenCode, and the same program over ACP."""
import base64
import json
import unittest

from tests.peers.tool_model import ToolModel
from tests.scenario import real_opencode
from tests.scenario.agent_chat import ENDS, AgentChat
from tests.scenario.daemon import Scenario

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


def attachment(name, kind, data):
    return {"filename": name, "mimeType": kind, "data": base64.b64encode(data).decode()}


class RealCase(Scenario):
    @classmethod
    def setUpClass(cls):
        real_opencode.install()

    def begin(self, backend="opencode", **more):
        self.model = self.peer(ToolModel())
        self.work = self.directory / "work"
        real_opencode.configure(self.work, self.model)
        command = [str(real_opencode.PROGRAM)] + (["acp"] if backend == "acp" else [])
        settings = {
            "AGENT_BACKEND": backend,
            "AGENT_COMMAND": json.dumps(command),
            "AGENT_DIRECTORY": str(self.work),
            "AGENT_ENVIRONMENT": real_opencode.ENVIRONMENT,
        }
        settings.update(more)
        daemon = self.daemon(settings)
        chat = AgentChat(daemon)
        self.until(
            lambda: "agent.ready" in daemon.said(), "the agent", daemon, seconds=60
        )
        return daemon, chat

    def expect(self, chat, text, wanted, **more):
        end, said = chat.ask(text, **more)
        self.assertEqual((end["type"], said), ("session.idle", wanted), end)

    def common(self, chat):
        """What both ways of talking to it can do."""
        self.expect(chat, "hello", "answer to hello")
        appended = [p for p in chat.payloads("assistant.message") if p.get("mode") == "append"]
        self.expect(chat, "tick 5", "tick0 tick1 tick2 tick3 tick4 ")
        appended += [
            p for p in chat.payloads("assistant.message") if p.get("mode") == "append"
        ]
        self.assertTrue(appended, "nothing was streamed")

        chat.say("run echo done > made.txt && cat made.txt")
        asked = chat.wait("permission.requested")["payload"]
        self.assertIn("echo done > made.txt", json.dumps(asked))
        self.assertFalse((self.work / "made.txt").exists())
        chat.permit("allow")
        self.assertEqual(chat.wait_end()["type"], "session.idle")
        chat.wait_text("tool said: done")
        self.assertEqual((self.work / "made.txt").read_text(), "done\n")
        states = [p["status"] for p in chat.payloads("tool.call") if "status" in p]
        self.assertEqual((states[0], states[-1]), ("running", "complete"))

        chat.say("run touch never.txt")
        chat.permit("reject")
        chat.wait_end()
        self.assertFalse((self.work / "never.txt").exists())
        self.assertEqual(chat.payloads("tool.call")[-1]["status"], "error")

        chat.say("tick 600")
        chat.wait_text("tick3")
        chat.abort()
        self.assertEqual(chat.wait_end(10)["type"], "session.aborted")
        self.expect(chat, "still there", "answer to still there")

        end, _ = chat.ask("fail 400")
        self.assertEqual(end["type"], "runtime.error")
        self.assertIn("scripted failure", end["payload"]["message"])


class OverHttp(RealCase):
    def test_all_that_it_can_do(self):
        _, chat = self.begin()
        self.common(chat)
        costs = [e["payload"]["cost"] for e in chat.events if e["type"] == "cost.updated"]
        self.assertGreater(sum(costs), 0)

        chat.say("ask")
        question = chat.wait("question.asked")["payload"]["questions"][0]
        self.assertEqual(question["question"], "Which colour?")
        self.assertEqual([o["label"] for o in question["options"]], ["Red", "Blue"])
        chat.answer([["Blue"]])
        self.assertEqual(chat.wait_end()["type"], "session.idle")
        chat.wait_for(lambda events: "Blue" in json.dumps(events[-6:]), "the choice")

        # By what the plane keeps of the files that a person sent.
        _, said = chat.ask("see", attachments=[attachment("dot.png", "image/png", PIXEL)])
        self.assertEqual(said, "saw picture data:image/png")
        _, said = chat.ask("see", attachments=[attachment("n.txt", "text/plain", b"NOTE-7a")])
        self.assertEqual(said, "saw text NOTE-7a")

        chat.say("ask")
        chat.answer(None)
        chat.wait_end()
        self.expect(chat, "still there", "answer to still there")

    def test_a_model_that_fails_for_long(self):
        _, chat = self.begin(AGENT_RETRY_SECONDS="5")
        end, _ = chat.ask("fail 500", 90)
        self.assertEqual(end["type"], "runtime.error")
        self.assertIn("does not answer", end["payload"]["message"])
        self.expect(chat, "still there", "answer to still there")

    def test_conversations_side_by_side(self):
        daemon, one = self.begin()
        two = AgentChat(daemon, "two")
        one.say("hold")
        one.wait_text("first half, ")
        self.expect(two, "hello", "answer to hello")
        self.model.gate.set()
        one.wait_end()
        one.wait_text("first half, second half")


    def ends(self, chat):
        return [e["type"] for e in chat.events if e["type"] in ENDS]

    def test_what_is_said_meanwhile_is_heeded(self):
        _, chat = self.begin()
        chat.say("hold")
        chat.wait_text("first half, ")
        chat.say("and this", mode="steer")
        self.model.gate.set()
        chat.wait_text("answer to and this")
        self.assertEqual(chat.wait_end()["type"], "session.idle")
        self.assertEqual(self.ends(chat), ["session.idle"])  # one turn for both
        self.expect(chat, "hello", "answer to hello")

        # Between two steps of a tool.
        chat.say("run touch begun; sleep 2; echo done")
        chat.permit("allow")
        self.until((self.work / "begun").exists, "the tool", chat.daemon)
        chat.say("and that", mode="steer")
        chat.wait_text("answer to and that")
        self.assertEqual(chat.wait_end()["type"], "session.idle")
        self.assertEqual(self.ends(chat), ["session.idle"] * 3)
        self.expect(chat, "hello", "answer to hello")

    def test_what_is_said_before_it_speaks_waits(self):
        _, chat = self.begin()
        chat.say("hello")
        chat.say("and this", mode="steer")
        chat.wait_for(lambda events: len(self.ends(chat)) == 2, "two turns")
        chat.mark = 0
        chat.wait_text("answer to hello\nanswer to and this")


class OverAcp(RealCase):
    def test_all_that_it_can_do(self):
        _, chat = self.begin("acp")
        self.common(chat)


if __name__ == "__main__":
    unittest.main()
