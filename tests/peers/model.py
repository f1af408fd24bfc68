# SPDX-License-Identifier: Apache-2.0
"""A chat completions server that streams answers as a test says.

An answer is deterministic: "answer to <prompt>", where <prompt> is the last user message.  So a
test finds the id that it put into a prompt in the text that comes back.
"""
import json
import threading
import time

from tests.peers.loopback import Server


class Model(Server):
    """script() says what becomes of the next requests; after that each is answered in full.

    Steps: "ok", "stall" (half an answer, then silence), "silent" (no answer at all), "cut" (half
    an answer, then FIN), "reset" (half an answer, then RST), ("status", code[, headers]),
    ("slow", seconds) between tokens, ("text", answer), ("hold", event[, seconds]): half an answer,
    with a pause between tokens, and the rest once the threading.Event is set,
    ("late", event[, seconds]): all of it, but its end only once the event is set, "whole" (not streamed), "garbage".
    """

    def __init__(self, api_key=None):
        self.api_key = api_key
        self.changed = threading.Condition()
        self.prompts = []  # last user message of each request, in order of arrival
        self.requests = []  # bodies
        self.steps = []
        self.pause = 0  # seconds between tokens of an answer without a step
        self.active = 0
        self.most_active = 0
        super().__init__()
        self.base = self.url + "/v1"

    def script(self, *steps):
        with self.changed:
            self.steps = list(steps)

    @staticmethod
    def answer(prompt):
        return f"answer to {prompt}"

    def wait_for(self, predicate, seconds=20):
        end = time.monotonic() + seconds
        with self.changed:
            while not predicate(self):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.5))
            return True

    def _refusal(self, exchange):
        if exchange.method != "POST" or exchange.path != "/v1/chat/completions":
            return 404, "no such path"
        if self.api_key is not None:
            if exchange.headers.get("authorization") != f"Bearer {self.api_key}":
                return 401, "bad key"
        try:
            body = exchange.json()
        except ValueError:
            return 400, "not JSON"
        if not body.get("model"):
            return 400, "no model"
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return 400, "no messages"
        if messages[-1].get("role") != "user":
            return 400, "the last message is not the user's"
        for message in messages:
            if not isinstance(message.get("content"), str):
                return 400, "content is no string"
        return None

    def _list_models(self, exchange):
        if self.api_key and exchange.headers.get("authorization") != f"Bearer {self.api_key}":
            exchange.reply(401, {"error": {"message": "bad key"}})
        else:
            exchange.reply(200, {"object": "list", "data": [{"id": "test-model"}]})

    def handle(self, exchange):
        if exchange.method == "GET" and exchange.path == "/v1/models":
            self._list_models(exchange)
            return
        refusal = self._refusal(exchange)
        if refusal is not None:
            exchange.reply(refusal[0], {"error": {"message": refusal[1]}})
            return
        body = exchange.json()
        prompt = body["messages"][-1]["content"]
        with self.changed:
            self.requests.append(body)
            self.prompts.append(prompt)
            unscripted = ("slow", self.pause) if self.pause > 0 else "ok"
            step = self.steps.pop(0) if self.steps else unscripted
            self.active += 1
            self.most_active = max(self.most_active, self.active)
            self.changed.notify_all()
        try:
            self._act(exchange, body, self.answer(prompt), step)
        finally:
            with self.changed:
                self.active -= 1
                self.changed.notify_all()

    def _act(self, exchange, body, text, step):
        name = step if isinstance(step, str) else step[0]
        if name == "text":
            text, name = step[1], "ok"
        if name == "status":
            headers = step[2] if len(step) > 2 else None
            error = {"error": {"message": "scripted", "type": "scripted"}}
            exchange.reply(step[1], error, headers)
        elif name == "silent":
            exchange.hang()
        elif name == "garbage":
            exchange.stream()
            exchange.send(b"data: {not json\n\n")
        elif name == "whole" or not body.get("stream"):
            exchange.reply(
                200,
                {
                    "choices": [
                        {
                            "message": {"role": "assistant", "content": text},
                            "finish_reason": "stop",
                        }
                    ]
                },
            )
        else:
            self._stream(exchange, text, name, step)

    def _stream(self, exchange, text, name, step):
        tokens = [text[i : i + 4] for i in range(0, len(text), 4)]
        middle = max(1, len(tokens) // 2)
        step = step if isinstance(step, tuple) else (name,)
        exchange.stream()
        self._chunk(exchange, {"role": "assistant", "content": ""})
        for i, token in enumerate(tokens):
            if i == middle:
                self._in_the_middle(exchange, name, step)
                if name in ("cut", "reset"):
                    return
            self._chunk(exchange, {"content": token})
            if name == "slow" or (name in ("hold", "late") and len(step) > 2):
                exchange.wait(step[-1])
        if name == "late":
            exchange.wait_for(step[1])
        self._chunk(exchange, {}, finish="stop")
        exchange.send(b"data: [DONE]\n\n")

    def _in_the_middle(self, exchange, name, step):
        if name == "stall":
            exchange.hang()
        elif name == "reset":
            exchange.reset()
        elif name == "hold":
            exchange.wait_for(step[1])

    @staticmethod
    def _chunk(exchange, delta, finish=None):
        chunk = {
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        exchange.send(b"data: " + json.dumps(chunk).encode() + b"\n\n")
