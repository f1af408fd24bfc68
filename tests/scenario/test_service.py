# SPDX-License-Identifier: Apache-2.0
"""The service manager's side, played by the test: notifications, watchdog, a socket handed over."""
import contextlib
import http.client
import os
import pathlib
import plistlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from tests.peers import wanted
from tests.peers.receiver import Receiver, message
from tests.peers.telegram import Telegram
from tests.scenario.daemon import (
    BUILD,
    K,
    PROGRAM,
    ROOT,
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Scenario,
    SyncCounter,
    Time,
    eventually,
    preload,
    telegram_settings,
    webhook_settings,
)


class Manager:
    """What systemd would hear."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.messages = []

    def listen(self):
        while True:
            try:
                self.messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return self.messages

    def heard(self, start, seconds=20):
        return eventually(
            lambda: next((m for m in self.listen() if m.startswith(start)), None), seconds
        )

    def close(self):
        self.socket.close()


class Notifications(Scenario):
    def setUp(self):
        super().setUp()
        self.gateway = self.daemon({"FAKE_ENABLED": "true"}, start=False)
        self.manager = Manager(self.gateway.directory)
        self.addCleanup(self.manager.close)

    def start(self, watchdog_ms=600):
        self.gateway.start({
            "NOTIFY_SOCKET": self.manager.path,
            "WATCHDOG_USEC": str(watchdog_ms * 1000),
        })

    def test_ready_watchdog_stopping(self):
        self.start()
        self.assertEqual(self.manager.heard("READY=1"), "READY=1")
        self.assertIn("0 to deliver", self.manager.heard("STATUS="))
        fed = lambda: self.manager.listen().count("WATCHDOG=1") >= 3
        self.assertTrue(eventually(fed), self.manager.messages)
        self.assertEqual(self.gateway.stop(), 0)
        self.assertEqual(self.manager.heard("STOPPING=1"), "STOPPING=1")
        self.assertEqual(self.manager.messages[0], "READY=1")

    def test_a_stopped_loop_feeds_nothing(self):
        self.start()
        self.assertTrue(self.manager.heard("WATCHDOG=1"))
        os.kill(self.gateway.process.pid, signal.SIGSTOP)
        time.sleep(0.1)  # what was under way
        before = len(self.manager.listen())
        time.sleep(1)  # more than a watchdog's time
        self.assertEqual(len(self.manager.listen()), before)
        os.kill(self.gateway.process.pid, signal.SIGCONT)
        grown = lambda: len(self.manager.listen()) > before
        self.assertTrue(eventually(grown))

    def test_the_status_names_who_is_deaf(self):
        self.gateway.settings.update({
            "TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN,
            "TELEGRAM_API_BASE_URL": "http://127.0.0.1:9",  # discard: nobody listens
            "TELEGRAM_ALLOW_FROM": "1",
        })
        self.start()
        deaf = lambda: any("not up: telegram" in m for m in self.manager.listen())
        self.assertTrue(eventually(deaf), self.manager.messages)
        # It is being restarted, which is all that can be done here: no reason to be killed.
        before = self.manager.listen().count("WATCHDOG=1")
        fed = lambda: self.manager.listen().count("WATCHDOG=1") > before + 2
        self.assertTrue(eventually(fed))


class Watchdog(Scenario):
    """It is fed while all that should come on does, however long that takes; and not else."""

    def begin(self, settings, *modules, **extra):
        self.gateway = self.daemon(settings, start=False)
        self.manager = Manager(self.gateway.directory)
        self.addCleanup(self.manager.close)
        self.time = Time(self.directory)
        self.gateway.start({
            "NOTIFY_SOCKET": self.manager.path,
            "WATCHDOG_USEC": "600000",
            **preload("clock_shim.so", *modules),
            **self.time.extra,
            **extra,
        })
        self.assertTrue(self.manager.heard("WATCHDOG=1"))

    def fed(self):
        return self.manager.listen().count("WATCHDOG=1")

    def stays_fed(self):
        before = self.fed()
        self.until(lambda: self.fed() > before + 2, "it is fed", self.gateway)

    def starves(self, what):
        """Hours go by, and it is not fed for the time of a watchdog."""
        for _ in range(20):
            self.time.pass_by(3600)
            if eventually(lambda: "watchdog.not_fed" in self.gateway.said(), 1):
                break
        self.assertIn(f"error watchdog.not_fed stuck={what}\n", self.gateway.said())
        before = self.fed()
        time.sleep(1)
        self.assertEqual(self.fed(), before, self.gateway.said())

    def say_unheard(self):
        """Nobody answers in time."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.gateway.post(
                message("hello"), stamp=int(self.time.now()))

    def test_hours_of_nothing_are_no_trouble(self):
        telegram = self.peer(Telegram(TELEGRAM_TOKEN))
        telegram.private(77)
        self.begin({**telegram_settings(telegram), "FAKE_ENABLED": "true"})
        for _ in range(5):
            self.time.pass_by(3600)
            self.stays_fed()
        telegram.say(77, "are you there?")
        self.assertTrue(telegram.wait_for(lambda t: t.texts(77)), self.gateway.said())

    def test_a_disk_that_does_not_come_back(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        broken = self.directory / "broken"
        syncs = SyncCounter(self.directory)
        self.addCleanup(syncs.close)
        self.begin(webhook_settings(receiver), "sync_shim.so", COWGATE_SHIM_COUNT=syncs.path,
                   COWGATE_SHIM_FAIL="HANG", COWGATE_SHIM_FAIL_WHILE=broken)
        self.time.pass_by(3600)
        self.stays_fed()
        broken.touch()
        self.addCleanup(broken.unlink, missing_ok=True)
        before = syncs.value()
        writer = threading.Thread(target=self.say_unheard)
        writer.start()
        self.until(lambda: syncs.value() > before, "a sync that hangs", self.gateway)
        self.starves("journal.db")
        broken.unlink()
        writer.join()
        self.until(lambda: "watchdog.fed" in self.gateway.said(), "it is well", self.gateway)
        self.stays_fed()

    def test_a_full_disk_is_no_reason_to_be_killed(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        broken = self.directory / "broken"
        self.begin(webhook_settings(receiver), "sync_shim.so",
                   COWGATE_SHIM_FAIL="ENOSPC", COWGATE_SHIM_FAIL_IN="write",
                   COWGATE_SHIM_FAIL_WHILE=broken)
        broken.touch()
        self.assertEqual(self.gateway.post(message("hello")).status, 503)
        for _ in range(3):
            self.time.pass_by(3600)
            self.stays_fed()

    def test_a_channel_that_says_it_is_up_and_does_nothing(self):
        modules = self.directory / "modules"
        modules.mkdir()
        (modules / "mute.so").symlink_to(BUILD / "tests/modules/mute.so")
        self.begin({"PLUGIN_DIR": modules, "MUTE_ENABLED": "true"})
        self.starves("mute")
        done = self.gateway.cli("channels", "pause", "mute")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.until(lambda: "watchdog.fed" in self.gateway.said(), "it is well", self.gateway)
        self.stays_fed()


class HandedOver(Scenario):
    """sd_listen_fds(3): the port belongs to the manager, also while nobody serves it."""

    def listener(self, host):
        listener = socket.socket()
        listener.bind((host, 0))
        listener.listen(16)
        self.addCleanup(listener.close)
        return listener

    def spawn(self, listener, **settings):
        gateway = self.daemon({"FAKE_ENABLED": "true", **settings}, start=False)
        process = subprocess.Popen(
            ["sh", "-c", 'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" run',
             str(PROGRAM), str(listener.fileno())],
            cwd=gateway.directory, env=gateway.environment(), pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return gateway, process

    def test_connections_wait_through_a_restart(self):
        listener = self.listener("127.0.0.1")
        port = listener.getsockname()[1]
        waiting = socket.create_connection(("127.0.0.1", port), 20)
        self.addCleanup(waiting.close)
        waiting.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        gateway, process = self.spawn(listener)
        waiting.settimeout(60)
        self.assertTrue(waiting.recv(64).startswith(b"HTTP/1.1 200 "))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        # The port is still open, and the next one serves who came in between.
        later = socket.create_connection(("127.0.0.1", port), 20)
        self.addCleanup(later.close)
        later.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        again = subprocess.Popen(
            ["sh", "-c", 'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" run',
             str(PROGRAM), str(listener.fileno())],
            cwd=gateway.directory, env=gateway.environment(), pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.addCleanup(again.wait)
        self.addCleanup(again.kill)
        later.settimeout(60)
        self.assertTrue(later.recv(64).startswith(b"HTTP/1.1 200 "))

    def test_a_socket_wider_than_the_settings_is_refused(self):
        _, process = self.spawn(self.listener("0.0.0.0"), HOST="127.0.0.1")
        said = process.stderr.read().decode()
        self.assertEqual(process.wait(30), 1)
        self.assertIn("make them agree", said)


def unit_file(name):
    text = (ROOT / "systemd" / name).read_text()
    return text.replace("@CMAKE_INSTALL_FULL_BINDIR@/cowgate", str(PROGRAM))


class Units(Scenario):
    """What systemd itself thinks of the unit files."""

    def setUp(self):
        super().setUp()
        wanted.program("systemd-analyze")
        self.directory = pathlib.Path(self.daemon({}, start=False).directory)
        for name in ("system/cowgate.service.in", "system/cowgate.socket"):
            target = self.directory / pathlib.Path(name).name.removesuffix(".in")
            # The manual is there once the package is installed.
            target.write_text(re.sub(r"(?m)^Documentation=.*\n", "", unit_file(name)))
        self.service = self.directory / "cowgate.service"

    def analyze(self, *arguments):
        return subprocess.run(
            ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
        )

    def test_they_verify(self):
        done = self.analyze("verify", str(self.service), str(self.directory / "cowgate.socket"))
        self.assertEqual((done.returncode, done.stderr.strip()), (0, ""))

    def test_they_verify_with_the_example_for_agents(self):
        place = self.directory / "cowgate.service.d"
        place.mkdir()
        shutil.copy(ROOT / "systemd/system/cowgate.service.d/agents.conf", place)
        done = self.analyze("verify", str(self.service))
        self.assertEqual((done.returncode, done.stderr.strip()), (0, ""))
        # It is read at all: a word that systemd does not know is complained of.
        (place / "agents.conf").write_text("[Service]\nNoSuchWord=yes\n")
        done = self.analyze("verify", str(self.service))
        self.assertIn("NoSuchWord", done.stderr)

    def test_they_verify_with_the_example_for_growing_delays(self):
        place = self.directory / "cowgate.service.d"
        place.mkdir()
        shutil.copy(ROOT / "systemd/system/cowgate.service.d/backoff.conf", place)
        done = self.analyze("verify", str(self.service))
        unknown = re.findall(r"Unknown key (?:name )?'(\w+)'", done.stderr)
        version = int(self.analyze("--version").stdout.split()[1])
        self.assertEqual(unknown, [] if version >= 254 else ["RestartSteps", "RestartMaxDelaySec"])
        self.assertEqual(len(done.stderr.splitlines()), len(unknown), done.stderr)

    def test_exposure_is_at_most_1_5(self):
        done = self.analyze("security", "--offline=true", "--threshold=15", str(self.service))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print(re.search(r"Overall exposure level.*", done.stdout).group(0))
        # A score above the bound must fail, or the line before proves nothing.
        done = self.analyze("security", "--offline=true", "--threshold=1", str(self.service))
        self.assertNotEqual(done.returncode, 0)


class Launchd(Scenario):
    """What launchd and newsyslog would do with their files, done by the test."""

    def start(self, gateway):
        return subprocess.Popen(self.job["ProgramArguments"], stdin=subprocess.DEVNULL,
                                env=gateway.environment(self.job["EnvironmentVariables"]))

    def test_the_log_goes_on_in_a_new_file(self):
        text = (ROOT / "launchd/org.example.cowgate.plist.in").read_text()
        self.job = plistlib.loads(
            text.replace("@CMAKE_INSTALL_FULL_BINDIR@/cowgate", str(PROGRAM)).encode())
        rotation = (ROOT / "launchd/newsyslog.d/cowgate.conf").read_text().splitlines()[-1].split()
        gateway = self.daemon({"FAKE_ENABLED": "true"}, start=False)
        (gateway.directory / "Library/Logs").mkdir(parents=True)
        log, pid_file = (pathlib.Path(name.replace("/Users/NAME", str(gateway.directory)))
                         for name in (rotation[0], rotation[-2]))
        ready = lambda: log.exists() and " is ready on " in log.read_text()
        for _ in range(2):
            process = self.start(gateway)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.assertTrue(eventually(ready), log.exists() and log.read_text())
            self.assertEqual(int(pid_file.read_text()), process.pid)
            log.rename(log.with_suffix(".log.0"))
            os.kill(int(pid_file.read_text()), int(rotation[-1]))
            self.assertEqual(process.wait(20), 0)
        self.assertIs(self.job["KeepAlive"], True, "an end by that signal is a clean one")


if __name__ == "__main__":
    unittest.main()
