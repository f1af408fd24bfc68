# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a server of OpenCode: version 1 of its API as far as a gateway uses it, for what
the real one does only on bad days, and for many conversations at once.

What becomes of a prompt is said by its first word:

    hold        answers once `gate` is set
    lose        the stream of events breaks before the answer, which is there when it is asked for
    late        the answer to the prompt's request comes after all its events
    strange     unknown events, events of other sessions, broken frames; then it answers
    huge        an event that is too long
    refuse      the prompt is refused
    vanish      the session is gone

Anything else is answered with "answer to <prompt>", in pieces, after `pause` seconds.
"""
import base64
import itertools
import json
import threading
import time
import urllib.parse

from tests.peers.loopback import Gone, Server


class OpenCodeFake(Server):
    def __init__(self, password="opencode-password-Tq4"):
        self.password = password
        self.changed = threading.Condition()
        self.gate = threading.Event()
        self.streams = []  # queues of frames
        self.sessions = {}  # id -> list of messages as the API has them
        self.busy = set()
        self.prompts = []  # (session, text), in order of arrival
        self.most_busy = 0
        self.pause = 0
        self.numbers = itertools.count(1)
        super().__init__()

    # Its memory.

    def number(self, prefix):
        return f"{prefix}_{next(self.numbers):016x}"

    def emit(self, kind, **properties):
        frame = {"directory": "/", "payload": {"type": kind, "properties": properties}}
        self.raw(b"data: " + json.dumps(frame).encode() + b"\n\n")

    def raw(self, data):
        with self.changed:
            for stream in self.streams:
                stream.append(data)
            self.changed.notify_all()

    def break_streams(self):
        with self.changed:
            for stream in self.streams:
                stream.append(None)
            self.changed.notify_all()

    # Its API.

    def handle(self, exchange):
        wanted = base64.b64encode(f"opencode:{self.password}".encode()).decode()
        if exchange.headers.get("authorization") != f"Basic {wanted}":
            exchange.reply(401, {"name": "Unauthorized"})
            return
        path = urllib.parse.urlsplit(exchange.target).path
        words = path.strip("/").split("/")
        if path == "/global/event":
            self._stream(exchange)
        elif path == "/config/providers":
            exchange.reply(200, {"providers": [{"id": "fake", "models": {"fake-1": {}}}]})
        elif path == "/session" and exchange.method == "GET":
            exchange.reply(200, [])
        elif path == "/session" and exchange.method == "POST":
            session = self.number("ses")
            self.sessions[session] = []
            exchange.reply(200, {"id": session})
        elif path == "/session/status":
            with self.changed:
                exchange.reply(200, {name: {"type": "busy"} for name in self.busy})
        elif path in ("/permission", "/question"):
            exchange.reply(200, [])
        elif words[0] == "session" and words[1] not in self.sessions:
            error = {"message": f"Session not found: {words[1]}"}
            exchange.reply(404, {"name": "NotFoundError", "data": error})
        elif words[0] == "session" and words[2:] == ["message"]:
            with self.changed:
                exchange.reply(200, self.sessions[words[1]][-12:])
        elif words[0] == "session" and words[2:] == ["prompt_async"]:
            self._prompt(exchange, words[1], exchange.json())
        elif words[0] == "session" and words[2:] == ["abort"]:
            exchange.reply(200, "true")
        else:  # as the real one does it
            exchange.reply(200, b"<html>", content_type="text/html")

    def _stream(self, exchange):
        mine = []
        exchange.stream()
        with self.changed:
            self.streams.append(mine)
            mine.append(b'data: {"payload":{"type":"server.connected","properties":{}}}\n\n')
        try:
            while not self.closing.is_set():
                with self.changed:
                    if not mine:
                        self.changed.wait(0.2)
                    frames, mine[:] = list(mine), []
                if exchange.left():
                    raise Gone
                for frame in frames:
                    if frame is None:
                        return
                    exchange.send(frame)
        finally:
            with self.changed:
                self.streams.remove(mine)

    def _prompt(self, exchange, session, body):
        text = body["parts"][0]["text"]
        word = text.split(" ")[0]
        if word == "refuse":
            exchange.reply(400, {"_tag": "BadRequest", "message": "not this"})
            return
        if word == "vanish" and len(self.prompts) == 0:
            del self.sessions[session]
            self.prompts.append((session, text))
            error = {"name": "NotFoundError", "data": {"message": "gone"}}
            exchange.reply(404, error)
            return
        with self.changed:
            known = any(m["info"]["id"] == body["messageID"] for m in self.sessions[session])
            if not known:
                self.prompts.append((session, text))
                self.busy.add(session)
                self.most_busy = max(self.most_busy, len(self.busy))
        if known:
            exchange.reply(204)
            return
        if word == "late":
            self._run(session, body["messageID"], text, word)
            exchange.reply(204)
        else:
            run = (session, body["messageID"], text, word)
            threading.Thread(target=self._run, args=run, daemon=True).start()
            exchange.reply(204)

    def _message(self, session, role, parent=None):
        info = {
            "id": self.number("msg"),
            "sessionID": session,
            "role": role,
            "time": {"created": 1},
        }
        if parent:
            info["parentID"] = parent
        return {"info": info, "parts": []}

    def _run(self, session, prompt, text, word):
        asked = self._message(session, "user")
        asked["info"]["id"] = prompt
        answer = self._message(session, "assistant", prompt)
        with self.changed:
            self.sessions[session] += [asked, answer]
        self.emit("session.status", sessionID=session, status={"type": "busy"})
        self.emit("message.updated", sessionID=session, info=dict(answer["info"]))
        if word == "hold":
            self.gate.wait(30)
        if word == "strange":
            self._strange(session)
        if word == "huge":
            self.raw(b"data: " + b"x" * (9 << 20) + b"\n\n")
        if word == "lose":
            self.break_streams()
        if self.pause:
            time.sleep(self.pause)
        said = f"answer to {text}"
        part = {
            "id": self.number("prt"),
            "messageID": answer["info"]["id"],
            "sessionID": session,
            "type": "text",
            "text": "",
        }
        self.emit("message.part.updated", sessionID=session, part=dict(part))
        for i in range(0, len(said), 8):
            self.emit(
                "message.part.delta",
                sessionID=session,
                messageID=part["messageID"],
                partID=part["id"],
                field="text",
                delta=said[i : i + 8],
            )
        part["text"] = said
        with self.changed:
            answer["parts"].append(part)
            answer["info"]["time"]["completed"] = 2
            answer["info"]["finish"] = "stop"
            self.busy.discard(session)
        self.emit("message.part.updated", sessionID=session, part=part)
        self.emit("message.updated", sessionID=session, info=answer["info"])
        self.emit("session.status", sessionID=session, status={"type": "idle"})
        self.emit("session.idle", sessionID=session)
        self.emit("session.idle", sessionID=session)  # it often says so twice

    def _strange(self, session):
        self.raw(b"data: {this is no JSON\n\n")
        self.raw(b"event: what\ndata: []\n\n: a comment\n\n")
        self.emit("brand.new", sessionID=session, value=[1])
        self.emit("message.part.delta", sessionID=session, field="text", delta="lost ")
        self.emit(
            "message.part.updated",
            sessionID=session,
            part={"id": "prt_x", "messageID": "msg_of_nobody", "type": "text", "text": "no"},
        )
        self.emit("session.idle", sessionID="ses_of_somebody_else")
        self.emit("permission.asked", sessionID=session, id="../../etc", permission="x")
        self.emit("session.error", sessionID="ses_of_somebody_else", error={"name": "X"})
