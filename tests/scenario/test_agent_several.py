# SPDX-License-Identifier: Apache-2.0
"""Several agents of one plane: each is its own program, with its own place, variables and
limits, and a channel's default agent answers there."""
import json
import sys
import unittest

from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario
from tests.scenario.test_agent_acp import AGENT

OF_DEFAULT = "DEFAULT_KEY=of-the-default"


def program(*options):
    return [sys.executable, "-B", str(AGENT), *options]


class SeveralAgents(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))

    def channel(self, identity, agent):
        return {
            "kind": "webhook",
            "id": identity,
            "channelBindingId": identity,
            "defaultAgent": agent,
            "allowFrom": ["*"],
            "credentials": {"sharedSecret": WEBHOOK_SECRET},
            "settings": {"deliveryUrl": self.receiver.url + "/hook"},
        }

    def begin(self, agents):
        providers = [self.channel("webhook-one", "coder"), self.channel("webhook-two", "writer")]
        daemon = self.daemon({
            "AGENT_BACKEND": "acp",
            "AGENT_COMMAND": json.dumps(program()),
            "AGENT_ENVIRONMENT": OF_DEFAULT,
            "PROVIDERS": json.dumps(providers),
            "CONFIG_JSON": json.dumps({"agents": agents}),
        })
        self.data = daemon.directory / "data"
        return daemon

    def say(self, daemon, provider, chat, text, event):
        body = message(text, chat=chat, event_id=event)
        self.assertEqual(daemon.post(body, provider).status, 202, daemon.said())

    def heard(self, daemon, chat):
        self.until(lambda: self.receiver.texts(chat), f"an answer in {chat}", daemon)
        return self.receiver.texts(chat)[-1]

    def test_each_channel_has_its_agent(self):
        place = self.directory / "letters"
        place.mkdir()
        daemon = self.begin([
            {"name": "coder", "backend": "acp", "command": program("load"),
             "environment": ["CODER_KEY=of-the-coder"], "limits": ["nofile=77"]},
            {"name": "writer", "backend": "acp", "command": program(),
             "environment": ["WRITER_KEY=of-the-writer"], "directory": str(place)},
        ])
        self.say(daemon, "webhook-one", "c1", "env", "e1")
        self.say(daemon, "webhook-two", "c2", "env", "e2")
        coder = json.loads(self.heard(daemon, "c1"))
        writer = json.loads(self.heard(daemon, "c2"))
        self.assertEqual(coder["env"]["CODER_KEY"], "of-the-coder")
        self.assertEqual(writer["env"]["WRITER_KEY"], "of-the-writer")
        # Nothing of another agent, nor of the default one.
        for has, lacks in ((coder, "WRITER_KEY"), (writer, "CODER_KEY")):
            self.assertNotIn(lacks, has["env"])
            self.assertNotIn("DEFAULT_KEY", has["env"])
        self.assertEqual(coder["nofile"], 77)
        self.assertNotEqual(writer["nofile"], 77)
        self.assertEqual(
            (self.data / "workspace-coder" / "prompts").read_text(), "env\n")
        self.assertEqual((place / "prompts").read_text(), "env\n")
        self.assertFalse((self.data / "workspace" / "prompts").exists())


if __name__ == "__main__":
    unittest.main()
