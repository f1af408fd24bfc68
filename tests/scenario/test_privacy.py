# SPDX-License-Identifier: Apache-2.0
"""Forgetting: after /forget, and after a person has been removed, no byte of what was said is left
below the data directory, whatever was under way, and repeats are still known as such."""
import contextlib
import os

from tests.peers.cloud_golden import GoldenCloud
from tests.peers.receiver import Receiver, message
from tests.peers.telegram import Telegram
from tests.scenario.cloud import CloudScenario
from tests.scenario.daemon import (
    SECRETS,
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    eventually,
    preload,
    telegram_settings,
    webhook_settings,
)

SECRET = "my sister's new address is 14 Quince Lane"
DELETED = "Deleted. A new conversation begins here."


def found(gateway, text=SECRET):
    """The files below the data directory that hold this text."""
    places = []
    for directory, _, names in os.walk(gateway.directory / "data"):
        for name in names:
            path = os.path.join(directory, name)
            with contextlib.suppress(OSError), open(path, "rb") as file:
                if text.encode() in file.read():
                    places.append(os.path.relpath(path, gateway.directory))
    return sorted(places)


class Privacy(Scenario):
    def setUp(self):
        super().setUp()
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        for user in (77, 78):
            self.telegram.private(user)

    def talk(self, user, count):
        """Texts and a file, each answered by the echo."""
        files = sum("a.txt" in text for text in self.telegram.texts(user))
        for number in range(count):
            self.telegram.say(user, f"{number}: {SECRET}")
        self.telegram.say(
            user, None, document=self.telegram.file("a.txt", SECRET.encode()), caption=SECRET)
        self.assertTrue(self.telegram.wait_for(
            lambda t: sum("a.txt" in text for text in t.texts(user)) > files, 60),
            self.telegram.texts(user)[-3:])

    def hears(self, chat, text, seconds=30):
        self.assertTrue(
            self.telegram.wait_for(lambda t: any(text in x for x in t.texts(chat)), seconds),
            f"{self.telegram.texts(chat)[-3:]}\n{self.daemons[0].said()[-3000:]}")

    def test_forget_leaves_no_byte(self):
        gateway = self.daemon(telegram_settings(self.telegram))
        self.talk(77, 30)
        self.telegram.say(77, "/new")
        self.hears(77, "A new conversation begins here.")
        self.talk(77, 3)
        self.telegram.say(78, "somebody else's words")
        self.hears(78, "somebody else's words")
        self.assertIn("data/plane.db", " ".join(found(gateway)))
        self.telegram.say(77, "/forget")
        self.hears(77, "Write /forget yes to do it.")
        self.assertNotEqual(found(gateway), [])
        self.telegram.say(77, "/forget yes")
        self.hears(77, DELETED)
        self.assertEqual(found(gateway), [])
        self.assertNotEqual(found(gateway, "somebody else's words"), [])
        self.telegram.say(77, "what do you know of me?")
        self.hears(77, "what do you know of me?")
        gateway.restart()
        self.assertEqual(found(gateway), [])
        sent = len(self.telegram.texts(77))
        self.telegram.say(77, "and after a restart?")
        self.hears(77, "and after a restart?")
        self.assertEqual(len(self.telegram.texts(77)), sent + 1, "nothing was said again")

    def test_killed_in_the_middle_it_is_finished_at_the_next_start(self):
        gateway = self.daemon(telegram_settings(self.telegram))
        self.talk(77, 5)
        deaths = 0
        for sync in range(1, 12, 2):
            gateway.stop()
            gateway.start()
            self.telegram.say(77, f"{sync} {SECRET}")
            self.hears(77, f"{sync} {SECRET}")
            gateway.stop()
            self.telegram.say(77, "/forget yes")
            done = sum(DELETED in text for text in self.telegram.texts(77))
            gateway.spawn(self.shim(sync + 2))
            deaths += gateway.await_death(20)
            if gateway.is_running():
                gateway.kill()
            gateway.start()
            self.assertTrue(self.telegram.wait_for(
                lambda t, n=done: sum(DELETED in x for x in t.texts(77)) > n, 30),
                gateway.said()[-3000:])
            self.assertEqual(found(gateway), [])
        self.assertGreater(deaths, 3)

    @staticmethod
    def shim(sync):
        return {**preload("sync_shim.so"), "COWGATE_SHIM_KILL_BEFORE": str(sync)}

    def test_what_waits_to_be_sent_is_not_sent(self):
        gateway = self.daemon(telegram_settings(self.telegram))
        self.telegram.say(77, "hello")
        self.hears(77, "hello")
        self.telegram.script("sendMessage", ("status", 429, "Too Many Requests", 3))
        gateway.cli("send", "--to", "telegram:77", SECRET)
        self.telegram.say(77, "/forget yes")
        self.hears(77, DELETED, 60)
        self.assertEqual(found(gateway), [])
        self.assertEqual([text for text in self.telegram.texts(77) if SECRET in text], [])

    def test_a_person_is_removed(self):
        gateway = self.daemon(telegram_settings(self.telegram))
        self.talk(77, 5)
        self.telegram.say(78, "somebody else's words")
        self.hears(78, "somebody else's words")
        done = gateway.cli("people", "remove", "telegram:77")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"is deleted", done.stderr)
        self.assertEqual(found(gateway), [])
        self.assertNotEqual(found(gateway, "somebody else's words"), [])
        self.assertNotIn(b" 77 ", gateway.cli("people", "list").stdout)
        self.assertEqual(gateway.cli("people", "remove", "telegram:77").returncode, 0)
        done = gateway.cli("people", "remove", "nobody")
        self.assertEqual(done.returncode, 1)
        # Everybody is let in here, and so they may begin anew.
        self.telegram.say(77, "I am back")
        self.hears(77, "I am back")

    def test_a_repeat_of_what_was_forgotten_is_a_repeat(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        gateway = self.daemon(webhook_settings(receiver))
        body = message(SECRET, chat="c", sender="s", event_id="e1")
        self.assertEqual(gateway.post(body).status, 202)
        self.assertTrue(receiver.wait_for(lambda r: any(SECRET in x for x in r.texts())))
        gateway.say("/forget yes", chat="c", sender="s", event_id="e2")
        self.assertTrue(receiver.wait_for(lambda r: any(DELETED in x for x in r.texts())))
        self.assertEqual(found(gateway), [])
        count = len(receiver.texts())
        self.assertEqual(gateway.post(body).status, 202)
        self.assertEqual(gateway.post(message("other", chat="c", sender="s", event_id="e1")).status,
                         409)
        gateway.say("done", chat="c", sender="s", event_id="e3")
        self.assertTrue(receiver.wait_for(lambda r: any("done" in x for x in r.texts())))
        self.assertEqual(len(receiver.texts()), count + 1)
        self.assertTrue(eventually(lambda: not found(gateway)))


class OfACloud(CloudScenario):
    def test_a_cloud_that_can_forgets_too(self):
        gateway = self.gateway()
        gateway.say(SECRET)
        self.await_texts(daemon=gateway)
        self.assertNotEqual(found(self.cloud), [])
        gateway.say("/forget yes")
        self.assertEqual(self.await_texts(count=2, daemon=gateway)[-1], DELETED)
        self.assertEqual(found(gateway) + found(self.cloud), [])
        gateway.say("and now?")
        self.assertIn("and now?", self.await_texts(count=3, daemon=gateway)[-1])


class OfAnotherCloud(Scenario):
    """One that knows nothing of forgetting: here it is deleted, and what is kept there is said."""

    token = "occ_tok_8K4tGmwNmeBf8aQQ_0123456789012345678901234567890123456789abc"
    secrets = SECRETS + (token,)

    def test_what_the_cloud_keeps_is_said(self):
        receiver, cloud = self.peer(Receiver(WEBHOOK_SECRET)), self.peer(GoldenCloud())
        gateway = self.daemon(
            {**webhook_settings(receiver), "PRODUCT_MODE": "cloud_channel",
             "SERVICE_TOKEN": self.token, "INSTANCE_ID": "one"},
            extra={"OPEN_COWORK_CLOUD_BASE_URL": cloud.url})
        gateway.say(SECRET, event_id="evt-1")
        self.assertTrue(receiver.wait_for(lambda r: r.texts("chat-1")))
        self.assertNotEqual(found(gateway), [])
        gateway.say("/forget", event_id="evt-2")
        self.assertTrue(receiver.wait_for(lambda r: len(r.texts("chat-1")) > 1))
        self.assertIn("What the agent's server has stored", receiver.texts("chat-1")[-1])
        gateway.say("/forget yes", event_id="evt-3")
        self.assertTrue(receiver.wait_for(lambda r: len(r.texts("chat-1")) > 2),
                        gateway.said()[-3000:])
        self.assertIn("keeps its own record", receiver.texts("chat-1")[-1])
        self.assertEqual(found(gateway), [])
