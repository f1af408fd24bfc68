# SPDX-License-Identifier: Apache-2.0
"""A week of a Cloud, at ten thousand times its speed: streams end all the time, the Cloud restarts
every day, and once the network is away for long.  Every message is answered once, in order."""
import threading
import time
import unittest

from tests.scenario.cloud import CloudScenario

DAYS = 7
CHATS = 4
PER_DAY = 6  # messages of each chat


class Week(CloudScenario):
    def talk(self, daemon, chat, day):
        for number in range(PER_DAY):
            daemon.say(f"day {day} number {number}", chat=chat)
            time.sleep(0.05)

    def test_a_week(self):
        self.proxy.rule(r"GET .*/events", life=0.4)
        daemon = self.gateway()
        chats = [f"chat-{i}" for i in range(CHATS)]
        for day in range(DAYS):
            people = [
                threading.Thread(target=self.talk, args=(daemon, chat, day)) for chat in chats
            ]
            self.proxy.away = day == 3
            for person in people:
                person.start()
            time.sleep(0.15)
            self.assertEqual(self.cloud.stop(), 0, self.cloud.said())
            self.cloud.start()
            self.deliver({"text": f"notice of day {day}"}, f"n-{day}", chat="notices")
            self.proxy.upstream = self.cloud.port
            for person in people:
                person.join()
            if day == 3:
                time.sleep(3)
            self.proxy.away = False
        expected = [f"day {d} number {n}" for d in range(DAYS) for n in range(PER_DAY)]
        for chat in chats:
            shown = self.await_texts(chat, len(expected), 120, daemon)
            self.assertEqual(len(shown), len(expected), "once")
            for text, answer in zip(expected, shown):
                self.assertIn(text, answer, "in order")
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts("notices")) >= DAYS, 150),
            self.receiver.texts("notices"))
        self.assertEqual(
            sorted(self.receiver.texts("notices")), [f"notice of day {d}" for d in range(DAYS)])


if __name__ == "__main__":
    unittest.main()
