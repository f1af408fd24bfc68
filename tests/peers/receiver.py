# SPDX-License-Identifier: Apache-2.0
"""A webhook receiver: verifies signatures, drops twins, answers as a test says.

It takes both signature schemes that are in use for such deliveries: the gateway's own
(`x-open-cowork-gateway-webhook-*`) and, when a delivery carries it, Standard Webhooks
(`webhook-id`, `webhook-timestamp`, `webhook-signature`).  The first is always demanded.
"""
import base64
import hashlib
import hmac
import json
import threading
import time

from tests.peers.loopback import Server

PREFIX = "x-open-cowork-gateway-"
TOLERANCE = 300  # seconds


def sign(secret, timestamp, body):
    """The gateway's own scheme, the same in both directions."""
    signed = b"v1:" + str(timestamp).encode() + b":" + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def sign_standard(secret, message_id, timestamp, body):
    """Standard Webhooks: the key is the base64 behind `whsec_`, or the bytes themselves."""
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret[len("whsec_") :])
    else:
        key = secret.encode()
    signed = f"{message_id}.{timestamp}.".encode() + body
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def receipt(key):
    """The message id that a delivery with this key gets."""
    return "r-" + hashlib.sha256(key.encode()).hexdigest()[:12]


class Delivery:
    """One request that was verified."""

    def __init__(self, exchange, body):
        self.body = body
        self.raw = exchange.body
        self.headers = exchange.headers
        self.number = exchange.number  # on its connection
        self.at = exchange.at
        self.type = body["type"]
        self.key = body["idempotencyKey"]
        self.text = body.get("text")
        self.chat = body["target"]["chatId"] if "target" in body else None


class Receiver(Server):
    """script() says what becomes of the next texts of a chat; the rest is answered 200.

    Steps: ("status", code[, headers[, body]]), "hang", "reset", "close", "garbage", "flood",
    ("slow", seconds), ("hold", threading.Event), "ok", and "kept-reset": taken, but the answer is lost.
    """

    def __init__(self, secret, standard_secret=None, port=0):
        self.secret = secret
        self.standard_secret = standard_secret
        self.changed = threading.Condition()
        self.deliveries = []  # verified, in order, also those whose answer was spoilt
        self.accepted = []  # answered with 2xx, twins dropped
        self.keys = set()
        self.refused = []  # why a request was not believed
        self.scripts = {}  # chat -> steps; None: any chat
        self.clock = time.time
        super().__init__(port)

    def script(self, *steps, chat=None):
        with self.changed:
            self.scripts[chat] = list(steps)

    def _next_step(self, delivery):
        """Typing is never worth a step."""
        if delivery.type not in ("text", "edit", "buttons", "file"):
            return "ok"
        for chat in (delivery.chat, None):
            if self.scripts.get(chat):
                return self.scripts[chat].pop(0)
        return "ok"

    def _why_not(self, exchange):
        headers = exchange.headers
        stamp = headers.get(PREFIX + "webhook-timestamp", "")
        given = headers.get(PREFIX + "webhook-signature", "")
        if not stamp.isdigit() or abs(int(stamp) - self.clock()) > TOLERANCE:
            return "timestamp"
        if not hmac.compare_digest(given, sign(self.secret, stamp, exchange.body)):
            return "signature"
        if "webhook-signature" in headers:
            message_id = headers.get("webhook-id", "")
            expected = sign_standard(
                self.standard_secret or self.secret,
                message_id,
                headers.get("webhook-timestamp", ""),
                exchange.body,
            )
            if expected not in headers["webhook-signature"].split(" "):
                return "standard signature"
        return self._wrong_body(exchange)

    @staticmethod
    def _wrong_body(exchange):
        if exchange.headers.get("content-type") != "application/json":
            return "content type"
        try:
            body = exchange.json()
        except ValueError:
            return "not JSON"
        for name in (
            "deliveryId",
            "idempotencyKey",
            "provider",
            "providerInstanceId",
            "providerKind",
            "type",
        ):
            if not isinstance(body.get(name), str) or not body[name]:
                return f"no {name}"
        if body["deliveryId"] != body["idempotencyKey"]:
            return "two ids"
        if body["deliveryId"] != exchange.headers.get(PREFIX + "delivery-id"):
            return "id of the header"
        if body["type"] == "edit" and not body.get("messageId"):
            return "an edit of nothing"
        return None

    def handle(self, exchange):
        why = self._why_not(exchange)
        with self.changed:
            if why is not None:
                self.refused.append(why)
                self.changed.notify_all()
            else:
                delivery = Delivery(exchange, exchange.json())
                self.deliveries.append(delivery)
                step = self._next_step(delivery)
                self.changed.notify_all()
        if why is not None:
            exchange.reply(401, {"error": why})
            return
        self._act(exchange, delivery, step)

    def _act(self, exchange, delivery, step):
        name = step if isinstance(step, str) else step[0]
        if name == "slow":
            exchange.wait(step[1])
            name = "ok"
        if name == "hold":
            exchange.wait_for(step[1])
            name = "ok"
        if name == "ok":
            exchange.reply(200, {"messageId": self._keep(delivery)})
        elif name == "garbage":
            self._keep(delivery)
            exchange.reply(200, b"\xff\xfe not json \x00", content_type="text/html")
        elif name == "flood":
            exchange.reply(200, b"x" * (65536 + 1))
        elif name == "status":
            headers = step[2] if len(step) > 2 else None
            body = step[3] if len(step) > 3 else {"error": "scripted"}
            exchange.reply(step[1], body, headers)
        elif name == "hang":
            exchange.hang()
        elif name == "reset":
            exchange.reset()
        elif name == "kept-reset":
            self._keep(delivery)
            exchange.reset()
        elif name == "close":
            exchange.close()
        else:
            raise ValueError(name)

    def _keep(self, delivery):
        """Remember what was taken; a twin is answered alike and not taken again."""
        with self.changed:
            if delivery.key not in self.keys:
                self.keys.add(delivery.key)
                self.accepted.append(delivery)
                self.changed.notify_all()
        return receipt(delivery.key)

    def texts(self, chat=None):
        """What a person sees: each message in its last form, in the order of their first."""
        with self.changed:
            accepted = list(self.accepted)
        shown = {}
        for delivery in accepted:
            if chat is not None and delivery.chat != chat:
                continue
            if delivery.type == "edit":
                shown[delivery.body["messageId"]] = delivery.text
            elif delivery.type in ("text", "buttons"):
                shown[receipt(delivery.key)] = delivery.text
        return list(shown.values())

    def tries(self, chat, kind="text"):
        """Verified requests for a chat, answered well or not."""
        with self.changed:
            return [d for d in self.deliveries if d.chat == chat and d.type == kind]

    def wait_for(self, predicate, seconds=20):
        """Until predicate(self) is true; False when it has not become so in time."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                if predicate(self):
                    return True
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.5))


def message(text, chat="chat-1", sender="user-1", event_id=None, **more):
    """The body of a message to the gateway's webhook channel."""
    body = {
        "target": {"chatId": chat, "isDirect": True},
        "sender": {"userId": sender, "displayName": "Somebody"},
        "text": text,
    }
    if event_id is not None:
        body["id"] = event_id
    body.update(more)
    return json.dumps(body).encode()
