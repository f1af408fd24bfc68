# SPDX-License-Identifier: Apache-2.0
"""The exchanges of a gateway with an Open Cowork Cloud, as a Cloud that knows nothing else.

GOLDEN says what each call looks like in both directions: the members of the request with their
values (or a pattern behind "~"), and a whole answer as such a Cloud gives it, null members and
all.  GoldenCloud answers with these bytes, and complains about a request that differs.
"""
import json
import re
import threading

from tests.peers.loopback import Server

CHANNEL = "webhook"
SESSION = "channel_session_c1befa62eb4cb956549a0cae4026bfb2"
BINDING = "a1ab9f88-b123-4bf4-b914-429eda495652"
EVENT = "channel_provider_event_d34e5f68851c868bb2387e2c5ca5410e"
IDENTITY = "01efe5e6-bcf4-4c62-b39d-bb8d930f8d36"
AT = "2026-11-22T00:36:10.279Z"
ISO = r"~\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

_EVENT = {
    "eventId": EVENT, "orgId": "default", "channelBindingId": CHANNEL, "provider": CHANNEL,
    "providerInstanceId": CHANNEL, "externalWorkspaceId": None, "providerEventId": "evt-1",
    "eventType": "message", "status": "processing", "claimedBy": "gateway:one",
    "claimExpiresAt": "2099-11-22T00:41:10.279Z", "attemptCount": 1, "retryable": True,
    "lastError": None, "metadata": {"channelBindingId": CHANNEL}, "processedAt": None,
    "createdAt": AT, "updatedAt": AT,
}
_BINDING = {
    "bindingId": BINDING, "orgId": "default", "agentId": "ref-agent",
    "channelBindingId": CHANNEL, "provider": CHANNEL, "externalWorkspaceId": None,
    "externalThreadId": "chat-1", "externalChatId": "chat-1", "sessionId": SESSION,
    "lastEventSequence": 0, "lastWorkspaceSequence": 0, "lastChatMessageId": None,
    "status": "active", "createdAt": AT, "updatedAt": AT,
}
_SESSION = {
    "session": {
        "tenantId": "default", "userId": "local-user", "sessionId": SESSION,
        "opencodeSessionId": "", "profileName": "full", "status": "idle", "title": "hello",
        "createdAt": AT, "updatedAt": AT, "projectSource": None,
    },
    "projection": {
        "tenantId": "default", "sessionId": SESSION, "sequence": 7,
        "view": {"sessionId": SESSION, "title": "hello", "status": "idle",
                 "profileName": "full", "isGenerating": False, "messages": [],
                 "toolCalls": [], "taskRuns": [], "pendingApprovals": [],
                 "pendingQuestions": [], "artifacts": [], "todos": [], "errors": []},
    },
}
_COMMAND = {
    "commandId": "channel_command_d6d52c78be79e272e36ba1268a404f6c", "tenantId": "default",
    "userId": "local-user", "sessionId": SESSION, "kind": "prompt",
    "payload": {"text": "hello", "agent": "build"}, "targetLeaseToken": None,
    "createdSequence": 1, "createdAt": AT, "status": "pending", "claimedBy": None,
    "claimedLeaseToken": None, "attemptCount": 0, "availableAt": None, "lastErrorCode": None,
    "lastErrorSummary": None, "ackedAt": None, "error": None,
}
_ACTOR = {"provider": CHANNEL, "externalWorkspaceId": None, "externalUserId": "user-1"}

# name, request line, request body, status, answer
GOLDEN = [
    ("claim", r"POST /api/channels/provider-events/claim", {
        "provider": CHANNEL, "providerInstanceId": CHANNEL, "channelBindingId": CHANNEL,
        "externalWorkspaceId": None, "providerEventId": "evt-1", "eventType": "message",
        "claimedBy": "gateway:one", "ttlMs": 300000,
        "metadata": {
            "providerKind": "webhook", "providerMessageId": None, "targetChatId": "chat-1",
            "targetThreadId": None, "senderUserId": "user-1", "command": None,
            "attachmentCount": 0, "interactionKind": None, "receivedAt": ISO},
    }, 200, {"event": _EVENT, "claimed": True, "duplicate": False}),
    ("identity", r"POST /api/channels/identities/resolve", {
        **_ACTOR, "channelBindingId": CHANNEL,
        "metadata": {"username": None, "displayName": "Somebody"},
    }, 200, {"identity": {
        "identityId": IDENTITY, "orgId": "default", "provider": CHANNEL,
        "externalWorkspaceId": None, "externalUserId": "user-1", "accountId": "local-user",
        "role": "member", "status": "active", "metadata": {}, "createdAt": AT,
        "updatedAt": AT}}),
    ("bind", r"POST /api/channels/sessions/bind", {
        **_ACTOR, "identityId": IDENTITY, "channelBindingId": CHANNEL,
        "externalChatId": "chat-1", "externalThreadId": "chat-1", "title": "hello",
    }, 200, {"binding": _BINDING, "session": _SESSION}),
    ("prompt", r"POST /api/channels/sessions/prompt", {
        **_ACTOR, "bindingId": BINDING, "text": "hello", "agent": None,
        "idempotencyKey": EVENT, "identityId": IDENTITY,
    }, 202, {"binding": _BINDING, "command": _COMMAND, "processed": 1, "view": _SESSION,
             "projectionFence": None}),
    ("complete", r"POST /api/channels/provider-events/[^/]+/complete", {
        "channelBindingId": CHANNEL, "claimedBy": "gateway:one", "status": "processed",
    }, 200, {"event": {**_EVENT, "status": "processed", "claimedBy": None,
                       "claimExpiresAt": None, "retryable": False, "processedAt": AT}}),
    ("ack", r"POST /api/channels/deliveries/[^/]+/ack", {
        "channelBindingId": CHANNEL, "claimedBy": "gateway:one", "status": "sent",
        "lastError": None,
    }, 200, {"delivery": None}),
    ("cursor", r"POST /api/channels/cursor", {
        "bindingId": BINDING, "lastEventSequence": 7, "lastWorkspaceSequence": 0,
    }, 200, {"binding": _BINDING, "result": {"ok": True, "binding": _BINDING}}),
]

DELIVERY = {
    "deliveryId": "0440bb56-288b-4959-bb5d-66e3714aeeee", "orgId": "default",
    "agentId": "ref-agent", "channelBindingId": CHANNEL, "sessionBindingId": None,
    "provider": CHANNEL, "target": {"externalChatId": "chat-9"}, "eventType": "notice",
    "payload": {"text": "delivery by curl"}, "status": "claimed", "attemptCount": 1,
    "claimedBy": "gateway:one", "lastClaimedBy": "tok_3nGyP98bi6Avtsdx",
    "claimExpiresAt": "2026-11-22T00:38:14.455Z", "nextAttemptAt": "2026-11-22T00:36:14.456Z",
    "lastError": None, "createdAt": "2026-11-22T00:36:14.455Z",
    "updatedAt": "2026-11-22T00:36:14.455Z",
}


def event(sequence, kind, payload):
    """A frame of a session's stream."""
    data = {
        "tenantId": "default", "sessionId": SESSION,
        "eventId": f"{SESSION}:{sequence}", "sequence": sequence, "type": kind,
        "payload": payload, "createdAt": AT,
    }
    return f"id: {sequence}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


TURN = [
    event(1, "session.created", {"title": "hello"}),
    event(2, "session.status", {"statusType": "running"}),
    event(3, "prompt.submitted", {"text": "hello"}),
    event(4, "session.status", {"statusType": "busy"}),
    event(5, "assistant.message", {
        "sessionId": SESSION, "messageId": "msg_200a", "content": "said: hello",
        "mode": "replace", "opencodeSessionId": "ses_dff5"}),
    event(6, "cost.updated", {"id": "e", "cost": 0.1, "tokens": {"input": 1, "output": 1}}),
    event(7, "session.idle", {}),
]


def differs(expected, got, where="body"):
    """What is different, in words; None: nothing.  A member that is null may be left out."""
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"{where} is {got!r}"
        for key in expected.keys() | got.keys():
            if key not in expected:
                return f"{where}.{key} is new"
            found = differs(expected[key], got.get(key), f"{where}.{key}")
            if found:
                return found
        return None
    if isinstance(expected, str) and expected.startswith("~"):
        return None if re.fullmatch(expected[1:], str(got)) else f"{where} is {got!r}"
    return None if expected == got else f"{where} is {got!r}, not {expected!r}"


class GoldenCloud(Server):
    def __init__(self, port=0):
        self.calls = []  # names, in order
        self.faults = []
        self.prompted = threading.Event()
        self.deliver = threading.Event()
        super().__init__(port)

    def handle(self, exchange):
        line = f"{exchange.method} {exchange.path}"
        if exchange.path.endswith("/events"):
            self.session_stream(exchange)
            return
        if exchange.path.endswith("/deliveries/stream"):
            self.delivery_stream(exchange)
            return
        if exchange.path.endswith("/snapshot"):
            exchange.reply(200, _SESSION)
            return
        for name, pattern, body, status, answer in GOLDEN:
            if re.fullmatch(pattern, line):
                fault = differs(body, exchange.json())
                if fault:
                    self.faults.append(f"{name}: {fault}")
                self.calls.append(name)
                if name == "prompt":
                    self.prompted.set()
                if name == "ack":
                    answer = {"delivery": {**DELIVERY, "status": "sent", "claimedBy": None}}
                exchange.reply(status, answer)
                return
        # An unknown route of such a Cloud is forbidden, not unknown.
        verdict = {"allowed": False, "reason": "No.",
                   "policyCode": "authorization.action_unknown"}
        exchange.reply(403, {"error": "No.", "verdict": verdict})

    def session_stream(self, exchange):
        after = int(re.search(r"after=(\d+)", exchange.query or "after=0").group(1))
        exchange.stream("text/event-stream; charset=utf-8")
        exchange.send(b": connected\n\n")
        while not self.prompted.is_set():
            exchange.send(b": keep-alive\n\n")
            exchange.wait(0.1)
        for sequence, frame in enumerate(TURN, 1):
            if sequence > after:
                exchange.send(frame)
        while True:
            exchange.send(b": keep-alive\n\n")
            exchange.wait(0.2)

    def delivery_stream(self, exchange):
        exchange.stream("text/event-stream")
        while not self.deliver.is_set():
            exchange.send(b": keep-alive\n\n")
            exchange.wait(0.1)
        self.deliver.clear()
        exchange.send(
            f"id: {DELIVERY['deliveryId']}\nevent: channel.delivery\n".encode()
            + b"data: " + json.dumps({"delivery": DELIVERY}).encode() + b"\n\n")
        while True:
            exchange.send(b": keep-alive\n\n")
            exchange.wait(0.2)
