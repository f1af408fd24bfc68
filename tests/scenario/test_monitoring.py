# SPDX-License-Identifier: Apache-2.0
"""The page of metrics, and the example rules and dashboard that live on it."""
import json
import pathlib
import re
import subprocess
import unittest

from tests.peers import wanted
from tests.peers.receiver import Receiver
from tests.scenario.daemon import ROOT, WEBHOOK_SECRET, Scenario, webhook_settings

EXAMPLES = ROOT / "packaging/prometheus"
NAME = re.compile(r"\b(?:cowgate|open_cowork)_[a-z_]+\b")
FUNCTIONS_SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


class Monitoring(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        self.gateway = self.daemon(webhook_settings(self.receiver))

    def page(self):
        return self.gateway.operator("/metrics").body.decode()

    def promtool(self, *arguments, text=None):
        promtool = wanted.program("promtool")
        done = subprocess.run([promtool, *arguments], input=text, capture_output=True,
                              text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_rules_are_right(self):
        for what in (("check", "rules", str(EXAMPLES / "cowgate.rules.yml")),
                     ("test", "rules", str(EXAMPLES / "rules_test.yml"))):
            code, said = self.promtool(*what)
            self.assertEqual(code, 0, said)

    def test_page_is_understood(self):
        self.gateway.say("hello")
        self.assertTrue(self.receiver.wait_for(lambda r: r.texts()))
        code, said = self.promtool("check", "metrics", text=self.page())
        self.assertIn(code, (0, 3), said)  # 3: matters of style, about names that others fixed
        ours = [line for line in said.splitlines() if line.startswith("cowgate_")]
        self.assertEqual(ours, [])

    def test_examples_ask_for_what_is_there(self):
        there = set(re.findall(r"^# TYPE (\S+)", self.page(), re.MULTILINE))
        dashboard = json.loads((EXAMPLES / "grafana.json").read_text(encoding="utf-8"))
        asked = " ".join(
            target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
        asked += (EXAMPLES / "cowgate.rules.yml").read_text(encoding="utf-8")
        names = {FUNCTIONS_SUFFIX.sub("", name) for name in NAME.findall(asked)}
        self.assertGreater(len(names), 10)
        self.assertEqual(names - there, set())

    def test_ages_and_waits(self):
        label = '{provider_id="webhook",provider_kind="webhook"}'
        self.receiver.script(
            ("status", 429, {"retry-after": "600"}), chat="slow")
        self.gateway.say("hello", chat="slow")
        self.until(
            lambda: self.gateway.metric("cowgate_channel_flood_waits_total" + label) == 1,
            "a wait", self.gateway)
        self.until(lambda: self.gateway.metric("cowgate_outbox_oldest_age_seconds") > 0,
                   "an age", self.gateway)
        self.assertEqual(self.gateway.metric("cowgate_inbox_oldest_age_seconds"), 0)
        self.assertLess(
            self.gateway.metric("cowgate_channel_inbound_age_seconds" + label), 60)
        for store in ("journal", "plane"):
            self.assertGreater(self.gateway.metric(f"cowgate_{store}_wal_bytes"), 0, store)


if __name__ == "__main__":
    unittest.main()
