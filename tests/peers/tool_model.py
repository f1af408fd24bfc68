# SPDX-License-Identifier: Apache-2.0
"""A model that uses tools, for real agents: chat completions, streamed.

What it does is said by the first word of the last user message:

    run COMMAND     calls the agent's shell tool, then answers with what that said
    ask             calls the agent's question tool, then answers with the choice
    tick N          N words, one every 0.1 s
    hold            half an answer, the rest once `gate` is set
    stall           half an answer and then nothing
    fail CODE       refuses the request
    see             tells which files and pictures came with the message

Anything else is answered with "answer to <message>".  A request without tools is the agent's
own business (a title) and gets "A title", unless the model is one for mere `chat`.  One that is
`blind` refuses pictures.
"""
import json
import re
import threading
import time

from tests.peers.loopback import Gone, Server

SHELLS = ("bash", "Bash", "shell", "run_shell_command", "exec_command")


def text_of(message):
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or [])


class ToolModel(Server):
    def __init__(self, chat=False, blind=False, usage=True):
        self.chat = chat
        self.blind = blind
        self.usage = usage  # it tells how many tokens it took
        self.changed = threading.Condition()
        self.gate = threading.Event()
        self.dead = threading.Event()  # every connection breaks
        self.prompts = []  # last user message of each request with tools
        self.bodies = []
        self.active = 0
        super().__init__()
        self.base = self.url + "/v1"

    def wait_for(self, predicate, seconds=30):
        end = time.monotonic() + seconds
        with self.changed:
            while not predicate(self):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.5))
            return True

    def handle(self, exchange):
        if self.dead.is_set():
            exchange.reset()
            return
        if exchange.method == "GET":
            exchange.reply(200, {"object": "list", "data": [{"id": "tools-1"}]})
            return
        body = exchange.json()
        tools = [tool["function"]["name"] for tool in body.get("tools") or []]
        messages = body["messages"]
        users = [text_of(m) for m in messages if m["role"] == "user"]
        prompt = users[-1] if users else ""
        with self.changed:
            if tools or self.chat:
                self.prompts.append(prompt)
                self.bodies.append(body)
            self.active += 1
            self.changed.notify_all()
        try:
            self._answer(exchange, body, tools, prompt)
        finally:
            with self.changed:
                self.active -= 1
                self.changed.notify_all()

    def _answer(self, exchange, body, tools, prompt):
        # An agent may add words of its own around what the person said.
        found = re.search(r"^\s*(run|ask|tick|hold|stall|fail|see)\b ?(.*)", prompt, re.M)
        word, rest = found.groups() if found else ("", "")
        last = body["messages"][-1]
        if self.blind and "image_url" in json.dumps(body["messages"]):
            exchange.reply(400, {"error": {"message": "this model is no multimodal one"}})
        elif not tools and not self.chat:
            self._stream(exchange, body, ["A title"])
        elif last["role"] == "tool":
            self._stream(exchange, body, self._pieces("tool said: " + text_of(last)))
        elif word == "fail":
            exchange.reply(int(rest or 500), {"error": {"message": "scripted failure"}})
        elif word == "run":
            name = next(tool for tool in tools if tool in SHELLS)
            self._call(exchange, name, {"command": rest, "description": "as told"})
        elif word == "ask":
            options = [
                {"label": "Red", "description": "warm"},
                {"label": "Blue", "description": "cold"},
            ]
            question = {
                "question": "Which colour?",
                "header": "Colour",
                "options": options,
                "multiple": False,
            }
            self._call(exchange, "question", {"questions": [question]})
        elif word == "tick":
            self._stream(exchange, body, [f"tick{i} " for i in range(int(rest))], 0.1)
        elif word in ("hold", "stall"):
            self._stream(exchange, body, ["first half, "], then=word)
        elif word == "see":
            self._stream(exchange, body, ["saw " + self._seen(body)])
        else:
            self._stream(exchange, body, self._pieces(f"answer to {prompt}"))

    @staticmethod
    def _seen(body):
        users = [m for m in body["messages"] if m["role"] == "user"]
        parts = users[-1]["content"]
        kinds = []
        for part in parts if isinstance(parts, list) else []:
            if part.get("type") == "image_url":
                url = part["image_url"]["url"]
                kinds.append("picture " + url.partition(";")[0])
            elif part.get("type") == "text" and "NOTE-" in part["text"]:
                kinds.append("text " + re.search(r"NOTE-\w+", part["text"]).group(0))
        if isinstance(parts, str) and "NOTE-" in parts:
            kinds.append("text " + re.search(r"NOTE-\w+", parts).group(0))
        if isinstance(parts, str) and "cannot see" in parts:
            kinds.append("a note")
        return ", ".join(kinds) or "nothing"

    @staticmethod
    def _pieces(text):
        return [text[i : i + 8] for i in range(0, len(text), 8)]

    def _stream(self, exchange, body, pieces, pause=0, then=""):
        if not body.get("stream"):
            message = {"role": "assistant", "content": "".join(pieces)}
            exchange.reply(
                200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            )
            return
        exchange.stream()
        self._chunk(exchange, {"role": "assistant", "content": ""})
        for piece in pieces:
            self._chunk(exchange, {"content": piece})
            if pause:
                exchange.wait(pause)
        if then == "stall":
            exchange.hang()
        if then == "hold":
            while not self.gate.is_set():
                if self.closing.is_set() or exchange.left():
                    raise Gone
                if self.dead.is_set():
                    exchange.reset()
                    return
                self.gate.wait(0.05)
            self._chunk(exchange, {"content": "second half"})
        self._end(exchange, "stop")

    def _call(self, exchange, name, arguments):
        exchange.stream()
        call = {
            "index": 0,
            "id": f"call_{time.monotonic_ns()}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        self._chunk(exchange, {"role": "assistant", "content": ""})
        self._chunk(exchange, {"tool_calls": [call]})
        self._end(exchange, "tool_calls")

    def _end(self, exchange, reason):
        self._chunk(exchange, {}, reason)
        if self.usage:
            usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
            exchange.send(b"data: " + json.dumps(self._frame([], usage)).encode() + b"\n\n")
        exchange.send(b"data: [DONE]\n\n")

    @staticmethod
    def _frame(choices, usage=None):
        frame = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "tools-1",
            "choices": choices,
        }
        if usage:
            frame["usage"] = usage
        return frame

    def _chunk(self, exchange, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        exchange.send(b"data: " + json.dumps(self._frame([choice])).encode() + b"\n\n")
