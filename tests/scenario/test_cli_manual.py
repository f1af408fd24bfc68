# SPDX-License-Identifier: Apache-2.0
"""Manual pages and completions: what the formatters and shells say of them, and that no command or
setting is missing."""
import os
import re
import shutil
import subprocess
import unittest

from tests.scenario.daemon import PROGRAM, ROOT

PAGES = ("cowgate.1", "cowgate.conf.5")


class Manual(unittest.TestCase):
    def said(self, *arguments):
        return subprocess.run(
            [str(PROGRAM), *arguments], capture_output=True, check=True, timeout=60,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"}).stdout.decode()

    def commands(self):
        table = (ROOT / "cli/command.def").read_text(encoding="utf-8")
        return re.findall(r'^CLI_COMMAND\("([^"]+)", \w+, "([^"]*)"', table, re.MULTILINE)

    def run_tool(self, *command, text):
        if shutil.which(command[0]) is None:
            self.assertNotEqual(os.environ.get("CI"), "true", f"{command[0]} is missing")
            self.skipTest(f"{command[0]} is not installed")
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, check=False, timeout=60)
        return done.returncode, (done.stdout + done.stderr).decode()

    def test_formatters_have_nothing_to_say(self):
        for page in PAGES:
            text = self.said("manual", page)
            self.assertTrue(text.isascii())
            self.assertEqual(self.run_tool("mandoc", "-T", "lint", "-W", "warning", text=text),
                             (0, ""))
            self.assertEqual(
                self.run_tool("groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", "-z",
                              text=text), (0, ""))

    def test_nothing_is_missing(self):
        text = self.said("manual", "cowgate.1").replace("\\-", "-")
        for word, arguments in self.commands():
            self.assertIn(f"\\fB{word}\\fP {arguments}", text)
        text = self.said("manual", "cowgate.conf.5")
        settings = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
        for name in set(re.findall(r"^\| `(OPEN_COWORK_\w+)`", settings, re.MULTILINE)):
            self.assertIn(name, text)

    def complete(self, *words):
        """What bash offers for the last of the words."""
        script = self.said("completion", "bash") + (
            'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cowgate; echo "${COMPREPLY[@]}"')
        code, text = self.run_tool("bash", "-s", "--", "cowgate", *words, text=script)
        self.assertEqual(code, 0, text)
        return text.split()

    def test_completions_offer_what_the_table_has(self):
        commands = self.commands()
        self.assertEqual(self.complete(""), [word for word, _ in commands])
        self.assertEqual(self.complete("dep"), [])
        self.assertEqual(self.complete("deliveries", "re"), ["retry", "recover"])
        self.assertEqual(self.complete("send", "--i"), ["--idempotency-key"])
        self.assertEqual(self.complete("people", "list", "--"), ["--json"])
        self.assertIn("/etc", self.complete("backup", "/et"))
        for word, arguments in commands:
            offered = self.complete(word, "--")
            self.assertEqual(offered, re.findall(r"--[a-z-]+", arguments), word)

    def test_shells_understand_them(self):
        for shell in ("bash", "zsh", "fish"):
            if shell != "bash" and shutil.which(shell) is None:
                continue  # nobody has to install them
            text = self.said("completion", shell)
            self.assertEqual(self.run_tool(shell, "-n", text=text), (0, ""), shell)
            for word, _ in self.commands():
                self.assertIn(word, text)


if __name__ == "__main__":
    unittest.main()
