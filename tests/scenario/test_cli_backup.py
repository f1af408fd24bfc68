# SPDX-License-Identifier: Apache-2.0
"""A backup of a gateway that works, and what becomes of it when it is put back."""
import os
import shutil
import sqlite3
import stat

from tests.peers.telegram import Telegram
from tests.scenario.daemon import TELEGRAM_TOKEN, Scenario, telegram_settings


class Backup(Scenario):
    def setUp(self):
        super().setUp()
        self.telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        self.telegram.private(77)
        self.gateway = self.daemon(telegram_settings(self.telegram))
        self.data = self.gateway.directory / "data"
        self.backup = self.gateway.directory / "backup"

    def run_cli(self, *arguments, code=0):
        done = self.gateway.cli(*arguments)
        self.assertEqual(done.returncode, code, done)
        return (done.stdout + done.stderr).decode()

    def epoch(self):
        with sqlite3.connect(self.data / "plane.db") as plane:
            return plane.execute("SELECT epoch FROM epoch").fetchone()[0]

    def test_what_was_to_be_delivered_is_unknown_after_a_restore(self):
        self.run_cli("send", "--to", "telegram:77", "before")
        self.assertTrue(self.telegram.wait_for(lambda t: "before" in t.texts(77)))
        self.run_cli("channels", "pause", "telegram")
        self.run_cli("send", "--to", "telegram:77", "meanwhile")
        self.run_cli("backup", str(self.backup))
        self.assertEqual(sorted(os.listdir(self.backup)), ["journal.db", "plane.db"])
        self.assertEqual(stat.S_IMODE(os.stat(self.backup).st_mode), 0o700)
        for name in os.listdir(self.backup):
            mode = os.stat(self.backup / name).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertIn("there already", self.run_cli("backup", str(self.backup), code=1))
        self.assertIn("whole", self.run_cli("restore", str(self.backup), "--verify"))
        self.assertIn("in use", self.run_cli("restore", str(self.backup), code=1))
        before = self.epoch()
        self.run_cli("channels", "resume", "telegram")
        self.assertTrue(self.telegram.wait_for(lambda t: "meanwhile" in t.texts(77)))
        self.assertEqual(self.gateway.stop(), 0)
        self.run_cli("restore", str(self.backup))
        self.assertNotEqual(self.epoch(), before)
        self.assertTrue((self.data / "journal.db.before-restore").exists())
        with sqlite3.connect(self.data / "journal.db") as journal:
            rows = journal.execute("SELECT source, state FROM outbox ORDER BY id").fetchall()
        self.assertEqual(rows, [("before", 2), ("meanwhile", 3)])
        self.gateway.start()
        self.run_cli("channels", "resume", "telegram")
        self.assertTrue(
            self.telegram.wait_for(
                lambda t: any("meanwhile" in x and x != "meanwhile" for x in t.texts(77)), 40
            ),
            "what may be a duplicate says so",
        )
        self.assertEqual(self.telegram.texts(77).count("before"), 1)

    def test_a_damaged_backup_is_never_put_in_place(self):
        self.run_cli("backup", str(self.backup))
        self.assertEqual(self.gateway.stop(), 0)
        whole = (self.data / "journal.db").read_bytes()
        damaged = bytearray((self.backup / "journal.db").read_bytes())
        damaged[4096:8192] = b"\xff" * 4096
        (self.backup / "journal.db").write_bytes(damaged)
        for flags in ((), ("--verify",)):
            self.run_cli("restore", str(self.backup), *flags, code=1)
        self.assertEqual((self.data / "journal.db").read_bytes(), whole)
        shutil.rmtree(self.backup)
        self.assertIn("no backup", self.run_cli("restore", str(self.backup), code=1))
        self.run_cli("backup", code=2)
