# SPDX-License-Identifier: Apache-2.0
"""The agent, its model or Cowgate itself is killed while a conversation rests, streams, waits for
a permission, or is in a tool.  What the person sees, and that nothing hangs, is done twice, or is
left running."""
import os
import pathlib
import signal
import subprocess
import threading
import unittest

from tests.scenario.agent_chat import AgentChat
from tests.scenario.daemon import PROGRAM, Scenario, eventually
from tests.scenario.test_agent_acp import AgentCase, alive, family
from tests.scenario.test_agent_opencode import RealCase

UNSURE = "part of the work may have been done"
LOST = "The answer was lost"


def program_of(daemon, name):
    """The process of the agent's program below the daemon."""
    for pid in family(daemon.process.pid):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"cowgate-keeper" not in words[0] and any(name in word for word in words):
            return pid
    return None


class KillCase:
    """The cells.  A subclass says how the agent is started and what its words are."""

    def kill_agent(self, daemon):
        pid = self.until(lambda: program_of(daemon, self.program), "its program", daemon)
        os.kill(pid, signal.SIGKILL)
        gone = eventually(lambda: not alive(pid), 20)
        self.assertTrue(gone)

    def kill_cowgate(self, daemon, chat):
        members = family(daemon.process.pid)
        daemon.kill()
        gone = eventually(lambda: not any(alive(pid) for pid in members), 20)
        self.assertTrue(gone, "something is left running")
        daemon.start()
        chat.return_after_a_restart()

    def expect_error(self, chat, what, seconds=90):
        end = chat.wait_end(seconds)
        self.assertEqual(end["type"], "runtime.error", end)
        self.assertIn(what, " ".join(end["payload"]["message"].split()))

    def expect_answers(self, chat):
        end, said = chat.ask("are you there", 90)
        self.assertEqual(end["type"], "session.idle", end)
        self.assertIn("answer to are you there", said)


class OpenCodeKills(KillCase, RealCase):
    program = b"opencode-linux"

    def in_tool(self, chat):
        """A tool that has begun and writes a line only when it ends."""
        chat.say("run echo begun >> begun.txt; sleep 3; echo ended >> ended.txt")
        chat.permit("allow")
        begun = self.work / "begun.txt"
        self.until(begun.exists, "the tool", chat.daemon)

    def expect_done_once(self):
        self.assertEqual((self.work / "begun.txt").read_text(), "begun\n")
        self.assertFalse((self.work / "ended.txt").exists())

    def test_agent(self):
        daemon, chat = self.begin()
        self.kill_agent(daemon)
        self.expect_answers(chat)

        chat.say("hold")
        chat.wait_text("first half, ")
        self.kill_agent(daemon)
        self.model.gate.set()
        self.assertEqual(chat.wait_end(90)["type"], "session.idle")
        chat.wait_text("first half, second half")

        chat.say("run echo asked >> asked.txt")
        chat.wait("permission.requested")
        self.kill_agent(daemon)
        chat.wait_end(90)
        self.assertFalse((self.work / "asked.txt").exists())
        self.expect_answers(chat)

        self.in_tool(chat)
        self.kill_agent(daemon)
        self.expect_error(chat, UNSURE)
        self.expect_done_once()
        self.expect_answers(chat)

    def test_model(self):
        _, chat = self.begin(AGENT_RETRY_SECONDS="5")

        def broken(until_then):
            until_then()
            self.model.dead.set()

        def mended():
            self.model.dead.clear()
            self.expect_answers(chat)

        broken(lambda: None)
        chat.say("hello")
        self.expect_error(chat, "does not answer")
        mended()

        broken(lambda: (chat.say("hold"), chat.wait_text("first half, ")))
        self.assertEqual(chat.wait_end(90)["type"], "runtime.error")
        mended()

        broken(lambda: (chat.say("run echo once >> once.txt"), chat.wait("permission.requested")))
        chat.permit("allow")
        self.expect_error(chat, "does not answer")
        self.assertEqual((self.work / "once.txt").read_text(), "once\n")
        mended()

        self.in_tool(chat)
        self.model.dead.set()
        self.expect_error(chat, "does not answer")
        self.assertEqual((self.work / "begun.txt").read_text(), "begun\n")
        mended()

    def test_cowgate(self):
        daemon, chat = self.begin()
        self.expect_answers(chat)
        self.kill_cowgate(daemon, chat)
        self.expect_answers(chat)

        chat.say("hold")
        chat.wait_text("first half, ")
        self.kill_cowgate(daemon, chat)
        self.model.gate.set()
        self.assertEqual(chat.wait_end(90)["type"], "session.idle")
        chat.wait_text("first half, second half")

        # What the shell was asked to do was not done, but nobody is left who knows.
        chat.say("run echo asked >> asked.txt")
        chat.wait("permission.requested")
        self.kill_cowgate(daemon, chat)
        self.expect_error(chat, UNSURE)
        self.assertFalse((self.work / "asked.txt").exists())
        self.expect_answers(chat)

        self.in_tool(chat)
        self.kill_cowgate(daemon, chat)
        self.expect_error(chat, UNSURE)
        self.expect_done_once()
        self.expect_answers(chat)


class AcpKills(KillCase, AgentCase):
    program = b"acp_agent.py"

    def test_agent(self):
        daemon, chat = self.begin("load")
        self.kill_agent(daemon)
        self.expect_answers(chat)

        chat.say("slow 1000")
        chat.wait_text("tick3")
        self.kill_agent(daemon)
        self.expect_error(chat, "stopped in the middle")
        self.expect_answers(chat)

        chat.say("tool asked")
        chat.wait("permission.requested")
        self.kill_agent(daemon)
        self.expect_error(chat, "stopped in the middle")
        self.assertFalse((self.work / "asked").exists())
        self.expect_answers(chat)

        chat.say("work done")
        self.until((self.work / "done").exists, "the tool", daemon)
        self.kill_agent(daemon)
        self.expect_error(chat, UNSURE)
        self.assertEqual((self.work / "done").read_text(), "begun\n")
        self.expect_answers(chat)
        self.assertEqual(self.prompts().count("work done"), 1)

    def test_cowgate(self):
        daemon, chat = self.begin("load")
        self.expect_answers(chat)
        self.kill_cowgate(daemon, chat)
        self.expect_answers(chat)
        for text, sign in (
            ("slow 1000", lambda: chat.wait_text("tick3")),
            ("tool asked", lambda: chat.wait("permission.requested")),
            ("work done", lambda: self.until((self.work / "done").exists, "the tool")),
        ):
            with self.subTest(text):
                chat.say(text)
                sign()
                self.kill_cowgate(daemon, chat)
                self.expect_error(chat, LOST)
                self.assertEqual(self.prompts().count(text), 1)
                self.expect_answers(chat)
        self.assertFalse((self.work / "asked").exists())
        self.assertEqual((self.work / "done").read_text(), "begun\n")


class EchoKills(Scenario):
    """Echo's turns are begun anew: what was asked is refused and asked once more."""

    def killed(self, daemon, chat):
        daemon.kill()
        daemon.start()
        chat.return_after_a_restart()

    def asked_again(self, chat, first):
        return chat.wait_for(
            lambda events: next((e for e in reversed(events)
                                 if e["type"] == "permission.requested"
                                 and e["sequence"] > first["sequence"]), None),
            "the question anew")

    def test_permission(self):
        daemon = self.daemon({})
        chat = AgentChat(daemon)
        chat.say("ask rm -rf x")
        first = chat.wait("permission.requested")
        chat.say("behind it")
        self.killed(daemon, chat)
        again = self.asked_again(chat, first)
        (refused,) = chat.payloads("permission.resolved")
        self.assertEqual((refused["reason"], refused["allowed"]), ("expired", False))
        chat.permit("allow", again)
        chat.wait_text("allowed once")
        chat.wait_text("behind it")

    def test_permission_until_it_is_given_up(self):
        daemon = self.daemon({})
        chat = AgentChat(daemon)
        chat.say("ask rm -rf x")
        first = chat.wait("permission.requested")
        chat.say("behind it")
        for attempt in (2, 3):
            self.killed(daemon, chat)
            chat.wait_for(
                lambda events, wanted=attempt - 1: wanted == sum(
                    e["type"] == "permission.requested" for e in events
                    if e["sequence"] > first["sequence"]),
                f"attempt {attempt}")
        self.killed(daemon, chat)
        chat.wait_text("behind it")
        errors = [e["message"] for e in chat.payloads("runtime.error")]
        self.assertEqual(len(errors), 1)
        self.assertIn(LOST, errors[0])

    def terminal(self, daemon):
        """cowgate chat, as a person has it: what it shows is in the list."""
        process = subprocess.Popen(
            [str(PROGRAM), "chat"], cwd=daemon.directory, env=daemon.environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, bufsize=1)
        watch = threading.Timer(60, process.kill)  # then what is read ends
        watch.start()
        self.addCleanup(watch.cancel)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        return process

    def read_until(self, process, wanted):
        seen = []
        for line in process.stdout:
            seen.append(line.rstrip("\n"))
            if wanted in line:
                return seen
        self.fail(f"{wanted!r} was not shown: {seen}")

    def test_terminal(self):
        daemon = self.daemon({})
        watcher = AgentChat(daemon, "terminal")
        chat = self.terminal(daemon)
        chat.stdin.write("ask rm -rf x\n")
        self.read_until(chat, "/approve, /always, or /deny")
        first = watcher.wait("permission.requested")
        self.killed(daemon, watcher)
        self.read_until(chat, "the gateway has gone")
        self.assertEqual(chat.wait(20), 1)
        self.asked_again(watcher, first)
        chat = self.terminal(daemon)
        self.read_until(chat, "leave: rm -rf x")
        chat.stdin.write("behind it\n")
        chat.stdin.write("/deny too dangerous\n")
        self.read_until(chat, "denied: too dangerous")
        self.read_until(chat, "behind it")
        chat.stdin.write("fail badly\n")
        self.read_until(chat, "badly")
        chat.stdin.write("question which tea\n")
        self.read_until(chat, "or a number, or /reject")
        chat.stdin.write("2\n")
        self.read_until(chat, "answer 1: no")
        chat.stdin.write("ask to be left alone\n/quit\n")
        self.read_until(chat, "denied: nobody is left to answer")
        self.assertEqual(chat.wait(20), 0)


if __name__ == "__main__":
    unittest.main()
