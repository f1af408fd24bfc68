# SPDX-License-Identifier: Apache-2.0
"""What the agent asks in a chat, and how people decide it."""
import time

from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, webhook_settings


class Asking(Scenario):
    """The echo agent asks; a person at the webhook answers."""

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.receiver.refused, [])

    def seen(self, kind):
        """Without twins: a card whose receipt died with the process is sent again."""
        return [d.body for d in list(self.receiver.accepted) if d.type == kind]

    def await_one(self, daemon, kind, count=1):
        self.until(lambda: len(self.seen(kind)) >= count, f"{count} {kind}", daemon)
        return self.seen(kind)[count - 1]

    def await_text(self, daemon, text):
        self.until(
            lambda: any(text in t for t in self.receiver.texts("chat-1")), text, daemon)

    def press(self, daemon, card, label, event_id):
        buttons = [b for row in card["buttons"] for b in row]
        token = next(b["token"] for b in buttons if b["label"] == label)
        self.assertLessEqual(len(token), 40)
        press = {"id": event_id, "token": token, "kind": "button"}
        body = message("", event_id=event_id, interaction=press)
        self.assertEqual(daemon.post(body).status, 202)

    def test_a_button_works_after_a_restart_and_once(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        daemon.say("ask rm -rf /tmp/x", event_id="e1")
        card = self.await_one(daemon, "buttons")
        self.assertIn("Approval needed", card["text"])
        self.assertIn("rm -rf /tmp/x", card["text"])
        self.press(daemon, card, "Approve", "p1")
        answer = self.await_one(daemon, "answer_interaction")
        self.assertEqual(answer["interactionId"], "p1")
        self.assertEqual(answer["text"], "Approved.")
        edit = self.await_one(daemon, "edit")
        self.assertIn("**Approved** by", edit["text"])
        self.assertNotIn("buttons", edit)
        daemon.restart()
        self.press(daemon, card, "Deny", "p2")
        late = self.await_one(daemon, "answer_interaction", 2)
        self.assertIn("Decided already: Approved by", late["text"])
        self.assertEqual(len(self.seen("edit")), 1)

    def test_a_button_outlives_the_process(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        daemon.say("ask make release", event_id="e1")
        card = self.await_one(daemon, "buttons")
        daemon.kill()
        daemon.start()
        # The agent died with the process and asks again: the old card says so.
        again = self.await_one(daemon, "buttons", 2)
        self.assertIn("No longer open", self.await_one(daemon, "edit")["text"])
        self.press(daemon, card, "Approve", "p1")
        self.assertIn("no longer open",
                      self.await_one(daemon, "answer_interaction")["text"])
        self.press(daemon, again, "Approve", "p2")
        self.assertEqual(self.await_one(daemon, "answer_interaction", 2)["text"],
                         "Approved.")
        self.assertIn("**Approved** by", self.await_one(daemon, "edit", 2)["text"])
        self.until(lambda: len(self.receiver.texts("chat-1")) == 3, "its end", daemon)

    def test_a_question_is_answered_by_a_message(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        target = {"chatId": "chat-1", "isDirect": True}
        daemon.say("question which colour", event_id="e1", target=target)
        self.await_one(daemon, "buttons")
        daemon.say("a deep purple", event_id="e2", target=target)
        edit = self.await_one(daemon, "edit")
        self.assertIn("**Answered: a deep purple** by", edit["text"])
        self.until(lambda: len(self.receiver.texts("chat-1")) == 2, "an answer", daemon)
        self.assertIn("a deep purple", self.receiver.texts("chat-1")[1])

    def test_commands_decide_and_strangers_do_not(self):
        daemon = self.daemon(webhook_settings(self.receiver, WEBHOOK_ALLOW_FROM="user-1"))
        daemon.say("ask ls", event_id="e1")
        card = self.await_one(daemon, "buttons")
        token = card["buttons"][0][0]["token"]
        body = message("", event_id="p1", sender="mallory",
                       interaction={"id": "p1", "token": token, "kind": "button"})
        self.assertEqual(daemon.post(body).status, 202)
        self.assertEqual(self.await_one(daemon, "answer_interaction")["text"],
                         "You may not decide this.")
        daemon.say("/deny", event_id="e2")
        self.assertIn("**Denied** by", self.await_one(daemon, "edit")["text"])
        self.await_text(daemon, "Denied.")
        daemon.say("/approve", event_id="e3")
        self.await_text(daemon, "not waiting for a decision")

    def test_a_reason_reaches_the_agent(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        daemon.say("ask rm -r x", event_id="e1")
        self.await_one(daemon, "buttons")
        daemon.say("/deny that is still needed", event_id="e2")
        self.await_text(daemon, "Denied. The agent gets the reason")
        self.await_text(daemon, "denied: that is still needed")

    def newest_card(self, chat):
        return [d.body for d in list(self.receiver.accepted)
                if d.type == "buttons" and d.chat == chat][-1:]

    def press_all(self, daemon, chats, round_):
        """Everybody presses the newest button that they see; who may have died meanwhile."""
        for n, chat in enumerate(chats):
            for card in self.newest_card(chat):
                token = card["buttons"][0][0]["token"]
                press = {"id": f"p{round_}-{n}", "token": token, "kind": "button"}
                body = message("", event_id=press["id"], chat=chat, interaction=press)
                self.assertEqual(daemon.post(body).status, 202)

    def test_whoever_is_asked_when_it_is_killed_goes_on(self):
        """Twenty chats in twenty stages: asked, shown, pressed, taken, resolved, redrawn."""
        daemon = self.daemon(webhook_settings(self.receiver))
        chats = [f"chat-{n}" for n in range(20)]
        for n, chat in enumerate(chats):
            daemon.say("ask make release", event_id=f"a{n}", chat=chat)
            if n % 2:
                daemon.say("and then", event_id=f"b{n}", chat=chat)
        self.until(lambda: len(self.seen("buttons")) >= 10, "half of the cards", daemon)
        daemon.kill()
        daemon.start()
        self.until(lambda: all(self.newest_card(chat) for chat in chats), "cards", daemon)
        self.press_all(daemon, chats, 1)
        self.until(lambda: len(self.seen("answer_interaction")) >= 3, "answers", daemon)
        daemon.kill()
        daemon.start()

        def answered(text):
            return [c for c in chats if text in self.receiver.texts(c)]

        end = time.monotonic() + 40
        round_ = 2
        while len(answered("allowed once")) < 20 and time.monotonic() < end:
            time.sleep(1)
            self.press_all(daemon, [c for c in chats if c not in answered("allowed once")],
                           round_)
            round_ += 1
        for n, chat in enumerate(chats):
            daemon.say("and later", event_id=f"c{n}", chat=chat)
        self.until(lambda: len(answered("and later")) == 20, "later answers", daemon)
        for n, chat in enumerate(chats):
            expected = ["allowed once"] + ["and then"] * (n % 2) + ["and later"]
            said = [t for t in self.receiver.texts(chat)
                    if "Approval needed" not in t and "Queued" not in t]
            self.assertEqual(said, expected, chat)
