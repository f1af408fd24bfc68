# SPDX-License-Identifier: Apache-2.0
"""Files both ways: what people send, and what the agent makes."""
import base64

from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, webhook_settings


class Files(Scenario):
    """The echo agent names what it was sent, and makes files."""

    def setUp(self):
        super().setUp()
        self.receiver = self.peer(Receiver(WEBHOOK_SECRET))

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.receiver.refused, [])

    def test_a_file_goes_in(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        data = base64.b64encode(b"hello, file").decode()
        body = message("look at this", event_id="e1", attachments=[
            {"filename": "a.txt", "mimeType": "text/plain", "bufferBase64": data}])
        self.assertEqual(daemon.post(body).status, 202)
        self.until(lambda: any("a.txt" in t and "11" in t
                               for t in self.receiver.texts("chat-1")), "its name", daemon)

    def test_a_program_is_named_and_not_taken(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        data = base64.b64encode(b"MZ").decode()
        body = message("look at this", event_id="e1", attachments=[
            {"filename": "setup.exe", "bufferBase64": data},
            {"filename": "a.txt", "mimeType": "text/plain", "bufferBase64": data}])
        self.assertEqual(daemon.post(body).status, 202)
        self.until(lambda: len(self.receiver.texts("chat-1")) == 2, "both answers", daemon)
        texts = self.receiver.texts("chat-1")
        self.assertIn(
            "Not passed on: setup.exe (programs are not taken here)", texts)
        answer = next(text for text in texts if "a.txt" in text)
        self.assertNotIn("setup.exe", answer)

    def test_a_file_comes_out(self):
        daemon = self.daemon(webhook_settings(self.receiver))
        daemon.say("file plan.txt step one", event_id="e1")
        self.until(lambda: self.receiver.tries("chat-1", "file"), "a file", daemon)
        file = self.receiver.tries("chat-1", "file")[0].body["file"]
        self.assertEqual(file["filename"], "plan.txt")
        self.assertEqual(base64.b64decode(file["dataBase64"]), b"step one")
