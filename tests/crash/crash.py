# SPDX-License-Identifier: Apache-2.0
"""Kill the daemon at every commit, at random, and by taking its power away; then look for loss.

The rules that hold whatever happens:
  - a message that was accepted (202, or confirmed to Telegram) is answered;
  - nobody sees an answer twice, unless the second one says that it may be a repeat;
  - within a chat the answers come in the order of the messages.
The beginning of an answer that was growing when the daemon died may stay beside the whole one.

    python3 -m tests.crash.crash            bounded, for CI
    python3 -m tests.crash.crash --long     1,000 random kills, 300 random power cuts
    COWGATE_CRASH_SEED=n                    the same random choices again
"""
import http.client
import os
import random
import re
import signal
import sys
import threading
import time
import unittest

from tests.peers.model import Model
from tests.peers.receiver import Receiver, message
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    MODEL_KEY,
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    SyncCounter,
    eventually,
    model_settings,
    preload,
    telegram_settings,
    webhook_settings,
)

LABEL = "♻ This may be a repeat:\n"
LOST = "The answer was lost"
UNARMED = 1 << 40  # no sync has this number
SETTLE = 30  # seconds for everything accepted to be answered
ID = re.compile(r"<(\d+)> of ")


class Chat:
    """What one person said, in order, and what they see."""

    def __init__(self, name, shown):
        self.name = name
        self.shown = shown  # () -> texts, in order
        self.said = []
        self.accepted = set()

    def new_text(self):
        text = f"message <{len(self.said)}> of {self.name}"
        self.said.append(text)
        return text

    def whole(self):
        """(number, text) of every whole answer, in order."""
        return [
            (int(ID.search(text).group(1)), text)
            for text in self.shown()
            if ID.search(text) and text.endswith(self.name)
        ]

    def visible(self):
        return {number for number, _ in self.whole()}

    def missing(self):
        visible = self.visible()
        lost = sum(1 for text in self.shown() if LOST in text)
        missing = [n for n in sorted(self.accepted) if n not in visible]
        return missing if len(missing) > lost else []

    def repeats(self):
        return sum(text.startswith(LABEL) for _, text in self.whole())

    def wrongs(self):
        """What breaks a rule, in words."""
        wrongs = []
        order = []
        for number, text in self.whole():
            if number not in order:
                order.append(number)
            elif not text.startswith(LABEL):
                wrongs.append(f"{self.name}: a second {text!r} without a label")
        if order != sorted(order):
            wrongs.append(f"{self.name}: out of order: {order}")
        wrongs += [f"{self.name}: <{number}> was lost" for number in self.missing()]
        return wrongs


class CrashCase(Scenario):
    """A daemon that is killed, and the tally of what became of the messages."""

    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("COWGATE_CRASH_SEED", random.randrange(1 << 32)))
        self.random = random.Random(seed)
        self.seed = seed
        self.chats = []
        self.deaths = 0
        self.receiver = None
        self.telegram = None

    def webhook(self):
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        return webhook_settings(self.receiver)

    def bot(self):
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        return telegram_settings(
            # Killing is tried here, not the pace that Telegram asks for.
            self.telegram, TELEGRAM_RATE_PERCENT=1000)

    def webhook_chat(self, name):
        chat = Chat(name, lambda: self.receiver.texts(name))
        self.chats.append(chat)
        return chat

    def telegram_chat(self, user):
        self.telegram.private(user)
        chat = Chat(f"user {user}", lambda: self.telegram.texts(user))
        chat.user = user
        self.chats.append(chat)
        return chat

    def post(self, daemon, chat, text):
        """Once; True when it was accepted."""
        number = int(ID.search(text).group(1))
        body = message(text, chat=chat.name, event_id=f"{chat.name}-{number}")
        try:
            answer = daemon.post(body)
        except (OSError, http.client.HTTPException, TypeError):
            return False  # it died, or is not there (no port yet)
        if answer.status == 202:
            chat.accepted.add(number)
            return True
        self.assertEqual(answer.status, 503, f"{answer!r}\n{daemon.said()[-4000:]}")
        return False

    def say(self, chat, text):
        """At Telegram, which keeps it until it is confirmed."""
        self.telegram.say(chat.user, text)
        chat.accepted.add(int(ID.search(text).group(1)))

    def settle(self, daemon):
        """All is answered, or it never will be."""
        eventually(lambda: not any(chat.missing() for chat in self.chats), SETTLE)
        eventually(
            lambda: daemon.metric("cowgate_outbox_pending") == 0
            and daemon.metric("cowgate_inbox_pending") == 0,
            SETTLE,
        )

    def judge(self, daemon, what):
        wrongs = [wrong for chat in self.chats for wrong in chat.wrongs()]
        said = sum(len(chat.said) for chat in self.chats)
        repeats = sum(chat.repeats() for chat in self.chats)
        sys.stderr.write(
            f"{what}: {self.deaths} deaths, {said} messages, "
            f"{repeats} labelled repeats, {len(wrongs)} wrongs (seed {self.seed})\n"
        )
        self.assertEqual(wrongs, [], daemon.said()[-8000:])
        # A slot of which nobody knows whether it arrived is not sent again: its final is.
        dead = [
            record
            for record in daemon.deliveries(status="dead", limit=200)
            if not record["deliveryId"].endswith(":slot")
        ]
        self.assertEqual(dead, [])
        self.assertEqual(daemon.metric("cowgate_inbox_dead"), 0)
        if self.telegram is not None:
            self.assertEqual(self.telegram.mistakes, [])
        if self.receiver is not None:
            self.assertEqual(self.receiver.refused, [])


class EveryCommit(CrashCase):
    """SIGKILL instead of, and right behind, each sync between a message and its receipt."""

    def sweep(self, settings, step, what, words=("BEFORE", "AFTER")):
        counter = SyncCounter(self.directory)
        self.addCleanup(counter.close)
        shim = {**preload("sync_shim.so"), "COWGATE_SHIM_COUNT": counter.path}
        daemon = self.daemon(settings, start=False)
        reached = 0
        for word in words:
            number = 0
            while True:
                number += 1
                counter.set(UNARMED)
                daemon.start({**shim, f"COWGATE_SHIM_KILL_{word}": number})
                counter.set(0)
                died = step(daemon)
                if not died:
                    counter.set(UNARMED)
                    break
                self.deaths += 1
                reached += 1
                self.assertLess(number, 200, "the syncs of a message have an end")
            if word != words[-1]:
                daemon.kill()
        self.settle(daemon)
        self.judge(daemon, what)
        self.assertGreaterEqual(reached, 8, "a message takes several commits")

    def finish(self, daemon, chat, repeat):
        """Wait for the end of a message or of the daemon; then see to it that it is answered.
        True when the daemon died on the way."""
        quiet = lambda: (  # the answer is there and nothing more is written about it
            not chat.missing()
            and len(chat.accepted) == len(chat.said)
            and self.is_quiet(daemon)
        )
        eventually(lambda: not daemon.is_running() or quiet(), SETTLE)
        eventually(lambda: not daemon.is_running(), 0.3)  # small things are written later
        if daemon.is_running():
            return False
        daemon.await_death()
        daemon.start()
        repeat()
        eventually(lambda: not chat.missing(), SETTLE)
        self.assertEqual(chat.missing(), [], daemon.said()[-8000:])
        daemon.kill()
        self.deaths += 1
        return True

    @staticmethod
    def is_quiet(daemon):
        try:
            return (
                daemon.metric("cowgate_outbox_pending") == 0
                and daemon.metric("cowgate_inbox_pending") == 0
            )
        except (OSError, http.client.HTTPException):
            return False

    def test_webhook(self):
        settings = self.webhook()
        chat = self.webhook_chat("room")

        def step(daemon):
            text = chat.new_text()
            accepted = self.post(daemon, chat, text)

            def repeat():
                """As a platform does that was not told 202, and a careful one that was."""
                self.assertTrue(self.post(daemon, chat, text), daemon.said()[-4000:])

            if not accepted:
                self.assertTrue(daemon.await_death(), "not accepted, so it died")
                daemon.start()
                repeat()
                eventually(lambda: not chat.missing(), SETTLE)
                daemon.kill()
                self.deaths += 1
                return True
            return self.finish(daemon, chat, repeat)

        self.sweep(settings, step, "webhook, every commit")

    def telegram_step(self):
        chat = self.telegram_chat(8001)

        def step(daemon):
            self.say(chat, chat.new_text())
            return self.finish(daemon, chat, lambda: None)

        return step

    def test_telegram(self):
        settings = self.bot()
        self.sweep(settings, self.telegram_step(), "telegram, every commit")

    def test_streamed(self):
        """An answer that grows by edits takes more commits: its slot, its receipt, its final."""
        model = self.peer(Model(MODEL_KEY))
        model.pause = 0.15
        settings = {**self.bot(), **model_settings(model)}
        self.sweep(settings, self.telegram_step(), "streamed, every commit", ("BEFORE",))


class Load(CrashCase):
    """People who go on talking while the daemon comes and goes."""

    def talk(self, daemon, chat, gap):
        """One after the other; each until it is accepted."""
        while not self.enough.is_set():
            text = chat.new_text()
            while not self.post(daemon, chat, text):
                if self.stop_repeating.wait(0.02):
                    return
            self.enough.wait(gap)

    def say_often(self, chat, gap):
        while not self.enough.is_set():
            self.say(chat, chat.new_text())
            self.enough.wait(gap)

    def run_load(self, what, end, extra=None, rounds=None, seconds=None):
        """end(daemon) kills it; in each round once."""
        settings = {**self.webhook(), **self.bot()}
        daemon = self.daemon(settings, start=False)
        self.enough = threading.Event()
        self.stop_repeating = threading.Event()
        talkers = [
            threading.Thread(
                target=self.talk, args=(daemon, self.webhook_chat(f"room{n}"), 0.05)
            )
            for n in range(4)
        ] + [
            threading.Thread(target=self.say_often, args=(self.telegram_chat(9000 + n), 0.2))
            for n in range(2)
        ]
        for talker in talkers:
            talker.start()
        try:
            self.kill_often(daemon, end, extra, rounds, seconds)
        finally:
            self.enough.set()
        try:
            daemon.start()
            for talker in talkers:
                talker.join(SETTLE)
        finally:
            self.stop_repeating.set()
        self.settle(daemon)
        self.judge(daemon, what)

    def kill_often(self, daemon, end, extra, rounds, seconds):
        finish = time.monotonic() + seconds if seconds is not None else None
        while True:
            if rounds is not None and self.deaths >= rounds:
                return
            if finish is not None and time.monotonic() >= finish:
                return
            if self.random.random() < 0.15:  # also while it starts
                daemon.spawn(extra(self.random) if extra else None)
                time.sleep(self.random.uniform(0, 0.1))
            else:
                daemon.start(extra(self.random) if extra else None)
                time.sleep(self.random.uniform(0.02, 0.8))
            end(daemon)
            self.deaths += 1


LONG = "--long" in sys.argv or os.environ.get("COWGATE_LONG") == "1"
CI_SECONDS = float(os.environ.get("COWGATE_CRASH_SECONDS", "40"))


class RandomKills(Load):
    def test_random_kills(self):
        self.run_load(
            "random kills",
            lambda daemon: daemon.kill(),
            rounds=1000 if LONG else None,
            seconds=None if LONG else CI_SECONDS,
        )


class PowerCuts(Load):
    """The disk loses what was not synced, or keeps a random half of it."""

    def power(self, rng):
        return {
            **preload("power_shim.so"),
            "COWGATE_POWER_TEAR": rng.randrange(2),
            "COWGATE_POWER_SEED": rng.randrange(1 << 31),
        }

    def test_at_each_sync(self):
        """One message after the other, the power going at each sync on its way."""
        settings = self.webhook()
        chat = self.webhook_chat("room")
        daemon = self.daemon(settings, start=False)
        last = 120 if LONG else 36
        for number in range(1, last + 1):
            extra = {**self.power(self.random), "COWGATE_POWER_CUT_AT": number}
            daemon.spawn(extra)
            text = chat.new_text()
            accepted = False
            while not accepted and daemon.is_running():
                accepted = self.post(daemon, chat, text)
            eventually(lambda: not daemon.is_running() or not chat.missing(), SETTLE)
            if daemon.is_running():  # it needed fewer: the power goes now
                daemon.kill(signal.SIGUSR2)
            else:
                daemon.await_death()
            self.deaths += 1
            daemon.start(self.power(self.random))
            self.assertTrue(self.post(daemon, chat, text), daemon.said()[-4000:])
            eventually(lambda: not chat.missing(), SETTLE)
            self.assertEqual(chat.missing(), [], daemon.said()[-8000:])
            daemon.kill(signal.SIGUSR2)
            self.deaths += 1
        daemon.start()
        self.settle(daemon)
        self.judge(daemon, "power cuts, each sync")

    def test_random_cuts(self):
        self.run_load(
            "random power cuts",
            lambda daemon: daemon.kill(signal.SIGUSR2),
            extra=self.power,
            rounds=300 if LONG else None,
            seconds=None if LONG else CI_SECONDS / 2,
        )


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--long"]
    unittest.main()
