# SPDX-License-Identifier: Apache-2.0
"""What the Cloud wants sent: claimed, stored, sent once, acknowledged."""
import time
import unittest

from tests.scenario.cloud import CHANNEL, CloudScenario
from tests.scenario.daemon import WEBHOOK_SECRET


class Deliveries(CloudScenario):
    def status(self, delivery_id):
        record = self.in_cloud(delivery_id)
        return record and record["status"]

    def await_status(self, delivery_id, status, daemon, seconds=20):
        self.until(
            lambda: self.status(delivery_id) == status,
            f"{delivery_id} {status} in the Cloud: {self.in_cloud(delivery_id)}",
            daemon,
            seconds,
        )
        return self.in_cloud(delivery_id)

    def test_sent_and_acknowledged(self):
        daemon = self.gateway()
        self.deliver({"text": "hello **there**"}, "d-1")
        self.await_status("d-1", "sent", daemon)
        self.assertEqual(self.receiver.texts("chat-1"), ["hello **there**"])
        body = self.receiver.tries("chat-1")[0].body
        self.assertEqual(body["deliveryId"], "d-1", "the Cloud's own id")
        self.assertIsNone(body["target"]["threadId"])
        ack = self.proxy.calls("POST /api/channels/deliveries/d-1/ack")[0].json()
        self.assertEqual(ack["channelBindingId"], CHANNEL)
        self.assertEqual(ack["claimedBy"], "gateway:one")
        self.assertEqual(ack["status"], "sent")
        stream = self.proxy.calls("GET /api/channels/deliveries/stream")[0]
        self.assertIn("claimedBy=gateway%3Aone", stream.query)
        self.assertIn("ttlMs=120000", stream.query)
        self.assertIn(f"channelBindingId={CHANNEL}", stream.query)

    def test_words_instead_of_json(self):
        daemon = self.gateway()
        self.deliver(
            {"workflowId": "wf", "status": "completed", "summary": "All done"},
            "w-1", event="workflow.completed")
        self.deliver({"error": "Out of disk"}, "w-2", event="workflow.failed")
        self.deliver({"status": "late", "count": 3}, "watch:due:1", event="task.due_soon")
        shown = self.await_texts(count=3, daemon=daemon)
        self.assertEqual(
            shown,
            [
                "✅ Workflow finished\n\nAll done",
                "⚠ Workflow failed\n\nOut of disk",
                "🔔 task due soon\nstatus: late\ncount: 3",
            ],
        )

    def test_what_cannot_be_sent_is_dead_at_once(self):
        daemon = self.gateway()
        self.ask("POST", "deliveries", {
            "deliveryId": "nowhere", "agentId": "agent", "channelBindingId": CHANNEL,
            "eventType": "notice", "target": {}, "payload": {"text": "x"}})
        record = self.await_status("nowhere", "dead", daemon)
        self.assertIn("no chat", record["lastError"])

    def test_a_refusal_is_dead(self):
        daemon = self.gateway()
        self.receiver.script(("status", 404), chat="chat-1")
        self.deliver({"text": "refused"}, "d-1")
        self.await_status("d-1", "dead", daemon)
        self.assertEqual(len(self.receiver.tries("chat-1")), 1)

    def test_a_lapsed_claim_is_not_sent_again(self):
        """The answer to the acknowledgement is lost; the delivery is served again."""
        daemon = self.gateway()
        self.proxy.rule(r"POST .*/ack", status=503)
        self.deliver({"text": "once"}, "d-1")
        self.await_texts(count=1, daemon=daemon)
        self.until(lambda: self.proxy.calls("POST .*/ack", 503), "an acknowledgement", daemon)
        # The Cloud forgets the claim and serves it anew, as after its end.
        record = dict(self.in_cloud("d-1"))
        self.assertEqual(record["status"], "claimed")
        frame = None
        for stream in self.proxy.calls("GET .*/deliveries/stream"):
            for one in stream.frames:
                if b"d-1" in one:
                    frame = one
        self.assertIsNotNone(frame)
        self.proxy.clear()
        self.proxy.rule(r"GET .*/deliveries/stream", rewrite=Again(frame), life=3)
        daemon.restart()
        self.await_status("d-1", "sent", daemon, 40)
        self.until(lambda: len(self.proxy.calls("POST .*/ack", 200)) >= 1, "acked", daemon)
        time.sleep(1)
        self.assertEqual(self.receiver.texts("chat-1"), ["once"])
        self.assertEqual(len(self.receiver.tries("chat-1")), 1)

    def test_an_id_as_long_as_the_cloud_allows(self):
        """It stands in the frame's id as well, and must not cost the others their stream."""
        daemon = self.gateway()
        long = "d-" + "x" * 254
        self.deliver({"text": "long"}, long)
        self.deliver({"text": "short"}, "d-1")
        self.await_status("d-1", "sent", daemon)
        self.await_status(long, "sent", daemon)
        self.assertEqual(sorted(self.receiver.texts("chat-1")), ["long", "short"])
        self.assertEqual(len(self.proxy.calls("GET .*/deliveries/stream")), 1)

    def test_a_claim_that_really_lapses(self):
        """Its time is over before the Cloud hears of it: the Cloud serves it again."""
        self.proxy.shorten = 12000
        daemon = self.gateway(WEBHOOK_DELIVERY_TIMEOUT_MS=1000)
        self.proxy.rule(r"POST .*/ack", status=503)
        self.deliver({"text": "once"}, "d-1")
        self.await_texts(count=1, daemon=daemon)
        self.until(lambda: self.proxy.calls("POST .*/ack", 503), "an acknowledgement", daemon)
        self.until(lambda: (self.in_cloud("d-1") or {}).get("attemptCount", 0) >= 2,
                   "it is claimed once more", daemon, 40)
        self.assertEqual(self.status("d-1"), "claimed")
        self.proxy.clear()
        self.await_status("d-1", "sent", daemon, 60)
        self.assertEqual(len(self.receiver.tries("chat-1")), 1)
        self.assertNotIn("deliveries.foreign", daemon.said())

    def test_a_stream_that_is_not_found_comes_back(self):
        """A proxy without its backend, and a Cloud that is being set up."""
        self.proxy.rule("GET .*/deliveries/stream", uses=1, status=404, body="<html>")
        self.proxy.rule("GET .*/deliveries/stream", uses=1, status=404, body={"error": "No."})
        daemon = self.gateway()
        self.deliver({"text": "after all"}, "d-1")
        self.await_status("d-1", "sent", daemon, 40)

    def test_a_refusal_that_is_mended(self):
        """Whoever has granted the channel says so by a reload."""
        self.proxy.rule("GET .*/deliveries/stream", status=403, body={
            "error": "No.", "verdict": {"policyCode": "channels.binding_scope_required"}})
        daemon = self.gateway()
        self.until(lambda: "deliveries.refused" in daemon.said(), "the alarm", daemon)
        self.assertIn("refuses", self.degraded(daemon)["deliveries"])
        self.deliver({"text": "granted"}, "d-1")
        time.sleep(1)
        self.assertEqual(len(self.proxy.calls("GET .*/deliveries/stream")), 1, "it rests")
        self.proxy.clear()
        self.assertEqual(daemon.cli("reload").returncode, 0)
        self.await_status("d-1", "sent", daemon, 40)

    def test_a_channel_that_a_reload_adds_is_claimed_for(self):
        file = self.directory / "env"
        file.write_text("")
        made = self.ask("POST", "tokens", {
            "name": "both", "channelBindingIds": [CHANNEL, "other"]})
        daemon = self.gateway(ENV_FILE=file, SERVICE_TOKEN=made["plaintext"])
        stream = "GET .*/deliveries/stream"
        self.until(lambda: self.proxy.live == 1, "claiming", daemon)
        self.assertNotIn("channelBindingId=other", self.proxy.calls(stream)[-1].query)
        self.deliver({"text": "before"}, "d-0")
        self.await_status("d-0", "sent", daemon)
        file.write_text(
            f"OPEN_COWORK_GATEWAY_DISCORD_DELIVERY_URL={self.receiver.url}/hook\n"
            f"OPEN_COWORK_GATEWAY_DISCORD_SHARED_SECRET={WEBHOOK_SECRET}\n"
            "OPEN_COWORK_GATEWAY_DISCORD_CHANNEL_BINDING_ID=other\n")
        done = daemon.cli("reload")
        self.assertEqual(done.returncode, 0, done)
        self.until(lambda: "channelBindingId=other" in self.proxy.calls(stream)[-1].query,
                   "claiming for both", daemon)
        self.assertIn(f"channelBindingId={CHANNEL}", self.proxy.calls(stream)[-1].query)
        self.until(lambda: self.proxy.live == 1, "one stream", daemon)
        self.deliver({"text": "for the old"}, "d-1")
        self.deliver({"text": "for the new"}, "d-2", chat="chat-2",
                     channelBindingId="other", provider="other")
        self.await_status("d-1", "sent", daemon)
        self.await_status("d-2", "sent", daemon)
        self.assertEqual(self.receiver.texts("chat-2"), ["for the new"])
        file.write_text("")
        self.assertEqual(daemon.cli("reload").returncode, 0)
        self.until(lambda: "other" not in self.proxy.calls(stream)[-1].query, "one", daemon)
        self.deliver({"text": "still there"}, "d-3")
        self.await_status("d-3", "sent", daemon)

    def test_a_crash_between_send_and_acknowledgement(self):
        daemon = self.gateway()
        self.proxy.rule(r"POST .*/ack", lose="before")
        self.deliver({"text": "once"}, "d-1")
        self.await_texts(count=1, daemon=daemon)
        self.until(lambda: daemon.delivery("once", status="sent"), "stored", daemon)
        daemon.kill()
        self.proxy.clear()
        daemon.start()
        self.await_status("d-1", "sent", daemon)
        self.assertEqual(len(self.receiver.tries("chat-1")), 1)

    def test_two_gateways_share_the_work(self):
        """Different names, the same channel: nothing is sent twice."""
        one = self.gateway()
        two = self.gateway(name="h", INSTANCE_ID="two")
        count = 60
        for i in range(count):
            self.deliver({"text": f"text {i}"}, f"d-{i}", chat=f"chat-{i % 7}")
        for i in range(count):
            self.await_status(f"d-{i}", "sent", one, 60)
        texts = [t for c in range(7) for t in self.receiver.texts(f"chat-{c}")]
        self.assertEqual(sorted(texts), sorted(f"text {i}" for i in range(count)))
        self.assertEqual(
            sum(len(self.receiver.tries(f"chat-{c}")) for c in range(7)), count)
        self.assertTrue(one.is_running() and two.is_running())

    def degraded(self, daemon):
        ready = daemon.operator("/ready")
        self.assertEqual(ready.status, 200)
        return {one["what"]: one["detail"] for one in ready.json()["degraded"]}

    def test_one_name_on_one_host(self):
        """The second says so and claims nothing, until the first is gone."""
        one = self.gateway()
        self.until(lambda: self.proxy.live == 1, "the first claims", one)
        two = self.gateway(name="h")
        self.until(lambda: "deliveries.name_taken" in two.said(), "it is said", two)
        self.assertIn("instance id", self.degraded(two)["deliveries"])
        self.deliver({"text": "by the first"}, "d-1")
        self.await_status("d-1", "sent", one)
        # A row of its own has a state; the other knows it from the Cloud only.
        self.assertIn("state", one.delivery("by the first"))
        self.assertNotIn("state", two.delivery("by the first"))
        one.kill()
        # What is claimed into a connection that has just died waits for the claim's end.
        self.until(lambda: self.proxy.live == 0, "the first is gone", one)
        time.sleep(0.5)
        self.deliver({"text": "by the second"}, "d-2")
        self.await_status("d-2", "sent", two, 40)
        self.assertNotIn("deliveries", self.degraded(two))

    def test_somebody_elsewhere_has_our_name(self):
        daemon = self.gateway()
        self.until(lambda: self.proxy.live == 1, "claiming", daemon)
        self.proxy.rule(r"POST .*/ack", status=404)
        self.deliver({"text": "acknowledged by whom?"}, "d-1")
        self.until(lambda: "deliveries.foreign" in daemon.said(), "the alarm", daemon)
        self.assertIn("another gateway", self.degraded(daemon)["instance"])

    def test_ready_while_the_cloud_is_away(self):
        daemon = self.gateway()
        self.until(lambda: self.proxy.live == 1, "claiming", daemon)
        self.assertEqual(self.degraded(daemon), {})
        self.proxy.away = True
        self.until(lambda: "deliveries" in self.degraded(daemon), "degraded", daemon)
        self.proxy.away = False
        self.until(lambda: self.degraded(daemon) == {}, "whole again", daemon)

    def test_what_cannot_be_sent_in_time_is_given_back(self):
        """The platform asks for more patience than the claim has."""
        daemon = self.gateway()
        self.receiver.script(("status", 429, {"retry-after": "600"}), chat="chat-1")
        self.deliver({"text": "later"}, "d-1")
        record = self.await_status("d-1", "failed", daemon)
        ack = self.proxy.calls(r"POST .*/ack", 200)[0].json()
        self.assertEqual(ack["status"], "failed")
        self.assertIsNotNone(ack["nextAttemptAt"])
        self.assertEqual(record["attemptCount"], 1)
        self.assertGreater(record["nextAttemptAt"], record["updatedAt"])

    def test_one_list_and_a_second_chance(self):
        """The operator of the gateway sees where it is, and lets the Cloud try again."""
        daemon = self.gateway()
        self.receiver.script(("status", 404), chat="chat-1")
        self.deliver({"text": "refused once"}, "d-1")
        self.await_status("d-1", "dead", daemon)
        listed = [r for r in daemon.deliveries(limit=50) if r["deliveryId"] == "d-1"]
        self.assertEqual(len(listed), 1, listed)
        self.assertEqual(listed[0]["where"], "here")
        self.assertEqual(listed[0]["cloudStatus"], "dead")
        self.assertEqual(listed[0]["why"], "refused")
        answer = daemon.operator("/deliveries/d-1/retry", "POST", "{}")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json()["delivery"]["where"], "cloud")
        self.await_status("d-1", "sent", daemon)
        self.assertEqual(self.receiver.texts("chat-1"), ["refused once"])
        listed = [r for r in daemon.deliveries(limit=50) if r["deliveryId"] == "d-1"]
        self.assertEqual([r["where"] for r in listed], ["platform"])
        self.assertEqual(daemon.operator("/deliveries/nothing/retry", "POST").status, 404)
        self.proxy.away = True
        answer = daemon.operator("/deliveries").json()
        self.assertFalse(answer["cloud"]["ok"])
        self.assertEqual([r["deliveryId"] for r in answer["deliveries"]], ["d-1"])


class Again:
    """Puts one old frame in front of a stream."""

    def __init__(self, frame):
        self.frame = frame

    def __call__(self, frame):
        old, self.frame = self.frame, None
        return [frame] if old is None else [frame, old]


if __name__ == "__main__":
    unittest.main()
