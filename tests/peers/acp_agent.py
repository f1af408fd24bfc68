# SPDX-License-Identifier: Apache-2.0
"""A scripted agent of the Agent Client Protocol, for what real ones do only on bad days.

Run as a program: python3 acp_agent.py [OPTION]...

    load        sessions survive the program, and can be loaded
    mute        never answers anything
    old         speaks another version of the protocol
    locked      opens no session: "Authentication required"

What it does with a prompt is said by its first word:

    tool WHAT    asks for permission, then makes the file WHAT in its directory
    act WHAT     makes the file without asking, and dies
    work WHAT    begins to fill the file without asking, and takes long
    ask-late     asks for permission after the prompt was answered
    slow N       N words, one every 0.05 s, until it is cancelled
    stuck        works on for ever and does not heed a cancel
    half         half an answer, then it dies
    die          dies before it says a word
    odd          unknown updates, requests and answers, broken lines; then it answers
    huge         a line without end
    plan         a plan, a thought and what it has cost
    fail         answers the prompt with an error
    env          its variables, open descriptors and their limit, as JSON
    files        what came with the prompt
    orphan       starts a process that leaves its session, and names it
    empty        ends without a word
    past         what it was asked before in this session

Anything else is answered with "answer to <prompt>".  Every prompt is written down in the file
"prompts" of its directory, one a line.
"""
import json
import os
import pathlib
import resource
import subprocess
import sys
import threading
import time

OPTIONS = set(sys.argv[1:])
lock = threading.Lock()


def send(message):
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def raw(text):
    with lock:
        sys.stdout.write(text)
        sys.stdout.flush()


class Agent:
    def __init__(self):
        self.sessions = {}  # id -> prompts
        self.cancelled = set()
        self.answers = {}
        self.changed = threading.Condition()
        self.asked = 0

    # What it says.

    def update(self, session, **update):
        send({"method": "session/update", "params": {"sessionId": session, "update": update}})

    def say(self, session, text, kind="agent_message_chunk"):
        self.update(session, sessionUpdate=kind, content={"type": "text", "text": text})

    def ask(self, method, params):
        """A request of ours, with a string for an id; its result, or the error."""
        self.asked += 1
        number = f"ask-{self.asked}"
        send({"id": number, "method": method, "params": params})
        with self.changed:
            while number not in self.answers:
                self.changed.wait()
            return self.answers.pop(number)

    def permission(self, session, what):
        return self.ask(
            "session/request_permission",
            {
                "sessionId": session,
                "toolCall": {
                    "toolCallId": f"call-{what}",
                    "kind": "execute",
                    "title": f"touch {what}",
                    "rawInput": {"command": f"touch {what}"},
                },
                "options": [
                    {"optionId": "a", "name": "Always", "kind": "allow_always"},
                    {"optionId": "o", "name": "Once", "kind": "allow_once"},
                    {"optionId": "r", "name": "No", "kind": "reject_once"},
                ],
            },
        )

    # What it hears.

    def hear(self, message):
        if "method" not in message:
            with self.changed:
                self.answers[message["id"]] = message
                self.changed.notify_all()
        elif message["method"] == "session/cancel":
            self.cancelled.add(message["params"]["sessionId"])
        elif "id" in message:
            threading.Thread(target=self.serve, args=(message,), daemon=True).start()

    def serve(self, message):
        params = message.get("params") or {}
        method = message["method"]
        if "mute" in OPTIONS:
            return
        if method == "initialize":
            result = {
                "protocolVersion": 7 if "old" in OPTIONS else 1,
                "agentCapabilities": {
                    "loadSession": "load" in OPTIONS,
                    "promptCapabilities": {"image": True, "embeddedContext": True},
                },
            }
        elif method == "session/new":
            if "locked" in OPTIONS:
                error = {"code": -32000, "message": "Authentication required"}
                send({"id": message["id"], "error": error})
                return
            session = f"s{os.getpid()}-{len(self.sessions)}-{time.monotonic_ns()}"
            self.sessions[session] = []
            self.keep()
            result = {"sessionId": session}
        elif method == "session/load":
            kept = json.loads(pathlib.Path("sessions").read_text("utf-8"))
            session = params["sessionId"]
            if session not in kept:
                send({"id": message["id"], "error": {"code": -32002, "message": "not found"}})
                return
            self.sessions[session] = kept[session]
            self.say(session, "this was said long ago")
            result = {}
        elif method == "session/prompt":
            result = self.prompt(params["sessionId"], params["prompt"])
        else:
            send({"id": message["id"], "error": {"code": -32601, "message": "no"}})
            return
        if "error" in (result or {}):
            send({"id": message["id"], "error": result["error"]})
        else:
            send({"id": message["id"], "result": result})

    def keep(self):
        if "load" in OPTIONS:
            pathlib.Path("sessions").write_text(json.dumps(self.sessions), "utf-8")

    def prompt(self, session, blocks):
        text = next(b["text"] for b in reversed(blocks) if b["type"] == "text")
        self.cancelled.discard(session)
        with open("prompts", "a", encoding="utf-8") as file:
            file.write(text + "\n")
        past = list(self.sessions[session])
        self.sessions[session].append(text)
        self.keep()
        word, _, rest = text.partition(" ")
        act = getattr(self, "do_" + word.replace("-", "_"), None)
        if word == "files":
            self.say(session, json.dumps([summary(block) for block in blocks]))
        elif word == "past":
            self.say(session, ", ".join(past))
        elif act is not None:
            return act(session, rest) or {"stopReason": "end_turn"}
        else:
            for piece in ("answer ", "to ", text):
                self.say(session, piece)
        return {"stopReason": "end_turn"}

    def tool(self, session, what, status, **more):
        self.update(
            session,
            sessionUpdate="tool_call_update",
            toolCallId=f"call-{what}",
            status=status,
            title=f"touch {what}",
            kind="execute",
            **more,
        )

    def do_tool(self, session, what):
        self.say(session, "let me see")
        self.tool(session, what, "in_progress", rawInput={"command": f"touch {what}"})
        outcome = self.permission(session, what)["result"]["outcome"]
        choice = outcome.get("optionId", outcome["outcome"])
        if choice in ("a", "o"):
            pathlib.Path(what).touch()
            content = [{"type": "content", "content": {"type": "text", "text": "made"}}]
            self.tool(session, what, "completed", content=content)
        else:
            self.tool(session, what, "failed", rawOutput={"error": "not allowed"})
        if outcome["outcome"] == "cancelled":
            return {"stopReason": "cancelled"}
        self.say(session, f"choice {choice}")
        return None

    def do_act(self, session, what):
        self.tool(session, what, "in_progress")
        with open(what, "a", encoding="utf-8") as file:
            file.write("done\n")
        time.sleep(0.3)
        os._exit(3)

    def do_work(self, session, what):
        self.tool(session, what, "in_progress")
        with open(what, "a", encoding="utf-8") as file:
            file.write("begun\n")
        time.sleep(60)
        with open(what, "a", encoding="utf-8") as file:
            file.write("ended\n")

    def do_ask_late(self, session, _rest):
        def late():
            time.sleep(0.3)
            outcome = self.permission(session, "late")
            pathlib.Path("late-answer").write_text(json.dumps(outcome), "utf-8")

        threading.Thread(target=late, daemon=True).start()
        self.say(session, "later")

    def do_slow(self, session, rest):
        for i in range(int(rest)):
            if session in self.cancelled:
                return {"stopReason": "cancelled"}
            self.say(session, f"tick{i} ")
            time.sleep(0.05)
        return None

    def do_stuck(self, session, _rest):
        self.say(session, "working")
        while True:
            time.sleep(1)

    def do_half(self, session, _rest):
        self.say(session, "half of an ")
        time.sleep(0.3)
        os._exit(3)

    def do_die(self, _session, _rest):
        os._exit(3)

    def do_odd(self, session, _rest):
        self.update(session, sessionUpdate="brand_new", value=[1, {"a": None}])
        self.update(session, sessionUpdate="agent_message_chunk", content={"type": "smell"})
        self.update("no such session", sessionUpdate="agent_message_chunk")
        self.update(session, sessionUpdate="tool_call_update")
        raw("this is no JSON\n{\"jsonrpc\":\n\n[]\n7\n\"text\"\n{}\n")
        raw('{"jsonrpc":"2.0","id":424242,"result":{}}\n')
        raw('{"jsonrpc":"2.0","id":"strange","result":{}}\n')
        send({"method": "$/unknown", "params": {}})
        read = self.ask("fs/read_text_file", {"sessionId": session, "path": "/etc/passwd"})
        wrong = self.ask("session/request_permission", {"sessionId": "nobody", "options": []})
        self.say(
            session,
            f"read {read['error']['code']}, wrong {wrong['result']['outcome']['outcome']}",
        )

    def do_huge(self, session, _rest):
        for _ in range(40):
            raw("x" * (1 << 20))
        raw("\n")
        time.sleep(60)

    def do_plan(self, session, _rest):
        entries = [{"content": "first", "status": "completed", "priority": "high"}]
        self.update(session, sessionUpdate="plan", entries=entries)
        self.say(session, "hmm, a thought", "agent_thought_chunk")
        self.update(
            session,
            sessionUpdate="usage_update",
            used=8,
            size=100,
            cost={"amount": 0.25, "currency": "USD"},
        )
        self.say(session, "planned")
        usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
        return {"stopReason": "end_turn", "usage": usage}

    def do_fail(self, _session, _rest):
        return {"error": {"code": -32603, "message": "Internal error", "data": "model is ill"}}

    def do_env(self, session, _rest):
        fds = {}
        for fd in os.listdir("/proc/self/fd"):
            try:
                fds[fd] = os.readlink(f"/proc/self/fd/{fd}")
            except FileNotFoundError:
                pass  # the one that listed them
        nofile, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.say(session, json.dumps({
            "env": dict(os.environ), "fds": fds, "cwd": os.getcwd(), "nofile": nofile}))

    def do_orphan(self, session, _rest):
        child = subprocess.Popen(
            ["setsid", "sh", "-c", "trap : TERM; (sleep 1000 >/dev/null & echo $!); exit"],
            stdout=subprocess.PIPE,
            text=True,
        )
        out = child.stdout.readline().strip()
        self.say(session, f"pid {out}")

    def do_empty(self, _session, _rest):
        return {"stopReason": "end_turn"}


def summary(block):
    kind = block["type"]
    if kind == "text":
        return ["text", block["text"]]
    if kind == "image":
        return ["image", block["mimeType"], len(block["data"])]
    if kind == "resource":
        return ["resource", block["resource"]["mimeType"], block["resource"]["text"]]
    return [kind, block["name"], block["uri"].partition(":")[0]]


def main():
    print("scripted agent is up", file=sys.stderr, flush=True)
    agent = Agent()
    for line in sys.stdin:
        agent.hear(json.loads(line))


if __name__ == "__main__":
    main()
