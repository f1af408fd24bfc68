# SPDX-License-Identifier: Apache-2.0
"""Both sides held to the exchanges of an Open Cowork Cloud: the gateway against a Cloud that
answers with its bytes, and the plane, as a Cloud, against the members of those answers."""
import json
import unittest

from tests.peers.cloud_golden import CHANNEL, DELIVERY, GOLDEN, GoldenCloud, TURN
from tests.peers.receiver import Receiver, message
from tests.scenario.cloud import CloudScenario
from tests.scenario.daemon import SECRETS, WEBHOOK_SECRET, Scenario

TOKEN = "occ_tok_8K4tGmwNmeBf8aQQ_0123456789012345678901234567890123456789abc"


class Gateway(Scenario):
    secrets = SECRETS + (TOKEN,)

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        self.cloud = self.peer(GoldenCloud())
        self.gateway = self.daemon(
            {
                "PRODUCT_MODE": "cloud_channel",
                "SERVICE_TOKEN": TOKEN,
                "INSTANCE_ID": "one",
                "WEBHOOK_DELIVERY_URL": self.receiver.url + "/hook",
                "WEBHOOK_SHARED_SECRET": WEBHOOK_SECRET,
            },
            extra={"OPEN_COWORK_CLOUD_BASE_URL": self.cloud.url},
        )

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.cloud.faults, [])

    def test_a_turn(self):
        self.assertEqual(self.gateway.post(message("hello", event_id="evt-1")).status, 202)
        self.until(lambda: self.receiver.texts("chat-1") == ["said: hello"], "the answer",
                   self.gateway)
        self.until(lambda: "cursor" in self.cloud.calls, "the Cloud's cursor", self.gateway, 40)
        self.assertEqual(
            self.cloud.calls, ["claim", "identity", "bind", "prompt", "complete", "cursor"])

    def test_a_delivery(self):
        self.cloud.deliver.set()
        self.until(lambda: self.receiver.texts("chat-9") == ["delivery by curl"], "sent",
                   self.gateway)
        self.assertEqual(
            self.receiver.tries("chat-9")[0].body["deliveryId"], DELIVERY["deliveryId"])
        self.until(lambda: self.cloud.calls == ["ack"], "acknowledged", self.gateway)


class Plane(CloudScenario):
    """What ours answers has the members that theirs has."""

    def missing(self, theirs, ours, where=""):
        """Members of their answer that ours lacks."""
        if not isinstance(theirs, dict):
            return []
        if not isinstance(ours, dict):
            return [where]
        found = []
        for key, value in theirs.items():
            if key not in ours:
                found.append(f"{where}.{key}")
            elif value is not None and ours[key] is not None:
                found += self.missing(value, ours[key], f"{where}.{key}")
        return found

    def test_answers_and_frames(self):
        daemon = self.gateway()
        daemon.say("hello", event_id="evt-1")
        self.await_texts(daemon=daemon)
        self.deliver({"text": "x"}, "d-1", chat="chat-9")
        self.until(lambda: self.proxy.calls("POST .*/ack", 200), "acknowledged", daemon)
        # Members of a worker's lease, of an automation and of a workspace are none of a plane
        # that is alone.
        foreign = ("opencodeSessionId", "targetLeaseToken", "claimedLeaseToken",
                   "metadata.channelBindingId", "projectSource", "projection", "payload.")
        for name, pattern, _, status, theirs in GOLDEN:
            calls = self.proxy.calls(pattern)
            if name == "cursor" and not calls:
                continue
            self.assertTrue(calls, name)
            self.assertEqual(calls[0].status, status, name)
            lacks = [m for m in self.missing(theirs, calls[0].answer_json())
                     if not any(f in m for f in foreign)]
            self.assertEqual(lacks, [], name)
        frames = [f for c in self.proxy.calls("GET .*/events") for f in c.frames]
        kinds = [f.split(b"event: ")[1].split(b"\n")[0] for f in frames if b"event: " in f]
        for kind in (b"session.created", b"session.status", b"prompt.submitted",
                     b"assistant.message", b"session.idle"):
            self.assertIn(kind, kinds)
        envelope = json.loads(TURN[0].split(b"data: ")[1])
        for frame in frames:
            if b"data: " in frame:
                self.assertTrue(frame.startswith(b"id: "))
                ours = json.loads(frame.split(b"data: ", 1)[1])
                self.assertEqual([k for k in envelope if k not in ours], [])
        record = next(
            json.loads(f.split(b"data: ", 1)[1])["delivery"]
            for c in self.proxy.calls("GET .*/deliveries/stream")
            for f in c.frames if b"channel.delivery" in f)
        self.assertEqual(self.missing(DELIVERY, record), [])
        self.assertEqual(record["channelBindingId"], CHANNEL)


if __name__ == "__main__":
    unittest.main()
