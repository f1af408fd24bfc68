# SPDX-License-Identifier: Apache-2.0
"""The process dies in the middle of an answer: the person sees one, whole and once."""
import time

from tests.peers.receiver import Receiver
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, webhook_settings


class Restarts(Scenario):
    """Killed without warning while an answer is on its way."""

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.receiver.refused, [])

    def test_amid_a_streamed_answer(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        words = " ".join(f"word{i}" for i in range(60))
        daemon.say(f"stream 60 {words}", event_id="e1")
        self.until(lambda: self.receiver.texts("chat-1"), "its beginning", daemon)
        daemon.kill()
        daemon.start()
        self.until(lambda: any(words in t for t in self.receiver.texts("chat-1")),
                   "the whole answer", daemon, seconds=40)
        time.sleep(1)
        whole = [t for t in self.receiver.texts("chat-1") if words in t]
        self.assertEqual(len(whole), 1, self.receiver.texts("chat-1"))
        self.assertEqual(len(self.receiver.texts("chat-1")), 1,
                         self.receiver.texts("chat-1"))

    def test_amid_a_message_of_five_parts(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        text = "\n\n".join(f"paragraph {i} " + "x" * 3500 for i in range(5))
        self.receiver.script("ok", "ok", ("slow", 3), chat="chat-1")
        daemon.say(text, event_id="e1")
        self.until(lambda: len(self.receiver.texts("chat-1")) >= 2, "two parts", daemon)
        daemon.kill()
        daemon.start()
        self.until(lambda: len(self.receiver.texts("chat-1")) >= 5, "five parts", daemon,
                   seconds=40)
        time.sleep(1)
        shown = self.receiver.texts("chat-1")
        self.assertEqual(len(shown), 5, [t[:20] for t in shown])
        for i, part in enumerate(shown):
            self.assertIn(f"paragraph {i} ", part)
