# SPDX-License-Identifier: Apache-2.0
"""The programs that people use over ACP, as their makers build them, with scripted models behind
them and a person in Telegram before them.  They come from npm, so these run with the long tests
only."""
import json
import os
import pathlib
import platform
import shutil
import unittest

from tests.peers import npm
from tests.peers.claude_model import ClaudeModel
from tests.peers.codex_model import CodexModel
from tests.peers.gemini_model import GeminiModel
from tests.scenario.agent_day import AgentDay


@unittest.skipUnless(os.environ.get("COWGATE_LONG"), "one of the long tests")
class Program(AgentDay):
    package = None

    @classmethod
    def setUpClass(cls):
        if shutil.which("npm") is None:
            raise unittest.SkipTest("npm is not there")
        cls.installed = npm.install(cls.package)

    def begin(self, command, environment, **more):
        self.work = self.directory / "work"
        self.home = self.directory / "home"
        for place in (self.work, self.home):
            place.mkdir(exist_ok=True)
        variables = {"HOME": self.home, **environment}
        self.meet({
            "AGENT_BACKEND": "acp",
            "AGENT_COMMAND": json.dumps([str(word) for word in command]),
            "AGENT_DIRECTORY": str(self.work),
            "AGENT_ENVIRONMENT": ",".join(f"{n}={v}" for n, v in variables.items()),
            **more,
        })

    def node(self, *path):
        return [npm.node(self.installed), self.installed.joinpath("node_modules", *path)]


class Gemini(Program):
    package = "gemini"

    def test_a_day(self):
        model = self.peer(GeminiModel())
        self.begin(
            self.node("@google", "gemini-cli", "bundle", "gemini.js")
            + ["--experimental-acp", "-m", "gemini-2.5-pro"],
            {"GEMINI_API_KEY": "none", "GOOGLE_GEMINI_BASE_URL": model.url},
        )
        self.a_day(self.plain, self.streamed, self.allowed, self.rejected, self.files,
                   self.stopped, self.failed)


class Claude(Program):
    """It refuses to run as root, so there it runs as nobody."""

    package = "claude"

    def open_to(self, user):
        for place in (self.directory / "work", self.directory / "home"):
            place.mkdir()
            shutil.chown(place, user)
        place = self.directory
        while place != pathlib.Path("/") and place.owner() == "root":
            place.chmod(place.stat().st_mode | 0o011)
            place = place.parent

    def test_a_day(self):
        model = self.peer(ClaudeModel())
        more = {}
        if os.geteuid() == 0:
            self.open_to("nobody")
            more["AGENT_USER"] = "nobody"
        self.begin(
            self.node("@agentclientprotocol", "claude-agent-acp", "dist", "index.js"),
            {
                "ANTHROPIC_API_KEY": "none",
                "ANTHROPIC_BASE_URL": model.url,
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            },
            **more,
        )
        self.a_day(self.plain, self.streamed, self.allowed, self.rejected, self.files,
                   self.stopped, self.failed)


@unittest.skipUnless(platform.machine() == "x86_64", "the package is for x86_64")
class Codex(Program):
    package = "codex"

    def test_a_day(self):
        model = self.peer(CodexModel())
        settings = self.directory / "home" / ".codex"
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text(
            'model = "scripted"\n'
            'model_provider = "scripted"\n'
            "[model_providers.scripted]\n"
            'name = "Scripted"\n'
            f'base_url = "{model.url}/v1"\n'
            'wire_api = "responses"\n'
            "requires_openai_auth = false\n"
            "request_max_retries = 0\n"
        )
        # Otherwise a model judges what may run, and no person is asked.
        self.begin(
            self.node("@agentclientprotocol", "codex-acp", "dist", "index.js"),
            {"INITIAL_AGENT_MODE": "workspace-write"},
        )
        self.a_day(self.plain, self.streamed, self.allowed, self.rejected, self.files,
                   self.stopped, self.failed)


if __name__ == "__main__":
    unittest.main()
