# SPDX-License-Identifier: Apache-2.0
"""The port speaks TLS by itself: from the first byte, with a certificate that is renewed."""
import shutil
import socket
import ssl
import unittest

from tests.peers.authority import Authority
from tests.peers.receiver import Receiver
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, webhook_settings


class Tls(Scenario):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory / "authority")
        self.pair = [self.directory / "tls.crt", self.directory / "tls.key"]
        self.put(self.issue("first"))
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))
        self.gateway = self.daemon({
            **webhook_settings(self.receiver),
            "TLS_CERTIFICATE_FILE": self.pair[0], "TLS_KEY_FILE": self.pair[1],
        }, start=False)
        self.gateway.authority = self.authority.pem

    def issue(self, name):
        return self.authority.issue(name, "IP:127.0.0.1")

    def put(self, pair):
        for new, old in zip(pair, self.pair):
            shutil.copyfile(new, old)

    def certificate(self):
        """The name in the certificate that a new connection is shown."""
        context = ssl.create_default_context(cafile=str(self.authority.pem))
        with socket.create_connection(("127.0.0.1", self.gateway.port), 20) as sock, \
                context.wrap_socket(sock, server_hostname="127.0.0.1") as wrapped:
            return dict(part[0] for part in wrapped.getpeercert()["subject"])["commonName"]

    def say_and_await(self, text):
        self.gateway.say(text)
        self.assertTrue(
            self.receiver.wait_for(lambda r: any(text in said for said in r.texts("chat-1"))),
            self.gateway.said())

    def test_a_message_over_tls(self):
        self.gateway.start()
        self.assertIn("is ready on https://127.0.0.1:", self.gateway.said())
        self.say_and_await("sealed")
        self.assertEqual(self.gateway.request("GET", "/health").status, 200)
        self.assertEqual(self.gateway.local("/ready").status, 200, "the socket is plain")

    def test_clear_text_is_not_answered(self):
        self.gateway.start()
        answer = self.gateway.raw(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n", seconds=30)
        self.assertNotIn(b"HTTP/1.1 200", answer)
        self.say_and_await("still there")

    def test_who_does_not_shake_hands_holds_up_nobody(self):
        self.gateway.start()
        silent = [socket.create_connection(("127.0.0.1", self.gateway.port), 20)
                  for _ in range(20)]
        try:
            for sock in silent[10:]:
                sock.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
            self.say_and_await("past them")
        finally:
            for sock in silent:
                sock.close()

    def test_a_renewed_certificate_is_taken_by_a_reload(self):
        self.gateway.start()
        self.assertEqual(self.certificate(), "first")
        self.assertEqual(self.gateway.cli("reload").stdout, b"nothing has changed\n")
        self.put(self.issue("second"))
        done = self.gateway.cli("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"TLS_CERTIFICATE_FILE", done.stdout)
        self.assertEqual(self.certificate(), "second")

    def test_a_broken_one_is_not(self):
        self.gateway.start()
        for what, spoil in (
            ("not PEM", lambda: self.pair[0].write_text("nonsense")),
            ("another's key", lambda: shutil.copyfile(self.issue("third")[1], self.pair[1])),
            ("away", lambda: self.pair[1].unlink()),
        ):
            with self.subTest(what):
                self.put((self.authority.directory / "first.pem",
                          self.authority.directory / "first.key"))
                spoil()
                done = self.gateway.cli("reload")
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"of before stays in use", done.stderr)
                self.assertEqual(self.certificate(), "first")
                self.say_and_await(what)

    def test_a_start_with_a_broken_one_says_which(self):
        self.pair[1].write_text("nonsense")
        self.gateway.spawn()
        self.assertTrue(self.gateway.await_death())
        self.assertIn(str(self.pair[1]), self.gateway.said())

    def test_the_doctor_sees_the_difference(self):
        self.gateway.start()
        self.gateway.settings["HOST"] = "0.0.0.0"
        self.assertIn(b"it listens on 0.0.0.0 port 0, with TLS",
                      self.gateway.cli("doctor").stdout)
        for name in ("TLS_CERTIFICATE_FILE", "TLS_KEY_FILE"):
            del self.gateway.settings[name]
        self.assertIn(b"in clear text", self.gateway.cli("doctor").stdout)


if __name__ == "__main__":
    unittest.main()
