# SPDX-License-Identifier: Apache-2.0
"""Today's program on the stores of an earlier one, with messages under way: nothing is lost, nothing
is said twice, repeats are still known."""
import pathlib
import re
import sqlite3
import time

from tests.peers.receiver import Receiver, message
from tests.scenario.daemon import WEBHOOK_SECRET, Scenario, webhook_settings

STORES = pathlib.Path(__file__).with_name("upgrade")
WRITTEN_MS = 1795341863266  # when the stores were left, as their times say
UNDER_WAY = ["its answer waits 1", "its answer waits 2", "its answer waits 3",
             "was taken in and not handed over"]


class Upgrade(Scenario):
    def lay(self, data):
        """The stores as they were a moment ago."""
        data.mkdir(mode=0o700)
        shift = int(time.time() * 1000) - WRITTEN_MS
        for name in ("journal", "plane"):
            text = (STORES / f"{name}.sql").read_text(encoding="utf-8")
            text = re.sub(r"\b1795\d{9}\b", lambda m: str(int(m.group()) + shift), text)
            store = sqlite3.connect(data / f"{name}.db")
            store.executescript("PRAGMA journal_mode=WAL;" + text)
            store.close()
            (data / f"{name}.db").chmod(0o600)

    @staticmethod
    def versions(data):
        found = {}
        for name in ("journal", "plane"):
            store = sqlite3.connect(f"file:{data / name}.db?mode=ro", uri=True)
            found[name] = store.execute("SELECT max(version) FROM schema_migration").fetchone()[0]
            store.close()
        return found

    def test_what_was_under_way_arrives_once(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        settings = webhook_settings(receiver)
        fresh = self.daemon(settings)
        fresh.stop()
        gateway = self.daemon(settings, start=False)
        data = gateway.directory / "data"
        self.lay(data)
        self.assertNotEqual(self.versions(data), self.versions(fresh.directory / "data"))
        gateway.start()
        self.assertEqual(self.versions(data), self.versions(fresh.directory / "data"))
        self.assertTrue(receiver.wait_for(lambda r: len(r.texts()) >= len(UNDER_WAY), 60),
                        receiver.texts())
        # Repeats of what was answered, and of what has just been; then something new.
        for number, text, chat in ((0, "was answered before", "one"),
                                   (1, "its answer waits 1", "chat-1")):
            body = message(text, chat=chat, sender="ada", event_id=f"e{number}")
            self.assertEqual(gateway.post(body).status, 202)
        gateway.say("something new", chat="one", sender="ada", event_id="e9")
        self.assertTrue(receiver.wait_for(lambda r: "something new" in r.texts()[-1]))
        self.assertEqual(sorted(receiver.texts()), sorted([*UNDER_WAY, "something new"]))
        self.assertEqual(gateway.deliveries(status="dead"), [])
        gateway.restart()
        gateway.say("and after a restart", chat="one", sender="ada", event_id="e10")
        self.assertTrue(receiver.wait_for(lambda r: "and after a restart" in r.texts()[-1]))
        self.assertEqual(len(receiver.texts()), len(UNDER_WAY) + 2)
