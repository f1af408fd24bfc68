# SPDX-License-Identifier: Apache-2.0
"""What the doctor finds between a gateway and its Cloud, and how it is mended."""
import email.utils
import json
import time

from tests.peers.authority import Authority
from tests.peers.tls_front import TlsFront
from tests.scenario.cloud import CHANNEL, CloudScenario
from tests.scenario.daemon import ADMIN_TOKEN

URL = "OPEN_COWORK_CLOUD_BASE_URL"


class Doctor(CloudScenario):
    def setUp(self):
        super().setUp()
        self.patient = self.gateway(start=False)

    def examine(self, **environment):
        """All findings about the Cloud: {what: (level, text, mend)}; the exit code fits."""
        known = self.patient.environment
        self.patient.environment = lambda extra=None: {**known(extra), **environment}
        try:
            done = self.patient.cli("doctor", "--json")
        finally:
            self.patient.environment = known
        findings = json.loads(done.stdout)["findings"]
        faults = any(one["level"] == "fault" for one in findings)
        self.assertEqual(done.returncode, 1 if faults else 0, done)
        found = {}
        for one in findings:
            if one["what"].startswith("cloud"):
                self.assertNotIn(one["what"], found, "said once")
                self.assertTrue(one["mend"] or one["level"] == "ok", one)
                found[one["what"]] = (one["level"], one["text"], one["mend"])
        return found

    def fault(self, said, mend, found):
        level, text, how = found["cloud"]
        self.assertEqual(level, "fault", found)
        self.assertIn(said, text)
        self.assertIn(mend, how)

    def test_a_sound_cloud(self):
        found = self.examine()
        self.assertEqual([level for level, _, _ in found.values()], ["ok"] * 3, found)
        self.assertIn("has the scope of a gateway", found["cloud"][1])
        self.assertIn("agree", found["cloud clock"][1])
        self.assertEqual(found["cloud webhook"][1], "the binding webhook is granted")
        text = self.patient.cli("doctor").stdout.decode()
        self.assertRegex(text, r"ok +cloud webhook +the binding webhook is granted")
        # Nothing was claimed, nothing was changed.
        self.assertEqual({call.method for call in self.proxy.seen}, {"GET"})
        self.assertEqual(self.proxy.calls("stream"), [])

    def test_a_token_that_is_no_good(self):
        self.ask("DELETE", f"tokens/{self.token_id}")
        self.fault("does not accept the token", "SERVICE_TOKEN", self.examine())

    def test_a_channel_that_is_not_granted(self):
        self.patient.settings["WEBHOOK_CHANNEL_BINDING_ID"] = "other"
        found = self.examine()
        self.assertEqual(found["cloud"][0], "ok")
        level, text, mend = found["cloud webhook"]
        self.assertEqual(level, "fault")
        self.assertIn("the binding other is not granted", text)
        self.assertIn("grant the binding", mend)

    def test_a_token_without_the_scope(self):
        self.proxy.rule("GET .*/deliveries", status=403, body={
            "error": "No.", "verdict": {"allowed": False, "reason": "No.",
                                        "policyCode": "authorization.scope_required"}})
        self.fault("not the scope `gateway`", "of that scope", self.examine())
        self.assertEqual(len(self.proxy.seen), 1, "no point in asking further")

    def test_something_else_answers(self):
        self.proxy.rule("GET", status=404, body="<html>nothing here</html>")
        self.fault("no Open Cowork Cloud (404)", "before /api", self.examine())
        self.proxy.clear()
        self.proxy.rule("GET", status=302, headers={"location": "https://elsewhere.example"})
        self.fault("sends elsewhere", "no redirect is followed", self.examine())
        self.proxy.clear()
        self.proxy.rule("GET", status=503)
        self.fault("it fails (503)", "messages are kept", self.examine())

    def test_clocks_that_differ(self):
        then = email.utils.formatdate(time.time() - 600, usegmt=True)
        self.proxy.rule("GET .*/deliveries", status=200, body={"deliveries": []},
                        headers={"date": then})
        level, text, mend = self.examine()["cloud clock"]
        self.assertEqual(level, "fault")
        self.assertRegex(text, r"is (599|6\d\d) seconds ahead of the Cloud's")
        self.assertIn("time service", mend)

    def test_certificates(self):
        authority = Authority(self.directory / "tls")
        trust = {"OPEN_COWORK_GATEWAY_CLOUD_CA_FILE": str(authority.pem)}
        good, old, strange = (
            self.peer(TlsFront(self.proxy.port, authority.issue(*names, days=days)))
            for names, days in ((("good", "DNS:localhost"), 2), (("old", "DNS:localhost"), -1),
                                (("strange", "DNS:elsewhere.example"), 2)))
        found = self.examine(**{URL: good.url}, **trust)
        self.assertEqual({level for level, _, _ in found.values()}, {"ok"}, found)
        self.fault("cannot be asked", "CLOUD_CA_FILE", self.examine(**{URL: good.url}))
        self.fault("expired", "renew", self.examine(**{URL: old.url}, **trust))
        self.fault("subject name", "a name that the certificate has",
                   self.examine(**{URL: strange.url}, **trust))
        self.fault("cannot be asked", "firewall", self.examine(**{URL: "https://localhost:9"}))

    def set_up(self, url, token, *flags):
        """`cowgate init` for this Cloud: exit code, is the file there, and all that it said."""
        path = self.patient.directory / "new.env"
        settings = (f"{name}={value}" for name, value in self.gateway_settings().items()
                    if name.startswith("WEBHOOK_"))
        done = self.patient.cli(
            "init", "--file", str(path), "--channel", "webhook", "--cloud", url,
            "--service-token", token, "--set", f"ADMIN_TOKEN={ADMIN_TOKEN}", *(w for pair in settings for w in ("--set", pair)),
            "--yes", *flags)
        return done.returncode, path.exists(), (done.stdout + done.stderr).decode()

    def test_set_up_asks_the_cloud(self):
        code, written, said = self.set_up("http://127.0.0.1:9", self.token)
        self.assertEqual((code, written), (1, False), said)
        self.assertIn("cannot be asked", said)
        code, written, said = self.set_up(self.proxy.url, "occ_not_known")
        self.assertEqual((code, written), (1, False), said)
        self.assertIn("does not accept the token", said)
        code, written, said = self.set_up(self.proxy.url, self.token)
        self.assertEqual((code, written), (0, True), said)
        self.assertIn("has the scope of a gateway", said)
        self.assertIn("the binding webhook is granted", said)
        self.assertEqual({call.method for call in self.proxy.seen}, {"GET"})

    def test_plain_http_elsewhere(self):
        done = self.patient.cli("check")
        self.assertEqual(done.returncode, 0, done)
        known = self.patient.environment
        self.patient.environment = lambda extra=None: {
            **known(extra), URL: "http://cloud.example.org"}
        done = self.patient.cli("doctor", "--json")
        faults = [one for one in json.loads(done.stdout)["findings"] if one["level"] == "fault"]
        self.assertTrue(any("https" in one["text"] + one["mend"] for one in faults), faults)

    def test_a_conversation_over_tls(self):
        """The same authority is good for the gateway itself."""
        authority = Authority(self.directory / "tls")
        front = self.peer(TlsFront(self.proxy.port, authority.issue("a", "DNS:localhost")))
        self.patient.settings["CLOUD_CA_FILE"] = authority.pem
        self.patient.start({URL: front.url})
        self.patient.say("hello")
        self.assertIn("hello", self.await_texts(daemon=self.patient)[0])
        self.deliver({"text": "by the Cloud"}, "d-1")
        self.await_texts(count=2, daemon=self.patient)
        self.assertEqual(self.proxy.calls(f"channelBindingId={CHANNEL}")[0].status, 200)

    def test_an_authority_that_is_not_there(self):
        self.patient.settings["CLOUD_CA_FILE"] = self.directory / "nothing.pem"
        self.patient.spawn()
        self.assertTrue(self.patient.await_death())
        self.assertIn("nothing.pem cannot be read", self.patient.said())
