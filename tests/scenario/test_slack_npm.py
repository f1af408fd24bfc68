# SPDX-License-Identifier: Apache-2.0
"""The same channel against what other people wrote: npm's emulate as the Web API, and Slack's own
@slack/bolt, which believes and understands what our tests sign and send."""
import unittest

from tests.peers.model import Model
from tests.peers.npm import Driver
from tests.peers.slack import Message, Slack
from tests.scenario.daemon import (
    MODEL_KEY,
    SLACK_SECRET,
    SLACK_TOKEN,
    Scenario,
    model_settings,
)


class SlackLibraries(Scenario):
    def setUp(self):
        super().setUp()
        self.driver = self.peer(Driver("slack-npm", SLACK_TOKEN, SLACK_SECRET))
        self.ports = self.driver.wait_for(lambda line: "port" in line)
        self.assertIsNotNone(self.ports, "the libraries did not start")
        # What signs and posts; its own Web API is not used here.
        self.slack = self.peer(Slack(SLACK_TOKEN, SLACK_SECRET))

    def call(self, method, **form):
        answer = self.driver.ask({"method": method, "form": form})
        self.assertTrue(answer is not None and answer["ok"], answer)
        return answer

    def up(self, settings=None):
        daemon = self.daemon(
            {
                "SLACK_BOT_TOKEN": SLACK_TOKEN,
                "SLACK_SIGNING_SECRET": SLACK_SECRET,
                "SLACK_API_BASE_URL": f"http://localhost:{self.ports['port']}/api",
                "SLACK_ALLOW_FROM": "*",
                "SLACK_RESPOND_IN_CHANNELS": "all",
                **(settings or {}),
            }
        )
        self.slack.port_of_app = daemon.port
        self.general = self.call("conversations.list")["channels"][0]["id"]
        self.slack.channel(self.general)
        return daemon

    def replies(self, ts):
        answer = self.call(
            "conversations.replies",
            channel=self.general,
            ts=ts,
            include_all_metadata="true",
        )
        return [m for m in answer["messages"] if m["ts"] != ts]

    def root(self):
        """A message that a thread can hang on."""
        return self.call("chat.postMessage", channel=self.general, text="root")["ts"]

    def test_there_and_back(self):
        daemon = self.up()
        ts = self.root()
        self.slack.say("U1", "Grüße &lt;b&gt; 😀", self.general, ts)
        message = self.until(lambda: self.replies(ts), "an answer", daemon)[0]
        self.assertEqual(message["text"], "Grüße &lt;b&gt; 😀")
        self.assertEqual(message["blocks"][0]["type"], "rich_text")
        self.assertEqual(message["metadata"]["event_type"], "cowgate_delivery")
        self.assertNotIn("warning", message)

    def test_an_answer_grows(self):
        model = self.peer(Model(MODEL_KEY))
        daemon = self.up(model_settings(model))
        model.script(("slow", 0.4))
        ts = self.root()
        self.slack.say("U1", "count to the end please", self.general, ts)
        whole = Model.answer("count to the end please")
        self.until(
            lambda: whole in [m["text"] for m in self.replies(ts)], "whole", daemon, 60
        )
        self.assertEqual([m["text"] for m in self.replies(ts)], [whole])

    def test_bolt_believes_what_our_tests_sign(self):
        self.slack.port_of_app = self.ports["bolt"]
        self.slack.path = "/slack/events"
        room = self.slack.channel("C1")
        direct = self.slack.direct("D1")
        self.assertTrue(self.slack.verify())
        self.slack.say("U1", "in private", direct)
        self.slack.say("U1", "<@UBOT> in public", room)
        message = Message(room, "1.1", {"text": "ok?", "blocks": []})
        self.slack.press("U1", message, "apv:1")
        self.slack.command("U1", room, "status")
        handled = self.driver.ask({"handled": True})["handled"]
        self.assertEqual(
            handled,
            [
                "message in private",
                "message <@UBOT> in public",
                "mention <@UBOT> in public",
                "press apv:1",
                "command status",
            ],
        )
        self.assertEqual(self.slack.mistakes, [])
        forged = {"type": "url_verification", "challenge": "x"}
        self.assertEqual(self.slack.post(forged, secret="another")[0], 401)
        self.assertEqual(self.slack.post(forged, stamp=1000000000)[0], 401)


if __name__ == "__main__":
    unittest.main()
