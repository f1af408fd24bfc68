# SPDX-License-Identifier: Apache-2.0
"""The machine's clock is set while the gateway runs: nothing gets old at once, nothing gets stuck."""
import struct
import unittest

from tests.peers.receiver import Receiver
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, message, preload, webhook_settings

DAY_MS = 24 * 3600 * 1000


class ClockIsSet(Scenario):
    def setUp(self):
        super().setUp()
        self.clock = self.directory / "clock"
        self.set_clock(0)

    def set_clock(self, ahead_ms):
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("<q", ahead_ms))

    def state(self, daemon):
        return [record["status"] for record in daemon.deliveries()]

    def times_set(self, daemon, times):
        self.until(
            lambda: daemon.said().count("clock.set") == times, "the clock is seen", daemon,
            seconds=40)

    def retry(self, daemon):
        done = daemon.cli("deliveries", "retry", daemon.deliveries()[0]["deliveryId"])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_waits_lives_on(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        receiver.close()
        daemon = self.daemon(
            webhook_settings(receiver),
            extra={**preload("clock_shim.so"), "COWGATE_SHIM_CLOCK": self.clock})
        daemon.say("hello")
        self.until(lambda: self.state(daemon) == ["failed"], "an answer that waits", daemon)

        # Deliveries live for a day and a bit, prompts for a day: both would be over at once.
        self.set_clock(5 * DAY_MS)
        self.times_set(daemon, 1)
        tried = daemon.deliveries()[0]["attemptCount"]
        self.retry(daemon)
        self.until(
            lambda: daemon.deliveries()[0]["attemptCount"] > tried, "an attempt", daemon)
        self.assertEqual(self.state(daemon), ["failed"], daemon.said())

        # Back: nothing waits for days to come again.
        self.set_clock(0)
        self.times_set(daemon, 2)
        receiver = self.peer(Receiver(WEBHOOK_SECRET, port=receiver.port))
        self.retry(daemon)
        self.assertTrue(receiver.wait_for(lambda r: r.texts()), daemon.said())
        again = message("again", event_id="again")
        self.until(lambda: daemon.post(again).status == 202, "it is believed again", daemon)
        self.assertTrue(receiver.wait_for(lambda r: len(r.texts()) == 2), daemon.said())


if __name__ == "__main__":
    unittest.main()
