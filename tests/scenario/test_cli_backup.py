# SPDX-License-Identifier: Apache-2.0
"""A backup of a gateway that works, and what becomes of it when it is put back."""
import os
import shutil
import signal
import sqlite3
import stat
import subprocess

from tests.peers.telegram import Telegram
from tests.scenario.daemon import TELEGRAM_TOKEN, Scenario, preload, telegram_settings


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
        self.assertEqual(sorted(os.listdir(self.backup)),
                         ["SHA256SUMS", "files", "journal.db", "plane.db", "spool"])
        self.assertEqual(stat.S_IMODE(os.stat(self.backup).st_mode), 0o700)
        for path in self.backup.rglob("*"):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            self.assertEqual(mode, 0o700 if path.is_dir() else 0o600)
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

    def test_files_are_part_of_it(self):
        """What people sent is there again, bytes and all, and a changed byte is found."""
        self.telegram.say(77, None, document=self.telegram.file("a.txt", b"the bytes of a file"),
                          caption="keep this")
        self.assertTrue(self.telegram.wait_for(lambda t: any("a.txt" in x for x in t.texts(77))))
        self.run_cli("backup", str(self.backup))
        kept = [p for p in (self.backup / "files").iterdir()
                if p.read_bytes() == b"the bytes of a file"]
        self.assertEqual(len(kept), 1)
        sums = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=self.backup,
                              capture_output=True, check=False)
        self.assertEqual(sums.returncode, 0, sums)
        self.assertEqual(self.gateway.stop(), 0)
        shutil.rmtree(self.data / "files")
        self.run_cli("restore", str(self.backup))
        self.assertEqual((self.data / "files" / kept[0].name).read_bytes(), b"the bytes of a file")
        kept[0].write_bytes(b"the bytes of a fool")
        for flags in ((), ("--verify",)):
            self.assertIn("is not what was backed up",
                          self.run_cli("restore", str(self.backup), *flags, code=1))
        kept[0].unlink()
        self.assertIn("cannot be read", self.run_cli("restore", str(self.backup), code=1))

    def said(self, gateway):
        """Which of the two texts each store knows: they must agree."""
        found = set()
        for name, column in (("journal", "SELECT source FROM outbox"),
                             ("plane", "SELECT content FROM message")):
            store = sqlite3.connect(f"file:{gateway.directory}/data/{name}.db?mode=ro", uri=True)
            texts = " ".join(row[0] or "" for row in store.execute(column))
            store.close()
            found.add((name, "old" if "of the later day" in texts else "new"))
        files = gateway.directory / "data" / "files"
        later = any(b"later" in p.read_bytes() for p in files.iterdir()) if files.exists() else None
        found.add(("files", "old" if later else "new"))
        return found

    def test_cut_short_anywhere_it_is_the_old_or_the_new(self):
        """`cowgate restore` is killed at each sync and each rename; the next start finds one of the
        two, in whole, and goes on with it."""
        self.telegram.say(77, None, document=self.telegram.file("a.txt", b"early"), caption="one")
        self.assertTrue(self.telegram.wait_for(lambda t: any("a.txt" in x for x in t.texts(77))))
        self.run_cli("backup", str(self.backup))
        self.telegram.say(77, "words of the later day")
        self.telegram.say(77, None, document=self.telegram.file("b.txt", b"later"), caption="two")
        self.assertTrue(self.telegram.wait_for(lambda t: any("b.txt" in x for x in t.texts(77))))
        self.assertEqual(self.gateway.stop(), 0)
        before = self.gateway.directory / "before"
        shutil.copytree(self.data, before, ignore=shutil.ignore_patterns("*.sock"))
        outcomes = []
        for kind in ("KILL_BEFORE", "KILL_RENAME"):
            for number in range(1, 60):
                shutil.rmtree(self.data)
                shutil.copytree(before, self.data)
                self.gateway.spawn(
                    {**preload("sync_shim.so"), f"COWGATE_SHIM_{kind}": str(number)},
                    ("restore", str(self.backup)))
                code = self.gateway.process.wait(60)
                self.gateway.stop()
                if code == 0:
                    break
                self.assertEqual(code, -signal.SIGKILL, self.gateway.said()[-2000:])
                self.settle(number)
                found = self.said(self.gateway)
                self.assertEqual(len({which for _, which in found}), 1, (kind, number, found))
                outcomes.append(found.pop()[1])
            self.assertEqual(code, 0, f"{kind} {number}: never ended by itself")
        self.assertIn("old", outcomes)
        self.assertIn("new", outcomes)
        self.assertEqual(list(self.data.glob("restore.*")), [])

    def settle(self, number):
        """A start, or every other time another restore that is refused: both finish it."""
        del number
        self.gateway.start()
        self.assertEqual(self.gateway.stop(), 0)
