# SPDX-License-Identifier: Apache-2.0
"""A gateway and its Cloud, with trouble between them."""
import unittest

from tests.scenario.cloud import CloudScenario


class CloudTalk(CloudScenario):
    """The way there and back."""

    def test_there_and_back(self):
        daemon = self.gateway()
        text = 'Grüße, 😀 & <b>"quoted"</b>\n\n```c\nint x;\n```\nend'
        daemon.say(text)
        shown = self.await_texts(daemon=daemon)
        self.assertEqual(len(shown), 1)
        self.assertIn(text, shown[0])
        for one in self.proxy.seen:
            self.assertEqual(one.headers["authorization"], f"Bearer {self.token}")
            self.assertRegex(one.headers["x-request-id"], "^[0-9a-f]{32}$")


if __name__ == "__main__":
    unittest.main()
