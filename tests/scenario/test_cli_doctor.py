# SPDX-License-Identifier: Apache-2.0
"""What the doctor finds in a sound house, a stopped one, and several broken ones."""
import json
import os
import subprocess
import sys

from tests.peers.model import Model
from tests.peers.opencode_fake import OpenCodeFake
from tests.peers.receiver import Receiver
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    MODEL_KEY,
    PROGRAM,
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    model_settings,
    telegram_settings,
    webhook_settings,
)
from tests.scenario.test_agent_acp import AGENT

NOBODY = 65534


class Doctor(Scenario):
    def examine(self, daemon):
        done = daemon.cli("doctor", "--json")
        self.assertNotIn(b"Sanitizer", done.stderr)
        findings = json.loads(done.stdout)["findings"]
        for one in findings:
            if one["level"] != "ok":
                self.assertTrue(one["mend"], one)
        faults = [one for one in findings if one["level"] == "fault"]
        self.assertEqual(done.returncode, 1 if faults else 0, findings)
        return findings

    def one(self, findings, what, level):
        found = [one for one in findings if one["what"] == what and one["level"] == level]
        self.assertTrue(found, (what, level, findings))
        return found[0]["text"]

    def test_a_sound_house(self):
        receiver, model = self.peer(Receiver(WEBHOOK_SECRET)), self.peer(Model(MODEL_KEY))
        gateway = self.daemon({**webhook_settings(receiver), **model_settings(model)})
        gateway.say("hello")
        self.until(lambda: gateway.deliveries(status="sent"), "it answers", gateway)
        findings = self.examine(gateway)
        self.assertEqual([one for one in findings if one["level"] == "fault"], [])
        self.assertIn("test-model", self.one(findings, "agent", "ok"))
        self.assertIn("wrote less than a minute ago", self.one(findings, "channel webhook", "ok"))
        self.assertIn("this host alone", self.one(findings, "exposure", "ok"))
        for what in ("settings", "modules", "files", "clock", "disk", "journal.db", "plane.db"):
            self.one(findings, what, "ok")
        self.assertIn("ms", self.one(findings, "disk sync", "ok"))
        self.assertEqual(list((gateway.directory / "data").glob(".doctor*")), [])
        text = gateway.cli("doctor")
        self.assertIn(b"exposure", text.stdout)

    def test_nobody_runs_and_the_token_is_wrong(self):
        telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        settings = telegram_settings(telegram, TELEGRAM_BOT_TOKEN="1:wrong")
        gateway = self.daemon(settings, start=False)
        findings = self.examine(gateway)
        self.assertIn("no gateway runs here", self.one(findings, "gateway", "warning"))
        self.assertIn("refuses", self.one(findings, "channel telegram", "fault"))

    def test_broken_files_are_found(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        gateway = self.daemon(webhook_settings(receiver))
        gateway.say("hello")
        self.until(lambda: gateway.deliveries(status="sent"), "it answers", gateway)
        self.assertEqual(gateway.stop(), 0)
        data = gateway.directory / "data"
        self.one(self.examine(gateway), "journal.db", "ok")
        whole = (data / "journal.db").read_bytes()
        (data / "journal.db").write_bytes(whole[:4096] + b"\xff" * 8192 + whole[12288:])
        os.chmod(data / "plane.db", 0o644)
        findings = self.examine(gateway)
        self.one(findings, "journal.db", "fault")
        self.assertIn("plane.db can be read by others", self.one(findings, "files", "fault"))

    def test_settings_that_do_not_load(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        settings = webhook_settings(receiver, WEBHOOK_SHARED_SECRET="", HOST="0.0.0.0")
        findings = self.examine(self.daemon(settings, start=False))
        self.one(findings, "settings", "fault")

    def test_agents_that_are_not_as_the_settings_say(self):
        receiver, model = self.peer(Receiver(WEBHOOK_SECRET)), self.peer(Model(MODEL_KEY))
        server = self.peer(OpenCodeFake())
        settings = {**webhook_settings(receiver), **model_settings(model)}
        settings["AGENT_MODEL"] = "another-model"
        settings["CONFIG_JSON"] = json.dumps({"agents": [
            {"name": "known", "backend": "openai", "url": model.base, "apiKey": MODEL_KEY,
             "model": "test-model", "fallbackUrls": ["http://127.0.0.1:9/v1"]},
            {"name": "locked", "backend": "opencode", "url": server.url, "apiKey": "wrong"},
            {"name": "open", "backend": "opencode", "url": server.url,
             "apiKey": server.password, "model": "fake/none"},
            {"name": "there", "backend": "opencode", "url": server.url,
             "apiKey": server.password, "model": "fake/fake-1"},
        ]})
        findings = self.examine(self.daemon(settings, start=False))
        self.assertIn("does not list another-model", self.one(findings, "agent", "warning"))
        self.assertIn("has test-model", self.one(findings, "agent known", "ok"))
        self.assertIn("127.0.0.1:9", self.one(findings, "agent known", "fault"))
        self.assertIn("refuses us", self.one(findings, "agent locked", "fault"))
        self.assertIn("model fake/none", self.one(findings, "agent open", "warning"))
        there = [one for one in findings if one["what"] == "agent there"]
        self.assertEqual([one["level"] for one in there], ["ok"])

    def test_programs_of_agents_are_started(self):
        settings = webhook_settings(self.peer(Receiver(WEBHOOK_SECRET)))
        settings["CONFIG_JSON"] = json.dumps({"agents": [
            {"name": "well", "backend": "acp", "command": [sys.executable, "-B", str(AGENT)]},
            {"name": "old", "backend": "acp",
             "command": [sys.executable, "-B", str(AGENT), "old"]},
            {"name": "wrong", "backend": "opencode", "command": ["false"]},
        ]})
        gateway = self.daemon(settings, start=False)
        findings = self.examine(gateway)
        self.assertIn("starts and answers", self.one(findings, "agent well", "ok"))
        self.assertIn("another version", self.one(findings, "agent old", "fault"))
        self.assertIn("code 1", self.one(findings, "agent wrong", "fault"))
        # One that runs is not started twice; it says itself how its agents do.
        gateway.start()
        self.assertIn("is there", self.one(self.examine(gateway), "agent well", "ok"))

    def test_a_quiet_channel_is_starting_and_no_fault(self):
        """Nobody has written, and the platform has not answered yet."""
        telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        telegram.script("getMe", *["hang"] * 3)
        gateway = self.daemon(telegram_settings(telegram), start=False)
        gateway.spawn()
        self.until(lambda: gateway.socket_path().exists(), "it listens", gateway)
        findings = self.examine(gateway)
        self.assertEqual([one for one in findings if one["level"] == "fault"], [])
        self.assertIn("starting", self.one(findings, "channel telegram", "warning"))

    def test_one_that_was_killed_is_not_taken_for_one_that_runs(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        gateway = self.daemon(webhook_settings(receiver))
        gateway.kill()
        self.assertTrue(gateway.socket_path().exists())
        findings = self.examine(gateway)
        self.assertIn("any more", self.one(findings, "gateway", "warning"))
        for command in (["status"], ["people", "list"]):
            done = gateway.cli(*command)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"no gateway runs here any more", done.stderr)

    def test_what_the_network_can_reach_is_named(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        gateway = self.daemon(
            webhook_settings(receiver, HOST="0.0.0.0", ALLOW_INSECURE_HTTP="true"), start=False)
        findings = self.examine(gateway)
        self.assertIn("0.0.0.0", self.one(findings, "exposure", "warning"))

    def test_a_person_s_own_service_ends_when_they_log_out(self):
        """Unless it lingers; a stand-in for systemctl says that the service is known and runs."""
        programs = self.directory / "bin"
        programs.mkdir()
        (programs / "systemctl").write_text("#!/bin/sh\necho active\n")
        (programs / "systemctl").chmod(0o755)
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        gateway = self.daemon(webhook_settings(receiver), start=False)
        self.directory.chmod(0o755)
        (gateway.directory / "data").mkdir(mode=0o700)
        environment = gateway.environment()
        environment["PATH"] = f"{programs}:{environment['PATH']}"
        somebody = {}
        if os.geteuid() == 0:
            somebody = {"user": NOBODY, "group": NOBODY}
            os.chown(gateway.directory / "data", NOBODY, NOBODY)
        done = subprocess.run(
            [str(PROGRAM), "doctor", "--json"], env=environment, cwd="/", check=False,
            capture_output=True, timeout=60, **somebody)
        found = json.loads(done.stdout)["findings"]
        self.assertIn("is active", self.one(found, "service", "ok"))
        self.assertIn("logs out", self.one(found, "service", "warning"))
        mend = next(one["mend"] for one in found if "logs out" in one["text"])
        self.assertIn("enable-linger", mend)
