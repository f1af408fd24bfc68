# SPDX-License-Identifier: Apache-2.0
"""Many people at once, against an emulator that counts: its limits and ours are made faster by
the same factor.  10,000 messages with COWGATE_LONG, fewer without."""
import os
import unittest

from tests.peers.telegram import Flood
from tests.scenario.daemon import eventually, telegram_settings
from tests.scenario.test_telegram import TelegramCase

LONG = bool(os.environ.get("COWGATE_LONG"))
CHATS = 200
MESSAGES = 10000 if LONG else 1000
SCALE = 4.0 if LONG else 1.0


class TelegramFlood(TelegramCase):
    def test_everybody_writes(self):
        flood = self.telegram.flood = Flood(SCALE)
        chats = [self.telegram.private(20000 + n) for n in range(CHATS)]
        daemon = self.daemon(
            telegram_settings(
                self.telegram,
                TELEGRAM_RATE_PERCENT=int(100 * SCALE),
                LOG_LEVEL="warn",
            )
        )
        for number in range(MESSAGES):
            self.telegram.say(chats[number % CHATS], f"number {number}")
        ideal = MESSAGES / (30 * SCALE)

        def all_are_there():
            with self.telegram.changed:
                return len({m.text for m in self.telegram.messages}) >= MESSAGES

        self.assertTrue(
            eventually(all_are_there, 60 + 4 * ideal, 0.5),
            f"{len(self.telegram.messages)} messages\n{daemon.said()[-3000:]}",
        )
        for index, chat in enumerate(chats):
            self.assertEqual(
                self.telegram.texts(chat),
                [f"number {n}" for n in range(index, MESSAGES, CHATS)],
            )
        for message in self.telegram.messages:
            self.assertTrue(message.history[-1].startswith(message.history[0]))
        # The middle of it is steady: neither the start nor the end.
        taken = flood.taken
        middle = taken[len(taken) // 5 : len(taken) * 4 // 5]
        used = len(middle) / (middle[-1] - middle[0]) / (30 * SCALE)
        print(f"{len(taken)} calls, {used:.0%} of the rate, {flood.refused} refused")
        self.assertEqual(flood.refused, 0)
        self.assertGreaterEqual(used, 0.9)


if __name__ == "__main__":
    unittest.main()
