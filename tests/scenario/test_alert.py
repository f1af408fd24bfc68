# SPDX-License-Identifier: Apache-2.0
"""What an operator is told in a chat, over which channel, and how often."""
import time
import unittest

from tests.peers.receiver import Receiver, message
from tests.peers.telegram import Telegram
from tests.scenario.cloud import CloudScenario
from tests.scenario.daemon import (
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    Time,
    preload,
    telegram_settings,
    webhook_settings,
)
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


class Edge:
    """What lasts is told when it begins and when it is over, once each, over discord."""

    discord = gateway = time = None  # by begin()

    def begin(self, settings, *modules, **extra):
        self.discord = self.peer(Receiver("the-secret-of-discord"))
        self.time = Time(self.directory)
        self.discord.clock = self.time.now
        self.gateway = self.daemon(
            {**settings, **bridge_settings("discord", self.discord)},
            extra={**preload("clock_shim.so", *modules), **self.time.extra, **extra})

    def later(self, seconds):
        self.time.pass_by(seconds)
        self.gateway.request("GET", "/health")  # which wakes it up

    def tells(self, *patterns):
        """All that has been told by now, and a quarter of an hour adds nothing."""
        self.assertTrue(
            self.discord.wait_for(lambda r: len(r.texts("ops")) >= len(patterns)),
            f"{self.discord.texts('ops')}\n{self.gateway.said()}")
        self.until(lambda: self.gateway.said().count("delivery.sent delivery=alert:") ==
                   len(patterns), "receipts", self.gateway)
        self.later(900)
        time.sleep(0.5)
        told = self.discord.texts("ops")
        self.assertEqual(len(told), len(patterns), f"{told}\n{self.gateway.said()}")
        for text, pattern in zip(told, patterns):
            self.assertRegex(text, pattern)


class Conditions(Edge, Scenario):
    def telegram(self):
        telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        for chat in (77, 78):
            telegram.private(chat)
        self.begin({**telegram_settings(telegram), "OPERATOR_CHAT": "telegram:77,discord:ops"})
        self.until(lambda: telegram.count("getUpdates"), "it polls", self.gateway)
        return telegram

    def test_a_channel_is_deaf_and_hears_again(self):
        telegram = self.telegram()
        telegram.say(78, "the last word")
        self.assertTrue(telegram.wait_for(lambda t: t.texts(78)), self.gateway.said())
        for method in ("getMe", "getUpdates"):
            telegram.script(method, *[("page", 502)] * 1000)
        self.later(100)
        self.until(lambda: "instance=telegram state=unhealthy" in self.gateway.said(), "deaf",
                   self.gateway)
        self.assertEqual(self.discord.texts("ops"), [], "not within its grace")
        self.later(61)
        deaf = r"^The channel telegram hears nothing\. \(.+\)$"
        self.tells(deaf)
        for method in ("getMe", "getUpdates"):
            telegram.script(method)
        self.later(301)  # the longest rest
        self.tells(deaf, r"^The channel telegram hears again\.$")
        self.assertEqual(telegram.texts(77), [])

    def test_a_token_is_refused_and_taken_again(self):
        telegram = self.telegram()
        telegram.revoked = True
        telegram.say(78, "wakes the poll")
        refused = (r"^The platform refuses the credentials of telegram; nothing is sent there\. "
                   r"\(.+\)$")
        self.tells(refused)
        telegram.revoked = False
        for word in ("pause", "resume"):
            self.assertEqual(self.gateway.cli("channels", word, "telegram").returncode, 0)
        self.tells(refused, r"^The platform takes the credentials of telegram again\.$")
        self.assertEqual(telegram.texts(77), [])

    def test_a_full_disk_is_told_when_there_is_room(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        full = self.directory / "full"
        self.begin({**webhook_settings(receiver), "OPERATOR_CHAT": "discord:ops"},
                   "sync_shim.so", COWGATE_SHIM_FAIL="ENOSPC",
                   COWGATE_SHIM_FAIL_IN="write", COWGATE_SHIM_FAIL_WHILE=full)
        full.touch()
        for number in range(3):
            answer = self.gateway.post(message("hello", event_id=f"event-{number}"))
            self.assertEqual(answer.status, 503, answer)
        self.until(lambda: "store.failing status=full" in self.gateway.said(), "it is full",
                   self.gateway)
        full.unlink()
        self.tells(r"^The disk takes what is written again; for a while no message was "
                   r"accepted\.$")


class CloudToken(Edge, CloudScenario):
    def test_the_cloud_refuses_the_token(self):
        self.begin(self.gateway_settings(
            OPERATOR_CHAT="discord:ops", DISCORD_CHANNEL_BINDING_ID="other"))
        self.receiver.clock = self.time.now
        self.gateway.say("before")
        self.await_texts(daemon=self.gateway)
        self.ask("DELETE", f"tokens/{self.token_id}")
        for number in range(3):
            self.gateway.say(f"after {number}", chat=f"chat-{number}")
        self.tells(r"^The Cloud refuses the gateway's token\.( \(.+\))?$")


if __name__ == "__main__":
    unittest.main()
