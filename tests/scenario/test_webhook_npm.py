# SPDX-License-Identifier: Apache-2.0
"""What we sign, verified by two libraries that other people wrote."""
import unittest

from tests.peers.npm import Driver
from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import Scenario, webhook_settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECOND = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


class Verifiers(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(SECRET))
        self.driver = self.peer(Driver("webhook-verifiers"))

    def deliver(self, text, **settings):
        daemon = self.daemon(
            webhook_settings(
                self.receiver,
                WEBHOOK_SHARED_SECRET=SECRET,
                WEBHOOK_DELIVERY_TIMEOUT_MS="5000",
                **settings,
            )
        )
        self.assertEqual(daemon.post(message(text), secret=SECRET).status, 202)
        self.assertTrue(
            self.receiver.wait_for(lambda r: any(text in t for t in r.texts())),
            f"{self.receiver.refused}\n{daemon.said()}",
        )
        return list(self.receiver.deliveries)

    def verdict(self, delivery, secret, body=None, **headers):
        sent = {name: delivery.headers[name] for name in NAMES} | headers
        raw = delivery.raw.decode() if body is None else body
        answer = self.driver.ask({"secret": secret, "headers": sent, "body": raw})
        self.assertIsNotNone(answer, "no verdict came")
        return answer["standardwebhooks"], answer["svix"]

    def test_every_delivery_is_authentic(self):
        deliveries = self.deliver("Grüße, 你好, 😀 and \\ \" /")
        self.assertGreaterEqual({d.type for d in deliveries}, {"text"})
        for delivery in deliveries:
            self.assertEqual(self.verdict(delivery, SECRET), (True, True), delivery.type)

    def test_the_verifiers_can_say_no(self):
        delivery = self.deliver("hello")[-1]
        for wrong in (
            self.verdict(delivery, SECOND),
            self.verdict(delivery, SECRET, body=delivery.raw.decode() + " "),
            self.verdict(delivery, SECRET, **{"webhook-id": "another"}),
            self.verdict(delivery, SECRET, **{"webhook-timestamp": "1"}),
        ):
            self.assertNotIn(True, wrong)

    def test_either_secret_verifies_while_they_change_places(self):
        for delivery in self.deliver("hello", WEBHOOK_SHARED_SECRET_SECOND=SECOND):
            self.assertEqual(len(delivery.headers["webhook-signature"].split(" ")), 2)
            self.assertEqual(self.verdict(delivery, SECRET), (True, True))
            self.assertEqual(self.verdict(delivery, SECOND), (True, True))


if __name__ == "__main__":
    unittest.main()
