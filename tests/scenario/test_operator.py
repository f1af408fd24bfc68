# SPDX-License-Identifier: Apache-2.0
"""What an operator sees and does: over TCP with the token, over the Unix socket by who they are."""
import json
import os
import re
import socket
import stat
import subprocess
import unittest

from tests.peers import wanted
from tests.peers.receiver import Receiver
from tests.scenario.daemon import (
    ADMIN_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    webhook_settings,
)

# The contract's own names, which promtool would rather see in seconds.
UNIT_FINDING = re.compile(
    r"^\w+_latency_ms metric names should not contain abbreviated units$"
)


class Operator(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        self.gateway = self.daemon(webhook_settings(self.receiver))

    def say_and_await(self, text, chat="chat-1"):
        before = len(self.receiver.texts(chat))
        self.gateway.say(text, chat=chat)
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts(chat)) > before),
            self.gateway.said(),
        )

    def test_health_and_ready(self):
        health = self.gateway.request("GET", "/health")
        self.assertEqual(health.status, 200)
        self.assertEqual(health.json()["status"], "ok")
        self.assertEqual(health.json()["mode"], "standalone")
        self.assertTrue(health.headers["content-type"].startswith("application/json"))
        ready = self.gateway.request("GET", "/ready")
        self.assertEqual(ready.status, 200)
        self.assertNotIn("providers", ready.json(), "detail is the operator's")
        detail = self.gateway.operator("/ready").json()
        self.assertEqual(detail["providers"][0]["id"], "webhook")
        self.assertTrue(detail["providers"][0]["healthy"])
        self.assertEqual(self.gateway.local("/ready").json()["providers"][0]["id"], "webhook")

    def test_who_is_an_operator(self):
        for path in ("/metrics", "/diagnostics", "/deliveries"):
            for headers in (
                {},
                {"Authorization": "Bearer wrong"},
                {"Authorization": f"Bearer {ADMIN_TOKEN}x"},
                {"Authorization": f"Bearer {ADMIN_TOKEN[:-1]}"},
                {"Authorization": f"Basic {ADMIN_TOKEN}"},
                {"x-open-cowork-gateway-admin-token": "wrong"},
                {"X-Forwarded-For": "127.0.0.1"},
            ):
                answer = self.gateway.request("GET", path, headers=headers)
                self.assertEqual(answer.status, 401, (path, headers))
                self.assertFalse(answer.json()["ok"])
            for headers in (
                {"Authorization": f"Bearer {ADMIN_TOKEN}"},
                {"Authorization": f"bearer {ADMIN_TOKEN}"},
                {"x-open-cowork-gateway-admin-token": ADMIN_TOKEN},
            ):
                answer = self.gateway.request("GET", path, headers=headers)
                self.assertEqual(answer.status, 200, (path, headers))
        mode = os.stat(self.gateway.socket_path()).st_mode
        self.assertEqual(stat.S_IMODE(mode) & 0o077, 0, "the socket is its owner's")
        self.assertEqual(self.gateway.local("/deliveries").status, 200)
        self.assertEqual(self.gateway.request("GET", "/api/channels/people").status, 404)
        self.assertEqual(self.gateway.local("/api/channels/people").status, 200)

    def test_who_guesses_is_shut_out(self):
        def ask(token, path="/metrics"):
            return self.gateway.request("GET", path, headers={"Authorization": f"Bearer {token}"})

        self.assertEqual([ask(f"guess {n}").status for n in range(20)], [401] * 20)
        right = ask(ADMIN_TOKEN)
        self.assertEqual(right.status, 429, "the right one has to wait too")
        self.assertGreaterEqual(int(right.headers["retry-after"]), 1)
        self.assertNotIn("providers", ask(ADMIN_TOKEN, "/ready").json())
        self.assertEqual(self.gateway.local("/metrics").status, 200)
        self.assertEqual(self.gateway.local("/deliveries").headers["cache-control"], "no-store")

    def test_where_the_cloud_is(self):
        """Liveness is for everybody, the Cloud's address for operators."""
        with socket.socket() as closed:  # nobody answers there
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        gateway = self.daemon(
            {**webhook_settings(self.receiver), "SERVICE_TOKEN": "occ_a-token-of-the-cloud"},
            extra={"OPEN_COWORK_CLOUD_BASE_URL": url},
        )
        for path in ("/health", "/ready"):
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                answer = gateway.request("GET", path, headers=headers)
                self.assertNotIn(url, answer.body.decode(), (path, headers))
            self.assertEqual(gateway.operator(path).json()["cloudBaseUrl"], url)
            self.assertEqual(gateway.local(path).json()["cloudBaseUrl"], url)

    def test_a_wrong_bearer_hides_no_right_header(self):
        """A proxy may add an Authorization of its own."""
        right = {"x-open-cowork-gateway-admin-token": ADMIN_TOKEN}
        for other in ("Bearer wrong", "Basic dTpw", "Bearer", ""):
            answer = self.gateway.request(
                "GET", "/deliveries", headers={**right, "Authorization": other}
            )
            self.assertEqual(answer.status, 200, other)
        wrong = {"x-open-cowork-gateway-admin-token": "wrong"}
        answer = self.gateway.request(
            "GET",
            "/deliveries",
            headers={**wrong, "Authorization": f"Bearer {ADMIN_TOKEN}"},
        )
        self.assertEqual(answer.status, 200)
        both = {**wrong, "Authorization": "Bearer wrong"}
        self.assertEqual(
            self.gateway.request("GET", "/deliveries", headers=both).status, 401
        )

    def test_what_is_not_there(self):
        for method, path in (
            ("GET", "/"),
            ("GET", "/webhooks/webhook"),
            ("PUT", "/health"),
            ("DELETE", "/deliveries"),
            ("POST", "/health"),
            ("POST", "/deliveries/x"),
            ("POST", "/deliveries/x/explode"),
            ("GET", "/health/"),
            ("GET", "/../etc/passwd"),
            ("OPTIONS", "/health"),
        ):
            answer = self.gateway.request(method, path)
            self.assertEqual(answer.status, 404, (method, path, answer))

    def test_metrics(self):
        self.say_and_await("count me")
        self.until(
            lambda: self.gateway.metric("open_cowork_gateway_deliveries_sent_total") == 1,
            "one is counted",
            self.gateway,
        )
        page = self.gateway.operator("/metrics")
        self.assertEqual(
            page.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8"
        )
        text = page.body.decode()
        for name, value in (
            ("open_cowork_gateway_incoming_messages_total", 1),
            ("open_cowork_gateway_prompted_messages_total", 1),
            ("open_cowork_gateway_delivery_latency_ms_count", 1),
            ("cowgate_inbox_pending", 0),
            ("cowgate_outbox_pending", 0),
            ("cowgate_store_healthy", 1),
        ):
            self.assertEqual(self.gateway.metric(name), value, name)
        self.assertIn(
            'open_cowork_gateway_provider_state{provider_id="webhook",'
            'provider_kind="webhook",state="healthy"} 1',
            text,
        )
        series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if line[0] != "#"]
        self.assertEqual(len(series), len(set(series)), "no series twice")

    def test_metrics_please_promtool(self):
        promtool = wanted.program("promtool")
        self.say_and_await("count me")
        page = self.gateway.operator("/metrics").body
        done = subprocess.run(
            [promtool, "check", "metrics"],
            input=page,
            capture_output=True,
            timeout=30,
            check=False,
        )
        said = (done.stdout + done.stderr).decode().splitlines()
        findings = [line for line in said if line and not UNIT_FINDING.match(line)]
        self.assertEqual(findings, [])

    def test_diagnostics(self):
        self.say_and_await("something said in confidence")
        body = self.gateway.operator("/diagnostics")
        self.assertEqual(body.status, 200)
        page = body.json()
        for name in ("config", "ready", "providers", "store", "deliveryOperator"):
            self.assertIn(name, page)
        self.assertNotIn("in confidence", body.body.decode(), "no texts")
        self.assertIn("[redacted", json.dumps(page["config"]))
        self.assertEqual(page["store"]["state"], "ok")

    def test_deliveries_listed(self):
        for number in range(3):
            self.say_and_await(f"delivery {number}")
        self.until(
            lambda: len(self.gateway.deliveries(status="sent")) == 3, "sent", self.gateway
        )
        records = self.gateway.deliveries()
        self.assertEqual(len(records), 3)
        newest = [record["payload"]["text"] for record in records]
        self.assertIn("delivery 2", newest[0], "newest first")
        self.assertEqual(len(self.gateway.deliveries(limit=2)), 2)
        self.assertEqual(self.gateway.deliveries(status="dead"), [])
        self.assertEqual(self.gateway.deliveries(channelBindingId="foreign"), [])
        self.assertEqual(len(self.gateway.deliveries(channelBindingId="webhook")), 3)
        for name in (
            "deliveryId",
            "channelBindingId",
            "provider",
            "target",
            "eventType",
            "payload",
            "status",
            "attemptCount",
            "nextAttemptAt",
            "lastError",
            "createdAt",
            "updatedAt",
        ):
            self.assertIn(name, records[0])
        done = self.gateway.cli("deliveries", "list", "--json")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(records[0]["deliveryId"].encode(), done.stdout)

    def test_retry_and_dead_letter(self):
        self.receiver.script(("status", 422))
        self.gateway.say("refused at first")
        record = self.until(
            lambda: self.gateway.delivery("refused at first", status="dead"),
            "dead",
            self.gateway,
        )
        self.assertEqual(record["outcome"], "refused")
        self.assertEqual(record["platformStatus"], 422)
        path = "/deliveries/" + record["deliveryId"]
        self.assertEqual(self.gateway.request("POST", path + "/retry").status, 401)
        answer = self.gateway.operator(path + "/retry", "POST", b"{}")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json()["delivery"]["deliveryId"], record["deliveryId"])
        self.assertTrue(self.receiver.wait_for(lambda r: r.texts()), self.gateway.said())
        self.until(
            lambda: self.gateway.delivery("refused at first", status="sent"),
            "sent",
            self.gateway,
        )
        again = self.gateway.operator(path + "/retry", "POST")
        self.assertEqual(again.status, 409, again)
        self.assertEqual(
            self.gateway.operator(path + "/dead-letter", "POST", b"[]").status, 400
        )
        missing = self.gateway.operator("/deliveries/nothing/retry", "POST")
        self.assertEqual(missing.status, 404)
        foreign = b'{"channelBindingId":"foreign"}'
        self.assertEqual(
            self.gateway.operator(path + "/retry", "POST", foreign).status, 404
        )

        self.receiver.script(("status", 500), ("status", 500))
        self.gateway.say("give up on this")
        record = self.until(
            lambda: self.gateway.delivery("give up on this", status="failed"),
            "failed",
            self.gateway,
        )
        path = "/deliveries/" + record["deliveryId"]
        body = b'{"lastError":"the operator is tired"}'
        answer = self.gateway.operator(path + "/dead-letter", "POST", body)
        self.assertEqual(answer.status, 200, answer)
        record = self.gateway.delivery("give up on this")
        self.assertEqual(record["status"], "dead")
        self.assertEqual(record["reason"], "the operator is tired")
        done = self.gateway.cli("deliveries", "retry", record["deliveryId"])
        self.assertEqual(done.returncode, 0, done)
        self.until(
            lambda: self.gateway.delivery("give up on this", status="sent")
            or self.gateway.delivery("give up on this", status="failed"),
            "tried again",
            self.gateway,
        )

    def test_a_second_daemon_is_sent_away(self):
        self.say_and_await("before")
        second = self.daemon(self.gateway.settings, start=False)
        second.settings["DATA_DIR"] = str(self.gateway.directory / "data")
        second.spawn()
        self.assertTrue(second.await_death(60), "it ends by itself")
        self.assertIn("in use by process", second.said())
        self.assertIn(str(self.gateway.process.pid), second.said())
        self.say_and_await("after")

    def test_a_token_is_made_when_none_is_given(self):
        other = self.daemon(
            {**webhook_settings(self.receiver), "ADMIN_TOKEN": ""}, name="t"
        )
        made = [
            path
            for path in (other.directory / "data").iterdir()
            if "admin" in path.name
        ]
        self.assertEqual(len(made), 1, made)
        self.assertEqual(stat.S_IMODE(os.stat(made[0]).st_mode), 0o600)
        token = made[0].read_text().strip()
        self.assertGreaterEqual(len(token), 24)
        headers = {"Authorization": f"Bearer {token}"}
        self.assertEqual(other.request("GET", "/metrics", headers=headers).status, 200)
        self.assertNotIn(token, other.said())


if __name__ == "__main__":
    unittest.main()
