# SPDX-License-Identifier: Apache-2.0
"""A model as the Responses API has them, for Codex: streamed.

The first word of what the person said decides:

    run COMMAND     asks to run it outside the sandbox, then answers with what that said
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
SHELLS = ("exec_command", "shell_command")


class CodexModel(Server):
    def handle(self, exchange):
        if not exchange.target.partition("?")[0].endswith("/responses"):
            exchange.reply(200, {"object": "list", "data": [], "models": []})
            return
        body = exchange.json()
        last = body["input"][-1]
        # What the person said stands behind what the program tells of its surroundings.
        person = [i for i in body["input"] if i.get("role") == "user"][-1]["content"]
        prompt = "\n".join(p["text"] for p in person if p["type"] == "input_text")
        found = WORDS.search(prompt)
        word, rest = found.groups() if found else ("", "")
        if last["type"] == "function_call_output":
            self._say(exchange, body, ["tool said: " + json.dumps(last["output"])])
        elif word == "fail":
            error = {"type": "invalid_request_error", "message": "scripted failure"}
            exchange.reply(int(rest), {"error": error})
        elif word == "run":
            self._call(exchange, body, rest)
        elif word == "tick":
            self._say(exchange, body, [f"tick{i} " for i in range(int(rest))], 0.1)
        elif word == "see":
            self._say(exchange, body, ["saw " + self._seen(person)])
        else:
            self._say(exchange, body, [f"answer to {prompt}"])

    @staticmethod
    def _seen(parts):
        kinds = [
            "picture " + part["image_url"].partition(";")[0]
            for part in parts
            if part["type"] == "input_image"
        ]
        notes = re.findall(r"NOTE-\w+", json.dumps(parts))
        return ", ".join(kinds + ["text " + note for note in notes]) or "nothing"

    def _call(self, exchange, body, command):
        name = next(t["name"] for t in body["tools"] if t.get("name") in SHELLS)
        arguments = {
            "cmd" if name == "exec_command" else "command": command,
            "sandbox_permissions": "require_escalated",
            "justification": "as told",
        }
        self._item(exchange, body, {
            "type": "function_call",
            "id": "fc_1",
            "call_id": f"call_{time.monotonic_ns()}",
            "name": name,
            "arguments": json.dumps(arguments),
        }, [], 0)

    def _say(self, exchange, body, pieces, pause=0):
        text = {"type": "output_text", "text": "".join(pieces), "annotations": []}
        self._item(exchange, body, {
            "type": "message",
            "id": "m_1",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }, pieces, pause)

    def _item(self, exchange, body, item, pieces, pause):
        response = {"id": f"resp_{time.monotonic_ns()}", "object": "response", "output": []}
        response.update(model=body["model"], status="in_progress")
        exchange.stream()
        self._event(exchange, "response.created", response=response)
        begun = {**item, **({"content": []} if pieces else {"arguments": ""})}
        self._event(exchange, "response.output_item.added", output_index=0, item=begun)
        for piece in pieces:
            self._event(exchange, "response.output_text.delta", item_id=item["id"],
                        output_index=0, content_index=0, delta=piece)
            if pause:
                exchange.wait(pause)
        self._event(exchange, "response.output_item.done", output_index=0, item=item)
        usage = {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 18,
        }
        response = {**response, "status": "completed", "output": [item], "usage": usage}
        self._event(exchange, "response.completed", response=response)

    @staticmethod
    def _event(exchange, kind, **members):
        data = json.dumps({"type": kind, **members})
        exchange.send(f"event: {kind}\ndata: {data}\n\n".encode())
