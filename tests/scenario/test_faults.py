# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around the daemon: each fault has one outcome, one final state, and an end."""
import base64
import threading
import time
import unittest

from tests.peers.loopback import Server
from tests.peers.model import Model
from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import (
    MODEL_KEY,
    WEBHOOK_SECRET,
    Scenario,
    SyncCounter,
    model_settings,
    preload,
    webhook_settings,
)

# What the receiver does first, the class and the scope of that attempt, the state in the end, and
# how many requests there were by then.
RECEIVER_FAULTS = {
    "reset": ("reset", "ambiguous", "destination", "sent", 2),
    "taken-reset": ("kept-reset", "ambiguous", "destination", "sent", 2),
    "close": ("close", "ambiguous", "destination", "sent", 2),
    "limited": (("status", 429, {"Retry-After": "1"}), "rate_limited", "destination", "sent", 2),
    "500": (("status", 500), "ambiguous", "destination", "sent", 2),
    "503": (("status", 503), "ambiguous", "destination", "sent", 2),
    "302": (("status", 302, {"Location": "/elsewhere"}), "refused", "message", "dead", 1),
    "307": (("status", 307, {"Location": "/elsewhere"}), "refused", "message", "dead", 1),
    "400": (("status", 400), "refused", "message", "dead", 1),
    "401": (("status", 401), "refused", "message", "dead", 1),
    "404": (("status", 404), "refused", "message", "dead", 1),
    "410": (("status", 410), "refused", "destination", "dead", 1),
    "garbage": ("garbage", "sent", "message", "sent", 1),
    "flood": ("flood", "sent", "message", "sent", 1),
}


class Faults(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.receiver.refused, [])

    def judged(self, daemon, text):
        """The record, once an attempt has had an outcome."""

        def judged():
            record = daemon.delivery(text)
            return record if record is not None and record["outcome"] is not None else None

        return self.until(judged, f"{text!r} is judged", daemon, 30)

    def check_end(self, daemon, text, state="sent", outcome="sent", tries=1):
        """The final state, to which no other is added."""
        record = self.until(
            lambda: daemon.delivery(text, status=state), f"{text!r} is {state}", daemon, 30
        )
        self.assertEqual(record["outcome"], outcome, record)
        self.assertEqual(record["attemptCount"], tries, record)
        self.assertIsNone(record["nextAttemptAt"], record)
        return record

    def check_all_sent(self, daemon, chat, count):
        """So many deliveries to the chat, besides the message in which an answer grows, and
        each got through with its first attempt."""

        def ended():
            found = [r for r in daemon.deliveries(limit=200) if r["target"]["chatId"] == chat]
            waiting = [r for r in found if r["status"] not in ("sent", "dead")]
            owed = [r for r in found if r["eventType"] != "slot"]
            return owed if len(owed) >= count and not waiting else None

        owed = self.until(ended, f"all of {chat} has ended", daemon, 30)
        self.assertEqual(len(owed), count, owed)
        for record in owed:
            got = (record["status"], record["outcome"], record["attemptCount"])
            self.assertEqual(got, ("sent", "sent", 1), record)


class ReceiverFaults(Faults):
    def test_table(self):
        """All at once, each in its chat: none holds up another.  What is tried again is held
        there until the outcome of its first attempt has been looked at."""
        daemon = self.daemon(
            webhook_settings(self.receiver, WEBHOOK_DELIVERY_TIMEOUT_MS=120000)
        )
        seen = {name: threading.Event() for name in RECEIVER_FAULTS}
        for name, fault in RECEIVER_FAULTS.items():
            self.receiver.script(fault[0], ("hold", seen[name]), chat=name)
            daemon.say(f"case {name}.", chat=name)
        for name, (_, outcome, scope, _, _) in RECEIVER_FAULTS.items():
            with self.subTest(name):
                record = self.judged(daemon, f"case {name}.")
                seen[name].set()
                self.assertEqual((record["outcome"], record["scope"]), (outcome, scope))
        for name, (_, outcome, _, state, tries) in RECEIVER_FAULTS.items():
            with self.subTest(name):
                last = "sent" if state == "sent" else outcome
                record = self.check_end(daemon, f"case {name}.", state, last, tries)
                requests = self.receiver.tries(name)
                self.assertEqual(len(requests), tries)
                self.assertEqual(len({d.key for d in requests}), 1, "one key")
                shown = self.receiver.texts(name)
                # The receiver of a flood never says that it has taken it.
                taken = state == "sent" and name != "flood"
                self.assertEqual(len(shown), 1 if taken else 0, shown)
                self.assertEqual(record["reason"], None if state == "sent" else "refused")
        wait = self.receiver.tries("limited")
        self.assertGreaterEqual(wait[1].at - wait[0].at, 1.0, "Retry-After is kept")

    def test_no_answer_in_time(self):
        """Whoever says nothing is asked again, under the same key, until they answer."""
        daemon = self.daemon(
            webhook_settings(self.receiver, WEBHOOK_DELIVERY_TIMEOUT_MS=700)
        )
        seen = threading.Event()
        self.receiver.script(*[("hold", seen)] * 20)
        daemon.say("is anybody awake")
        record = self.judged(daemon, "awake")
        seen.set()
        self.assertEqual(
            (record["outcome"], record["scope"]), ("ambiguous", "destination")
        )
        self.until(lambda: daemon.delivery("awake", status="sent"), "sent", daemon, 60)
        requests = self.receiver.tries("chat-1")
        self.assertGreater(len(requests), 1)
        self.assertEqual(len({d.key for d in requests}), 1, "one key")
        self.check_end(daemon, "awake", tries=len(requests))
        self.assertEqual(len(self.receiver.texts("chat-1")), 1)

    def test_reset_on_a_reused_connection(self):
        """A client that repeats a POST by itself would make one request out of two."""
        daemon = self.daemon(webhook_settings(self.receiver))
        daemon.say("opens the connection")
        self.assertTrue(self.receiver.wait_for(lambda r: r.texts("chat-1")))
        self.until(lambda: daemon.delivery("opens", status="sent"), "sent", daemon)
        self.receiver.script("reset")
        daemon.say("meets the reset")
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.tries("chat-1")) == 2), daemon.said()
        )
        self.assertGreater(self.receiver.tries("chat-1")[1].number, 1, "reused")
        record = self.until(
            lambda: daemon.delivery("meets", status="failed"), "failed", daemon
        )
        self.assertEqual(record["outcome"], "ambiguous")
        self.assertEqual(len(self.receiver.tries("chat-1")), 2, "not repeated unasked")
        self.check_end(daemon, "meets", tries=2)
        self.assertEqual(len(self.receiver.tries("chat-1")), 3)

    def test_nobody_listens_at_first(self):
        place = Server()
        place.close()
        settings = webhook_settings(place)
        daemon = self.daemon(settings)
        daemon.say("is anybody there")
        record = self.until(
            lambda: daemon.delivery("anybody", status="failed"), "failed", daemon
        )
        self.assertEqual(
            (record["outcome"], record["scope"]), ("not_dispatched", "destination")
        )
        late = self.peer(Receiver(WEBHOOK_SECRET, port=place.port))
        self.assertTrue(late.wait_for(lambda r: r.texts("chat-1")), daemon.said())
        self.until(lambda: daemon.delivery("anybody", status="sent"), "sent", daemon)
        self.assertEqual(len(late.tries("chat-1")), 1)

    def test_a_lane_waits_and_others_do_not(self):
        """What comes behind a delivery that is tried again does not overtake it."""
        daemon = self.daemon(webhook_settings(self.receiver))
        self.receiver.script(("status", 500), chat="slow")
        for number in range(3):
            daemon.say(f"held {number}", chat="slow")
        for number in range(3):
            daemon.say(f"free {number}", chat="fast")
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts("fast")) == 3), daemon.said()
        )
        self.assertEqual(self.receiver.texts("slow"), [])
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts("slow")) == 3), daemon.said()
        )
        for number, text in enumerate(self.receiver.texts("slow")):
            self.assertIn(f"held {number}", text)
            self.check_end(daemon, f"held {number}", tries=2 if number == 0 else 1)
        self.check_all_sent(daemon, "fast", 3)


class ModelFaults(Faults):
    def setUp(self):
        super().setUp()
        self.model = self.peer(Model(MODEL_KEY))

    def start(self):
        return self.daemon(
            {**webhook_settings(self.receiver), **model_settings(self.model)}
        )

    def await_shown(self, daemon, chat, wanted, seconds=20):
        self.assertTrue(
            self.receiver.wait_for(
                lambda r: any(wanted in text for text in r.texts(chat)), seconds
            ),
            f"{wanted}: {self.receiver.texts(chat)}\n{daemon.said()}",
        )

    def test_trouble_that_passes(self):
        """Asked again until an answer begins; the person sees one answer."""
        daemon = self.start()
        for name, step in (
            ("limited", ("status", 429, {"Retry-After": "1"})),
            ("error", ("status", 500)),
            ("away", ("status", 503)),
        ):
            with self.subTest(name):
                before = len(self.model.prompts)
                self.model.script(step)
                daemon.say(f"question {name}", chat=name)
                self.await_shown(daemon, name, Model.answer(f"question {name}"))
                self.assertEqual(len(self.receiver.texts(name)), 1)
                self.assertEqual(len(self.model.prompts), before + 2)
                self.check_all_sent(daemon, name, 1)

    def test_trouble_that_stays(self):
        """Told once, in words, and the next question is answered."""
        daemon = self.start()
        for name, step in (
            ("denied", ("status", 401)),
            ("unknown", ("status", 404)),
            ("cut", "cut"),
            ("reset", "reset"),
        ):
            with self.subTest(name):
                self.model.script(step)
                daemon.say(f"question {name} with a long tail", chat=name)
                self.await_shown(daemon, name, "⚠")
                daemon.say(f"again {name}", chat=name)
                self.await_shown(daemon, name, f"again {name}")
                told = [t for t in self.receiver.texts(name) if "⚠" in t]
                self.assertEqual(len(told), 1, self.receiver.texts(name))
                # What was said of the first answer, the word about its end, and the second.
                self.check_all_sent(daemon, name, len(self.receiver.texts(name)))

    def test_stall_in_the_middle(self):
        """Silence ends by the daemon's own deadline; what was said stays, and it is told."""
        daemon = self.start()
        self.model.script("stall")
        daemon.say("question stall with a long tail", chat="stalled")
        self.assertTrue(self.model.wait_for(lambda m: m.active == 1))
        daemon.say("meanwhile", chat="other")
        self.await_shown(daemon, "other", Model.answer("meanwhile"))
        self.await_shown(daemon, "stalled", "silent", 100)
        shown = self.receiver.texts("stalled")
        self.assertTrue(Model.answer("question stall with a long tail").startswith(shown[0]))
        self.assertTrue(self.model.wait_for(lambda m: m.active == 0), "it was let go")
        self.check_all_sent(daemon, "stalled", len(shown))
        self.check_all_sent(daemon, "other", 1)


class DiskFaults(Faults):
    """Nothing is acknowledged that is not on the disk, and it recovers by itself."""

    def start(self, error, where="sync", **more):
        """A daemon, and the file that makes its disk fail in that way while it is there."""
        broken = self.directory / "broken"
        extra = {
            **preload("sync_shim.so"),
            "COWGATE_SHIM_FAIL": error,
            "COWGATE_SHIM_FAIL_IN": where,
            "COWGATE_SHIM_FAIL_WHILE": broken,
        }
        daemon = self.daemon(webhook_settings(self.receiver, **more), extra=extra)
        return daemon, broken

    def fault(self, error, where="sync"):
        daemon, broken = self.start(error, where)
        daemon.say("before", event_id="before")
        self.check_end(daemon, "before")

        broken.touch()
        for number in range(5):
            answer = daemon.post(message(f"during {number}", event_id=f"during-{number}"))
            self.assertEqual(answer.status, 503, f"{answer!r}\n{daemon.said()}")
            self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        self.assertEqual(daemon.request("GET", "/health").status, 200, "it lives")
        self.until(
            lambda: daemon.request("GET", "/ready").status == 503, "not ready", daemon
        )
        self.assertEqual(daemon.metric("cowgate_store_healthy"), 0)

        broken.unlink()
        self.until(
            lambda: daemon.request("GET", "/ready").status == 200, "ready", daemon
        )
        for number in range(5):
            daemon.say(f"during {number}", event_id=f"during-{number}")
        daemon.say("after", event_id="after")
        self.check_all_sent(daemon, "chat-1", 7)
        self.check_shown()
        daemon.restart()
        daemon.say("after", event_id="after")
        daemon.say("the end", event_id="end")
        self.check_all_sent(daemon, "chat-1", 8)
        self.check_shown()

    def check_shown(self):
        shown = self.receiver.texts()
        wanted = ["before", *(f"during {n}" for n in range(5)), "after", "the end"]
        for text, want in zip(shown, wanted):
            self.assertIn(want, text, shown)
        self.assertLessEqual(len(shown), len(wanted), shown)

    def test_syncs_fail(self):
        self.fault("EIO")

    def test_writes_fail(self):
        self.fault("EIO", "write")

    def test_disk_is_full_at_a_sync(self):
        self.fault("ENOSPC")

    def test_disk_is_full_at_a_write(self):
        self.fault("ENOSPC", "write")

    def test_disk_is_full_under_a_file(self):
        """A message is stored with its file or not at all."""
        daemon, broken = self.start("ENOSPC", "write")
        spool = daemon.directory / "data" / "spool"
        content = base64.b64encode(bytes(range(256)) * 256).decode()
        letter = message(
            "with a file",
            event_id="file",
            attachments=[{"filename": "all.bin", "bufferBase64": content}],
        )
        broken.touch()
        answer = daemon.post(letter)
        self.assertEqual(answer.status, 503, f"{answer!r}\n{daemon.said()}")
        self.until(lambda: not [p for p in spool.rglob("*") if p.is_file()], "empty", daemon)
        broken.unlink()
        self.until(lambda: daemon.post(letter).status == 202, "it is taken", daemon)
        self.check_all_sent(daemon, "chat-1", 1)
        self.assertIn("65536 bytes", self.receiver.texts("chat-1")[0])

    def test_disk_fails_while_answering(self):
        """Accepted before the fault: answered after it, once."""
        model = self.peer(Model(MODEL_KEY))
        daemon, broken = self.start("EIO", **model_settings(model))
        go = threading.Event()
        model.script(("hold", go))
        daemon.say("hold the line please")
        self.assertTrue(model.wait_for(lambda m: m.active == 1), daemon.said())
        broken.touch()
        go.set()
        self.assertTrue(model.wait_for(lambda m: m.active == 0))
        self.until(
            lambda: daemon.post(message("x")).status == 503, "the fault is felt", daemon
        )
        broken.unlink()
        whole = Model.answer("hold the line please")
        self.assertTrue(
            self.receiver.wait_for(lambda r: whole in r.texts("chat-1"), 30),
            f"{self.receiver.texts()}\n{daemon.said()}",
        )
        self.assertEqual(self.receiver.texts("chat-1").count(whole), 1)
        self.until(lambda: daemon.delivery("hold", status="sent"), "sent", daemon)

    def test_slow_card(self):
        """40 ms a sync, as a cheap SD card has it: commits are shared, everybody is served."""
        counter = SyncCounter(self.directory)
        self.addCleanup(counter.close)
        extra = {
            **preload("sync_shim.so"),
            "COWGATE_SHIM_DELAY_US": 40000,
            "COWGATE_SHIM_COUNT": counter.path,
        }
        daemon = self.daemon(webhook_settings(self.receiver), extra=extra)
        before = counter.value()
        begun = time.monotonic()
        senders = [
            threading.Thread(target=daemon.say, args=(f"message {n}",), kwargs={"chat": f"c{n}"})
            for n in range(40)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(60)
        self.assertTrue(
            self.receiver.wait_for(lambda r: len(r.texts()) == 40, 60), daemon.said()
        )
        syncs = counter.value() - before
        for number in range(40):
            self.check_all_sent(daemon, f"c{number}", 1)
        # Alone, a message takes at least six commits from its way in to its receipt.
        self.assertLess(syncs, 40 * 6, f"{syncs} in {time.monotonic() - begun:.1f} s")
        self.assertGreater(syncs, 6)


if __name__ == "__main__":
    unittest.main()
