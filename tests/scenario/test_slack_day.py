# SPDX-License-Identifier: Apache-2.0
"""A day at Slack: what one does with an agent there, with marks, buttons and files."""
import unittest

from tests.scenario.test_slack import SlackCase


class SlackAsking(SlackCase):
    def await_card(self, daemon, words, channel=None):
        """The message with buttons that says this."""
        channel = channel or self.dm

        def cards(slack):
            return [m for m in slack.sent(channel) if words in m.text and m.buttons()]

        self.assertTrue(self.slack.wait_for(cards), daemon.said())
        return cards(self.slack)[-1]

    def press(self, card, label, user="U1"):
        self.slack.press(user, card, card.buttons()[label])

    def await_told(self, daemon, user, words):
        """Something that this person alone can see."""
        self.assertTrue(
            self.slack.wait_for(
                lambda s: any(u == user and words in t for _, u, t in s.ephemerals)
            ),
            f"{self.slack.ephemerals}\n{daemon.said()}",
        )

    def test_leave_is_given_by_a_button(self):
        daemon = self.up()
        self.slack.say("U1", "ask ls -l", self.dm)
        card = self.await_card(daemon, "ls -l")
        self.assertLessEqual(max(len(t) for t in card.buttons().values()), 40)
        self.press(card, "Approve")
        self.await_text(daemon, "allowed once")
        self.await_told(daemon, "U1", "Approved")
        self.assertTrue(
            self.slack.wait_for(lambda _: "Approved by" in card.text), daemon.said()
        )
        self.assertEqual(card.buttons(), {}, "it is decided")

    def test_a_button_works_after_a_restart(self):
        daemon = self.up()
        self.slack.say("U1", "ask rm -r x", self.dm)
        card = self.await_card(daemon, "rm -r x")
        self.until(lambda: daemon.deliveries(status="sent"), "its receipt", daemon)
        approve, deny = card.buttons()["Approve"], card.buttons()["Deny"]
        daemon.kill()
        self.again(daemon)
        self.slack.press("U1", card, deny)
        self.assertTrue(self.slack.wait_for(lambda _: not card.buttons()), daemon.said())
        told = len(self.slack.ephemerals)
        self.slack.press("U1", card, approve)  # in a client that has slept
        self.assertTrue(
            self.slack.wait_for(lambda s: len(s.ephemerals) > told), daemon.said()
        )
        self.assertFalse(any("allowed" in text for text in self.slack.texts(self.dm)))

    def test_a_question_is_answered_by_a_button(self):
        daemon = self.up()
        self.slack.say("U1", "question Tea?", self.dm)
        card = self.await_card(daemon, "Tea?")
        self.press(card, "no")
        self.assertTrue(
            self.slack.wait_for(lambda _: "Answered: no" in card.text), daemon.said()
        )
        self.assertEqual(card.buttons(), {})

    def test_a_stranger_presses(self):
        """In the same channel, but nobody has let them in."""
        daemon = self.up(SLACK_ALLOW_FROM="U1")
        ts = self.slack.say("U1", "<@UBOT> /help", self.room)
        self.assertTrue(self.slack.wait_for(lambda s: s.texts(self.room, ts)))
        self.slack.say("U1", "ask ls -l", self.room, ts)
        card = self.await_card(daemon, "ls -l", self.room)
        self.assertEqual(card.thread, ts)
        self.press(card, "Approve", user="U2")
        self.slack.say("U1", "<@UBOT> /status", self.room, ts)
        self.assertTrue(
            self.slack.wait_for(lambda s: len(s.texts(self.room, ts)) > 2), daemon.said()
        )
        self.assertIn("Approve", card.buttons(), "still to be decided")
        self.press(card, "Approve")
        self.await_text(daemon, "allowed once", self.room, ts)

    def test_a_stranger_is_let_in_by_a_slash_command(self):
        boss = self.slack.direct("D2")
        daemon = self.up(SLACK_ALLOW_FROM="U2")
        self.slack.say("U1", "let me in", self.dm)
        self.assertTrue(self.slack.wait_for(lambda s: s.texts(self.dm)), daemon.said())
        code = self.slack.texts(self.dm)[0].split("code:")[1].split()[0]
        self.slack.command("U2", boss, f"approve {code}")
        self.assertTrue(
            self.slack.wait_for(lambda s: any("may talk" in t for t in s.texts(boss))),
            daemon.said(),
        )
        self.slack.say("U1", "am I in", self.dm)
        self.await_text(daemon, "am I in")


if __name__ == "__main__":
    unittest.main()
