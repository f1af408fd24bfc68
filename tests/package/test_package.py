# SPDX-License-Identifier: Apache-2.0
"""The Debian package's life under a real systemd: installed in a clean root, configured,
answering, upgraded with a message on its way, stopped, removed, purged.

Needs root, debootstrap and the distribution's mirror; without them it is skipped, in CI it fails.
Nothing of it outlives the namespaces that it makes.
"""
import contextlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

from tests.peers.receiver import message, sign, PREFIX
from tests.scenario.manual import blocks

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECRET = "package-secret-0123456789abcdef01234567"
SUITE = "bookworm"
K = "OPEN_COWORK_GATEWAY_"

# Takes what is posted to it, one JSON body a line.
RECEIVER = """
import http.server
class Take(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        open("/srv/answers", "ab").write(body + b"\\n")
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
    def log_message(self, *arguments): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Take).serve_forever()
"""


def missing():
    if os.geteuid() != 0:
        return "needs root"
    for program in ("debootstrap", "unshare", "nsenter", "dpkg-deb"):
        if shutil.which(program) is None:
            return f"needs {program}"
    return None


class Host:
    """A Debian of its own, booted."""

    def __init__(self, root):
        self.root = root
        self.process = subprocess.Popen(
            ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--net",
             "sh", str(ROOT / "tests/package/boot.sh"), str(root)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.pid = None
        end = time.monotonic() + 120
        while time.monotonic() < end:
            self.pid = (children.read_text().split() or [None])[0]
            if self.pid and self.run("systemctl", "is-active", "basic.target", check=False)\
                    .stdout.strip() == "active":
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        self.close()
        raise AssertionError("systemd does not boot here")

    def run(self, *command, network=False, check=True, stdin=None):
        """Inside; with the network of outside only for the package manager."""
        namespaces = ["-m", "-u", "-i", "-p"] + ([] if network else ["-n"])
        done = subprocess.run(
            ["nsenter", "-t", self.pid, *namespaces, "-r", "-w", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/srv",
             "DEBIAN_FRONTEND=noninteractive", *command],
            input=stdin, capture_output=True, text=True, check=False, timeout=300)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Package(unittest.TestCase):
    def setUp(self):
        reason = missing()
        if reason and os.environ.get("CI") == "true":
            self.fail(reason)
        if reason:
            self.skipTest(reason)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="cowgate-root-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.make_root()
        for name in ("resolv.conf", "hosts", "ssl/certs/ca-certificates.crt"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(f"/etc/{name}", self.root / "etc" / name)
        for name in ("receiver.py",):
            (self.root / "srv" / name).write_text(RECEIVER)
        self.deb = self.package()
        self.make_second()
        self.host = Host(self.root)
        self.addCleanup(self.host.close)

    @staticmethod
    def package():
        """That of this machine's architecture; others may lie beside it."""
        subprocess.run([str(ROOT / "dev"), "package"], check=True, capture_output=True)
        native = subprocess.run(["dpkg", "--print-architecture"], check=True,
                                capture_output=True, text=True).stdout.strip()
        return next((ROOT / "dist").glob(f"cowgate_*_{native}.deb"))

    def make_root(self):
        """A minimal Debian, kept between runs as it was before anything was installed."""
        kept = ROOT / "build" / f"root-{SUITE}"
        if not (kept / "usr/bin/python3").exists():
            shutil.rmtree(kept, ignore_errors=True)
            subprocess.run(
                ["debootstrap", "--variant=minbase",
                 "--include=systemd,systemd-sysv,dbus,ca-certificates,curl,procps,python3",
                 SUITE, str(kept)], check=True, capture_output=True)
        self.root.rmdir()
        subprocess.run(["cp", "-a", str(kept), str(self.root)], check=True)

    def make_second(self):
        """The same program under a later version: what an upgrade is to dpkg."""
        place = self.root / "srv/second"
        subprocess.run(["dpkg-deb", "-R", str(self.deb), str(place)], check=True)
        control = place / "DEBIAN/control"
        text = control.read_text()
        control.write_text(text.replace("Version: ", "Version: 9:", 1))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(place),
                        str(self.root / "srv/second.deb")], check=True, capture_output=True)
        shutil.rmtree(place)

    def files(self):
        """Everything on the host that could be a leftover."""
        found = set()
        for top in ("etc", "usr", "var", "opt", "srv", "home", "root"):
            for path in (self.root / top).rglob("*"):
                found.add(str(path.relative_to(self.root)))
        return {name for name in found if "cowgate" in name}

    def post(self, number):
        body = message(f"hello {number}", chat="ada", sender="ada", event_id=f"e{number}")
        stamp = int(time.time())
        done = self.host.run(
            "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--retry", "30",
            "--retry-connrefused", "--retry-delay", "1",
            "http://127.0.0.1:8790/webhooks/webhook", "--data-binary", "@-",
            "-H", "content-type: application/json",
            "-H", f"{PREFIX}webhook-timestamp: {stamp}",
            "-H", f"{PREFIX}webhook-signature: {sign(SECRET, stamp, body)}",
            stdin=body.decode())
        self.assertEqual(done.stdout, "202")

    def answers(self):
        with contextlib.suppress(FileNotFoundError):
            lines = (self.root / "srv/answers").read_text().splitlines()
            return [json.loads(line).get("text") for line in lines]
        return []

    def until_answered(self, number):
        end = time.monotonic() + 60
        while f"hello {number}" not in self.answers():
            self.assertLess(time.monotonic(), end, self.log())
            time.sleep(0.1)

    def log(self):
        return self.host.run("journalctl", "-u", "cowgate", "--no-pager", "-n", "60").stdout

    def show(self, name):
        return self.host.run("systemctl", "show", "cowgate", "-P", name).stdout.strip()

    def configure(self):
        """As its manual says, by flags alone; the secret comes by stdin."""
        done = self.host.run(
            "cowgate", "init", "--channel", "webhook", "--token", "-", "--allow", "ada",
            "--set", "WEBHOOK_DELIVERY_URL=http://127.0.0.1:9000/",
            "--set", "WEBHOOK_ALLOW_PRIVATE_DELIVERY=true",
            "--agent", "echo", "--yes", "--service", stdin=SECRET + "\n")
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        settings = self.root / "etc/cowgate/cowgate.env"
        self.assertEqual(stat.S_IMODE(settings.stat().st_mode), 0o600)
        self.assertIn(SECRET, settings.read_text())
        return done

    def examine(self):
        """What the doctor says as root; it must find no fault."""
        done = self.host.run("cowgate", "doctor", "--json", check=False)
        findings = json.loads(done.stdout)["findings"]
        faults = [one for one in findings if one["level"] == "fault"]
        self.assertEqual(faults, [], findings)
        self.assertEqual(done.returncode, 0)
        return {one["what"]: one for one in findings}

    def leftovers(self):
        """Names and accounts that purging has left; what dpkg and apt keep of all packages is theirs."""
        theirs = ("var/lib/dpkg/", "var/cache/", "var/log/", "var/lib/apt/")
        found = {name for name in self.files() if not name.startswith(theirs)}
        for account in ("passwd", "shadow", "group", "gshadow"):
            if "cowgate" in (self.root / "etc" / account).read_text():
                found.add(f"etc/{account}")
        units = self.host.run("systemctl", "list-units", "--all", "--no-legend", "cowgate*").stdout
        return found | set(line for line in units.splitlines() if line.strip())

    def type(self, *firsts, stdin=None, network=False):
        """Blocks of docs/operations.md that begin so, as they are written, in one shell of root."""
        page = blocks(ROOT / "docs/operations.md")
        text = "".join(next(block.text for block in page if block.first == first)
                       for first in firsts)
        return self.host.run("sh", "-ec", "cd /srv\n" + text.replace("sudo ", ""),
                             stdin=stdin, network=network)

    def type_install(self):
        """The package as the page installs it; that it was made, and init's questions, are
        elsewhere here."""
        page = blocks(ROOT / "docs/operations.md")
        line = next(block.text for block in page if block.first == "./dev package").splitlines()[1]
        self.assertTrue(line.startswith("sudo apt install ./dist/"), line)
        (self.root / "srv/dist").mkdir()
        shutil.copy(self.deb, self.root / "srv/dist")
        self.host.run("sh", "-ec", "cd /srv\n" + line.removeprefix("sudo "), stdin="y\n",
                      network=True)
        shutil.rmtree(self.root / "srv/dist")

    def test_a_package_lives_and_leaves(self):
        run = self.host.run
        self.assertEqual(self.files(), set())
        run("apt-get", "update", network=True)
        self.type_install()
        self.assertNotEqual(run("systemctl", "is-active", "cowgate", check=False).stdout.strip(),
                            "active", "nobody has configured it yet")
        run("systemd-run", "-q", "python3", "/srv/receiver.py")
        self.configure()
        self.assertEqual(self.show("UnitFileState"), "enabled")
        self.assertEqual(self.show("ActiveState"), "active", self.log())
        self.assertEqual(self.examine()["service"]["level"], "ok")
        self.assertEqual(self.show("StatusText"), "0 to answer, 0 to deliver")
        self.post(1)
        self.until_answered(1)

        # A reload is told to the manager, and the process stays.
        pid = self.show("MainPID")
        run("systemctl", "reload", "cowgate")
        self.assertEqual(self.show("MainPID"), pid)
        self.post(2)
        self.until_answered(2)

        # Killed, it comes again by itself.
        run("systemctl", "kill", "-s", "KILL", "cowgate")
        self.post(3)
        self.until_answered(3)

        # Upgraded with a message on its way.
        pid = self.show("MainPID")
        self.post(4)
        run("apt-get", "install", "-y", "/srv/second.deb")
        self.assertNotEqual(self.show("MainPID"), pid)
        self.until_answered(4)
        self.post(5)
        self.until_answered(5)
        self.examine()

        # A credential, a copy and back, agents as programs: as the page says.
        self.type("sudo install -m 0600 /dev/stdin /etc/cowgate/credentials/telegram-token"
                  "   # paste the token, then Ctrl-D", stdin="4711:a-token")
        token = self.root / "etc/cowgate/credentials/telegram-token"
        self.assertEqual(stat.S_IMODE(token.stat().st_mode), 0o600)
        self.assertEqual(token.read_text(), "4711:a-token")
        token.unlink()
        (self.root / "var/backups").mkdir(exist_ok=True)
        self.type("copy=/var/backups/cowgate-$(date +%F)", "systemctl stop cowgate")
        self.post(6)
        self.until_answered(6)
        self.type("mkdir -p /etc/systemd/system/cowgate.service.d")
        self.assertEqual(self.show("ActiveState"), "active", self.log())
        self.assertEqual(self.show("AmbientCapabilities") != "", True)
        self.post(7)
        self.until_answered(7)
        self.assertEqual(sorted(self.answers()), [f"hello {n}" for n in range(1, 8)])
        for made in ("etc/systemd/system/cowgate.service.d", *(
                str(path.relative_to(self.root))
                for path in (self.root / "var/backups").glob("cowgate-*"))):
            shutil.rmtree(self.root / made)
        run("systemctl", "daemon-reload")

        run("systemctl", "stop", "cowgate")
        self.assertEqual(self.show("Result"), "success", self.log())
        run("systemctl", "start", "cowgate")
        run("apt-get", "purge", "-y", "cowgate")
        self.assertEqual(run("pgrep", "-c", "cowgate", check=False).stdout.strip(), "0")
        self.assertEqual(self.leftovers(), set())


if __name__ == "__main__":
    unittest.main()
