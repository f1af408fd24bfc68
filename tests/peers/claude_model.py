# SPDX-License-Identifier: Apache-2.0
"""A model as the Messages API has them, for Claude Code: streamed and not.

The first word of what the person said decides:

    run COMMAND     calls the shell tool, then answers with what that said
    tick N          N words, one every 0.1 s
    fail CODE       refuses the request
    see             tells which texts and pictures came with the message

Anything else is answered with "answer to <message>".
"""
import json
import re
import time

from tests.peers.loopback import Server

WORDS = re.compile(r"^\s*(run|tick|fail|see)\b ?(.*)", re.M)


def blocks_of(message):
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


class ClaudeModel(Server):
    def handle(self, exchange):
        path = exchange.target.partition("?")[0]
        if path.endswith("/count_tokens"):
            exchange.reply(200, {"input_tokens": 5})
        elif path.endswith("/messages"):
            self._messages(exchange, exchange.json())
        else:
            exchange.reply(404, {"type": "error", "error": {"type": "not_found_error"}})

    def _messages(self, exchange, body):
        tools = [tool["name"] for tool in body.get("tools") or [] if "name" in tool]
        # The program's own words may stand behind the person's.
        users = [m for m in body["messages"] if m["role"] == "user"]
        last = blocks_of(users[-1])
        results = [block for block in last if block["type"] == "tool_result"]
        # … and before them; attached texts come after.
        texts = [block["text"] for block in last if block["type"] == "text"]
        own = ("<system-reminder>", "[Request interrupted")
        prompt = next((text for text in texts if not text.startswith(own)), "")
        found = WORDS.search(prompt) if "Bash" in tools else None
        word, rest = found.groups() if found else ("", "")
        if results:
            self._say(exchange, body, ["tool said: " + json.dumps(results[-1]["content"])])
        elif word == "fail":
            error = {"type": "invalid_request_error", "message": "scripted failure"}
            exchange.reply(int(rest), {"type": "error", "error": error})
        elif word == "run":
            call = {"command": rest, "description": "as told"}
            self._answer(exchange, body, "tool_use", [json.dumps(call)], 0)
        elif word == "tick":
            self._say(exchange, body, [f"tick{i} " for i in range(int(rest))], 0.1)
        elif word == "see":
            self._say(exchange, body, ["saw " + self._seen(last)])
        else:
            self._say(exchange, body, [f"answer to {prompt}"])

    @staticmethod
    def _seen(blocks):
        kinds = [
            "picture " + block["source"]["media_type"]
            for block in blocks
            if block["type"] == "image"
        ]
        notes = re.findall(r"NOTE-\w+", json.dumps(blocks))
        return ", ".join(kinds + ["text " + note for note in notes]) or "nothing"

    def _say(self, exchange, body, pieces, pause=0):
        self._answer(exchange, body, "text", pieces, pause)

    def _answer(self, exchange, body, kind, pieces, pause):
        message = {
            "id": f"msg_{time.monotonic_ns()}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 11, "output_tokens": 1},
        }
        stop = "end_turn" if kind == "text" else "tool_use"
        if not body.get("stream"):
            message["content"] = [{"type": "text", "text": "".join(pieces)}]
            exchange.reply(200, {**message, "stop_reason": stop})
            return
        exchange.stream()
        self._event(exchange, "message_start", message=message)
        block = {"type": "text", "text": ""}
        if kind == "tool_use":
            block = {"type": kind, "id": f"toolu_{time.monotonic_ns()}", "name": "Bash"}
            block["input"] = {}
        self._event(exchange, "content_block_start", index=0, content_block=block)
        for piece in pieces:
            delta = {"type": "text_delta", "text": piece}
            if kind == "tool_use":
                delta = {"type": "input_json_delta", "partial_json": piece}
            self._event(exchange, "content_block_delta", index=0, delta=delta)
            if pause:
                exchange.wait(pause)
        self._event(exchange, "content_block_stop", index=0)
        delta = {"stop_reason": stop, "stop_sequence": None}
        self._event(exchange, "message_delta", delta=delta, usage={"output_tokens": 7})
        self._event(exchange, "message_stop")

    @staticmethod
    def _event(exchange, kind, **members):
        data = json.dumps({"type": kind, **members})
        exchange.send(f"event: {kind}\ndata: {data}\n\n".encode())
