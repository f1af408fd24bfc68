# SPDX-License-Identifier: Apache-2.0
"""What operators and their scripts do: say something once, ask for a message's story, let the
dead go again, stop a channel for a while."""
import json
import subprocess

from tests.peers.receiver import Receiver
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    PROGRAM,
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    telegram_settings,
    webhook_settings,
)


class Work(Scenario):
    def run_json(self, gateway, *arguments, code=0):
        done = gateway.cli(*arguments, "--json")
        self.assertEqual(done.returncode, code, done)
        return json.loads(done.stdout) if code == 0 else done.stderr.decode()

    def gateway(self, **more):
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        self.telegram.private(77)
        gateway = self.daemon(telegram_settings(self.telegram, **more))
        return gateway

    def test_a_key_is_said_once(self):
        gateway = self.gateway()
        send = ("send", "--to", "telegram:77", "--idempotency-key", "backup 1")
        first = self.run_json(gateway, *send, "the backup is **done**")
        self.assertFalse(first["repeated"])
        self.assertTrue(self.telegram.wait_for(lambda t: t.texts(77)))
        again = self.run_json(gateway, *send, "the backup is **done**")
        self.assertTrue(again["repeated"])
        self.assertEqual(again["deliveryId"], first["deliveryId"])
        error = self.run_json(gateway, *send, "another text", code=1)
        self.assertIn("another message", error)
        error = self.run_json(
            gateway,
            *("send", "--to", "telegram:78", "--idempotency-key", "backup 1"),
            "the backup is **done**",
            code=1,
        )
        self.assertIn("another message", error)
        gateway.restart()
        self.assertTrue(self.run_json(gateway, *send, "the backup is **done**")["repeated"])
        self.assertEqual(self.telegram.texts(77), ["the backup is done"])

    def test_a_long_text_is_split_and_still_one_key(self):
        gateway = self.gateway(TELEGRAM_RATE_PERCENT="100000")
        text = "\n\n".join(f"paragraph {i} " + "x" * 500 for i in range(20))
        for repeated in (False, True):
            done = subprocess.run(
                [str(PROGRAM), "send", "--to", "telegram:77", "--json"]
                + ["--idempotency-key", "long", "-"],
                env=gateway.environment(),
                input=(text + "\n").encode(),
                capture_output=True,
                timeout=60,
                check=False,
            )
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(json.loads(done.stdout)["repeated"], repeated)
        self.assertTrue(self.telegram.wait_for(lambda t: len(t.texts(77)) >= 3))
        self.assertIn("paragraph 19", self.telegram.texts(77)[-1])

    def test_what_cannot_be_said(self):
        gateway = self.gateway()
        self.assertIn("no such channel", self.run_json(gateway, "send", "--to", "x:1", "t", code=1))
        for arguments in (("--to", "telegram", "t"), ("t",), ("--to", "telegram:77")):
            self.assertEqual(gateway.cli("send", *arguments).returncode, 2, arguments)
        self.assertEqual(gateway.cli("send", "--to", "telegram:77", " ").returncode, 1)
        for body in (b"", b"[]", b"{", b'{"provider":"telegram"}'):
            answer = gateway.operator("/deliveries", "POST", body)
            self.assertEqual(answer.status, 400, body)
        self.assertEqual(gateway.request("POST", "/deliveries", b"{}").status, 401)
        self.assertEqual(gateway.request("GET", "/explain/x").status, 401)
        self.assertEqual(gateway.request("POST", "/channels/telegram/pause").status, 401)
        self.assertEqual(gateway.request("POST", "/deliveries/recover", b"{}").status, 401)

    def test_the_story_of_a_message_both_ways(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        gateway = self.daemon(webhook_settings(receiver))
        gateway.say("tell me", event_id="event-1")
        self.until(lambda: gateway.deliveries(status="sent"), "it answers", gateway)
        story = self.run_json(gateway, "explain", "event-1")
        self.assertEqual(len(story["inbound"]), 1)
        came = story["inbound"][0]
        self.assertEqual(came["state"], "handed")
        self.assertIn("stored durably", came["steps"][0]["text"])
        self.assertTrue(came["answers"])
        answer = self.run_json(gateway, "explain", came["answers"][-1]["deliveryId"])
        went = answer["outbound"][0]
        self.assertEqual(went["delivery"]["state"], "sent")
        self.assertEqual(went["next"], "nothing")
        text = gateway.cli("explain", "event-1").stdout.decode()
        self.assertIn("It came in over webhook as event-1, and is handed.", text)
        self.assertIn("nothing is known", self.run_json(gateway, "explain", "e/ é", code=1))

    def test_the_log_and_the_story_name_the_same(self):
        """At the level of every day: one line for each message, each way, and no word of it."""
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        gateway = self.daemon({**webhook_settings(receiver), "LOG_LEVEL": "info"})
        receiver.script(("status", 410), chat="lost")
        for event, chat in (("event-1", "chat-1"), ("event-2", "chat-1"), ("event-3", "lost")):
            gateway.say("something confidential", event_id=event, chat=chat)
        lines = lambda start: [
            dict(pair.split("=", 1) for pair in line.split(start, 1)[1].split())
            for line in gateway.said().splitlines() if start in line]
        self.until(lambda: len(lines(" delivery.dead ")) == 1, "one is given up", gateway)
        self.until(lambda: len(lines(" message.handed ")) == 3, "all are over", gateway)
        handed = lines("info message.handed ")
        self.assertEqual(sorted(line["event"] for line in handed), ["event-1", "event-2", "event-3"])
        self.assertEqual({line["as"] for line in handed}, {"prompt"})
        for event in ("event-1", "event-2"):
            came = self.run_json(gateway, "explain", event)["inbound"][0]
            self.assertEqual(came["state"], "handed")
        sent = lambda: [line["delivery"] for line in lines("info delivery.sent ")]
        stored = {record["deliveryId"] for record in gateway.deliveries(status="sent")}
        self.until(lambda: set(sent()) >= stored, "a line for each", gateway)
        self.assertEqual(len(sent()), len(set(sent())))
        for delivery in sent() + [lines("error delivery.dead ")[0]["delivery"]]:
            self.assertEqual(len(self.run_json(gateway, "explain", delivery)["outbound"]), 1)
        for word in ("confidential", "chat-1", "lost"):
            self.assertNotIn(word, gateway.said())

    def test_a_paused_channel_stays_so_and_loses_nothing(self):
        gateway = self.gateway()
        self.run_json(gateway, "channels", "pause", "telegram")
        channels = self.run_json(gateway, "channels", "list")["channels"]
        self.assertEqual(channels[0]["state"], "stopped")
        said = self.run_json(gateway, "send", "--to", "telegram:77", "later")["deliveryId"]
        self.telegram.say(77, "are you paused?")
        gateway.restart()
        self.assertEqual(
            self.run_json(gateway, "channels", "list")["channels"][0]["state"], "stopped"
        )
        story = self.run_json(gateway, "explain", said)["outbound"][0]
        self.assertEqual(story["delivery"]["state"], "pending")
        self.assertIn("as soon as its channel can send", story["next"])
        self.assertEqual(self.telegram.texts(77), [])
        self.run_json(gateway, "channels", "resume", "telegram")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: "later" in t.texts(77) and any("are you paused?" in x for x in t.texts(77))
            ),
            gateway.said(),
        )
        self.assertIn(
            "no such channel", self.run_json(gateway, "channels", "pause", "nobody", code=1)
        )
        self.assertEqual(gateway.cli("channels", "explode").returncode, 2)

    def test_the_dead_go_again(self):
        gateway = self.gateway()
        self.run_json(gateway, "channels", "pause", "telegram")
        ids = [
            self.run_json(gateway, "send", "--to", "telegram:77", f"number {i}")["deliveryId"]
            for i in range(3)
        ]
        for one in ids:
            self.assertEqual(gateway.cli("deliveries", "dead-letter", one).returncode, 0)
        self.assertIn(
            "given up", self.run_json(gateway, "explain", ids[0])["outbound"][0]["now"]
        )
        recover = ("deliveries", "recover", "--since", "1h")
        dry = self.run_json(gateway, *recover, "--dry-run")["deliveries"]
        self.assertEqual({one["deliveryId"] for one in dry}, set(ids))
        self.assertEqual({one["state"] for one in dry}, {"dead"})
        self.assertEqual(len(gateway.deliveries(status="dead")), 3)
        other = self.run_json(gateway, *recover, "--channel", "webhook")["deliveries"]
        self.assertEqual(other, [])
        late = ("deliveries", "recover", "--since", "2099-01-01T00:00:00Z")
        self.assertEqual(self.run_json(gateway, *late)["deliveries"], [])
        self.assertEqual(len(self.run_json(gateway, *recover)["deliveries"]), 3)
        self.run_json(gateway, "channels", "resume", "telegram")
        self.assertTrue(self.telegram.wait_for(lambda t: len(t.texts(77)) == 3))
        self.assertEqual(self.telegram.texts(77), [f"number {i}" for i in range(3)])
        for since in ("", "x", "5", "5y", "-5m"):
            done = gateway.cli("deliveries", "recover", "--since", since)
            self.assertEqual(done.returncode, 2, since)
