# SPDX-License-Identifier: Apache-2.0
"""A person in Telegram and a real agent, from the first word to the last: what every agent has to
show, written once.  Subclasses start the agent; what one cannot do it leaves out of its list."""
import base64

from tests.peers.telegram import Telegram
from tests.scenario.daemon import TELEGRAM_TOKEN, Scenario, telegram_settings

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


class AgentDay(Scenario):
    """`self.work` is where the agent works."""

    def meet(self, settings, ready=True):
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        self.user = self.telegram.private(7001)
        self.daemon_under_test = daemon = self.daemon(
            telegram_settings(self.telegram, TELEGRAM_RATE_PERCENT="100000", **settings)
        )
        if ready:
            self.until(
                lambda: "agent.ready" in daemon.said(), "the agent", daemon, seconds=60
            )

    # What the person does and sees.

    def say(self, text, **more):
        """Returns how many messages of the bot there were before."""
        before = len(self.telegram.sent(self.user))
        self.telegram.say(self.user, text, **more)
        return before

    def see(self, words, before=0, seconds=30):
        """The newest message behind the first so many that says this."""

        def found(telegram):
            return next(
                (m for m in reversed(telegram.sent(self.user)[before:]) if words in m.text),
                None,
            )

        self.assertTrue(
            self.telegram.wait_for(found, seconds),
            f"{words!r} was not seen:\n"
            + "\n".join(self.telegram.texts(self.user)[before:])
            + self.daemon_under_test.said()[-4000:],
        )
        return found(self.telegram)

    def card(self, words, before, seconds=30):
        """The message with buttons that says this."""

        def found(telegram):
            return next(
                (
                    m
                    for m in reversed(telegram.sent(self.user)[before:])
                    if words in m.text and "reply_markup" in m.content
                ),
                None,
            )

        self.assertTrue(
            self.telegram.wait_for(found, seconds), self.daemon_under_test.said()[-4000:]
        )
        return found(self.telegram)

    def press(self, card, label):
        rows = card.content["reply_markup"]["inline_keyboard"]
        buttons = {b["text"]: b["callback_data"] for row in rows for b in row}
        self.assertIn(label, buttons)
        query = self.telegram.press(self.user, card, buttons[label])
        self.assertTrue(
            self.telegram.wait_for(lambda t: t.queries[query] is not None),
            self.daemon_under_test.said()[-4000:],
        )
        self.assertTrue(
            self.telegram.wait_for(lambda _: "reply_markup" not in card.content),
            "the card is still open",
        )

    # The day.

    def plain(self):
        self.see("answer to hello", self.say("hello"))

    def streamed(self):
        """One message that grows."""
        answer = self.see("tick29", self.say("tick 30"))
        self.assertGreaterEqual(len(answer.history), 2, "it did not grow")

    def allowed(self):
        before = self.say("run echo done > made.txt && cat made.txt")
        card = self.card("made.txt", before)
        self.assertFalse((self.work / "made.txt").exists())
        self.press(card, "Approve")
        self.see("tool said", before)
        self.assertEqual((self.work / "made.txt").read_text(), "done\n")
        self.assertIn("Approved", card.text)

    def rejected(self):
        before = self.say("run touch never.txt")
        card = self.card("never.txt", before)
        self.press(card, "Deny")
        self.assertIn("Denied", card.text)
        self.see("answer to after that", self.say("after that"))
        self.assertFalse((self.work / "never.txt").exists())

    def asked(self):
        before = self.say("ask")
        self.press(self.card("Which colour?", before), "Blue")
        self.see("Blue", before)

    def stopped(self):
        before = self.say("tick 600")
        self.see("tick3", before)
        self.say("/stop")
        self.see("topped", before, 10)
        self.see("answer to still there", self.say("still there"))

    def failed(self):
        self.see("scripted failure", self.say("fail 400"))

    def files(self):
        for name, kind, data, seen in (
            ("n.txt", "text/plain", b"NOTE-7a", "text NOTE-7a"),
            ("dot.png", "image/png", PIXEL, "picture"),
        ):
            file = {**self.telegram.file(name, data), "mime_type": kind}
            self.see(seen, self.say(None, document=file, caption="see"))

    def a_day(self, *cells):
        for cell in cells:
            with self.subTest(cell.__name__):
                cell()
