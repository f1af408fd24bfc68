#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the daemon on this machine and writes docs/performance.md.

Rates are compared with a skeleton (skeleton.c) that does only what is indispensable, and with
the disk's own rate of syncs, each taken in the same round, because both change from minute to
minute on a shared machine.  Everything stays on 127.0.0.1 and under a temporary directory.
"""
import argparse
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.peers.authority import Authority  # noqa: E402
from tests.peers.opencode_fake import OpenCodeFake  # noqa: E402
from tests.peers.tls_front import TlsFront  # noqa: E402

K = "OPEN_COWORK_GATEWAY_"
SECRET = "bench-secret-bench-secret-bench"
MIB = 1 << 20
AGENT_TURNS = 10  # of each chat
QUIET_CORES = 0.25  # others may use so much of the machine


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


class Bench:
    """The programs, a place on the disk, and where its rate is taken."""

    def __init__(self, build, directory):
        self.build = pathlib.Path(build).resolve()
        self.directory = pathlib.Path(directory)
        self.first = 1  # of the next request's number: ids never repeat

    def program(self, name):
        return str(self.build / "bench" / f"bench-{name}")

    def sync_rate(self, slow=False):
        return float(subprocess.run(
            [self.program("sync-rate"), str(self.directory / "sync"), "1"],
            capture_output=True, text=True, check=True,
            env=os.environ | (self.slow() if slow else {})).stdout)

    def slow(self):
        return {"LD_PRELOAD": str(self.build / "bench/slow_sync.so"),
                "COWGATE_SHIM_DELAY_US": "5000"}

    def load(self, port, connections, requests, secret=SECRET, sink=0, chats=64):
        first, self.first = self.first, self.first + requests
        done = subprocess.run(
            [self.program("load"), str(port), str(connections), str(requests), secret,
             str(first), str(chats), str(sink)],
            capture_output=True, text=True, check=False)
        if not done.stdout:
            raise SystemExit(f"the load failed: {done.stderr}")
        return json.loads(done.stdout)


class Process:
    """A server in a directory of its own, ended at the end of a with block."""

    def __init__(self, bench, command, environment):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=bench.directory))
        self.log = open(self.directory / "log", "w+", encoding="utf-8")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command(self.directory), env=environment(self.directory), stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.log.close()
        shutil.rmtree(self.directory)

    def wait_ready(self, port):
        for _ in range(2000):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        raise SystemExit(f"a server did not start: {self.text()}")

    def text(self):
        return (self.directory / "log").read_text(encoding="utf-8")

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}").read_text(encoding="utf-8")

    def memory(self):
        """MiB of PSS, private dirty pages, and RSS."""
        found = dict(re.findall(r"^(\w+): +(\d+) kB", self.proc("smaps_rollup"), re.M))
        return {name: int(found[name]) * 1024 / MIB for name in ("Pss", "Private_Dirty", "Rss")}

    def switches(self):
        total = 0
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            status = (thread / "status").read_text(encoding="utf-8")
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M)[1])
        return total

    def written(self):
        return int(re.search(r"^write_bytes: (\d+)", self.proc("io"), re.M)[1])


def skeleton(bench, slow=False):
    port = free_port()
    server = Process(
        bench, lambda at: [bench.program("skeleton"), str(port), str(at / "db"), SECRET],
        lambda at: os.environ | (bench.slow() if slow else {}))
    server.port = port
    server.wait_ready(port)
    return server


def daemon(bench, sink=0, slow=False, wait=True, beside=None, **settings):
    """The gateway with webhook and telegram, and the echo agent in its own plane."""
    port = free_port()

    def environment(at):
        values = {
            "PORT": port, "DATA_DIR": at / "data", "LOG_LEVEL": "error",
            "WEBHOOK_DELIVERY_URL": f"http://127.0.0.1:{sink or free_port()}/",
            "WEBHOOK_SHARED_SECRET": SECRET, "WEBHOOK_ALLOW_PRIVATE_DELIVERY": "true",
            "WEBHOOK_ALLOW_FROM": "*", "WEBHOOK_RATE_LIMIT_PER_MINUTE": 0,
        } | settings
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith("OPEN_COWORK")}
        return (clean | (beside or {}) | {"HOME": str(at)} | {K + name: str(value) for name, value in
                                             values.items()} | (bench.slow() if slow else {}))

    server = Process(bench, lambda at: [str(bench.build / "cowgate"), "run"], environment)
    server.port = port
    if wait:
        server.wait_ready(port)
    return server


def busy_cores():
    """How many cores are at work, over half a second."""
    def sample():
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(field) for field in file.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    before = sample()
    time.sleep(0.5)
    after = sample()
    share = 1 - (after[1] - before[1]) / max(after[0] - before[0], 1)
    return share * os.cpu_count()


def wait_for_quiet():
    """Wait, twenty seconds at most, until nobody else works here.  Is it quiet?"""
    for _ in range(40):
        if busy_cores() < QUIET_CORES:
            return True
    return False


def spread(values):
    values = list(values)
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


# ---- what is measured: each takes one round and returns {name: number} ----------------------

def accepts(bench, connections, requests, slow=False):
    sink = free_port()
    result = {"syncs": bench.sync_rate(slow)}
    with skeleton(bench, slow) as server:
        bare = bench.load(server.port, connections, requests)
    with daemon(bench, sink, slow) as server:
        ours = bench.load(server.port, connections, requests)
    if ours.get("202") != requests or bare.get("202") != requests:
        raise SystemExit(f"not everything was accepted: {ours} {bare}")
    for name, load in (("daemon", ours), ("skeleton", bare)):
        result |= {f"{name}_rate": load["rate"], f"{name}_p50": load["p50_ms"],
                   f"{name}_p99": load["p99_ms"]}
    result["ratio"] = 100 * ours["rate"] / bare["rate"]
    result["p99_ratio"] = ours["p99_ms"] / bare["p99_ms"]
    return result


def refusals(bench):
    """Wrong signatures: the first ones of a source are judged (401), the rest is held off (429)."""
    with daemon(bench) as server:
        judged = bench.load(server.port, 1, 20, "!" + SECRET)
        held_off = bench.load(server.port, 64, 60000, "!" + SECRET)
    if judged.get("401") != 20 or held_off.get("429", 0) < 59900:
        raise SystemExit(f"not refused as expected: {judged} {held_off}")
    return {"held_off_rate": held_off["rate"], "held_off_p99": held_off["p99_ms"]}


def judged_refusals(bench):
    """The 401 path alone: each source is judged 20 times, so it takes many sources."""
    with daemon(bench, TRUST_PROXY_HEADERS="true", TRUSTED_PROXY_CIDRS="127.0.0.1/32") as server:
        load = bench.load(server.port, 64, 40000, "?" + SECRET)
    if load.get("401", 0) < 39000:
        raise SystemExit(f"not refused as expected: {load}")
    return {"judged_rate": load["rate"], "judged_p99": load["p99_ms"]}


def conversation(bench):
    """From the 202 to the answer at the receiver: one after the other, and all at once."""
    sink = free_port()
    with daemon(bench, sink) as server:
        written = server.written()
        alone = [bench.load(server.port, 1, 1, sink=sink, chats=1) for _ in range(50)]
        written = (server.written() - written) / 50
        many = bench.load(server.port, 16, 3000, sink=sink)
    for load in (*alone, many):
        if load["delivered"] != load["202"] or load["repeated"]:
            raise SystemExit(f"answers are missing or repeated: {load}")
    waits = sorted(load["delivery_p50_ms"] for load in alone)
    return {"alone_p50": statistics.median(waits), "alone_p90": waits[44],
            "alone_bytes": written,
            "conversations": many["delivered"] / many["whole_seconds"]}


def idle(bench):
    with daemon(bench, TELEGRAM_BOT_TOKEN="1:bench", TELEGRAM_API_BASE_URL=
                f"http://127.0.0.1:{free_port()}", CLI_ENABLED="true") as server:
        time.sleep(5)
        before = server.switches()
        time.sleep(20)
        wake_ups = (server.switches() - before) / 20
        memory = server.memory()
    return {"wake_ups": wake_ups, "pss": memory["Pss"], "dirty": memory["Private_Dirty"],
            "rss": memory["Rss"]}


def start_up(bench):
    server = daemon(bench, wait=False)
    with server:
        url = f"http://127.0.0.1:{server.port}/health"
        while True:
            try:
                with urllib.request.urlopen(url, timeout=1) as reply:
                    if reply.status == 200:
                        return {"health_ms": 1000 * (time.monotonic() - server.started)}
            except OSError:
                if time.monotonic() - server.started > 20:
                    raise
            time.sleep(0.0005)


def endurance(bench):
    """100,000 messages, answered: what memory and the disk have to say."""
    sink = free_port()
    with daemon(bench, sink) as server:
        bench.load(server.port, 16, 20000, sink=sink)
        early, written = server.memory(), server.written()
        for _ in range(4):
            load = bench.load(server.port, 16, 20000, sink=sink)
            if load["delivered"] != 20000:
                raise SystemExit(f"answers are missing: {load}")
        late = server.memory()
        written = (server.written() - written) / 80000
    return {"pss_20k": early["Pss"], "pss_100k": late["Pss"], "rss_100k": late["Rss"],
            "dirty_100k": late["Private_Dirty"], "bytes_per_message": written}


def agents(bench):
    """50 chats at once through a stand-in for a server of OpenCode: what each of them takes."""
    fake = OpenCodeFake()
    fake.pause = 0.02
    sink = free_port()
    try:
        with daemon(bench, sink, AGENT_BACKEND="opencode", AGENT_URL=fake.url,
                    AGENT_API_KEY=fake.password) as server:
            bench.load(server.port, 1, 1, sink=sink, chats=1)
            before = server.memory()
            load = bench.load(server.port, 16, 50 * AGENT_TURNS, sink=sink, chats=50)
            after = server.memory()
    finally:
        fake.close()
    if load["delivered"] != 50 * AGENT_TURNS or load["repeated"]:
        raise SystemExit(f"answers are missing or repeated: {load}")
    return {"agent_kib": (after["Pss"] - before["Pss"]) * 1024 / 50,
            "agent_turns": load["delivered"] / load["whole_seconds"]}


class Unix(http.client.HTTPConnection):
    """HTTP over the operator's socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


def token_of(cloud):
    connection = Unix(cloud.directory / "data/operator.sock")
    body = json.dumps({"name": "bench", "channelBindingIds": ["webhook"]})
    connection.request("POST", "/api/channels/tokens", body)
    token = json.loads(connection.getresponse().read())["plaintext"]
    connection.close()
    return token


def say(port, chat, text):
    """One signed message."""
    body = json.dumps({"id": f"{chat}-{text}", "text": text, "target": {"chatId": chat},
                       "sender": {"userId": "bench"}}).encode()
    stamp = str(int(time.time()))
    mac = hmac.new(SECRET.encode(), b"v1:" + stamp.encode() + b":" + body, hashlib.sha256)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/webhooks/webhook", body, {
        "content-type": "application/json",
        "x-open-cowork-gateway-webhook-timestamp": stamp,
        "x-open-cowork-gateway-webhook-signature": "v1=" + mac.hexdigest()})
    urllib.request.urlopen(request, timeout=10).close()


def connections_to(server, port):
    """Established connections of a process to a port on this host."""
    found = 0
    for line in server.proc("net/tcp").splitlines()[1:]:
        fields = line.split()
        found += fields[2] == f"0100007F:{port:04X}" and fields[3] == "01"
    return found


def until(predicate, seconds):
    end = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


STREAMS, BOUND = 150, 2000


def loaded(bench, *arguments, **more):
    load = bench.load(*arguments, **more)
    if load["delivered"] != arguments[2] or load["repeated"]:
        raise SystemExit(f"answers are missing or repeated: {load}")


def dirty(server):
    return server.memory()["Private_Dirty"] * 1024


def idle_kib(bench, gateway, sink):
    """As many messages each time, of few chats and then of all: caches and backlog are the same,
    only the number of conversations is not."""
    loaded(bench, gateway.port, 4, BOUND, sink=sink, chats=STREAMS)
    loaded(bench, gateway.port, 4, BOUND, sink=sink, chats=STREAMS)
    few = dirty(gateway)
    loaded(bench, gateway.port, 4, BOUND, sink=sink, chats=BOUND)
    return max(0, dirty(gateway) - few) / (BOUND - STREAMS)


def stream_kib(bench, gateway, cloud_port, sink):
    """One message after the other in a new process, so that no backlog leaves room behind that
    streams could use: all places are taken by an agent that does not end.  What caches grow by
    meanwhile counts too."""
    loaded(bench, gateway.port, 1, 1, sink=sink, chats=1)
    before = dirty(gateway)
    for number in range(STREAMS):
        say(gateway.port, f"slow-{number}", "slow 3600 done")
        if not until(lambda n=number: connections_to(gateway, cloud_port) > n + 1, 10):
            raise SystemExit("a stream is missing")
    return (dirty(gateway) - before) / STREAMS


def cloud_daemon(bench):
    """What serves as the Cloud."""
    return daemon(bench, PLANE_CHANNELS="webhook,other", PLANE_ALLOW_FROM="*",
                  WEBHOOK_ENABLED="false", CLI_ENABLED="true")


def gateway_settings(bench, plane):
    return {"PRODUCT_MODE": "cloud_channel", "SERVICE_TOKEN": token_of(plane),
            "MAX_SESSION_STREAMS": STREAMS, "ADMIN_TOKEN": SECRET,
            "DATA_DIR": pathlib.Path(tempfile.mkdtemp(dir=bench.directory))}


def cloud(bench):
    """A gateway of a Cloud on loopback: what an idle conversation and a live stream cost, and
    how long it takes until all streams with unfinished work are back after a restart."""
    sink = free_port()
    with cloud_daemon(bench) as plane:
        settings = gateway_settings(bench, plane)
        url = {"OPEN_COWORK_CLOUD_BASE_URL": f"http://127.0.0.1:{plane.port}"}
        with daemon(bench, sink, beside=url, **settings) as gateway:
            idle_cost = idle_kib(bench, gateway, sink)
        with daemon(bench, sink, beside=url, **settings) as gateway:
            stream_cost = stream_kib(bench, gateway, plane.port, sink)
        # The connections of the one before are gone, and are not counted.
        gone = until(lambda: connections_to(plane, plane.port) == 0, 20)
        started = time.monotonic()
        with daemon(bench, sink, beside=url, **settings) as gateway:
            back = until(lambda: connections_to(gateway, plane.port) > STREAMS, 60)
            resumed = time.monotonic() - started
    if not (gone and back):
        raise SystemExit("the streams are not all there")
    return {"stream_kib": stream_cost, "idle_kib": idle_cost, "resume_s": resumed}


def cloud_tls(bench):
    """A live stream with TLS between the two, which ends in front of the Cloud."""
    sink = free_port()
    with cloud_daemon(bench) as plane:
        settings = gateway_settings(bench, plane)
        authority = Authority(settings["DATA_DIR"] / "tls")
        front = TlsFront(plane.port, authority.issue("cloud", "DNS:localhost"))
        try:
            with daemon(bench, sink, beside={"OPEN_COWORK_CLOUD_BASE_URL": front.url},
                        CLOUD_CA_FILE=authority.pem, **settings) as gateway:
                return {"stream_tls_kib": stream_kib(bench, gateway, front.port, sink)}
        finally:
            front.close()


def sizes(bench):
    found = {}
    for path in (bench.build / "cowgate", *sorted((bench.build / "plugins").glob("*.so"))):
        copy = bench.directory / path.name
        subprocess.run(["strip", "-o", copy, path], check=True)
        found[f"size {path.name}"] = copy.stat().st_size / 1024
        copy.unlink()
    return found


MEASURES = {
    # name: (function, rounds)
    "accept-1": (lambda bench: accepts(bench, 1, 3000), 5),
    "accept-16": (lambda bench: accepts(bench, 16, 20000), 5),
    "accept-64": (lambda bench: accepts(bench, 64, 40000), 5),
    "accept-256-slow": (lambda bench: accepts(bench, 256, 20000, slow=True), 5),
    "refused": (refusals, 5),
    "judged": (judged_refusals, 5),
    "conversation": (conversation, 5),
    "start": (start_up, 11),
    "idle": (idle, 3),
    "endurance": (endurance, 1),
    "agents": (agents, 3),
    "cloud": (cloud, 1),
    "cloud-tls": (cloud_tls, 1),
    "size": (sizes, 1),
}


def measure(bench, wanted, rounds):
    results = {}
    for name, (function, usual) in MEASURES.items():
        if wanted and name not in wanted:
            continue
        rows, disturbed = [], 0
        for _ in range(min(rounds or usual, usual)):
            disturbed += not wait_for_quiet()
            rows.append(function(bench))
            print(name, {key: round(value, 3) for key, value in rows[-1].items()}, flush=True)
        results[name] = {key: spread(row[key] for row in rows) for key in rows[0]}
        results[name] |= {"rounds": len(rows), "disturbed": disturbed}
    return results


# ---- what is written --------------------------------------------------------------------------

def machine():
    model = re.search(r"model name\s*:\s*(.*)", output_of("cat", "/proc/cpuinfo"))
    return (f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}, shared), "
            f"{platform.system()} {platform.release().split('-')[0]}, "
            f"SQLite {output_of('sqlite3', '--version').split(' ')[0] or 'of the system'}")


def figure(cell, digits=0):
    text = "{:,.%df}" % digits
    if cell["low"] == cell["high"]:
        return text.format(cell["median"])
    return (f"{text} ({text} to {text})").format(cell["median"], cell["low"], cell["high"])


ACCEPT_ROWS = (("accept-1", "1"), ("accept-16", "16"), ("accept-64", "64"),
               ("accept-256-slow", "256, every sync 5 ms slower"))
# measure, value, words, digits, what it should be
PLAIN_ROWS = (
    ("judged", "judged_rate", "wrong signatures refused with 401, per second", 0, "≥ 30,000"),
    ("refused", "held_off_rate", "of a source that keeps at it, refused with 429, per second", 0,
     "≥ 30,000"),
    ("conversation", "alone_p50", "from 202 to the answer's delivery, one message at a time, median, ms", 1, ""),
    ("conversation", "alone_p90", "the same, p90, ms", 1, ""),
    ("conversation", "alone_bytes", "the same, bytes written to disk for each", 0, ""),
    ("conversation", "conversations", "messages in and answers out, 3,000 at once, per second", 0, ""),
    ("start", "health_ms", "from exec to the first 200 of /health, ms", 1, "≤ 50"),
    ("idle", "wake_ups", "wake-ups per second, idle, all threads", 2, "≤ 2"),
    ("idle", "pss", "PSS idle, MiB", 1, "≤ 16"),
    ("idle", "dirty", "private dirty idle, MiB", 1, "≤ 6"),
    ("idle", "rss", "RSS idle, MiB", 1, ""),
    ("endurance", "pss_20k", "PSS after 20,000 messages, MiB", 1, ""),
    ("endurance", "pss_100k", "PSS after 100,000 messages, MiB", 1, "≤ 24, flat"),
    ("endurance", "rss_100k", "RSS after 100,000 messages, MiB", 1, ""),
    ("endurance", "dirty_100k", "private dirty after 100,000 messages, MiB", 1, ""),
    ("endurance", "bytes_per_message", "bytes written to disk per message and answer, of the last 80,000", 0, ""),
    ("cloud", "stream_kib", "private dirty per live session stream over plain HTTP, KiB", 1, "≤ 32"),
    ("cloud-tls", "stream_tls_kib", "the same over TLS, KiB", 1, ""),
    ("cloud", "idle_kib", "private dirty per idle conversation, of 2,000 bound to a Cloud, KiB", 2, "≤ 2"),
    ("cloud", "resume_s", "from exec to all 150 streams back from a Cloud on loopback, s", 2, "< 5"),
    ("agents", "agent_kib", "PSS for each of 50 chats with an OpenCode agent, KiB", 0, ""),
    ("agents", "agent_turns", "turns of theirs, by a stand-in that takes 20 ms, per second", 0, ""),
)


def accept_table(results):
    rows = ["| connections | disk alone, syncs/s | skeleton/s | Cowgate/s | of the skeleton, % | "
            "skeleton p50 / p99, ms | Cowgate p50 / p99, ms | p99, times the skeleton's |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, words in ACCEPT_ROWS:
        if name not in results:
            continue
        row = results[name]
        rows.append("| " + " | ".join((
            words, figure(row["syncs"]), figure(row["skeleton_rate"]),
            figure(row["daemon_rate"]), figure(row["ratio"]),
            f"{row['skeleton_p50']['median']:.1f} / {row['skeleton_p99']['median']:.1f}",
            f"{row['daemon_p50']['median']:.1f} / {row['daemon_p99']['median']:.1f}",
            figure(row["p99_ratio"], 1))) + " |")
    return rows


def sustained(results):
    row = results.get("conversation")
    return f"the {figure(row['conversations'])} messages a second" if row else "a row"


def disturbances(results):
    rounds = sum(row["rounds"] for row in results.values())
    disturbed = sum(row["disturbed"] for row in results.values())
    if disturbed == 0:
        return "No other work was under way when the rounds began."
    return (f"Other work was under way when {disturbed} of {rounds} rounds began, so rates are "
            "too low and times too long there.")


def report(results):
    lines = [
        "# Performance", "",
        "Written by `./dev bench`; run it to get the figures of your machine.  Medians, and in "
        "brackets the lowest and the highest round.", "",
        f"Measured {time.strftime('%Y-%m-%d')} on {machine()}.  The load, the receiver of the "
        f"answers and both servers share those cores.  {disturbances(results)}", "",
        "## Accepting", "",
        "A signed webhook is accepted when its commit is on the disk: 202 comes after a checked "
        "`fdatasync`.  The skeleton is `bench/skeleton.c`: evhttp, HMAC, one parse, one row, the "
        "same group commit, nothing else.  While more than 2,000 a second come in, Cowgate hands "
        "only 200 a second over to the agent, and the rest, which is not waited for here, "
        "afterwards ([why](decisions/0003-accepting-goes-first.md)); what it takes in, answers "
        f"and delivers all at once is {sustained(results)} below.  Disk, skeleton and Cowgate "
        "are measured in turn within each round.", "",
        *accept_table(results), "",
        "Goals at 64 connections: 20,000 a second, 55 % of the skeleton, p99 within 1.5 times "
        "the skeleton's.  With slow syncs: 6,000 a second.", "",
        "## Everything else", "", "| what | measured | goal |", "| --- | --- | --- |"]
    for name, key, words, digits, goal in PLAIN_ROWS:
        if key in results.get(name, {}):
            lines.append(f"| {words} | {figure(results[name][key], digits)} | {goal} |")
    for key, cell in results.get("size", {}).items():
        if key.startswith("size "):
            lines.append(f"| {key[5:]}, stripped, KiB | {figure(cell)} | |")
    lines += ["", "Idle means: webhook, telegram and cli loaded, the embedded plane running, and a "
              "Bot API that is away.  Wake-ups are voluntary context switches of all threads."]
    return "\n".join(lines) + "\n"


# measure, value, words, digits, unit, what it should be: of the README
HEADLINES = (
    ("accept-64", "daemon_rate",
     "signed webhooks accepted a second, each on the disk, 64 connections", 0, "", "≥ 20,000"),
    ("accept-64", "ratio", "of what a bare receiver with the same durability manages", 0, " %",
     "≥ 55 %"),
    ("accept-256-slow", "daemon_rate",
     "the same with 256 connections on a disk that takes 5 ms longer to sync", 0, "", "≥ 6,000"),
    ("judged", "judged_rate", "forged requests refused a second", 0, "", "≥ 30,000"),
    ("conversation", "conversations",
     "taken in, answered and delivered a second, when 3,000 come at once", 0, "", ""),
    ("conversation", "alone_p50", "from 202 to the delivered answer, echo agent", 1, " ms", ""),
    ("start", "health_ms", "from start to the first `/health`", 0, " ms", "≤ 50 ms"),
    ("idle", "pss", "memory: PSS idle", 1, " MiB", "≤ 16 MiB"),
    ("endurance", "pss_100k", "memory: PSS after 100,000 messages", 1, " MiB", "≤ 24 MiB"),
    ("idle", "wake_ups", "wake-ups a second, idle", 1, "", "≤ 2"),
)


def with_headlines(readme, results):
    """The README with the figures that were measured."""
    rows = ["| | measured | goal |", "| --- | --- | --- |"]
    for measure_name, key, words, digits, unit, goal in HEADLINES:
        value = f"{results[measure_name][key]['median']:,.{digits}f}{unit}"
        rows.append(f"| {words} | {value} | {goal} |".replace("|  |", "| |"))
    begin, end = "<!-- these rows are written by ./dev bench -->\n", "<!-- up to here -->"
    head, _, rest = readme.partition(begin)
    return head + begin + "\n".join(rows) + "\n" + end + rest.partition(end)[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(ROOT / "build/bench"))
    parser.add_argument("--directory", help="where the databases lie; default: beside the build")
    parser.add_argument("--rounds", type=int, help="at most so many of each measure")
    parser.add_argument("--only", action="append", choices=MEASURES, help="only this measure")
    parser.add_argument("--write", action="store_true", help="renew what was measured in "
                        "docs/performance.md and keep the rest as it was measured last")
    options = parser.parse_args()
    options.build = str(pathlib.Path(options.build).resolve())
    kept = pathlib.Path(options.build) / "bench/results.json"
    where = options.directory or options.build
    with tempfile.TemporaryDirectory(dir=where) as directory:
        results = measure(Bench(options.build, directory), options.only, options.rounds)
    if options.write:
        results = (json.loads(kept.read_text()) if kept.exists() else {}) | results
    kept.write_text(json.dumps(results))
    text = report(results)
    if options.write or not (options.only or options.rounds):
        (ROOT / "docs/performance.md").write_text(text, encoding="utf-8")
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        if all(name in results for name, *_ in HEADLINES):
            readme = with_headlines(readme, results)
        (ROOT / "README.md").write_text(readme, encoding="utf-8")
        print("wrote docs/performance.md and the figures of README.md")
    else:
        print(text)


if __name__ == "__main__":
    main()
