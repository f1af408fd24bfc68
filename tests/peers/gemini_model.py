# SPDX-License-Identifier: Apache-2.0
"""A model as the Gemini API has them, for the Gemini CLI: generateContent, streamed and not.

The first word of what the person said decides:

    run COMMAND     calls the shell tool, then answers with what that said
    tick N          N words, one every 0.1 s
    fail CODE       refuses the request
    see             tells which texts and pictures came with the message

Anything else is answered with "answer to <message>".
"""
import json
import re
import threading

from tests.peers.loopback import Server

WORDS = re.compile(r"^\s*(run|tick|fail|see)\b ?(.*)", re.M)


class GeminiModel(Server):
    def __init__(self):
        self.lock = threading.Lock()
        self.prompts = []
        super().__init__()

    def handle(self, exchange):
        if "GenerateContent" not in exchange.target and "generateContent" not in exchange.target:
            exchange.reply(200, {"totalTokens": 5, "models": []})
            return
        body = exchange.json()
        names = [
            function["name"]
            for tool in body.get("tools") or []
            for function in tool.get("functionDeclarations") or []
        ]
        stream = "stream" in exchange.target
        last = body["contents"][-1]
        results = [p["functionResponse"] for p in last["parts"] if "functionResponse" in p]
        texts = [p["text"] for p in last["parts"] if "text" in p]
        prompt = texts[-1] if texts else ""
        with self.lock:
            self.prompts.append(prompt)
        found = WORDS.search("\n".join(texts))
        word, rest = found.groups() if found and names else ("", "")
        if results:
            said = json.dumps(results[-1].get("response"))
            self._answer(exchange, stream, [{"text": f"tool said: {said}"}])
        elif word == "fail":
            error = {"code": int(rest), "message": "scripted failure", "status": "INVALID"}
            exchange.reply(int(rest), {"error": error})
        elif word == "run":
            call = {"name": "run_shell_command", "args": {"command": rest, "description": "x"}}
            self._answer(exchange, stream, [{"functionCall": call}])
        elif word == "tick":
            parts = [{"text": f"tick{i} "} for i in range(int(rest))]
            self._answer(exchange, stream, parts, 0.1)
        elif word == "see":
            self._answer(exchange, stream, [{"text": "saw " + self._seen(last["parts"])}])
        else:
            self._answer(exchange, stream, [{"text": f"answer to {prompt}"}])

    @staticmethod
    def _seen(parts):
        kinds = [
            "picture " + part["inlineData"]["mimeType"] for part in parts if "inlineData" in part
        ]
        notes = re.findall(r"NOTE-\w+", json.dumps(parts))
        return ", ".join(kinds + ["text " + note for note in notes]) or "nothing"

    @staticmethod
    def _candidate(parts, last=True):
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        if last:
            candidate["finishReason"] = "STOP"
        usage = {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8}
        return {"candidates": [candidate], "usageMetadata": usage}

    def _answer(self, exchange, stream, parts, pause=0):
        if not stream:
            exchange.reply(200, self._candidate(parts))
            return
        exchange.stream()
        for i, part in enumerate(parts):
            frame = self._candidate([part], i + 1 == len(parts))
            exchange.send(b"data: " + json.dumps(frame).encode() + b"\r\n\r\n")
            if pause:
                exchange.wait(pause)
