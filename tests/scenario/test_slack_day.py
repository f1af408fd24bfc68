# SPDX-License-Identifier: Apache-2.0
"""A day at Slack: what one does with an agent there, with buttons and files."""
import unittest

from tests.peers.slack import ALL_SCOPES
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


class SlackFiles(SlackCase):
    def test_a_file_there_and_one_back(self):
        daemon = self.up()
        ts = self.slack.say("U1", "<@UBOT> /help", self.room)
        self.assertTrue(self.slack.wait_for(lambda s: s.texts(self.room, ts)))
        self.slack.say("U1", "file report.txt all is well", self.room, ts)
        self.assertTrue(self.slack.wait_for(lambda s: s.files), daemon.said())
        channel, thread, title, content, _ = self.slack.files[0]
        self.assertEqual(
            (channel, thread, title, content),
            (self.room, ts, "report.txt", b"all is well"),
        )
        self.slack.share("U1", self.dm, "notes.txt", b"eleven bytes", text="look at this")
        self.assertTrue(
            self.slack.wait_for(
                lambda s: any("notes.txt" in t and "12" in t for t in s.texts(self.dm))
            ),
            f"{self.slack.texts(self.dm)}\n{daemon.said()}",
        )

    def test_a_file_that_takes_longer_than_slack_waits(self):
        daemon = self.up()
        self.slack.script("file", ("slow", 4))
        self.slack.share("U1", self.dm, "slow.txt", b"xyz", text="slowly")
        self.slack.say("U1", "behind it", self.dm)
        self.await_text(daemon, "behind it", seconds=60)
        shown = self.slack.texts(self.dm)
        self.assertEqual(len([t for t in shown if "slow.txt" in t]), 1, shown)
        self.assertEqual(shown[-1], "behind it")
        self.assertIsNone(self.slack.answers[0][0], "Slack had to ask again")

    def test_a_token_without_the_scope_for_files(self):
        self.slack.scopes = ALL_SCOPES - {"files:read", "files:write"}
        daemon = self.up()
        self.slack.share("U1", self.dm, "secret.txt", b"xyz", text="read it")
        self.assertTrue(
            self.slack.wait_for(
                lambda s: any("secret.txt" in t for t in s.texts(self.dm))
            ),
            f"{self.slack.texts(self.dm)}\n{daemon.said()}",
        )
        self.assertIn("files:read", daemon.said())
        self.slack.say("U1", "file a.txt b", self.dm)
        self.until(
            lambda: [d for d in daemon.deliveries(status="dead")], "refused", daemon
        )
        self.slack.say("U1", "messages go on", self.dm)
        self.await_text(daemon, "messages go on")


if __name__ == "__main__":
    unittest.main()
