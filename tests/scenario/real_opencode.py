# SPDX-License-Identifier: Apache-2.0
"""OpenCode as its makers build it, with a scripted model behind it: nothing leaves this host."""
import json
import platform
import unittest

from tests.peers import npm
from tests.scenario.daemon import BUILD

INSTALLED = BUILD / "tests" / "opencode"
PROGRAM = INSTALLED / "node_modules" / "opencode-linux-x64" / "bin" / "opencode"

# It would otherwise look around on the internet.
QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_SHARE": "1",
}
ENVIRONMENT = ",".join(f"{name}={value}" for name, value in QUIET.items())


def install():
    """OpenCode in the build directory."""
    if platform.machine() != "x86_64":
        raise unittest.SkipTest("the package is for x86_64")
    npm.install("opencode")


def configure(directory, model):
    """A project in which the shell asks first."""
    directory.mkdir(parents=True, exist_ok=True)
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Scripted",
        "options": {"baseURL": model.base, "apiKey": "sk-none"},
        "models": {
            "tools-1": {
                "name": "Tools",
                "tool_call": True,
                "attachment": True,
                "modalities": {"input": ["text", "image"], "output": ["text"]},
                "limit": {"context": 32000, "output": 4000},
                "cost": {"input": 1000, "output": 1000},
            }
        },
    }
    settings = {
        "$schema": "https://opencode.ai/config.json",
        "autoupdate": False,
        "share": "disabled",
        "model": "scripted/tools-1",
        "small_model": "scripted/tools-1",
        "enabled_providers": ["scripted"],
        "provider": {"scripted": provider},
        "permission": {"bash": "ask", "edit": "ask", "webfetch": "deny"},
    }
    (directory / "opencode.json").write_text(json.dumps(settings), "utf-8")
