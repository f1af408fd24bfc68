# SPDX-License-Identifier: Apache-2.0
"""The real daemon, as a test starts, kills, restarts and questions it.

COWGATE_BUILD names the build directory (default: build/debug).  Every process that is started
here is ended here.
"""
import http.client
import json
import mmap
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from tests.peers.receiver import PREFIX, message, sign, sign_standard

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("COWGATE_BUILD", ROOT / "build/debug")).resolve()
PROGRAM = BUILD / "cowgate"
K = "OPEN_COWORK_GATEWAY_"

START_SECONDS = 60  # a sanitizer build on a busy machine
STOP_SECONDS = 30

# Planted, and looked for in all that the daemon ever says.
ADMIN_TOKEN = "admin-token-Zq8vT3nLw1Kd"
WEBHOOK_SECRET = "webhook-secret-Hx5rB9mPc2Ye"
TELEGRAM_TOKEN = "4711:telegram-token-Jw7uS4kGq6Na"
SLACK_TOKEN = "xoxb-slack-token-Rp4nK9vXe2Lz"
SLACK_SECRET = "slack-secret-Tb6wQ1mGc8Ud"
MODEL_KEY = "sk-model-key-Fd2zV8tRb5Mo"
SECRETS = (ADMIN_TOKEN, WEBHOOK_SECRET, TELEGRAM_TOKEN, MODEL_KEY, SLACK_TOKEN, SLACK_SECRET)


def sanitizer_runtime():
    """Path of the sanitizer's library that the program loads; None without one.  What is
    preloaded must come behind it."""
    output = subprocess.run(
        ["ldd", str(PROGRAM)], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"lib[at]san\.so\S* => (\S+)", output)
    return found.group(1) if found else None


def preload(*modules):
    """Environment that loads these of build/tests into the daemon before everything else."""
    paths = [BUILD / "tests" / module for module in modules]
    for path in paths:
        if not path.exists():
            raise unittest.SkipTest(f"{path} was not built")
    return {"LD_PRELOAD": " ".join(str(path) for path in (sanitizer_runtime(), *paths) if path)}


class Time:
    """What tests/crash/clock_shim.c adds to the clocks of a daemon: time that passes at once."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "time"
        self.ahead_ms = 0
        self.pass_by(0)
        self.extra = {"COWGATE_SHIM_TIME": self.path}

    def now(self):
        """As the daemon's wall clock has it."""
        return time.time() + self.ahead_ms / 1000

    def pass_by(self, seconds):
        self.ahead_ms += int(seconds * 1000)
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("<q", self.ahead_ms))


def eventually(predicate, seconds=20, interval=0.02):
    """What predicate() returned when it was first true, else its last false value."""
    end = time.monotonic() + seconds
    while True:
        value = predicate()
        if value or time.monotonic() >= end:
            return value
        time.sleep(interval)


class Answer:
    """An HTTP response, read whole."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # lower case
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the operator's socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Daemon:
    """One data directory and the processes that run on it, one after the other."""

    def __init__(self, directory, settings, secrets=SECRETS):
        self.directory = pathlib.Path(directory)
        self.settings = dict(settings)
        self.secrets = secrets
        self.process = None
        self.port = None
        self.authority = None  # PEM: the port speaks TLS, and this is who vouches for it
        self.output = b""  # of all processes, stdout and stderr
        self.seen = b""  # what it answered over HTTP
        self.lock = threading.Lock()
        self.readers = []
        self.ready = threading.Event()

    # Life.

    def environment(self, extra=None):
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            K + "ENV_FILE": "",  # not the one of a gateway that lives on this machine
            K + "DATA_DIR": str(self.directory / "data"),
            K + "PORT": "0",
            K + "PRODUCT_MODE": "standalone",
            K + "ADMIN_TOKEN": ADMIN_TOKEN,
            K + "LOG_LEVEL": "debug",
            K + "WEBHOOK_RATE_LIMIT_PER_MINUTE": "0",
        }
        # A killed process has no time to look for leaks; one that stops has.
        environment["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
        environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
        for name, value in self.settings.items():
            environment[K + name] = str(value)
        for name, value in (extra or {}).items():
            environment[name] = str(value)
        return environment

    def spawn(self, extra=None, arguments=("run",)):
        """Start without waiting."""
        if self.is_running():
            raise AssertionError("it runs already, and would be forgotten here")
        self.ready.clear()
        self.port = None
        self.process = subprocess.Popen(
            [str(PROGRAM), *arguments],
            cwd=self.directory,
            env=self.environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for pipe in (self.process.stdout, self.process.stderr):
            reader = threading.Thread(target=self._read, args=(pipe,), daemon=True)
            reader.start()
            self.readers.append(reader)

    def start(self, extra=None):
        """Start and wait for the ready line."""
        self.spawn(extra)
        end = time.monotonic() + START_SECONDS
        while not self.ready.wait(0.02):
            if self.process.poll() is not None and not self.readers_busy():
                if self.ready.is_set():
                    break
                raise AssertionError(
                    f"exit {self.process.returncode} before ready:\n{self.said()}"
                )
            if time.monotonic() > end:
                raise AssertionError(f"never ready:\n{self.said()}")
        return self

    def readers_busy(self):
        return any(reader.is_alive() for reader in self.readers)

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                with self.lock:
                    self.output += line
                found = re.search(rb"is ready on https?://127\.0\.0\.1:(\d+)", line)
                if found:
                    self.port = int(found.group(1))
                    self.ready.set()

    def said(self):
        with self.lock:
            return self.output.decode("utf-8", "replace")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def _reap(self, seconds):
        try:
            code = self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        for reader in self.readers:
            reader.join(10)
        self.readers = []
        return code

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self._reap(STOP_SECONDS)
        self.process = None
        return code

    def kill(self, number=signal.SIGKILL):
        """As a crash does it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self._reap(STOP_SECONDS)
        self.process = None

    def await_death(self, seconds=30):
        """A process that is to die by itself; True when it did."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._reap(1)
        self.process = None
        return True

    def restart(self, extra=None):
        code = self.stop()
        if code not in (0, None):
            raise AssertionError(f"exit {code}:\n{self.said()}")
        return self.start(extra)

    # Questions.

    def request(self, method, path, body=None, headers=None, seconds=20):
        if self.authority is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        else:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=seconds,
                context=ssl.create_default_context(cafile=str(self.authority)),
            )
        return self._request(connection, method, path, body, headers)

    def _request(self, connection, method, path, body, headers):
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        names = {name.lower(): value for name, value in response.getheaders()}
        with self.lock:
            self.seen += data
            self.seen += repr(names).encode()
        return Answer(response.status, names, data)

    def operator(self, path, method="GET", body=None):
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        return self.request(method, path, body, headers)

    def socket_path(self):
        return self.directory / "data" / "operator.sock"

    def local(self, path, method="GET", body=None, headers=None):
        """Over the Unix socket."""
        connection = UnixConnection(self.socket_path(), 20)
        return self._request(connection, method, path, body, headers)

    def cli(self, *arguments, seconds=60):
        """Another subcommand beside the running daemon."""
        done = subprocess.run(
            [str(PROGRAM), *arguments],
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        with self.lock:
            self.seen += done.stdout + done.stderr
        return done

    def raw(self, data, seconds=20):
        """Bytes as they are; what came back until the end of the connection."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as sock:
            try:
                sock.sendall(data)
                while chunk := sock.recv(65536):
                    answer += chunk
            except ConnectionError:
                pass
        with self.lock:
            self.seen += answer
        return answer

    def post(self, body, provider="webhook", secret=WEBHOOK_SECRET, headers=None, **how):
        """A signed message; how: stamp, signature, standard (sign that way instead)."""
        stamp = how.get("stamp", int(time.time()))
        if how.get("standard"):
            signed = {
                "webhook-id": how["standard"],
                "webhook-timestamp": str(stamp),
                "webhook-signature": sign_standard(secret, how["standard"], stamp, body),
            }
        else:
            signed = {
                PREFIX + "webhook-timestamp": str(stamp),
                PREFIX + "webhook-signature": how.get("signature", sign(secret, stamp, body)),
            }
        signed["content-type"] = "application/json"
        signed.update(headers or {})
        return self.request("POST", f"/webhooks/{provider}", body, signed)

    def say(self, text, **more):
        """A person writes by webhook; the answer must be 202."""
        answer = self.post(message(text, **more))
        if answer.status != 202:
            raise AssertionError(f"{answer!r}\n{self.said()}")
        return answer

    def deliveries(self, **query):
        text = "&".join(f"{name}={value}" for name, value in query.items())
        answer = self.operator("/deliveries?" + text)
        if answer.status != 200:
            raise AssertionError(repr(answer))
        return answer.json()["deliveries"]

    def delivery(self, text, **query):
        """The newest delivery whose text contains this; None: not there."""
        for record in self.deliveries(limit=200, **query):
            if text in (record["payload"].get("text") or ""):
                return record
        return None

    def metric(self, name):
        """Value of a series, by its whole name with labels; None: not there."""
        page = self.operator("/metrics").body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
        return float(found.group(1)) if found else None

    # Secrets.

    def leaks(self):
        """Where planted secrets are to be found that should not be: a list of words."""
        places = {"output": self.output, "answers": self.seen}
        data = self.directory / "data"
        for path in data.glob("*"):
            if path.is_file() and not path.name.startswith("admin"):
                places[path.name] = path.read_bytes()
        return [
            f"{secret[:8]}… in {place}"
            for place, content in places.items()
            for secret in self.secrets
            if secret.encode() in content
        ]

    def complaints(self):
        """What a sanitizer had to say."""
        return re.findall(
            r"(?:ERROR: \w+Sanitizer|runtime error|WARNING: ThreadSanitizer).*", self.said()
        )


class SyncCounter:
    """The counter that tests/crash/sync_shim.c keeps in a file."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "syncs"
        self.path.write_bytes(bytes(8))
        self.file = open(self.path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 8)

    def value(self):
        return int.from_bytes(self.map[:8], "little")

    def set(self, value):
        self.map[:8] = value.to_bytes(8, "little")

    def close(self):
        self.map.close()
        self.file.close()


class Scenario(unittest.TestCase):
    """A temporary directory, peers and daemons that end with the test, and the questions that
    every test asks: did it leak a secret, did a sanitizer speak, did it end well?"""

    secrets = SECRETS

    def setUp(self):
        if not PROGRAM.exists():
            self.fail(f"{PROGRAM} is not built; set COWGATE_BUILD")
        # Short, because the path of a Unix socket is.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.daemons = []
        self.peers = []
        self.addCleanup(self._end_all)

    def _end_all(self):
        """Whatever happened, nothing outlives the test."""
        for daemon in self.daemons:
            if daemon.is_running():
                daemon.kill()
        for peer in self.peers:
            peer.close()

    def tearDown(self):
        for daemon in self.daemons:
            code = daemon.stop()
            self.assertIn(code, (0, None), daemon.said())
            self.assertEqual(daemon.complaints(), [], daemon.said())
            self.assertEqual(daemon.leaks(), [], "secrets were leaked")
        for peer in self.peers:
            self.assertEqual(peer.errors, [], "a peer failed")

    def peer(self, peer):
        self.peers.append(peer)
        return peer

    def daemon(self, settings, start=True, extra=None, name="d"):
        place = self.directory / f"{name}{len(self.daemons)}"
        place.mkdir()
        daemon = Daemon(place, settings, self.secrets)
        self.daemons.append(daemon)
        return daemon.start(extra) if start else daemon

    def until(self, predicate, what, daemon=None, seconds=20):
        value = eventually(predicate, seconds)
        if not value:
            said = daemon.said()[-6000:] if daemon is not None else ""
            self.fail(f"did not come about: {what} (last: {value!r})\n{said}")
        return value


def webhook_settings(receiver, **more):
    """The webhook channel with everybody let in."""
    settings = {
        "WEBHOOK_DELIVERY_URL": receiver.url + "/hook",
        "WEBHOOK_SHARED_SECRET": WEBHOOK_SECRET,
        "WEBHOOK_ALLOW_FROM": "*",
    }
    settings.update(more)
    return settings


def telegram_settings(telegram, **more):
    """The Telegram channel with everybody let in."""
    settings = {
        "TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN,
        "TELEGRAM_API_BASE_URL": telegram.url,
        "TELEGRAM_ALLOW_FROM": "*",
    }
    settings.update(more)
    return settings


def slack_settings(slack, **more):
    """The Slack channel with everybody let in."""
    settings = {
        "SLACK_BOT_TOKEN": SLACK_TOKEN,
        "SLACK_SIGNING_SECRET": SLACK_SECRET,
        "SLACK_API_BASE_URL": slack.base,
        "SLACK_ALLOW_FROM": "*",
    }
    settings.update(more)
    return settings


def model_settings(model):
    return {
        "AGENT_BACKEND": "openai",
        "AGENT_URL": model.base,
        "AGENT_API_KEY": MODEL_KEY,
        "AGENT_MODEL": "test-model",
    }
