# SPDX-License-Identifier: Apache-2.0
"""Kill a gateway of a Cloud at every commit: of a message on its way to the Cloud and of its
answer, and of a delivery between its claim and its acknowledgement.

    python3 -m tests.crash.cloud
"""
import sys
import time
import unittest

from tests.crash import crash
from tests.scenario.cloud import CloudScenario
from tests.scenario.daemon import eventually


class CloudCommits(CloudScenario, crash.EveryCommit):
    test_telegram = None
    test_streamed = None

    def webhook(self):
        return self.gateway_settings()

    def test_deliveries(self):
        made = []

        def copies(text):
            return sum(text in shown for shown in self.receiver.texts("room"))

        def is_over(delivery_id):
            record = self.in_cloud(delivery_id)
            return record["status"] == "sent"

        def step(daemon):
            delivery_id = f"d-{len(made)}"
            text = f"delivery <{len(made)}> of the Cloud"
            made.append(text)
            # The one before has left, and the Cloud has seen it.
            time.sleep(0.3)
            eventually(lambda: self.proxy.live == 1 or not daemon.is_running(), 20)
            self.deliver({"text": text}, delivery_id, chat="room")
            eventually(lambda: not daemon.is_running() or is_over(delivery_id), 30)
            eventually(lambda: not daemon.is_running(), 0.3)
            died = not daemon.is_running()
            if died:
                daemon.await_death()
                daemon.start()
                if not copies(text):
                    # Claimed by a connection that died before anything was stored: the
                    # claim's end is two minutes away, and the Cloud's operator has no time.
                    record = self.in_cloud(delivery_id)
                    here = daemon.delivery(text) or {"where": "cloud"}
                    if record["status"] == "claimed" and here["where"] == "cloud":
                        self.ask("POST", f"deliveries/{delivery_id}/dead-letter", {})
                        self.ask("POST", f"deliveries/{delivery_id}/retry", {})
                self.assertTrue(
                    eventually(lambda: is_over(delivery_id), 30),
                    f"{self.in_cloud(delivery_id)}\n{daemon.said()[-6000:]}",
                )
                daemon.kill()
            return died

        self.sweep(self.gateway_settings(), step, "deliveries, every commit")
        for i, text in enumerate(made):
            self.assertIn(copies(text), (1, 2), f"{self.in_cloud(f'd-{i}')}")
            plain = [s for s in self.receiver.texts("room") if s == text]
            self.assertEqual(len(plain), 1, "a second one says that it is one")
        sys.stderr.write(f"{len(made)} deliveries\n")


if __name__ == "__main__":
    unittest.main()
