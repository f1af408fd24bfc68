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


PIECES = 100  # of an answer that grows: five seconds
GROWING = 29  # one of so many is such: with more of them the chats would set the pace


def answer(number):
    return f"number {number}" + " word" * (PIECES if number % GROWING == 0 else 0)


class TelegramFlood(TelegramCase):
    """Marks on what people wrote, answers that are there at once, and some that grow."""

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
            grows = f"stream {PIECES} " if number % GROWING == 0 else ""
            self.telegram.say(chats[number % CHATS], grows + answer(number))
        self.await_all(daemon, MESSAGES)
        for index, chat in enumerate(chats):
            self.assertEqual(
                self.telegram.texts(chat),
                [answer(n) for n in range(index, MESSAGES, CHATS)],
            )
        # The middle of it is steady: neither the start nor the end.
        taken = list(flood.taken)
        middle = taken[len(taken) // 5 : len(taken) * 4 // 5]
        used = len(middle) / (middle[-1] - middle[0]) / (30 * SCALE)
        # Where there is room again, answers grow before the eyes.
        first = MESSAGES + -MESSAGES % GROWING
        more = range(first, first + 20 * GROWING, GROWING)
        for index, number in enumerate(more):
            self.telegram.say(chats[index], f"stream {PIECES} {answer(number)}")
        self.await_all(daemon, MESSAGES + len(more))
        edits = 0
        for message in self.telegram.messages:
            whole = message.history.index(answer(int(message.text.split()[1])))
            self.assertEqual(whole, len(message.history) - 1, "an edit came behind a final")
            edits += whole
        marks = self.telegram.count("setMessageReaction")
        print(f"{len(flood.taken)} calls ({edits} edits, {marks} marks), {used:.0%} of the rate, "
              f"{flood.refused} refused")
        self.assertEqual(flood.refused, 0)
        self.assertGreaterEqual(edits, len(more))
        self.assertGreater(marks, 0)
        self.assertGreaterEqual(used, 0.9)

    def await_all(self, daemon, count):
        """That many whole answers."""

        def are_there():
            with self.telegram.changed:
                texts = [m.text.split(" ", 2) for m in self.telegram.messages]
            whole = {t[1] for t in texts if len(t) > 1 and " ".join(t) == answer(int(t[1]))}
            return len(whole) >= count

        self.assertTrue(
            eventually(are_there, 60 + 4 * count / (30 * SCALE), 0.5),
            f"{len(self.telegram.messages)} messages\n{daemon.said()[-3000:]}",
        )


if __name__ == "__main__":
    unittest.main()
