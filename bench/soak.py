#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon under a steady load for as long as one wants: does anything grow?

Two channels (webhook and one whose platform is away) talk all the time; every so often load
rests, and memory, write-ahead logs and descriptors are looked at.  It fails when an answer is
missing or repeated, when PSS at the end is more than a tenth above what it was when warm, when
a log outgrew its bound, or when descriptors are left over.
"""
import argparse
import pathlib
import sys
import tempfile
import time

from run import Bench, daemon, free_port

WARM_MINUTES = 5
TOLERANCE = 1.10  # of PSS, warm to end
WAL_MAX = 16 << 20  # bytes; docs/operations.md and the alert CowgateLogGrows say the same
SPARE_DESCRIPTORS = 2  # a read-only connection of the pool may be open or not
ROUND_MESSAGES = 300
REST_SECONDS = 1


def sample(server):
    data = server.directory / "data"
    return {
        "pss": server.memory()["Pss"],
        "wal": max(path.stat().st_size for path in data.glob("*.db-wal")),
        "descriptors": len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir())),
    }


def one_round(bench, server, sink):
    load = bench.load(server.port, 8, ROUND_MESSAGES, sink=sink)
    if load.get("202") != ROUND_MESSAGES or load["delivered"] != ROUND_MESSAGES or \
            load["repeated"]:
        raise SystemExit(f"messages or answers are missing or repeated: {load}")
    time.sleep(REST_SECONDS)


def run(bench, minutes):
    """The most of each figure in the warm minute and in the last one; logs; messages."""
    sink = free_port()
    warm_at = min(WARM_MINUTES, minutes / 2)
    samples, messages, told = [], 0, 0
    with daemon(bench, sink, TELEGRAM_BOT_TOKEN="1:soak",
                TELEGRAM_API_BASE_URL=f"http://127.0.0.1:{free_port()}") as server:
        begun = time.monotonic()
        while (spent := (time.monotonic() - begun) / 60) < minutes:
            one_round(bench, server, sink)
            messages += ROUND_MESSAGES
            now = sample(server)
            samples.append((spent, now))
            if spent >= told:
                told += 1
                print(f"minute {spent:5.1f}: {messages} messages, PSS {now['pss']:.1f} MiB, "
                      f"log {now['wal'] / 1024:.0f} KiB, {now['descriptors']} descriptors",
                      flush=True)
    warm = most(samples, max(warm_at - 1, 0), warm_at + 0.1)
    return warm, most(samples, minutes - 1, minutes), most(samples, 0, minutes)["wal"], messages


def most(samples, begin, end):
    within = [sample for spent, sample in samples if begin <= spent <= end]
    return {name: max(sample[name] for sample in within) for name in ("pss", "wal", "descriptors")}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--build", default="build/bench")
    arguments.add_argument("minutes", type=float)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="cowgate-soak-") as directory:
        warm, end, wal, messages = run(Bench(wanted.build, directory), wanted.minutes)
    print(f"{messages} messages; PSS {warm['pss']:.1f} MiB warm, {end['pss']:.1f} MiB at the end; "
          f"logs up to {wal / 1024:.0f} KiB; {warm['descriptors']} descriptors warm, "
          f"{end['descriptors']} at the end")
    faults = []
    if end["pss"] > TOLERANCE * warm["pss"]:
        faults.append("memory grows")
    if wal > WAL_MAX:
        faults.append("a write-ahead log grows")
    if end["descriptors"] > warm["descriptors"] + SPARE_DESCRIPTORS:
        faults.append("descriptors are left open")
    for fault in faults:
        print(f"FAILED: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
