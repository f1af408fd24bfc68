# SPDX-License-Identifier: Apache-2.0
"""Every command of README.md and docs/, typed as it is written; and every command, flag, setting,
metric and symbol that a page names is one that there is."""
import re
import subprocess

from tests.peers.model import Model
from tests.peers.receiver import Receiver
from tests.peers.telegram import Telegram
from tests.scenario.daemon import PROGRAM, ROOT, WEBHOOK_SECRET, K, Scenario, webhook_settings
from tests.scenario.manual import Reader, blocks, pages, prose

# What is not typed here, by its first line, and why.
NOT_TYPED = {
    ("README.md", "git clone https://example.org/cowgate.git && cd cowgate"):
        "installs packages and builds for minutes",
    ("CONTRIBUTING.md", "./dev run     # talk to it"): "each is a part of CI, or takes minutes",
    ("docs/operations.md", "./dev package"): "typed in tests/package/test_package.py",
    ("docs/operations.md", "sudo install -m 0600 /dev/stdin /etc/cowgate/credentials/"
     "telegram-token   # paste the token, then Ctrl-D"): "typed in tests/package/test_package.py",
    ("docs/operations.md", "mkdir -p /etc/systemd/system/cowgate.service.d"):
        "typed in tests/package/test_package.py",
    ("docs/agents.md", "npm install -g @agentclientprotocol/claude-agent-acp "
     "@anthropic-ai/claude-code"): "a network and an account",
    ("docs/agents.md", "npm install -g @agentclientprotocol/codex-acp @openai/codex"):
        "a network and an account",
    ("docs/agents.md", "npm install -g @google/gemini-cli"): "a network and an account",
    ("docs/agents.md", "npm install -g opencode-ai"): "a network and an account",
    ("docs/operations.md", "sudo cmake --install build/release"): "macOS",
    ("docs/operations.md", "security add-generic-password -s cowgate -a telegram -w   "
     "# asks for the token"): "macOS",
    ("docs/operations.md", "systemctl stop cowgate"): "typed in tests/package/test_package.py",
    ("docs/channels/slack.md", "install -o cowgate -m 0600 /dev/stdin /etc/cowgate/"
     "slack-token     # paste the token, then Ctrl-D"): "two secrets are pasted",
    ("docs/channels/signal.md", "signal-cli -a +15550100 register --captcha "
     "'signalcaptcha://…'"): "the real platform",
}
KINDS = ("TELEGRAM", "SLACK", "EMAIL", "WEBHOOK", "DISCORD", "WHATSAPP", "SIGNAL", "CLI", "FAKE")
# Variables that are not Cowgate's.
FOREIGN = {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENCODE_SERVER_PASSWORD",
           "LC_ALL", "STATE_DIRECTORY", "RUNTIME_DIRECTORY", "PKG_CONFIG_PATH",
           "NOTIFY_SOCKET", "INITIAL_AGENT_MODE"}
PASTED = "a-secret-that-somebody-pastes\n"
MAIL = """From: Ada <ada@example.com>
To: agent@example.org
Message-ID: <typed-1@example.com>
Subject: A plan

Hello from the manual.
"""


class Typed(Scenario):
    def setUp(self):
        super().setUp()
        self.readers = []
        self.addCleanup(lambda: [reader.close() for reader in self.readers])

    def reader(self, **settings):
        reader = Reader(self.directory / f"reader{len(self.readers)}", settings)
        self.readers.append(reader)
        return reader

    def tearDown(self):
        for reader in self.readers:
            reader.stop()
            self.assertNotRegex(reader.said(), r"AddressSanitizer|runtime error")
        super().tearDown()

    def type_page(self, name, reader, before=None, after=None, run=False, add=False, stdin=PASTED):
        """All blocks of a page in their order.  before[first line](block's text) may fill in what
        a reader would; after[first line](output) judges.  Settings are checked, and with `run`
        a gateway runs with them.  Whoever reads from the terminal gets `stdin`, or what is pasted
        where a page says so."""
        typed = 0
        for block in blocks(ROOT / name):
            if (name, block.first) in NOT_TYPED:
                continue
            typed += 1
            with self.subTest(block=block):
                text = reader.here((before or {}).get(block.first, str)(block.text))
                if block.is_settings():
                    self.assertNotRegex(text, r"=.*[ \t]#", "a comment has a line of its own")
                    reader.settings_file(text, add)
                    output = reader.type("cowgate check\n")
                    if run:
                        reader.start("cowgate run")
                elif block.is_gateway():
                    output = reader.start(text)
                else:
                    if re.search(r"cowgate run", text):
                        reader.stop()
                    output = reader.type(text, PASTED if "paste" in text else stdin)
                (after or {}).get(block.first, lambda output: None)(output)
        self.assertGreater(typed, 0)

    # The pages.

    def test_readme(self):
        telegram = self.peer(Telegram("123456:the-token-from-botfather"))
        model = self.peer(Model())
        reader = self.reader(TELEGRAM_API_BASE_URL=telegram.url)
        reader.swaps["http://127.0.0.1:8080"] = model.url
        telegram.private(77)

        def fill_in(text):
            telegram.say(77, "hello")
            self.assertTrue(telegram.wait_for(lambda t: t.texts(77)), reader.said())
            code = re.search(r"\b[2-9A-HJ-NP-Z]{4}-?[2-9A-HJ-NP-Z]{4}\b", telegram.texts(77)[0])
            return text.replace("CODE", code[0])

        self.type_page("README.md", reader, {"./dev run people approve CODE": fill_in})
        telegram.say(77, "and again")
        self.assertTrue(
            telegram.wait_for(lambda t: any("answer to and again" in x for x in t.texts(77))),
            reader.said())

    def test_webhook_and_bridges(self):
        for kind in ("webhook", "discord", "whatsapp", "signal"):
            receiver = self.peer(Receiver(""))
            reader = self.reader()
            reader.swaps["https://receiver.example.org"] = receiver.url
            reader.swaps["http://127.0.0.1:9100"] = receiver.url
            secret = reader.home / f"etc/cowgate/{kind}-secret"
            first = next(block.first for block in blocks(ROOT / f"docs/channels/{kind}.md")
                         if block.is_settings())

            def know_the_secret(text):
                receiver.secret = secret.read_text().strip()
                return text

            self.type_page(f"docs/channels/{kind}.md", reader, {first: know_the_secret}, run=True)
            self.assertTrue(receiver.wait_for(lambda r: r.texts("c1")), reader.said())
            self.assertEqual(receiver.texts("c1"), ["hello"])
            self.assertEqual(receiver.refused, [])

    def test_terminal(self):
        reader = self.reader()

        def answered(output):
            self.assertIn('"text":"What is 6 times 7?"', output)

        self.type_page("docs/channels/cli.md", reader, after={
            "printf 'What is 6 times 7?\\n' | cowgate run 2>/dev/null": answered})

    def test_fake(self):
        reader = self.reader()
        self.type_page("docs/channels/fake.md", reader)
        self.until(lambda: "hello" in reader.type("cowgate deliveries list --json\n"), "answered")

    def test_email(self):
        reader = self.reader()
        reader.swaps["imap.example.org"] = reader.swaps["smtp.example.org"] = "127.0.0.1"
        reader.swaps["https://gateway.example.org"] = f"http://127.0.0.1:{reader.port}"
        self.type_page("docs/channels/email.md", reader, run=True, add=True, stdin=MAIL)
        self.assertIn("typed-1@example.com", reader.type("cowgate explain typed-1@example.com\n"))

    def test_telegram_and_slack(self):
        for page in ("telegram", "slack"):
            self.type_page(f"docs/channels/{page}.md", self.reader(), add=True)

    def test_agents(self):
        reader = self.reader(CLI_ENABLED="true")
        reader.swaps |= {'["…", "…"]': '["opencode", "acp"]', "=…": "=GEMINI_API_KEY"}
        self.type_page("docs/agents.md", reader, add=True)

    def test_plugins(self):
        reader = self.reader()

        def written(_output):
            note = reader.home / "notes.txt"
            self.until(note.exists, "the note is written")
            self.assertIn("Written by a module of mine.", note.read_text())

        self.type_page("docs/plugins.md", reader, after={
            '~/cowgate/bin/cowgate send --to notes:me "Written by a module of mine."': written})

    def test_operations(self):
        telegram = self.peer(Telegram("123456:token-of-the-test"))
        telegram.private(77)
        model = self.peer(Model("key-of-the-test"))
        reader = self.reader(TELEGRAM_API_BASE_URL=telegram.url)
        reader.swaps["https://api.example.org"] = model.url
        reader.swaps["--model NAME"] = "--model test-model"
        reader.swaps["cowgate init"] = (
            "cowgate init --file $HOME/checkout/cowgate.env --no-service "
            f"--set TELEGRAM_API_BASE_URL={telegram.url}")
        (reader.home / "checkout/secrets").write_text("123456:token-of-the-test\nkey-of-the-test\n")
        def run_it(_output):
            reader.type(f"export {K}ENV_FILE=cowgate.env\n")
            reader.environment[K + "ENV_FILE"] = str(reader.home / "checkout/cowgate.env")
            reader.start("cowgate run")
            telegram.say(77, "hello")  # the first poll ends
            self.assertTrue(telegram.wait_for(lambda t: t.texts(77)), reader.said())

        init = "cowgate init --channel telegram --token - --allow 77 \\"
        self.type_page("docs/operations.md", reader, after={init: run_it}, add=True)
        for text in ("answer to hello", "The backup is done.", "Filesystem"):
            self.assertTrue(telegram.wait_for(lambda t: any(text in x for x in t.texts(77))),
                            f"{text!r} was not said\n{reader.said()}")

    def test_cloud(self):
        reader = self.reader(PLANE_CHANNELS="telegram", FAKE_ENABLED="true")
        reader.start("cowgate run")

        def told(output):
            self.assertRegex(output, r'"plaintext":\s*"occ_')

        self.type_page("docs/compatibility/cloud.md", reader, after={
            "curl --unix-socket /var/lib/cowgate/operator.sock "
            "http://localhost/api/channels/tokens \\": told})

    def test_no_block_is_left_out(self):
        """A page with something to type is typed above; what is not typed is there."""
        source = (ROOT / "tests/scenario/test_docs.py").read_text()
        seen = set()
        for page in pages():
            name = str(page.relative_to(ROOT))
            for block in blocks(page, None):
                self.assertNotRegex(block.text if block.kind != "sh" else "",
                                    r"(?m)^(cowgate|\./dev|curl|OPEN_COWORK\w+=)", block)
                if block.kind == "sh" and (name, block.first) in NOT_TYPED:
                    seen.add((name, block.first))
                elif block.kind == "sh":
                    stem = page.stem
                    self.assertTrue(f'"{name}"' in source or f'"{stem}"' in source, block)
        self.assertEqual(seen, set(NOT_TYPED))


class Named(Scenario):
    """What pages speak of."""

    def each_code(self):
        """(page, text) of what is typed, and of inline code."""
        for page in pages():
            name = str(page.relative_to(ROOT))
            for block in blocks(page):
                for line in block.text.replace("\\\n", " ").splitlines():
                    yield name, line
            for code in re.findall(r"`([^`]+)`", prose(page)):
                yield name, code

    def run_cowgate(self, *arguments):
        environment = {"HOME": str(self.directory), K + "DATA_DIR": str(self.directory)}
        return subprocess.run([str(PROGRAM), *arguments], env=environment, text=True, timeout=60,
                              capture_output=True, check=True).stdout

    def test_commands_and_flags(self):
        usage = {word: self.run_cowgate(word, "--help")
                 for word in re.findall(r"(?m)^  ([a-z-]+) ", self.run_cowgate("--help"))}
        words = set(re.findall(r"(?m)^\./dev ([a-z]+)", self.run_dev_help()))
        count = 0
        for page, text in self.each_code():
            for call in re.findall(r"(?:^|[\s(]|\bbin/|\brelease/)cowgate ((?:--)?[a-z][^|;&`]*)",
                                   text):
                word, *rest = call.split()
                count += 1
                if word in ("--help", "--version", "COMMAND"):
                    continue
                self.assertIn(word, set(usage), f"{page}: {text}")
                for flag in [part for part in rest if part.startswith("--")]:
                    self.assertIn(flag.split("=")[0], usage[word], f"{page}: {text}")
                choices = re.match(rf"usage: cowgate {word} ([a-z0-9.-]+(?:\|[a-z0-9.-]+)+)",
                                   usage[word])
                if choices and rest and re.fullmatch(r"[a-z-]+", rest[0]):
                    self.assertIn(rest[0], choices[1].split("|"), f"{page}: {text}")
            for word in re.findall(r"(?:^|\s)\./dev ([a-z]+)", text):
                self.assertIn(word, words, f"{page}: {text}")
        self.assertGreater(count, 50)

    def run_dev_help(self):
        return subprocess.run([str(ROOT / "dev"), "help"], capture_output=True, text=True,
                              check=True).stdout

    def test_settings(self):
        manual = self.run_cowgate("config", "--markdown")
        known = set(re.findall(r"OPEN_COWORK\w+", manual))
        known |= {K.rstrip("_"), K + "NOTES_PATH"}  # of the example
        for kind in KINDS:
            known |= {f"{K}{kind}_{name}" for name in
                      ("CHANNEL_BINDING_ID", "WORKSPACE_ID", "ALLOW_FROM")}
        count = 0
        for page in pages():
            text = page.read_text()
            for name in re.findall(r"OPEN_COWORK\w+", text):
                count += 1
                self.assertIn(name.rstrip("_"), known, page)
        for page, text in self.each_code():
            short = re.fullmatch(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=\S*)?", text)
            if short is None or short[1].startswith(("OPEN_COWORK", "CG_")):
                continue
            name = short[1]
            kind = page.rpartition("/")[2].removesuffix(".md").upper()
            self.assertTrue(name in FOREIGN or {K + name, f"{K}{kind}_{name}"} & known
                            or re.search(rf"\bCG_\w+_{name}\b", self.headers()), f"{page}: {name}")
        self.assertGreater(count, 100)

    def test_metrics(self):
        receiver = self.peer(Receiver(WEBHOOK_SECRET))
        shown = self.daemon(webhook_settings(receiver)).operator("/metrics").body.decode()
        names = {text for _, text in self.each_code()
                 if re.fullmatch(r"(?:cowgate|open_cowork_gateway)_[a-z_]+", text)}
        self.assertGreaterEqual(len(names), 3)
        for name in names:
            self.assertTrue(re.search(rf"(?m)^{name}(_bucket)?[ {{]", shown), name)

    @staticmethod
    def headers():
        return "\n".join(path.read_text() for path in
                         (ROOT / "plugin-api/include").rglob("*.[hd]*"))

    def test_symbols(self):
        headers = self.headers()
        names = {name for page in pages() for name in
                 re.findall(r"\b(?:cg|CG)_\w+", page.read_text())}
        self.assertIn("cg_plugin", names)
        for name in names:
            self.assertRegex(headers, rf"\b{name}\b")
        for page in pages():
            for path in re.findall(r"<(cowgate/[\w/.]+)>", page.read_text()):
                self.assertTrue((ROOT / "plugin-api/include" / path).exists(), f"{page}: {path}")
