# SPDX-License-Identifier: Apache-2.0
"""A gateway and its Cloud, with trouble between them."""
import base64
import json
import re
import time
import unittest

from tests.peers.receiver import message
from tests.scenario.cloud import CHANNEL, CloudScenario

EVENTS = r"GET /api/channels/sessions/[^/]+/events"
PROMPT = r"POST /api/channels/sessions/prompt"


class Talk(CloudScenario):
    """What people say is answered once and in order, whatever happens on the way."""

    def answered(self, daemon, texts, chat="chat-1", seconds=40):
        """Every text once, in order, and no more than that."""
        shown = self.await_texts(chat, len(texts), seconds, daemon)
        time.sleep(0.3)
        shown = self.receiver.texts(chat)
        self.assertEqual(len(shown), len(texts), shown)
        for text, answer in zip(texts, shown):
            self.assertIn(text, answer)
        return shown

    def say_all(self, daemon, texts, chat="chat-1"):
        for text in texts:
            daemon.say(text, chat=chat)

    def test_there_and_back(self):
        daemon = self.gateway()
        text = 'Grüße, 😀 & <b>"quoted"</b>\n\n```c\nint x;\n```\nend'
        daemon.say(text)
        self.answered(daemon, [text])
        for one in self.proxy.seen:
            self.assertEqual(one.headers["authorization"], f"Bearer {self.token}")
            self.assertRegex(one.headers["x-request-id"], "^[0-9a-f]{32}$")
        self.assertEqual(len(self.proxy.calls(PROMPT)), 1)

    def test_streams_that_end_all_the_time(self):
        """A clean end is no end: the stream comes back and shows what is new."""
        self.proxy.rule(r"GET .*(events|stream)", life=0.5)
        daemon = self.gateway()
        texts = [f"message {i}" for i in range(4)]
        for text in texts:
            daemon.say(text)
            time.sleep(0.7)
        self.answered(daemon, texts)
        self.assertGreater(len(self.proxy.calls(EVENTS)), 2)

    def test_a_frame_torn_in_the_middle(self):
        daemon = self.gateway()
        self.proxy.rule(EVENTS, torn=1, uses=3)
        self.say_all(daemon, ["one", "two"])
        self.answered(daemon, ["one", "two"])

    def test_frames_in_every_shape(self):
        def strange(frame):
            """Comments, an event of a future type, a twin, and data on several lines."""
            if b"data:" not in frame:
                return [b": nothing to say\n\n", frame]
            twin = frame
            found = re.search(rb"id: (\d+)", frame)
            unknown = (
                b"event: mood.changed\ndata: "
                + json.dumps({
                    "type": "mood.changed", "sequence": int(found.group(1)) - 1 or 1,
                    "sessionId": "s", "payload": {"mood": "sunny"},
                }).encode()
                + b"\n\n"
            )
            lines = frame.replace(b'"payload":', b'\ndata: "payload":')
            return [b": comment\n\n", unknown, lines, twin]

        for does in ({"bytewise": True}, {"crlf": True}, {"rewrite": strange}):
            with self.subTest(does=list(does)):
                self.proxy.clear()
                self.proxy.rule(r"GET .*(events|stream)", **does)
                chat = f"chat-{list(does)[0]}"
                daemon = self.gateway(INSTANCE_ID=list(does)[0])
                self.say_all(daemon, ["one", "two"], chat)
                self.answered(daemon, ["one", "two"], chat)
                daemon.stop()

    def test_a_gap_is_rendered_from_the_snapshot(self):
        """Events that retention has removed: the answer is shown all the same."""

        def gap(frame):
            if b"event: assistant.message" in frame:
                return []
            if b"event: session.idle" in frame:
                number = int(re.search(rb"id: (\d+)", frame).group(1))
                data = {
                    "sessionId": "s", "sequence": 1, "type": "snapshot.required",
                    "eventId": "snapshot-required:1",
                    "payload": {"reason": "event_retention_gap", "afterSequence": 1,
                                "earliestSequence": number, "latestSequence": number},
                }
                return [b"id: 1\nevent: snapshot.required\ndata: "
                        + json.dumps(data).encode() + b"\n\n"]
            return [frame]

        self.proxy.rule(EVENTS, uses=1, rewrite=gap)
        daemon = self.gateway()
        daemon.say("what was missed")
        self.answered(daemon, ["what was missed"])
        self.assertTrue(self.proxy.calls(r"GET .*/snapshot"))

    def test_store_and_forward(self):
        """The Cloud is away: what is said is kept, and comes in order when it is back."""
        daemon = self.gateway()
        daemon.say("before")
        self.answered(daemon, ["before"])
        self.proxy.away = True
        texts = [f"kept {i}" for i in range(5)]
        self.say_all(daemon, texts)
        self.assertEqual(daemon.metric("cowgate_inbox_pending"), 5)
        self.assertEqual(daemon.request("GET", "/ready").status, 200)
        daemon.kill()
        daemon.start()
        time.sleep(1)
        self.proxy.away = False
        self.answered(daemon, ["before", *texts])
        keys = [c.json()["idempotencyKey"] for c in self.proxy.calls(PROMPT, 202)]
        self.assertEqual(len(keys), len(set(keys)))

    def test_a_lost_answer_is_asked_for_with_the_same_key(self):
        daemon = self.gateway()
        self.proxy.rule(PROMPT, uses=1, lose="after")
        self.say_all(daemon, ["one", "two"])
        self.answered(daemon, ["one", "two"])
        keys = [c.json()["idempotencyKey"] for c in self.proxy.calls(PROMPT)]
        self.assertEqual(len(keys), 3)
        self.assertEqual(keys[0], keys[1])

    def test_slow_down_means_slow_down(self):
        daemon = self.gateway()
        self.proxy.rule(PROMPT, uses=1, status=429, headers={"retry-after": "2"})
        self.proxy.rule(r"POST .*/bind", uses=1, status=503, headers={"retry-after": "1"})
        self.proxy.rule(r"POST .*/claim", uses=1, status=500)
        self.proxy.rule(EVENTS, uses=1, status=429, headers={"retry-after": "1"})
        daemon.say("patience")
        self.answered(daemon, ["patience"])
        asked = self.proxy.calls(PROMPT)
        self.assertEqual(len(asked), 2)
        self.assertGreaterEqual(asked[1].at - asked[0].at, 1.99)
        opened = self.proxy.calls(EVENTS)
        self.assertGreaterEqual(opened[1].at - opened[0].at, 1)

    def test_headers_that_do_not_come(self):
        """The deadline covers the wait for the head; the call is repeated."""
        daemon = self.gateway(CLOUD_REQUEST_TIMEOUT_MS=500)
        self.proxy.rule(PROMPT, uses=1, delay=5)
        daemon.say("hello?")
        self.answered(daemon, ["hello?"])
        self.assertEqual(len(self.proxy.calls(PROMPT)), 2)

    def test_something_in_between_refuses(self):
        """A proxy without its backend, a wall: nothing is dead because of what they say."""
        daemon = self.gateway()
        daemon.say("before")
        self.answered(daemon, ["before"])
        for status in (404, 403, 401):
            self.proxy.rule("/api/", uses=2, status=status, body="<html>no backend</html>")
        daemon.say("kept")
        self.until(lambda: self.proxy.calls("POST .*/claim", 404), "refused", daemon)
        self.answered(daemon, ["before", "kept"], seconds=120)
        self.assertNotIn("token_refused", daemon.said())

    def test_a_refusal_is_told_once(self):
        daemon = self.gateway()
        for i, (status, code) in enumerate((
            (402, "billing.entitlement_denied"),
            (403, "policy.agent_not_enabled"),
            (404, "sessions.gone"),
        )):
            with self.subTest(status=status):
                chat = f"chat-{status}"
                self.proxy.clear()
                self.proxy.rule(PROMPT, status=status, body={
                    "error": "No.",
                    "verdict": {"allowed": False, "reason": "No.", "policyCode": code}})
                daemon.say("please", chat=chat)
                self.assertEqual(len(self.await_texts(chat, 1, daemon=daemon)), 1)
                self.until(lambda: f"code={code}" in daemon.said(), code, daemon)
                self.assertEqual(len(self.proxy.calls(PROMPT, status)), 1, "not repeated")
                done = self.proxy.calls(r"POST .*/complete", 200)[i].json()
                self.assertEqual(done["status"], "failed")
                self.assertFalse(done["retryable"])

    def test_streams_resume_without_a_new_message(self):
        """The answer comes while the gateway is down."""
        daemon = self.gateway()
        self.proxy.rule(EVENTS, status=503)
        daemon.say("later")
        self.until(lambda: self.proxy.calls(PROMPT, 202), "prompted", daemon)
        self.until(lambda: not daemon.metric("cowgate_inbox_pending"), "handed",
                   daemon)
        daemon.kill()
        self.proxy.clear()
        daemon.start()
        self.answered(daemon, ["later"])

    def test_a_refused_token_is_an_alarm(self):
        daemon = self.gateway()
        daemon.say("before")
        self.answered(daemon, ["before"])
        self.ask("DELETE", f"tokens/{self.token_id}")
        daemon.say("after")
        self.until(lambda: daemon.request("GET", "/ready").status == 503, "not ready", daemon)
        self.until(lambda: "token_refused" in daemon.said(), "the alarm", daemon)
        degraded = daemon.operator("/ready").json()["degraded"]
        self.assertIn("cloud", [one["what"] for one in degraded])

    def test_more_sessions_than_streams(self):
        """None of them ever says that it is done, so they take turns; and the Cloud is told how
        far each was rendered."""
        daemon = self.gateway(MAX_SESSION_STREAMS=2)
        self.proxy.rule(r"GET /api/channels/sessions/[^/?]+(/snapshot)?$", status=503)
        chats = [f"chat-{i}" for i in range(4)]
        for chat in chats:
            daemon.say(f"hello from {chat}", chat=chat)
        for chat in chats:
            self.answered(daemon, [f"hello from {chat}"], chat, 60)
        opened = {c.path for c in self.proxy.calls(EVENTS, 200)}
        self.assertEqual(len(opened), 4)
        self.assertLessEqual(daemon.metric("open_cowork_gateway_session_streams") or 0, 2)
        # Whoever was closed has unfinished work, and comes again.
        count = len(self.proxy.calls(EVENTS, 200))
        self.until(lambda: len(self.proxy.calls(EVENTS, 200)) > count + 1, "turns", daemon, 40)
        self.until(
            lambda: len({c.json()["bindingId"]
                         for c in self.proxy.calls("POST /api/channels/cursor", 200)}) == 4,
            "the Cloud's cursors", daemon, 40)
        for call in self.proxy.calls("POST /api/channels/cursor", 200):
            self.assertTrue(call.answer_json()["result"]["ok"])
        self.assertLess(len(self.proxy.calls("POST /api/channels/cursor")), 12, "batched")


class Files(CloudScenario):
    """Files go through a Cloud as far as its API carries them."""

    def test_what_the_agent_makes_arrives_as_a_file(self):
        daemon = self.gateway()
        self.proxy.rule(r"GET .*/artifacts/", uses=1, status=503)
        daemon.say("file plan.txt step one", event_id="e1")
        self.until(lambda: self.receiver.tries("chat-1", "file"), "a file", daemon)
        file = self.receiver.tries("chat-1", "file")[0].body["file"]
        self.assertEqual(file["filename"], "plan.txt")
        self.assertEqual(base64.b64decode(file["dataBase64"]), b"step one")
        self.assertTrue(all("transfer" not in c.query
                            for c in self.proxy.calls(r"GET .*/artifacts/")))
        spool = list((daemon.directory / "data" / "spool").iterdir())
        self.assertEqual([f.read_bytes() for f in spool], [b"step one"])
        self.assertEqual(spool[0].stat().st_mode & 0o777, 0o600)

    def test_what_cannot_be_had_is_told(self):
        daemon = self.gateway()
        for asked, (status, chat) in enumerate(((404, "gone"), (200, "huge")), 1):
            body = {"artifact": {"id": "x", "dataBase64": "A" * (40 << 20)}}
            self.proxy.clear()
            self.proxy.rule(r"GET .*/artifacts/", status=status,
                            body=body if status == 200 else {"error": "No."})
            daemon.say("file plan.txt step one", chat=chat)
            shown = self.await_texts(chat, daemon=daemon)
            self.assertIn("plan.txt: the agent made this file, but it", shown[0])
            self.assertIn("too large" if status == 200 else "could not be fetched", shown[0])
            time.sleep(0.5)
            self.assertEqual(len(self.proxy.calls(r"GET .*/artifacts/")), asked)
        self.assertEqual(self.receiver.tries("gone", "file"), [])

    def test_small_texts_go_in_and_the_rest_is_named(self):
        """Its API has no place for files: a text is put into the words, once and for all."""
        daemon = self.gateway()
        self.proxy.rule(PROMPT, uses=1, lose="after")
        data = base64.b64encode("naïve = 1\n".encode()).decode()
        image = base64.b64encode(bytes(range(256))).decode()
        body = message("what is this?", event_id="e1", attachments=[
            {"filename": "a.py", "mimeType": "text/x-python", "bufferBase64": data},
            {"filename": "b.png", "mimeType": "image/png", "bufferBase64": image}])
        self.assertEqual(daemon.post(body).status, 202)
        shown = self.await_texts(count=2, daemon=daemon)
        prompts = [c.json() for c in self.proxy.calls(PROMPT)]
        self.assertEqual(prompts[0]["text"],
                         "what is this?\n\n[a.py]\nnaïve = 1\n[end of a.py]")
        self.assertEqual([p["text"] for p in prompts], [prompts[0]["text"]] * 2)
        self.assertNotIn("attachments", prompts[0])
        notice = [t for t in shown if t.startswith("Not passed on:")]
        self.assertEqual(len(notice), 1)
        self.assertIn("b.png", notice[0])
        self.assertNotIn("a.py", notice[0])


class Start(CloudScenario):
    """What a gateway of a Cloud refuses to begin with."""

    def fails(self, said, **environment):
        daemon = self.gateway(start=False)
        settings = environment.pop("settings", {})
        daemon.settings.update(settings)
        daemon.spawn(environment)
        self.assertTrue(daemon.await_death())
        self.assertIn(said, daemon.said())

    def test_plain_http_elsewhere(self):
        self.fails("https", OPEN_COWORK_CLOUD_BASE_URL="http://cloud.example.org")

    def test_no_token(self):
        self.fails("SERVICE_TOKEN", settings={"SERVICE_TOKEN": ""})

    def test_the_environment_of_the_other_gateway(self):
        """Names and values as they are; nothing of ours."""
        daemon = self.gateway(start=False)
        daemon.settings = {
            "PRODUCT_MODE": "cloud_channel",
            "SERVICE_TOKEN": self.token,
            "HOST": "127.0.0.1",
            "INSTANCE_ID": "gateway-1",
            "WEBHOOK_DELIVERY_URL": self.receiver.url + "/hook",
            "WEBHOOK_SHARED_SECRET": daemon.settings["WEBHOOK_SHARED_SECRET"],
            "WEBHOOK_CHANNEL_BINDING_ID": CHANNEL,
        }
        daemon.start()
        daemon.say("hello")
        self.assertIn("hello", self.await_texts(daemon=daemon)[0])
        claim = self.proxy.calls("POST .*/claim")[0].json()
        self.assertEqual(claim["claimedBy"], "gateway:gateway-1")


if __name__ == "__main__":
    unittest.main()
