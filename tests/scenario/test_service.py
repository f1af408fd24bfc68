# SPDX-License-Identifier: Apache-2.0
"""The service manager's side, played by the test: notifications, watchdog, a socket handed over."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

from tests.peers import wanted
from tests.scenario.daemon import (
    K,
    PROGRAM,
    ROOT,
    TELEGRAM_TOKEN,
    Scenario,
    eventually,
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

    def test_exposure_is_at_most_1_5(self):
        done = self.analyze("security", "--offline=true", "--threshold=15", str(self.service))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print(re.search(r"Overall exposure level.*", done.stdout).group(0))
        # A score above the bound must fail, or the line before proves nothing.
        done = self.analyze("security", "--offline=true", "--threshold=1", str(self.service))
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
