# SPDX-License-Identifier: Apache-2.0
"""Mail servers that others wrote, as plain processes on loopback with a directory of their own:
exim4 and aiosmtpd to send to, dovecot to read from.  Nothing of a system's own set-up is used."""
import email
import email.policy
import getpass
import imaplib
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time

from tests.peers import wanted

USER = "agent"
PASSWORD = "mail-password-Tb6nY2sXq0"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Process:
    """A server, ended with all that it has started."""

    def __init__(self, directory, arguments, port):
        self.errors = []
        self.port = port
        self.log = open(pathlib.Path(directory) / "output", "wb")
        self.process = subprocess.Popen(
            arguments, cwd=directory, stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    return
            except OSError:
                time.sleep(0.05)
        self.close()
        raise AssertionError(pathlib.Path(self.log.name).read_text(errors="replace"))

    def close(self):
        if self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGTERM)
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


def own(directory, user):
    """Give a directory and all in it to a user, where that is ours to do."""
    if os.getuid() != 0:
        return
    entry = pwd.getpwnam(user)
    for path in [directory, *directory.rglob("*")]:
        os.chown(path, entry.pw_uid, entry.pw_gid)
    for parent in directory.parents:
        if str(parent).startswith("/tmp/") and parent.stat().st_uid == 0:
            parent.chmod(0o755)


def messages_of_mbox(data):
    parts = ("\n" + data.decode("utf-8", "replace")).split("\nFrom ")[1:]
    return [
        email.message_from_string(part.partition("\n")[2], policy=email.policy.default)
        for part in parts
    ]


class Exim(Process):
    """Takes mail over STARTTLS with a login; tmp@ is told to wait, nosuch@ does not exist."""

    def __init__(self, directory, pair):
        program = wanted.program("exim4", "exim")
        place = pathlib.Path(directory)
        place.mkdir()
        user = "Debian-exim" if os.getuid() == 0 else getpass.getuser()
        certificate, key = (shutil.copy(path, place) for path in pair)
        port = free_port()
        self.box = place / "box"
        configuration = place / "exim.conf"
        configuration.write_text(
            f"""primary_hostname = localhost
exim_user = {user}
exim_group = {user if os.getuid() == 0 else pathlib.Path(place).group()}
spool_directory = {place}
log_file_path = {place}/%slog
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_rcpt = acl_r
host_lookup =
rfc1413_hosts =
never_users =
keep_environment =
begin acl
acl_r:
  deny local_parts = nosuch
       message = no such user
  defer local_parts = tmp
  accept authenticated = *
  deny message = relay denied
begin routers
r:
  driver = accept
  transport = t
begin transports
t:
  driver = appendfile
  file = {self.box}
  user = {user}
begin authenticators
PLAIN:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
"""
        )
        own(place, user)
        if os.getuid() == 0:
            os.chown(configuration, 0, 0)
        super().__init__(place, [program, "-C", str(configuration), "-bdf"], port)

    def messages(self):
        return messages_of_mbox(self.box.read_bytes()) if self.box.exists() else []


class Aiosmtpd(Process):
    """The same in Python, whose OpenSSL sends its session tickets early."""

    PROGRAM = '''
import json, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
port, certificate, key, box, user, password = sys.argv[1:]
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nosuch"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"
    async def handle_DATA(self, server, session, envelope):
        with open(box, "a") as out:
            out.write(json.dumps(envelope.content.decode("latin-1")) + "\\n")
        return "250 2.0.0 queued"
def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (
        data.login.decode(), data.password.decode()) == (user, password)
    return AuthResult(success=good)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
Controller(Handler(), hostname="127.0.0.1", port=int(port), tls_context=context,
    require_starttls=True, authenticator=authenticate, auth_required=True).start()
while True:
    time.sleep(60)
'''

    def __init__(self, directory, pair):
        place = pathlib.Path(directory)
        place.mkdir()
        self.box = place / "box"
        port = free_port()
        super().__init__(
            place,
            [self.python(), "-c", self.PROGRAM, str(port), *map(str, pair), str(self.box),
             USER, PASSWORD],
            port,
        )

    @staticmethod
    def python():
        for python in ("/usr/bin/python3", shutil.which("python3") or ""):
            if python and subprocess.run(
                [python, "-c", "import aiosmtpd"], capture_output=True, check=False
            ).returncode == 0:
                return python
        return wanted.missing("aiosmtpd")

    def messages(self):
        if not self.box.exists():
            return []
        return [
            email.message_from_bytes(
                json.loads(line).encode("latin-1"), policy=email.policy.default
            )
            for line in self.box.read_text().splitlines()
        ]


class Dovecot(Process):
    """A mailbox over IMAP: STARTTLS on port, TLS on tls_port."""

    def __init__(self, directory, pair, idle=True):
        program = wanted.program("dovecot")
        self.place = place = pathlib.Path(directory)
        place.mkdir(exist_ok=True)
        root = os.getuid() == 0
        self.owner = "mail" if root else getpass.getuser()
        certificate, key = (shutil.copy(path, place) for path in pair)
        port, self.tls_port = free_port(), free_port()
        (place / "md").mkdir(exist_ok=True)
        capability = "" if idle else "imap_capability = IMAP4rev1\n"
        configuration = place / "dovecot.conf"
        configuration.write_text(
            f"""base_dir = {place}/run
state_dir = {place}/run
log_path = {place}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
default_internal_user = {"dovecot" if root else self.owner}
default_internal_group = {"dovecot" if root else place.group()}
default_login_user = {"dovenull" if root else self.owner}
first_valid_uid = 1
mail_location = maildir:{place}/md
{capability}service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={self.owner} gid={self.owner if root else place.group()} home={place}/md
}}
"""
        )
        own(place / "md", self.owner)
        if root:
            place.chmod(0o755)
        super().__init__(place, [program, "-F", "-c", str(configuration)], port)

    def client(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client = imaplib.IMAP4_SSL("127.0.0.1", self.tls_port, ssl_context=context)
        client.login(USER, PASSWORD)
        return client

    def deliver(self, *mails, folder="INBOX"):
        client = self.client()
        for mail in mails:
            client.append(folder, None, None, mail.replace("\n", "\r\n").encode())
        client.logout()

    def flags(self, folder="INBOX"):
        """UID → flags."""
        client = self.client()
        client.select(folder, readonly=True)
        _, rows = client.uid("fetch", "1:*", "(FLAGS)")
        client.logout()
        found = {}
        for row in rows:
            if row:
                text = row.decode()
                uid = int(text.split("UID ")[1].split(")")[0].split()[0])
                found[uid] = "\\Seen" in text
        return found

    def renumber(self):
        """The server forgets its numbers, as after a restored backup."""
        for path in (self.place / "md").glob("dovecot*"):
            path.unlink()
