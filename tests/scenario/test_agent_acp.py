# SPDX-License-Identifier: Apache-2.0
"""The "acp" agent against a scripted program: what people see on good and on bad days."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

from tests.scenario.agent_chat import AgentChat
from tests.scenario.daemon import BUILD, ROOT, Scenario, eventually

AGENT = ROOT / "tests" / "peers" / "acp_agent.py"


def acp_settings(*options, **more):
    settings = {
        "AGENT_BACKEND": "acp",
        "AGENT_COMMAND": json.dumps([sys.executable, "-B", str(AGENT), *options]),
    }
    settings.update(more)
    return settings


def alive(pid):
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def family(pid):
    """All processes below this one."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        below = [child for child, its in parents.items() if its == parent]
        found += below
        todo += below
    return found


class AgentCase(Scenario):
    def begin(self, *options, **more):
        daemon = self.daemon(acp_settings(*options, **more))
        self.work = daemon.directory / "data" / "workspace"
        return daemon, AgentChat(daemon)

    def prompts(self):
        path = self.work / "prompts"
        return path.read_text("utf-8").splitlines() if path.exists() else []

    def expect(self, chat, text, wanted, end="session.idle"):
        ended, said = chat.ask(text)
        self.assertEqual(ended["type"], end, ended)
        self.assertEqual(said, wanted)
        return ended


class GoodDays(AgentCase):
    def test_an_answer_in_pieces_and_a_second_one(self):
        _, chat = self.begin()
        self.expect(chat, "hello", "answer to hello")
        self.expect(chat, "past", "hello")  # the same session

    def test_conversations_have_sessions_of_their_own(self):
        daemon, one = self.begin()
        two = AgentChat(daemon, "two")
        self.expect(one, "hello", "answer to hello")
        self.expect(two, "past", "(The agent ended without an answer.)")
        self.expect(one, "past", "hello")

    def test_a_tool_is_permitted(self):
        _, chat = self.begin()
        chat.say("tool made")
        asked = chat.wait("permission.requested")["payload"]
        self.assertEqual(asked["tool"], "execute")
        self.assertEqual(asked["description"], "touch made")
        self.assertEqual(asked["input"]["command"], "touch made")
        self.assertFalse((self.work / "made").exists())
        chat.permit("allow")
        self.assertEqual(chat.wait_end()["type"], "session.idle")
        chat.wait_text("let me see\nchoice o")
        self.assertTrue((self.work / "made").exists())
        calls = chat.payloads("tool.call")
        self.assertEqual([call["status"] for call in calls], ["running", "complete"])
        self.assertEqual(calls[1]["output"], "made")

    def test_always_and_never(self):
        _, chat = self.begin()
        chat.say("tool made")
        chat.permit("always")
        chat.wait_end()
        chat.wait_text("choice a")
        chat.say("tool other")
        chat.permit("reject")
        chat.wait_end()
        chat.wait_text("choice r")
        self.assertFalse((self.work / "other").exists())
        self.assertEqual(chat.payloads("tool.call")[-1]["error"], "not allowed")

    def test_a_stop_is_heard_within_a_second(self):
        _, chat = self.begin()
        chat.say("slow 10000")
        chat.wait_text("tick3")
        chat.abort()
        self.assertEqual(chat.wait_end(10)["type"], "session.aborted")
        self.expect(chat, "hello", "answer to hello")

    def test_a_stop_while_it_asks(self):
        _, chat = self.begin()
        chat.say("tool made")
        chat.wait("permission.requested")
        chat.abort()
        self.assertEqual(chat.wait_end(10)["type"], "session.aborted")
        self.assertFalse((self.work / "made").exists())
        self.expect(chat, "hello", "answer to hello")

    def test_plan_thought_and_cost(self):
        _, chat = self.begin()
        self.expect(chat, "plan", "planned")
        self.assertEqual(
            chat.payloads("todos.updated")[0]["todos"],
            [{"id": "1", "content": "first", "status": "completed", "priority": "high"}],
        )
        cost = chat.payloads("cost.updated")[0]
        self.assertEqual((cost["cost"], cost["tokens"]["input"]), (0.25, 11))
        chat.ask("plan")
        self.assertEqual(chat.payloads("cost.updated")[0]["cost"], 0)  # no more than before

    def test_thoughts_are_shown_when_they_shall_be(self):
        _, chat = self.begin(AGENT_SHOW_THOUGHTS="true")
        _, said = chat.ask("plan")
        self.assertIn("hmm, a thought", said)

    def test_many_at_once(self):
        daemon, _ = self.begin()
        chats = [AgentChat(daemon, f"chat {i}") for i in range(12)]
        for i, chat in enumerate(chats):
            chat.say(f"number {i}")
        for i, chat in enumerate(chats):
            chat.wait_end()
            chat.wait_text(f"answer to number {i}")

    def test_instructions_come_once(self):
        _, chat = self.begin(AGENT_SYSTEM_PROMPT="Be brief.")
        _, said = chat.ask("files")
        self.assertEqual(json.loads(said), [["text", "Be brief."], ["text", "files"]])
        _, said = chat.ask("files")
        self.assertEqual(json.loads(said), [["text", "files"]])


class BadDays(AgentCase):
    def test_odd_things_are_survived(self):
        _, chat = self.begin()
        self.expect(chat, "odd", "read -32601, wrong cancelled")
        self.expect(chat, "hello", "answer to hello")

    def test_a_line_without_end(self):
        daemon, chat = self.begin()
        end, _ = chat.ask("huge")
        self.assertEqual(end["type"], "runtime.error")
        self.assertIn("agent.line_too_long", daemon.said())
        self.expect(chat, "hello", HELLO_AGAIN)

    def test_it_dies_in_the_middle(self):
        _, chat = self.begin("load")
        end, said = chat.ask("half")
        self.assertEqual((end["type"], said), ("runtime.error", "half of an "))
        self.assertIn("stopped in the middle", end["payload"]["message"])
        self.assertEqual(self.prompts(), ["half"])
        self.expect(chat, "past", "half")  # loaded, and its past is not said again

    def test_it_dies_before_a_word_and_is_asked_once_more(self):
        _, chat = self.begin("load")
        end, said = chat.ask("die")
        self.assertEqual((end["type"], said), ("runtime.error", ""))
        self.assertEqual(self.prompts(), ["die", "die"])

    def test_it_dies_when_it_has_acted(self):
        _, chat = self.begin()
        end, _ = chat.ask("act once")
        self.assertEqual(end["type"], "runtime.error")
        self.assertIn("may have been done", end["payload"]["message"].replace("\n", " "))
        self.assertEqual((self.work / "once").read_text(), "done\n")  # and not again
        self.assertEqual(self.prompts(), ["act once"])

    def test_without_loading_it_says_that_it_forgot(self):
        _, chat = self.begin()
        chat.ask("half")
        _, said = chat.ask("hello")
        self.assertIn("does not remember", said)
        self.assertIn("answer to hello", said)

    def test_it_does_not_heed_a_stop(self):
        daemon, chat = self.begin()
        chat.say("stuck")
        chat.wait_text("working")
        chat.abort()
        self.assertEqual(chat.wait_end(10)["type"], "session.aborted")
        # It is ended for it, and the next prompt is answered by a new one.
        _, said = chat.ask("hello", 60)
        self.assertIn("answer to hello", said)
        self.assertIn("agent.down", daemon.said())

    def test_its_own_error(self):
        _, chat = self.begin()
        end, _ = chat.ask("fail")
        self.assertEqual(end["type"], "runtime.error")
        self.assertIn("model is ill", end["payload"]["message"])
        self.expect(chat, "hello", "answer to hello")

    def test_it_asks_too_late(self):
        _, chat = self.begin()
        self.expect(chat, "ask-late", "later")
        answer = self.work / "late-answer"
        self.until(lambda: answer.exists() and answer.read_text(), "an answer")
        self.assertIn("cancelled", answer.read_text())

    def test_it_opens_no_session(self):
        _, chat = self.begin("locked")
        end, _ = chat.ask("hello")
        self.assertIn("Authentication required", end["payload"]["message"])

    def test_it_speaks_another_version(self):
        daemon, _ = self.begin("old")
        self.until(
            lambda: "another version" in daemon.operator("/ready").body.decode(),
            "a word about it",
            daemon,
        )

    def test_stderr_goes_to_the_log(self):
        daemon, _ = self.begin()
        self.until(lambda: "scripted agent is up" in daemon.said(), "its line", daemon)

    def test_what_is_wrong_is_said_before_the_start(self):
        daemon = self.daemon(
            acp_settings(AGENT_DIRECTORY="/no/such/place", AGENT_USER="no-such-user"),
            start=False,
        )
        daemon.settings["AGENT_COMMAND"] = '["no-such-program"]'
        done = daemon.cli("check")
        said = (done.stdout + done.stderr).decode()
        self.assertNotEqual(done.returncode, 0)
        for what in ("no-such-program", "/no/such/place", "no-such-user"):
            self.assertIn(what, said)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root and setpriv")
class AnotherUser(Scenario):
    """The keeper below a service that may switch users, as AmbientCapabilities= of systemd has it."""

    RIGHTS = "+setuid,+setgid,+kill"

    def keeper(self, script, rights=RIGHTS):
        """What a shell below it says as nobody; it is killed when it says "wait"."""
        line, theirs = socket.socketpair()
        with line, theirs:
            process = subprocess.Popen(
                ["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups",
                 f"--inh-caps={rights}", f"--ambient-caps={rights}",
                 "sh", "-c", f'exec "$@" 3<&{theirs.fileno()}', "sh",
                 str(BUILD / "cowgate-keeper"), "-u", "nobody", "--", "sh", "-c", script],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                pass_fds=[theirs.fileno()], cwd="/")
            said = []
            for text in process.stdout:
                said.append(text.strip())
                if said[-1] == "wait":
                    line.send(b"k")
            process.wait(30)
            process.stdout.close()
            theirs.close()
            return said, line.recv(256).decode()

    def test_it_has_the_user_and_none_of_our_rights(self):
        said, ended = self.keeper(
            "id -un; id -gn; id -G | wc -w; grep -E 'Cap(Eff|Prm|Amb)' /proc/self/status;"
            " setpriv --reuid=daemon true || echo refused")
        self.assertEqual(said[:3], ["nobody", "nogroup", "1"])
        self.assertEqual([int(word.split()[1], 16) for word in said[3:6]], [0, 0, 0])
        self.assertEqual((said[6], ended), ("refused", "e 0\n"))

    def test_it_can_be_killed_with_all_that_came_of_it(self):
        said, ended = self.keeper("setsid sleep 600 & echo $!; echo wait; sleep 600")
        self.assertEqual(ended, "s 9\n")
        self.assertFalse(alive(said[0]))

    def test_without_the_right_nothing_runs(self):
        said, ended = self.keeper("echo here", rights="-all")
        self.assertEqual(said, [])
        self.assertIn("the agent's user cannot be taken on", ended)


HELLO_AGAIN = (
    "(The agent was started anew and cannot reopen this conversation, so it does not remember"
    " what was said before.)\nanswer to hello"
)


class NothingEscapes(AgentCase):
    def test_environment_and_descriptors(self):
        daemon = self.daemon(
            acp_settings(AGENT_ENVIRONMENT="LISTED,GIVEN=this,ABSENT"), start=False
        )
        daemon.start({"LISTED": "that", "UNLISTED_SECRET": "must not arrive"})
        chat = AgentChat(daemon)
        _, said = chat.ask("env")
        seen = json.loads(said)
        environment = {
            name: value
            for name, value in seen["env"].items()
            if not name.startswith(("LC_CTYPE",))
        }
        self.assertEqual(
            sorted(environment), ["GIVEN", "HOME", "LANG", "LISTED", "PATH"], seen
        )
        self.assertEqual((environment["GIVEN"], environment["LISTED"]), ("this", "that"))
        ours = {name: place for name, place in seen["fds"].items() if int(name) > 2}
        self.assertEqual([p for p in ours.values() if "/proc/" not in p], [])
        for name in ("0", "1", "2"):
            self.assertIn("pipe:", seen["fds"][name])
        self.assertEqual(seen["cwd"], str(daemon.directory / "data" / "workspace"))

    def test_what_a_server_of_opencode_gets(self):
        """The same, and the password that was made for it."""
        program = self.directory / "opencode"
        program.write_text(
            f"#!{sys.executable}\n"
            "import json, os, sys, time\n"
            "fds = {fd: os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd')\n"
            "       if os.path.exists(f'/proc/self/fd/{fd}')}\n"
            "seen = {'env': dict(os.environ), 'fds': fds, 'args': sys.argv[1:]}\n"
            "open('seen.part', 'w').write(json.dumps(seen))\n"
            "os.rename('seen.part', 'seen')\n"
            "time.sleep(600)\n"
        )
        program.chmod(0o755)
        daemon = self.daemon(
            {"AGENT_BACKEND": "opencode", "AGENT_COMMAND": json.dumps([str(program)]),
             "AGENT_ENVIRONMENT": "GIVEN=this"},
            start=False,
        )
        daemon.start({"UNLISTED_SECRET": "must not arrive"})
        path = daemon.directory / "data" / "workspace" / "seen"
        self.until(path.exists, "what it has seen", daemon)
        seen = json.loads(path.read_text())
        names = sorted(name for name in seen["env"] if not name.startswith("LC_CTYPE"))
        self.assertEqual(names, ["GIVEN", "HOME", "LANG", "OPENCODE_SERVER_PASSWORD", "PATH"])
        self.assertGreaterEqual(len(seen["env"]["OPENCODE_SERVER_PASSWORD"]), 32)
        self.assertNotIn(seen["env"]["OPENCODE_SERVER_PASSWORD"], daemon.said())
        self.assertEqual({fd for fd in seen["fds"] if int(fd) > 2}, set())
        self.assertEqual(seen["args"][:3], ["serve", "--hostname", "127.0.0.1"])

    def test_our_own_secrets_cannot_be_listed(self):
        daemon = self.daemon(
            acp_settings(AGENT_ENVIRONMENT="OPEN_COWORK_GATEWAY_ADMIN_TOKEN"), start=False
        )
        daemon.spawn()
        self.assertTrue(daemon.await_death())
        self.assertIn("Cowgate's own", daemon.said())

    def orphan(self, daemon, chat):
        _, said = chat.ask("orphan")
        pid = int(said.split()[1])
        self.assertTrue(alive(pid))
        members = family(daemon.process.pid)
        self.assertIn(pid, members)
        return members

    def expect_gone(self, members):
        gone = eventually(lambda: not any(alive(pid) for pid in members), 20)
        self.assertTrue(gone, [pid for pid in members if alive(pid)])

    def test_nothing_survives_a_stop(self):
        daemon, chat = self.begin()
        members = self.orphan(daemon, chat)
        self.assertEqual(daemon.stop(), 0, daemon.said())
        self.expect_gone(members)

    def test_nothing_survives_a_kill(self):
        daemon, chat = self.begin()
        members = self.orphan(daemon, chat)
        daemon.kill()
        self.expect_gone(members)


if __name__ == "__main__":
    unittest.main()
