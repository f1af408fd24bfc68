# SPDX-License-Identifier: Apache-2.0
"""Two daemons: one serves its own plane as a Cloud, the other is a gateway of that Cloud, and
between them lies a proxy that does what a test says."""
import json

from tests.peers.cloud_proxy import CloudProxy
from tests.peers.receiver import Receiver
from tests.scenario.daemon import SECRETS, WEBHOOK_SECRET, Scenario

CHANNEL = "webhook"


class CloudScenario(Scenario):
    """self.cloud, self.proxy, self.token; gateway() starts one of its gateways."""

    cloud_settings = {}

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        settings = {
            "PLANE_CHANNELS": f"{CHANNEL},other",
            "PLANE_ALLOW_FROM": "*",
            **self.cloud_settings,
        }
        self.cloud = self.daemon(settings, name="c")
        self.proxy = self.peer(CloudProxy(self.cloud.port))
        made = self.ask("POST", "tokens", {"name": "test", "channelBindingIds": [CHANNEL]})
        self.token = made["plaintext"]
        self.token_id = made["token"]["tokenId"]
        self.secrets = SECRETS + (self.token[-43:],)

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.receiver.refused, [])

    def ask(self, method, path, body=None):
        """The Cloud, as its operator."""
        answer = self.cloud.local(
            f"/api/channels/{path}", method, json.dumps(body) if body is not None else None
        )
        self.assertLess(answer.status, 300, answer)
        # The token's plaintext is meant to be seen here, and nowhere else.
        self.cloud.seen = b""
        return answer.json()

    def gateway_settings(self, **more):
        settings = {
            "PRODUCT_MODE": "cloud_channel",
            "SERVICE_TOKEN": self.token,
            "INSTANCE_ID": "one",
            "WEBHOOK_DELIVERY_URL": self.receiver.url + "/hook",
            "WEBHOOK_SHARED_SECRET": WEBHOOK_SECRET,
            "WEBHOOK_CHANNEL_BINDING_ID": CHANNEL,
        }
        settings.update(more)
        return settings

    def daemon(self, settings, start=True, extra=None, name="d"):
        daemon = super().daemon(settings, start=False, name=name)
        if settings.get("PRODUCT_MODE") == "cloud_channel":
            url = {"OPEN_COWORK_CLOUD_BASE_URL": self.proxy.url}
            daemon.environment = lambda extra=None, known=daemon.environment: known(
                {**url, **(extra or {})}
            )
        return daemon.start(extra) if start else daemon

    def gateway(self, start=True, name="g", **more):
        return self.daemon(self.gateway_settings(**more), start, name=name)

    def await_texts(self, chat="chat-1", count=1, seconds=20, daemon=None):
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts(chat)) >= count, seconds),
            f"{self.receiver.texts(chat)}\n{daemon.said()[-6000:] if daemon else ''}"
            f"\n{self.proxy.seen[-20:]}",
        )
        return self.receiver.texts(chat)

    def deliver(self, payload, delivery_id=None, chat="chat-1", event="notice", **more):
        """The Cloud wants something sent."""
        body = {
            "channelBindingId": CHANNEL,
            "agentId": "agent",
            "provider": CHANNEL,
            "target": {"externalChatId": chat},
            "eventType": event,
            "payload": payload,
            **more,
        }
        if delivery_id is not None:
            body["deliveryId"] = delivery_id
        return self.ask("POST", "deliveries", body)["delivery"]

    def in_cloud(self, delivery_id):
        """The Cloud's own record of a delivery."""
        found = self.ask("GET", f"deliveries?deliveryId={delivery_id}")["deliveries"]
        return found[0] if found else None
