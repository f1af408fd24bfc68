# SPDX-License-Identifier: Apache-2.0
"""What an operator is told in a chat, over which channel, and how often."""
import time
import unittest

from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, webhook_settings
from tests.scenario.test_bridge import bridge_settings


class Alerts(Scenario):
    """Two channels; whoever operates sits in a chat of each, and prefers discord's."""

    def setUp(self):
        super().setUp()
        self.webhook = self.peer(Receiver(WEBHOOK_SECRET))
        self.discord = self.peer(Receiver("the-secret-of-discord"))
        self.gateway = self.daemon({
            **webhook_settings(self.webhook),
            **bridge_settings("discord", self.discord),
            "OPERATOR_CHAT": "discord:ops,webhook:ops",
        })

    def told(self, receiver):
        return receiver.texts("ops")

    def await_told(self, receiver, count):
        self.assertTrue(
            receiver.wait_for(lambda r: len(r.texts("ops")) >= count),
            f"{self.told(receiver)}\n{self.gateway.said()}")
        return self.told(receiver)

    def dead(self, count):
        self.until(lambda: len(self.gateway.deliveries(status="dead", limit=200)) >= count,
                   f"{count} dead letters", self.gateway)

    def test_dead_letters_once_and_over_another_channel(self):
        self.webhook.script(*[("status", 410)] * 12, chat="lost")
        for number in range(12):
            self.gateway.say(f"number {number}", chat="lost")
        self.dead(12)
        self.assertEqual(
            self.await_told(self.discord, 1),
            ["A message to webhook was given up. (refused)"])
        self.discord.script(("status", 410), chat="lost")
        answer = self.gateway.post(
            message("hello", chat="lost"), "discord", "the-secret-of-discord")
        self.assertEqual(answer.status, 202)
        self.assertEqual(
            self.await_told(self.webhook, 1),
            ["A message to discord was given up. (refused)"])
        time.sleep(0.5)  # nothing more comes: the next is due in ten minutes
        self.assertEqual(len(self.told(self.discord)), 1)
        self.assertEqual(len(self.told(self.webhook)), 1)

    def test_alert_that_dies_is_nobodys_news(self):
        self.discord.script(("status", 410), chat="ops")
        self.webhook.script(("status", 410), chat="lost")
        self.gateway.say("hello", chat="lost")
        self.dead(2)
        self.gateway.say("still here", chat="other")
        self.assertTrue(self.webhook.wait_for(lambda r: r.texts("other")))
        self.assertEqual(self.told(self.webhook), [])

    def test_restart_says_what_was_found(self):
        self.gateway.say("hello", chat="one")
        self.assertTrue(self.webhook.wait_for(lambda r: r.texts("one")))
        self.assertEqual(self.told(self.discord), [], "the first start is no news")
        self.webhook.script(("status", 503), ("status", 503), chat="later")
        self.gateway.say("wait", chat="later")
        self.assertTrue(self.webhook.wait_for(lambda r: r.tries("later")))
        self.gateway.kill()
        self.gateway.start()
        text = self.await_told(self.discord, 1)[0]
        self.assertRegex(
            text, r"^Cowgate was started again\. "
            r"\(\d messages to answer, [1-9] to deliver, \d of them may have arrived\)$")

    def test_unknown_channel_is_refused(self):
        gateway = self.daemon(
            {**webhook_settings(self.webhook), "OPERATOR_CHAT": "slack:C1"}, start=False)
        done = gateway.cli("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'there is no provider "slack"', done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
