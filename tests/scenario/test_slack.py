# SPDX-License-Identifier: Apache-2.0
"""A person at Slack: against an emulator that refuses what the real one refuses."""
import threading
import time
import unittest

from tests.peers.model import Model
from tests.peers.slack import ALL_SCOPES, Slack, flatten
from tests.scenario.daemon import (
    MODEL_KEY,
    ROOT,
    SLACK_SECRET,
    SLACK_TOKEN,
    Scenario,
    model_settings,
    slack_settings,
)

LABEL = "♻ This may be a repeat:\n"


class SlackCase(Scenario):
    def setUp(self):
        super().setUp()
        self.slack = self.peer(Slack(SLACK_TOKEN, SLACK_SECRET))
        self.dm = self.slack.direct("D1")
        self.room = self.slack.channel("C1")

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.slack.mistakes, [])

    def up(self, settings=None, greeted=True, **more):
        """A daemon that knows who it is, unless the Web API is not to answer."""
        daemon = self.daemon(slack_settings(self.slack, **(settings or {}), **more))
        self.slack.port_of_app = daemon.port
        if greeted:
            self.until(lambda: "this is the app @cowgate" in daemon.said(), "up", daemon)
        return daemon

    def again(self, daemon):
        daemon.start()
        self.slack.port_of_app = daemon.port

    def await_text(self, daemon, wanted, channel=None, thread=None, seconds=30):
        channel = self.dm if channel is None else channel
        self.assertTrue(
            self.slack.wait_for(lambda s: wanted in s.texts(channel, thread), seconds),
            f"{wanted!r}: {self.slack.texts(channel, thread)}\n{daemon.said()}",
        )


class SlackManual(unittest.TestCase):
    def test_its_manifest_asks_for_all_that_is_used(self):
        manual = (ROOT / "docs/channels/slack.md").read_text()
        manifest = manual.split("```yaml")[1].split("```")[0]
        scopes = manifest.split("scopes:")[1].split("settings:")[0]
        self.assertLessEqual(
            ALL_SCOPES, {line.strip()[2:] for line in scopes.splitlines()}
        )


class SlackEcho(SlackCase):
    def test_there_and_back(self):
        daemon = self.up()
        self.assertTrue(self.slack.verify())
        self.slack.say("U1", "Grüße 😀 &lt;b&gt; &amp; *x* <!here>", self.dm)
        self.await_text(daemon, "Grüße 😀 <b> & x @here")
        self.assertEqual(self.slack.counted("auth.test"), 1)
        self.assertEqual(self.slack.counted("users.info"), 1)
        for status, _, seconds in self.slack.answers:
            self.assertEqual(status, 200)
            self.assertLess(seconds, 3)

    def test_a_mention_is_answered_once_in_its_thread(self):
        daemon = self.up()
        self.slack.say("U1", "among people", self.room)
        ts = self.slack.say("U1", "<@UBOT> hello there", self.room)
        self.await_text(daemon, "@cowgate hello there", self.room, ts)
        # The thread is ours now: no mention is needed, also after a restart.
        self.slack.say("U1", "and more", self.room, ts)
        self.await_text(daemon, "and more", self.room, ts)
        daemon.stop()
        self.again(daemon)
        self.slack.say("U2", "and still", self.room, ts)
        self.await_text(daemon, "and still", self.room, ts)
        self.slack.say("U2", "<@U1> what do you think", self.room, ts)
        self.slack.say("U1", "the end", self.dm)
        self.await_text(daemon, "the end")
        self.assertEqual(
            self.slack.texts(self.room, ts),
            ["@cowgate hello there", "and more", "and still"],
        )
        self.assertEqual(self.slack.texts(self.room), [])

    def test_a_repeat_is_harmless(self):
        daemon = self.up()
        event = {
            "type": "message",
            "channel": self.dm,
            "channel_type": "im",
            "user": "U1",
            "ts": "1700000000.000100",
            "text": "once",
        }
        for _ in range(3):
            self.assertTrue(self.slack.deliver(event, "Ev1"))
        daemon.stop()
        self.again(daemon)
        self.assertTrue(self.slack.deliver(event, "Ev1"))
        self.slack.say("U1", "twice", self.dm)
        self.await_text(daemon, "twice")
        self.assertEqual(self.slack.texts(self.dm), ["once", "twice"])

    def test_forged_requests(self):
        daemon = self.up()
        body = {"type": "url_verification", "challenge": "x"}
        self.assertEqual(self.slack.post(body, secret="another")[0], 401)
        now = int(time.time())
        self.assertEqual(self.slack.post(body, stamp=now - 400)[0], 401)
        self.assertEqual(self.slack.post(body, stamp=now + 400)[0], 401)
        self.assertEqual(self.slack.post(body)[0], 200)
        self.assertTrue(daemon.is_running())

    def test_noise_is_passed_over(self):
        daemon = self.up()
        at = {"channel": self.dm, "channel_type": "im", "ts": "1.1"}
        for event in (
            {"type": "message", "subtype": "bot_message", "text": "x", **at},
            {"type": "message", "user": "U9", "bot_id": "B9", "text": "x", **at},
            {"type": "message", "user": "UBOT", "text": "x", **at},
            {"type": "message", "subtype": "message_changed", "hidden": True, **at},
            {"type": "message", "subtype": "channel_join", "user": "U1", "text": "j", **at},
            {"type": "message", "user": "U1", "text": "  ", **at},
            {"type": "reaction_added", "user": "U1"},
            {"type": "something_new", "a": [1, {"b": None}]},
        ):
            self.assertTrue(self.slack.deliver(event), event)
        self.slack.say("U1", "after all that", self.dm)
        self.await_text(daemon, "after all that")
        self.assertEqual(self.slack.texts(self.dm), ["after all that"])

    def test_slash_commands(self):
        daemon = self.up()
        self.slack.command("U1", self.dm, "")
        self.assertTrue(
            self.slack.wait_for(lambda s: any("/new" in t for t in s.texts(self.dm))),
            daemon.said(),
        )
        self.slack.command("U1", self.dm, "say this out loud")
        self.await_text(daemon, "say this out loud")

    def test_a_long_text_in_parts(self):
        daemon = self.up()
        words = [f"w{n:04}&amp;😀" for n in range(900)]
        self.slack.say("U1", " ".join(words), self.dm)
        self.assertTrue(
            self.slack.wait_for(lambda s: "w0899" in "".join(s.texts(self.dm)), 60),
            daemon.said(),
        )
        shown = self.slack.texts(self.dm)
        self.assertGreater(len(shown), 2)
        self.assertEqual(
            " ".join(shown).split(), [word.replace("&amp;", "&") for word in words]
        )

    def test_other_channels_are_left_alone(self):
        daemon = self.up(SLACK_ALLOWED_CHANNELS="C7", SLACK_RESPOND_IN_CHANNELS="all")
        seven = self.slack.channel("C7")
        self.slack.say("U1", "<@UBOT> not here", self.room)
        ts = self.slack.say("U1", "but here", seven)
        self.await_text(daemon, "but here", seven, ts)
        self.assertEqual(self.slack.sent(self.room), [])


class SlackFaults(SlackCase):
    def send(self, *steps):
        daemon = self.up()
        self.slack.script("chat.postMessage", *steps)
        self.slack.say("U1", "message", self.dm)
        return daemon

    def test_patience_is_had(self):
        for step in (("status", 429, 1), ("error", "ratelimited")):
            daemon = self.send(step)
            self.await_text(daemon, "message", seconds=60)
            self.assertEqual(self.slack.texts(self.dm).count("message"), 1)
            daemon.stop()
            self.slack.messages.clear()

    def test_what_arrived_unanswered_is_found_again(self):
        """The answer is lost behind the message: asked for, found, and not sent twice."""
        for step in ("done-lost", "done-reset"):
            daemon = self.send(step)
            self.await_text(daemon, "message")
            self.until(
                lambda: daemon.delivery("message", status="sent"), "sent", daemon, 60
            )
            self.slack.say("U1", "the next", self.dm)
            self.await_text(daemon, "the next")
            self.assertEqual(self.slack.texts(self.dm), ["message", "the next"])
            daemon.stop()
            self.slack.messages.clear()

    def test_what_never_arrived_is_sent_once_more_without_a_label(self):
        daemon = self.send("lost")
        self.await_text(daemon, "message", seconds=60)
        self.assertEqual(self.slack.texts(self.dm), ["message"])

    def killed_among_five_parts(self, step):
        """Killed while the third is on its way: each part is there once, in order."""
        daemon = self.up()
        words = [f"w{n:04}" for n in range(2300)]
        self.slack.script("chat.postMessage", "ok", "ok", step)
        self.slack.say("U1", " ".join(words), self.dm)
        self.assertTrue(
            self.slack.wait_for(lambda s: s.counted("chat.postMessage") == 3),
            daemon.said(),
        )
        daemon.kill()
        self.again(daemon)
        self.assertTrue(
            self.slack.wait_for(lambda s: words[-1] in "".join(s.texts(self.dm)), 60),
            daemon.said(),
        )
        shown = self.slack.texts(self.dm)
        self.assertEqual(len(shown), 5)
        self.assertEqual(" ".join(shown).split(), words)

    def test_killed_before_the_third_of_five_parts_arrived(self):
        self.killed_among_five_parts("hang")

    def test_killed_after_the_third_of_five_parts_arrived(self):
        self.killed_among_five_parts("done-hang")

    def test_without_the_scope_the_repeat_is_labelled(self):
        self.slack.scopes = ALL_SCOPES - {"channels:history"}
        daemon = self.send("done-lost")
        self.await_text(daemon, LABEL + "message", seconds=60)
        self.assertEqual(len(self.slack.texts(self.dm)), 2)

    def test_a_channel_that_refuses(self):
        daemon = self.up()
        ts = self.slack.say("U1", "<@UBOT> hi", self.room)
        self.await_text(daemon, "@cowgate hi", self.room, ts)
        self.slack.channels[self.room]["archived"] = True
        self.slack.say("U1", "gone", self.room, ts)
        record = self.until(
            lambda: daemon.delivery("gone", status="dead"), "dead", daemon
        )
        self.assertEqual(record["outcome"], "refused")
        self.slack.say("U1", "others live", self.dm)
        self.await_text(daemon, "others live")

    def test_a_revoked_token(self):
        daemon = self.up()
        self.slack.say("U1", "first", self.dm)
        self.await_text(daemon, "first")
        self.slack.revoked = True
        self.slack.say("U1", "kept", self.dm)
        self.until(lambda: "token_revoked" in daemon.said(), "told", daemon)
        self.slack.revoked = False
        self.assertEqual(daemon.stop(), 0)
        self.again(daemon)
        self.await_text(daemon, "kept", seconds=60)
        self.assertEqual(self.slack.texts(self.dm), ["first", "kept"])

    def test_the_way_in_needs_no_way_out(self):
        """The Web API is away: what people write is kept."""
        self.slack.script("auth.test", *["html"] * 50)
        self.slack.script("users.info", "html", "html")
        daemon = self.up(greeted=False)
        ts = self.slack.say("U1", "<@UBOT> are you there", self.room)
        self.await_text(daemon, "@UBOT are you there", self.room, ts)


class SlackModel(SlackCase):
    def setUp(self):
        super().setUp()
        self.model = self.peer(Model(MODEL_KEY))
        self.settings = model_settings(self.model)

    def test_one_message_that_grows(self):
        daemon = self.up(self.settings)
        self.model.script(("slow", 0.6))
        self.slack.say("U1", "id-5 count slowly to the very end please", self.dm)
        whole = Model.answer("id-5 count slowly to the very end please")
        self.await_text(daemon, whole, seconds=60)
        sent = self.slack.sent(self.dm)
        self.assertEqual(len(sent), 1)
        self.assertGreaterEqual(len(sent[0].history), 3, sent[0].history)
        for text in sent[0].history:
            self.assertTrue(whole.startswith(text), sent[0].history)

    def test_formatting_becomes_rich_text(self):
        daemon = self.up(self.settings)
        self.model.script(
            (
                "text",
                "Hello **bold** `co<de` [a link](https://example.org/x?a=1&b=2) <!channel> "
                "<@U1>\n\n> quoted *em*\n\n```c\nint a = 1 < 2 && 3;\n```\n\n- one\n- two\n",
            )
        )
        self.slack.say("U1", "format", self.dm)
        self.assertTrue(self.slack.wait_for(lambda s: s.texts(self.dm)), daemon.said())
        message = self.slack.sent(self.dm)[-1]
        blocks = message.content["blocks"][0]["elements"]
        self.assertEqual(
            [part["type"] for part in blocks],
            [
                "rich_text_section",
                "rich_text_quote",
                "rich_text_preformatted",
                "rich_text_section",
            ],
        )
        first = blocks[0]["elements"]
        self.assertIn(
            {"type": "text", "text": "bold", "style": {"bold": True}}, first
        )
        self.assertIn({"type": "text", "text": "co<de", "style": {"code": True}}, first)
        self.assertIn(
            {
                "type": "link",
                "url": "https://example.org/x?a=1&b=2",
                "text": "a link",
            },
            first,
        )
        self.assertIn("<!channel>", flatten(blocks[:1]))
        self.assertEqual(flatten(blocks[2:3]), "int a = 1 < 2 && 3;")
        self.assertIn("&lt;!channel&gt; &lt;@U1&gt;", message.content["text"])

    def restart_in_the_middle(self, end):
        daemon = self.up(self.settings)
        never = threading.Event()
        self.model.script(("hold", never, 0.4))
        self.slack.say("U1", "id-6 tell me everything there is", self.dm)
        self.assertTrue(self.slack.wait_for(lambda s: s.texts(self.dm)), daemon.said())
        self.until(lambda: daemon.deliveries(status="sent"), "it has its receipt", daemon)
        end(daemon)
        self.again(daemon)
        whole = Model.answer("id-6 tell me everything there is")
        self.await_text(daemon, whole, seconds=60)
        self.assertEqual(self.slack.texts(self.dm), [whole])

    def await_marks(self, daemon, ts, *marks):
        """These, and no others, are on a person's message."""
        self.assertTrue(
            self.slack.wait_for(lambda s: s.marks(self.dm, ts) == set(marks)),
            f"{self.slack.reactions}\n{daemon.said()}",
        )

    def test_seen_then_done(self):
        daemon = self.up(self.settings)
        finish = threading.Event()
        self.model.script(("hold", finish))
        ts = self.slack.say("U1", "id-7 tell me", self.dm)
        self.await_marks(daemon, ts, "eyes")
        finish.set()
        self.await_marks(daemon, ts, "white_check_mark")
        self.assertEqual(self.slack.texts(self.dm), [Model.answer("id-7 tell me")])

    def test_seen_then_killed_then_done(self):
        daemon = self.up(self.settings)
        self.model.script(("hold", threading.Event()))
        ts = self.slack.say("U1", "id-8 tell me", self.dm)
        self.await_marks(daemon, ts, "eyes")
        self.assertTrue(self.model.wait_for(lambda m: m.active == 1), daemon.said())
        daemon.kill()
        self.again(daemon)
        self.await_marks(daemon, ts, "white_check_mark")
        self.assertIn(Model.answer("id-8 tell me"), self.slack.texts(self.dm))

    def test_what_fails_is_marked_so(self):
        daemon = self.up(self.settings)
        self.model.script(("status", 400))
        ts = self.slack.say("U1", "id-9 tell me", self.dm)
        self.await_marks(daemon, ts, "x")

    def test_stopped_in_the_middle_of_an_answer(self):
        self.restart_in_the_middle(lambda daemon: daemon.stop())

    def test_killed_in_the_middle_of_an_answer(self):
        self.restart_in_the_middle(lambda daemon: daemon.kill())


if __name__ == "__main__":
    unittest.main()
