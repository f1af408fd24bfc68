# SPDX-License-Identifier: Apache-2.0
"""What lies between a gateway and its Cloud: passes everything on, until a test says otherwise.

Rules are asked in their order; the first that matches and has uses left decides.  Calls can be
answered in the Cloud's place, delayed, or lost before or after the Cloud has seen them; streams
can end, break, be rewritten frame by frame, or arrive in pieces.
"""
import json
import re
import select
import socket
import threading
import time

from tests.peers.loopback import Gone, Server


class Rule:
    """What happens to requests whose "METHOD /path?query" matches."""

    def __init__(self, pattern, uses=None, **does):
        self.pattern = re.compile(pattern)
        self.uses = uses  # None: always
        self.does = does


class Seen:
    """One request and what came of it."""

    def __init__(self, exchange):
        self.at = exchange.at
        self.method = exchange.method
        self.path = exchange.path
        self.query = exchange.query
        self.headers = exchange.headers
        self.body = exchange.body
        self.status = None  # as the gateway saw it; None: it saw none
        self.answer = b""
        self.frames = []  # of a stream, as they were sent
        self.ended = None

    def json(self):
        return json.loads(self.body) if self.body else None

    def answer_json(self):
        return json.loads(self.answer)

    def __repr__(self):
        return f"<{self.method} {self.path}?{self.query} {self.status}>"


class Chunks:
    """A chunked body, taken apart as it comes."""

    def __init__(self):
        self.pending = b""
        self.over = False

    def feed(self, data):
        self.pending += data
        out = b""
        while not self.over and b"\r\n" in self.pending:
            size, _, rest = self.pending.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            if len(rest) < length + 2:
                break
            out += rest[:length]
            self.pending = rest[length + 2 :]
            self.over = length == 0
        return out


class CloudProxy(Server):
    """CloudProxy(cloud_port).  rules is a list that a test may replace at any time."""

    def __init__(self, upstream, port=0):
        self.upstream = upstream
        self.rules = []
        self.seen = []
        self.away = False  # refuse to speak at all
        self.shorten = None  # milliseconds: claims that gateways ask for last no longer
        self.live = 0  # streams that are open
        self.changed = threading.Condition()
        super().__init__(port)

    # For tests.

    def rule(self, pattern, uses=None, **does):
        rule = Rule(pattern, uses, **does)
        with self.changed:
            self.rules.append(rule)
        return rule

    def clear(self):
        with self.changed:
            self.rules.clear()

    def calls(self, pattern, status=None):
        with self.changed:
            return [
                one
                for one in self.seen
                if re.search(pattern, f"{one.method} {one.path}?{one.query}")
                and (status is None or one.status == status)
            ]

    def wait_for(self, predicate, seconds=20):
        end = time.monotonic() + seconds
        with self.changed:
            while not predicate(self):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.1))
        return True

    # Passing on.

    def _decide(self, exchange):
        line = f"{exchange.method} {exchange.target}"
        with self.changed:
            for rule in self.rules:
                if rule.uses != 0 and rule.pattern.search(line):
                    if rule.uses is not None:
                        rule.uses -= 1
                    return rule.does
        return {}

    def _note(self, seen, **what):
        with self.changed:
            for name, value in what.items():
                setattr(seen, name, value)
            self.changed.notify_all()

    def handle(self, exchange):
        seen = Seen(exchange)
        does = self._decide(exchange)
        with self.changed:
            self.seen.append(seen)
            self.changed.notify_all()
        if self.away or does.get("lose") == "before":
            exchange.reset()
            return
        if "delay" in does:
            exchange.wait(does["delay"])
        if "status" in does:
            body = does.get("body", {"error": "The test said so."})
            exchange.reply(does["status"], body, does.get("headers"))
            self._note(seen, status=does["status"])
            return
        with socket.create_connection(("127.0.0.1", self.upstream), 20) as cloud:
            cloud.sendall(self._request(exchange))
            self._answer(exchange, cloud, seen, does)

    def _request(self, exchange):
        target = exchange.target
        if self.shorten is not None:
            target = re.sub(r"\bttlMs=\d+", f"ttlMs={self.shorten}", target)
        lines = [f"{exchange.method} {target} HTTP/1.1"]
        lines += [
            f"{name}: {value}"
            for name, value in exchange.headers.items()
            if name not in ("host", "connection", "content-length", "transfer-encoding")
        ]
        lines += ["host: 127.0.0.1", "connection: close"]
        if exchange.body or exchange.method == "POST":
            lines.append(f"content-length: {len(exchange.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + exchange.body

    def _answer(self, exchange, cloud, seen, does):
        pending = b""
        while b"\r\n\r\n" not in pending:
            if exchange.left():
                raise Gone  # the gateway lost its patience
            if not select.select([cloud], [], [], 0.05)[0]:
                continue
            data = cloud.recv(65536)
            if not data:
                raise Gone
            pending += data
        head, _, rest = pending.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("content-type", "").startswith("text/event-stream"):
            self._note(seen, status=status)
            self._stream(exchange, cloud, rest, headers, seen, does)
            return
        body = self._body(cloud, rest, headers)
        if does.get("lose") == "after":
            self._note(seen, answer=body)
            exchange.reset()
            return
        kept = {n: v for n, v in headers.items() if n in ("retry-after", "x-request-id", "date")}
        self._note(seen, status=status, answer=body)
        exchange.reply(status, body, kept, headers.get("content-type"))

    @staticmethod
    def _body(cloud, pending, headers):
        chunks = Chunks() if headers.get("transfer-encoding") == "chunked" else None
        length = int(headers.get("content-length", "-1"))
        body = chunks.feed(pending) if chunks else pending
        while not (chunks and chunks.over) and (chunks or length < 0 or len(body) < length):
            data = cloud.recv(65536)
            if not data:
                break
            body += chunks.feed(data) if chunks else data
        return body

    # Streams.

    def _stream(self, exchange, cloud, pending, headers, seen, does):
        chunks = Chunks() if headers.get("transfer-encoding") == "chunked" else None
        end = time.monotonic() + does.get("life", 3600)
        with self.changed:
            self.live += 1
        try:
            exchange.stream()
            text = chunks.feed(pending) if chunks else pending
            while not (chunks and chunks.over):
                while b"\n\n" in text:
                    frame, _, text = text.partition(b"\n\n")
                    self._frame(exchange, frame + b"\n\n", seen, does)
                if time.monotonic() >= end or self.away or self.closing.is_set():
                    break
                if exchange.left():
                    raise Gone
                if not select.select([cloud], [], [], 0.05)[0]:
                    continue
                data = cloud.recv(65536)
                if not data:
                    break
                text += chunks.feed(data) if chunks else data
        finally:
            with self.changed:
                self.live -= 1
            self._note(seen, ended=time.monotonic())

    def _frame(self, exchange, frame, seen, does):
        frames = does["rewrite"](frame) if "rewrite" in does else [frame]
        for one in frames:
            if does.get("crlf"):
                one = one.replace(b"\n", b"\r\n")
            if does.get("torn") and b"data:" in one:
                does["torn"] -= 1
                exchange.send(one[: len(one) // 2])
                exchange.reset()
                raise Gone
            if does.get("bytewise"):
                for i in range(len(one)):
                    exchange.send(one[i : i + 1])
            else:
                exchange.send(one)
            self._note(seen, frames=seen.frames + [one])
