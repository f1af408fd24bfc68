# SPDX-License-Identifier: Apache-2.0
"""Platforms behind a proxy and an authority of one's own: each channel by its own settings."""
import unittest

from tests.peers.authority import Authority
from tests.peers.proxy import Front, Proxy
from tests.peers.receiver import Receiver
from tests.peers.slack import Slack
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    SECRETS,
    SLACK_SECRET,
    SLACK_TOKEN,
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    slack_settings,
    telegram_settings,
    webhook_settings,
)

PROXY_PASSWORD = "proxy-password-Vc7kD2pXn4"


class Proxies(Scenario):
    secrets = (*SECRETS, PROXY_PASSWORD)

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory / "tls")
        self.pair = self.authority.issue("server", "DNS:localhost")
        self.proxy = self.peer(Proxy("agent", PROXY_PASSWORD))

    def behind(self, peer):
        """The peer's address with TLS in front of it."""
        front = self.peer(Front(self.pair, peer.port))
        self.tunnel = ("CONNECT", f"localhost:{front.port}")
        return f"https://localhost:{front.port}"

    def check_tunnels(self):
        self.assertTrue(self.proxy.asked)
        self.assertEqual(set(self.proxy.asked), {self.tunnel}, "nothing else was asked for")

    def test_telegram(self):
        telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        user = telegram.private(7001)
        daemon = self.daemon(telegram_settings(
            telegram,
            TELEGRAM_API_BASE_URL=self.behind(telegram),
            TELEGRAM_PROXY=self.proxy.url,
            TELEGRAM_CA_FILE=self.authority.pem,
        ))
        telegram.say(user, None, document=telegram.file("a.txt", b"a file"), caption="look")
        self.assertTrue(
            telegram.wait_for(lambda t: any("a.txt" in text for text in t.texts(user))),
            daemon.said())
        telegram.say(user, "file b.txt back")
        self.assertTrue(
            telegram.wait_for(lambda t: t.count("sendDocument") == 1), daemon.said())
        self.check_tunnels()

    def test_slack(self):
        slack = self.peer(Slack(SLACK_TOKEN, SLACK_SECRET))
        direct = slack.direct("D1")
        daemon = self.daemon(slack_settings(
            slack,
            SLACK_API_BASE_URL=self.behind(slack) + "/api",
            SLACK_PROXY=self.proxy.url,
            SLACK_CA_FILE=self.authority.pem,
        ))
        slack.port_of_app = daemon.port
        slack.say("U1", "hello", direct)
        self.assertTrue(slack.wait_for(lambda s: s.texts(direct) == ["hello"]), daemon.said())
        self.check_tunnels()

    def webhook(self, **more):
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        return self.daemon(webhook_settings(
            self.receiver,
            WEBHOOK_DELIVERY_URL=self.behind(self.receiver) + "/hook",
            **more,
        ))

    def test_webhook(self):
        daemon = self.webhook(
            WEBHOOK_PROXY=self.proxy.url, WEBHOOK_CA_FILE=self.authority.pem)
        daemon.say("hello")
        self.assertTrue(
            self.receiver.wait_for(lambda r: r.texts() == ["hello"]), daemon.said())
        self.check_tunnels()

    def test_a_proxy_that_wants_another_password(self):
        """Nothing has left, so it is sent as soon as the proxy relents."""
        url, self.proxy.password = self.proxy.url, "another one"
        daemon = self.webhook(WEBHOOK_PROXY=url, WEBHOOK_CA_FILE=self.authority.pem)
        daemon.say("hello")
        self.until(lambda: self.proxy.turned_away > 0, "turned away", daemon)
        self.proxy.password = PROXY_PASSWORD
        self.assertTrue(
            self.receiver.wait_for(lambda r: r.texts() == ["hello"], 40), daemon.said())
        self.assertEqual(len(self.receiver.deliveries), 1)
        record = self.until(
            lambda: daemon.delivery("hello", status="sent"), "its receipt", daemon)
        self.assertGreater(record["attemptCount"], 1)

    def test_which_layer_it_was(self):
        slack = self.peer(Slack(SLACK_TOKEN, SLACK_SECRET))
        daemon = self.daemon(slack_settings(
            slack, SLACK_API_BASE_URL=self.behind(slack) + "/api"))
        told = "cannot be reached at the moment: SSL peer certificate"
        self.until(lambda: told in daemon.operator("/ready").body.decode(), told, daemon)

    def test_an_authority_that_nobody_knows(self):
        daemon = self.webhook()
        daemon.say("hello")
        self.until(lambda: daemon.delivery("hello"), "there", daemon)
        self.until(
            lambda: daemon.delivery("hello")["outcome"] == "not_dispatched", "known", daemon)
        self.assertEqual(self.receiver.deliveries, [])


if __name__ == "__main__":
    unittest.main()
