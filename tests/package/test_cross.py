# SPDX-License-Identifier: Apache-2.0
"""The packages for small boards: built here for another architecture, unpacked, and run by an
emulator until a message has been answered and the daemon has been stopped and started again.

Needs the distribution's mirror for libraries of that architecture; `./dev package` unpacks them
under build/.
"""
import os
import re
import subprocess
import unittest
import unittest.mock

from tests.peers.receiver import Receiver
from tests.scenario import daemon as harness
from tests.scenario.daemon import ROOT, WEBHOOK_SECRET, Scenario, webhook_settings

# What the package must ask for, whatever its release is called.
LIBRARIES = ("libc6", "libcurl4", "libesmtp", "libevent-2", "libgmime-3", "libjson-c", "libmd4c",
             "libsqlite3", "libssl3")


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", str(deb), name], check=True, capture_output=True,
                          text=True).stdout.strip()


class Cross(Scenario):
    def package(self, architecture):
        """Built without a warning; its .deb."""
        done = subprocess.run([str(ROOT / "dev"), "package", "--arch", architecture],
                              env={**os.environ, "CI": "true"}, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        deb = next((ROOT / "dist").glob(f"cowgate_*_{architecture}.deb"))
        self.assertEqual(field(deb, "Architecture"), architecture)
        wanted = field(deb, "Depends")
        for library in LIBRARIES:
            self.assertRegex(wanted, rf"\b{re.escape(library)}")
        print(f"{deb.name}: {deb.stat().st_size} bytes, {field(deb, 'Installed-Size')} KiB installed")
        return deb

    def program(self, architecture, triplet, emulator):
        """The installed tree's program, so that it can be called here."""
        tree = self.directory / "root"
        subprocess.run(["dpkg-deb", "-x", str(self.package(architecture)), str(tree)], check=True)
        # Its modules, found beside it as in a build, for /usr/lib is another tree's here.
        (tree / "usr/bin/plugins").symlink_to(tree / "usr/lib" / triplet / "cowgate")
        program = self.directory / "cowgate"
        program.write_text(f"#!/bin/sh\nexec {emulator} -L {ROOT}/build/sysroot-{architecture} "
                           f"{tree}/usr/bin/cowgate \"$@\"\n")
        program.chmod(0o755)
        return program

    def life(self, architecture, triplet, emulator):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        program = self.program(architecture, triplet, emulator)
        with unittest.mock.patch.object(harness, "PROGRAM", program):
            daemon = self.daemon(webhook_settings(receiver))
            for number, text in enumerate(("Grüße", "after a restart")):
                self.assertEqual(daemon.request("GET", "/health").status, 200)
                self.assertEqual(daemon.request("GET", "/ready").status, 200)
                daemon.say(text, event_id=f"e{number}")
                self.assertTrue(receiver.wait_for(
                    lambda r, number=number: len(r.texts("chat-1")) > number, 60), daemon.said())
                self.assertIn(text, receiver.texts("chat-1")[number])
                self.until(lambda text=text: daemon.delivery(text, status="sent"), "sent", daemon)
                if number == 0:
                    daemon.restart()
            for words in (("channels", "list"), ("doctor",)):
                done = daemon.cli(*words)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn(b"webhook", done.stdout)

    def test_arm64(self):
        self.life("arm64", "aarch64-linux-gnu", "qemu-aarch64-static")

    def test_armhf(self):
        self.life("armhf", "arm-linux-gnueabihf", "qemu-arm-static")


if __name__ == "__main__":
    unittest.main()
