# SPDX-License-Identifier: Apache-2.0
"""Each real agent as a person has it in Telegram: words that grow, buttons, files, a stop."""
import json
import unittest

from tests.peers.tool_model import ToolModel
from tests.scenario import real_opencode
from tests.scenario.agent_day import AgentDay


class OpenAi(AgentDay):
    """It has no tools, so it asks for nothing."""

    def test_a_day(self):
        model = self.peer(ToolModel(chat=True))
        self.meet(
            {"AGENT_BACKEND": "openai", "AGENT_URL": model.base, "AGENT_MODEL": "tools-1"},
            ready=False,
        )
        self.a_day(self.plain, self.streamed, self.files, self.stopped, self.failed)


class OpenCode(AgentDay):
    @classmethod
    def setUpClass(cls):
        real_opencode.install()

    def begin(self, backend, *words):
        self.work = self.directory / "work"
        real_opencode.configure(self.work, self.peer(ToolModel()))
        self.meet({
            "AGENT_BACKEND": backend,
            "AGENT_COMMAND": json.dumps([str(real_opencode.PROGRAM), *words]),
            "AGENT_DIRECTORY": str(self.work),
            "AGENT_ENVIRONMENT": real_opencode.ENVIRONMENT,
        })

    def test_a_day_over_http(self):
        self.begin("opencode")
        self.a_day(self.plain, self.streamed, self.allowed, self.rejected, self.asked,
                   self.files, self.stopped, self.failed, self.plain)

    def test_a_day_over_acp(self):
        self.begin("acp", "acp")
        self.a_day(self.plain, self.streamed, self.allowed, self.rejected,
                   self.files, self.stopped, self.failed, self.plain)


if __name__ == "__main__":
    unittest.main()
