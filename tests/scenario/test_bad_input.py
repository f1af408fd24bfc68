# SPDX-License-Identifier: Apache-2.0
"""What nobody should send: a clear answer, nothing stored, and the daemon lives."""
import json
import socket
import time
import unittest
import urllib.parse

from tests.peers.receiver import Receiver, message, sign
from tests.scenario.daemon import PREFIX, WEBHOOK_SECRET, Scenario, webhook_settings

GOOD = {"target": {"chatId": "c"}, "sender": {"userId": "u"}, "text": "hi"}


def without(path):
    """The good message without one of its members."""
    body = json.loads(json.dumps(GOOD))
    place = body
    *parents, last = path.split(".")
    for name in parents:
        place = place[name]
    del place[last]
    return json.dumps(body).encode()


def having(path, value):
    """The good message with a member that it should not have so."""
    body = json.loads(json.dumps(GOOD))
    place = body
    *parents, last = path.split(".")
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value
    return json.dumps(body).encode()


# Signed rightly, and yet not to be understood: each is 400.
BAD_BODIES = {
    "not JSON": b"hello",
    "half of it": b'{"target":{"chatId":"c"}',
    "two documents": json.dumps(GOOD).encode() + b"{}",
    "an array": b"[]",
    "a string": b'"text"',
    "null": b"null",
    "a number": b"7",
    "single quotes": b"{'target':{}}",
    "a comment": b"/* */" + json.dumps(GOOD).encode(),
    "a trailing comma": b'{"target":{"chatId":"c",},"sender":{"userId":"u"}}',
    "not UTF-8": b'{"target":{"chatId":"c"},"sender":{"userId":"u"},"text":"\xff\xfe"}',
    "a NUL byte": json.dumps(GOOD).encode() + b"\0",
    "NUL in a key": json.dumps(GOOD).encode().replace(b'"text"', b'"te\\u0000xt"'),
    "NUL in an id": having("target.chatId", "a\0b"),
    "too deep": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "too deep in arrays": b"[" * 100000 + b"]" * 100000,
    "no target": without("target"),
    "no chat": without("target.chatId"),
    "an empty chat": having("target.chatId", ""),
    "a blank chat": having("target.chatId", "   "),
    "a numeric chat": having("target.chatId", 7),
    "a chat of 513 bytes": having("target.chatId", "c" * 513),
    "a line break in a chat": having("target.chatId", "a\nb"),
    "target is a string": having("target", "c"),
    "no sender": without("sender"),
    "no user": without("sender.userId"),
    "a user of 513 bytes": having("sender.userId", "u" * 513),
    "a username of 257 bytes": having("sender.username", "u" * 257),
    "a name of 513 bytes": having("sender.displayName", "u" * 513),
    "text is a number": having("text", 5),
    "text is an object": having("text", {"a": 1}),
    "an id that is a number": having("id", 5),
    "an interaction without token": having("interaction", {"id": "i"}),
    "an interaction without id": having("interaction", {"token": "t"}),
    "a token of 65 bytes": having("interaction", {"id": "i", "token": "t" * 65}),
    "attachments are an object": having("attachments", {}),
    "21 attachments": having("attachments", [{"filename": "f"}] * 21),
    "an attachment without name": having("attachments", [{"mimeType": "a/b"}]),
    "base64 that is none": having(
        "attachments", [{"filename": "f", "bufferBase64": "***"}]
    ),
    "base64 that is not canonical": having(
        "attachments", [{"filename": "f", "bufferBase64": "QR=="}]
    ),
    "a size that is not the size": having(
        "attachments", [{"filename": "f", "bufferBase64": "QUJD", "sizeBytes": 4}]
    ),
    "a negative size": having("attachments", [{"filename": "f", "sizeBytes": -1}]),
    "a date that is none": having("receivedAt", "yesterday"),
}


class BadInput(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        self.gateway = self.daemon(
            webhook_settings(self.receiver, MAX_REQUEST_BODY_BYTES=400000)
        )

    def tearDown(self):
        """Whatever came, a person can still talk."""
        self.gateway.say("still alive", chat="alive")
        self.assertTrue(
            self.receiver.wait_for(lambda r: r.texts("alive")), self.gateway.said()
        )
        super().tearDown()

    def assert_refused(self, answer, status, what):
        self.assertEqual(answer.status, status, f"{what}: {answer!r}")
        body = answer.json()
        self.assertIs(body["ok"], False, what)
        self.assertTrue(body["error"].strip(), what)

    def nothing_came_of_it(self):
        self.assertEqual(
            self.gateway.metric("open_cowork_gateway_incoming_messages_total"), 0
        )
        self.assertEqual(self.gateway.metric("cowgate_inbox_pending"), 0)

    def test_bodies(self):
        for what, body in BAD_BODIES.items():
            with self.subTest(what):
                self.assert_refused(self.gateway.post(body), 400, what)
        self.nothing_came_of_it()

    def test_signatures(self):
        body = message("let me in")
        stamp = int(time.time())
        good = sign(WEBHOOK_SECRET, stamp, body)
        table = {
            "another key": {"secret": "another"},
            "an old time": {"stamp": stamp - 301},
            "a time to come": {"stamp": stamp + 301},
            "a time that is none": {"stamp": "soon"},
            "a time with a sign": {"stamp": f"+{stamp}"},
            "a time with a fraction": {"stamp": f"{stamp}.5"},
            "an endless time": {"stamp": "9" * 40},
            "no scheme": {"signature": good[3:]},
            "another scheme": {"signature": "v2" + good[2:]},
            "a signature cut short": {"signature": good[:-1]},
            "a signature that goes on": {"signature": good + "0"},
            "no signature": {"signature": ""},
            "another signature": {"signature": good[:-1] + ("0" if good[-1] != "0" else "1")},
        }
        for what, how in table.items():
            with self.subTest(what):
                how = {"stamp": stamp, **how}
                self.assert_refused(self.gateway.post(body, **how), 401, what)
        unsigned = self.gateway.request("POST", "/webhooks/webhook", body)
        self.assert_refused(unsigned, 401, "no headers")
        empty = self.gateway.post(b"")
        self.assert_refused(empty, 401, "an empty body")
        changed = self.gateway.post(body + b" ", signature=good, stamp=stamp)
        self.assert_refused(changed, 401, "other bytes")
        self.nothing_came_of_it()

    def test_order_of_checks(self):
        nobody = self.gateway.post(b"not even JSON", provider="nobody", signature="x")
        self.assert_refused(nobody, 404, "who is not there comes first")
        self.assert_refused(
            self.gateway.post(b"x" * 400001, signature="x"), 413, "then the size"
        )
        self.assert_refused(
            self.gateway.post(b"not JSON", signature="x"), 401, "then the signature"
        )
        self.assert_refused(self.gateway.post(b"not JSON"), 400, "then the words")
        for name in ("cli", "WEBHOOK", "webhook%00", "webhook%2f..", "..", "", "%zz"):
            answer = self.gateway.post(message("x"), provider=name)
            self.assertIn(answer.status, (400, 404), name)
        self.nothing_came_of_it()

    def test_sizes(self):
        text = "x" * (400000 - 300)
        self.assertEqual(self.gateway.post(message(text, chat="big")).status, 202)
        over = self.gateway.post(message("x" * 400000))
        self.assert_refused(over, 413, "one too large")
        lying = (
            b"POST /webhooks/webhook HTTP/1.1\r\nHost: h\r\n"
            b"Content-Length: 99999999999\r\n\r\nx"
        )
        self.assertIn(b" 413 ", self.gateway.raw(lying).split(b"\r\n")[0])
        header = b"GET /health HTTP/1.1\r\nHost: h\r\nX-Long: " + b"y" * 65536 + b"\r\n\r\n"
        first = self.gateway.raw(header).split(b"\r\n")[0]
        self.assertTrue(b" 431 " in first or b" 400 " in first, first)

    def test_smuggling(self):
        inner = b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"
        head = b"POST /webhooks/webhook HTTP/1.1\r\nHost: h\r\n"
        table = {
            "length and coding": head
            + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            + inner,
            "two lengths": head + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
            "a list of lengths": head + b"Content-Length: 3, 30\r\n\r\nabc",
            "a length with a sign": head + b"Content-Length: +3\r\n\r\nabc",
            "a negative length": head + b"Content-Length: -3\r\n\r\nabc",
            "a blank before the colon": head + b"Content-Length : 3\r\n\r\nabc",
            "a folded line": head + b"X-A: b\r\n  c\r\nContent-Length: 3\r\n\r\nabc",
            "a bare line feed": b"GET /health HTTP/1.1\nHost: h\n\n",
            "NUL in a header": b"GET /health HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n",
            "two hosts": b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "no host": b"GET /health HTTP/1.1\r\n\r\n",
            "a strange coding": head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "chunked twice": head
            + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "a chunk that is none": head
            + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
            "an endless chunk": head
            + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc",
            "a version to come": b"GET /health HTTP/3.0\r\nHost: h\r\n\r\n",
            "no version": b"GET /health\r\n\r\n",
            "a request in a header": b"GET /health HTTP/1.1\r\nHost: h\r\nGET / HTTP/1.1\r\n\r\n",
            "TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(200),
            "noise": bytes(range(256)) * 8,
        }
        for what, data in table.items():
            with self.subTest(what):
                answer = self.gateway.raw(data)
                first = answer.split(b"\r\n")[0]
                self.assertNotIn(b" 200", first, what)
                self.assertNotIn(b" 202", first, what)
                self.assertLessEqual(answer.count(b"HTTP/1."), 1, f"{what}: {answer!r}")
                if answer:
                    self.assertRegex(first, rb"^HTTP/1\.[01] (400|411|413|431|501|505) ")
        self.nothing_came_of_it()

    def test_forms(self):
        """A form's field "payload" is read like a body."""
        document = json.dumps({**GOOD, "text": "by form"}).encode()
        form = urllib.parse.urlencode({"payload": document}).encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        self.assertEqual(self.gateway.post(form, headers=kind).status, 202)
        self.assertTrue(self.receiver.wait_for(lambda r: r.texts("c")), self.gateway.said())
        for bad in (b"other=1", b"payload=%ff%fe", b"payload={", b"payload=%zz"):
            answer = self.gateway.post(bad, headers=kind)
            self.assert_refused(answer, 400, bad)

    def test_half_a_surrogate_pair_is_repaired(self):
        self.assertEqual(self.gateway.post(having("text", "a\ud800b")).status, 202)
        self.assertTrue(self.receiver.wait_for(lambda r: r.texts("c")), self.gateway.said())
        self.assertIn("a\ufffdb", self.receiver.texts("c")[0])

    def test_failed_signatures_are_limited(self):
        body = message("guess")
        statuses = [
            self.gateway.post(body, signature=f"v1={n:064x}").status for n in range(25)
        ]
        self.assertEqual(statuses[:20], [401] * 20)
        self.assertEqual(statuses[20:], [429] * 5)
        limited = self.gateway.post(body, signature="v1=0")
        self.assertGreaterEqual(int(limited.headers["retry-after"]), 1)
        good = self.gateway.post(message("the right one has to wait too"))
        self.assertEqual(good.status, 429)
        self.gateway.restart()

    def test_rate_limit(self):
        limited = self.daemon(
            webhook_settings(self.receiver, WEBHOOK_RATE_LIMIT_PER_MINUTE=5)
        )
        statuses = [
            limited.post(message("x", event_id=f"e{n}")).status for n in range(7)
        ]
        self.assertEqual(statuses, [202] * 5 + [429] * 2)

    def test_silent_and_broken_connections(self):
        socks = []
        for data in (b"", b"POST", b"POST /webhooks/webhook HTTP/1.1\r\nContent-Le"):
            sock = socket.create_connection(("127.0.0.1", self.gateway.port), 10)
            sock.sendall(data)
            socks.append(sock)
        self.assertEqual(self.gateway.request("GET", "/health").status, 200)
        for sock in socks:
            sock.close()
        half = socket.create_connection(("127.0.0.1", self.gateway.port), 10)
        half.sendall(
            b"POST /webhooks/webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"
        )
        half.close()
        self.nothing_came_of_it()

    def test_secrets_are_not_repeated(self):
        """Also when they come where they do not belong."""
        path = f"/webhooks/{WEBHOOK_SECRET}"
        stamp = str(int(time.time()))
        headers = {
            PREFIX + "webhook-timestamp": stamp,
            PREFIX + "webhook-signature": WEBHOOK_SECRET,
        }
        answer = self.gateway.request("POST", path, b"{}", headers)
        self.assertEqual(answer.status, 404)
        answer = self.gateway.request("POST", "/webhooks/webhook", b"{}", headers)
        self.assertEqual(answer.status, 401)


if __name__ == "__main__":
    unittest.main()
