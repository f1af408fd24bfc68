# SPDX-License-Identifier: Apache-2.0
"""A strict Slack: a workspace with people, channels and one app, whose Web API refuses what the
real one refuses, and which posts signed events, presses and commands to the app's request URL.

Real in: the content types that each method reads, errors inside 200, escaped text and its limits,
the shape of blocks, membership of channels, one file in three steps, two events for one mention,
three seconds for an answer, and three repeats when none came in time.
"""
import hashlib
import hmac
import http.client
import json
import re
import threading
import time
import urllib.parse

from tests.peers.loopback import Server

UPDATE_TEXT_MAX = 4000  # bytes
POST_TEXT_MAX = 40000
BLOCKS_MAX = 13000  # bytes of all blocks together
BLOCK_COUNT_MAX = 50
PATIENCE = 3  # seconds for an answer
RETRIES = (0.1, 0.5, 1.0)  # seconds before each repeat; minutes in the real one

JSON_ONLY = {
    "chat.postMessage",
    "chat.postEphemeral",
    "chat.update",
    "files.completeUploadExternal",
    "reactions.add",
    "reactions.remove",
}
# What each method may be given; anything else is a mistake of the client.
PARAMETERS = {
    "auth.test": set(),
    "users.info": {"user", "include_locale"},
    "chat.postMessage": {
        "channel",
        "text",
        "blocks",
        "thread_ts",
        "mrkdwn",
        "metadata",
        "unfurl_links",
        "unfurl_media",
    },
    "chat.postEphemeral": {"channel", "user", "text", "blocks", "thread_ts", "mrkdwn"},
    "chat.update": {"channel", "ts", "text", "blocks", "mrkdwn", "metadata"},
    "conversations.history": {
        "channel",
        "oldest",
        "latest",
        "limit",
        "cursor",
        "include_all_metadata",
    },
    "conversations.replies": {
        "channel",
        "ts",
        "oldest",
        "latest",
        "limit",
        "cursor",
        "include_all_metadata",
    },
    "files.getUploadURLExternal": {"filename", "length"},
    "files.completeUploadExternal": {
        "files",
        "channel_id",
        "thread_ts",
        "initial_comment",
    },
    "reactions.add": {"channel", "timestamp", "name"},
    "reactions.remove": {"channel", "timestamp", "name"},
}
SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "users.info": "users:read",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
}
ALL_SCOPES = set(SCOPES.values()) | {"files:read", "commands"}
STYLES = {"bold", "italic", "strike", "code"}


class Refused(Exception):
    """Answered {"ok":false}."""

    def __init__(self, code, **more):
        super().__init__(code)
        self.body = {"ok": False, "error": code, **more}


def sign(secret, timestamp, body):
    """Slack's own scheme, version 0."""
    signed = b"v0:" + str(timestamp).encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def unescape(text):
    """What a person reads."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def flatten(blocks):
    """The letters of rich text, in order."""
    if isinstance(blocks, list):
        return "".join(flatten(block) for block in blocks)
    if blocks.get("type") in ("text", "link"):
        return blocks["text"]
    return flatten(blocks.get("elements", [])) if blocks.get("type") != "actions" else ""


class Message:
    """One that the app has posted."""

    def __init__(self, channel, ts, content):
        self.channel = channel
        self.ts = ts
        self.content = content
        self.history = [unescape(content["text"])]

    @property
    def text(self):
        return unescape(self.content["text"])

    @property
    def thread(self):
        return self.content.get("thread_ts")

    def buttons(self):
        """label -> token"""
        return {
            element["text"]["text"]: element["value"]
            for block in self.content.get("blocks", [])
            if block["type"] == "actions"
            for element in block["elements"]
        }


class Slack(Server):
    """One workspace.  script() says what becomes of the next calls of a method: ("error", code),
    ("status", http status[, retry_after]), "lost", "lost-reset", "done-lost", "done-reset", "done-hang", "html",
    "hang", ("slow", seconds), "ok"."""

    def __init__(self, token, signing_secret, scopes=None):
        self.token = token
        self.signing_secret = signing_secret
        self.scopes = set(ALL_SCOPES if scopes is None else scopes)
        self.changed = threading.Condition()
        self.port_of_app = None
        self.path = "/webhooks/slack"
        self.users = {"U1": "Ann", "U2": "Bob"}
        self.channels = {}  # id -> {"kind", "member", "archived"}
        self.messages = []  # of the app, in order
        self.said = {}  # channel -> [(ts, thread, user, text)]
        self.ephemerals = []  # (channel, user, text)
        self.reactions = {}  # (channel, ts) -> set of names of the app's marks
        self.uploads = {}  # id -> {"name", "length", "bytes", "done"}
        self.files = []  # (channel, thread, name, bytes, comment) shown by the app
        self.shared = {}  # id -> (name, bytes): of people
        self.calls = []  # (method, parameters)
        self.answers = []  # (what, status, body, seconds) of the app to our posts
        self.mistakes = []
        self.scripts = {}
        self.revoked = False
        self.clock = int(time.time())
        self.count = 0
        super().__init__()
        self.base = self.url + "/api"

    # What a test does.

    def script(self, method, *steps):
        with self.changed:
            self.scripts[method] = list(steps)

    def direct(self, channel="D1"):
        self.channels[channel] = {"kind": "im", "member": True, "archived": False}
        return channel

    def channel(self, channel, member=True):
        self.channels[channel] = {"kind": "channel", "member": member, "archived": False}
        return channel

    def wait_for(self, predicate, seconds=20):
        end = time.monotonic() + seconds
        while True:
            if predicate(self):
                return True
            with self.changed:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.2))

    def texts(self, channel, thread=None):
        with self.changed:
            return [
                m.text
                for m in self.messages
                if m.channel == channel and m.thread == thread
            ]

    def sent(self, channel):
        with self.changed:
            return [m for m in self.messages if m.channel == channel]

    def counted(self, method):
        with self.changed:
            return sum(1 for name, _ in self.calls if name == method)

    def marks(self, channel, ts):
        with self.changed:
            return set(self.reactions.get((channel, ts), ()))

    def verify(self):
        """As "Retry" beside the request URL does it."""
        status, body = self.post(
            {"token": "old", "type": "url_verification", "challenge": "3eZbrw1aB"}
        )
        return status == 200 and json.loads(body) == {"challenge": "3eZbrw1aB"}

    def say(self, user, text, channel, thread=None, **more):
        """A person writes.  Returns the message's ts, once the app has acknowledged it."""
        kind = self.channels[channel]["kind"]
        with self.changed:
            ts = self._ts()
            self.said.setdefault(channel, []).append((ts, thread, user, text))
        event = {
            "type": "message",
            "channel": channel,
            "channel_type": kind,
            "user": user,
            "text": text,
            "ts": ts,
            "event_ts": ts,
            "team": "T1",
            "client_msg_id": f"id-{ts}",
            **more,
        }
        if thread is not None:
            event["thread_ts"] = thread
            event["parent_user_id"] = self._author(channel, thread)
        self.deliver(event)
        if kind != "im" and "<@UBOT>" in text:
            mention = {k: v for k, v in event.items() if k != "channel_type"}
            self.deliver({**mention, "type": "app_mention"})
        return ts

    def share(self, user, channel, name, content, mimetype="text/plain", text=""):
        """A person sends a file."""
        with self.changed:
            self.count += 1
            number = f"F{self.count:06}"
            self.shared[number] = (name, content)
        url = f"{self.url}/files-pri/T1-{number}/download/{urllib.parse.quote(name)}"
        return self.say(
            user,
            text,
            channel,
            subtype="file_share",
            files=[
                {
                    "id": number,
                    "name": name,
                    "mimetype": mimetype,
                    "size": len(content),
                    "url_private": url,
                    "url_private_download": url,
                }
            ],
        )

    def press(self, user, message, token):
        """A person presses a button."""
        with self.changed:
            trigger = self._ts().replace(".", "-")
        shown = {"ts": message.ts, "type": "message", "user": "UBOT", **message.content}
        payload = {
            "type": "block_actions",
            "team": {"id": "T1", "domain": "ours"},
            "user": {"id": user, "username": user.lower(), "name": user, "team_id": "T1"},
            "api_app_id": "A1",
            "container": {"type": "message", "message_ts": message.ts},
            "trigger_id": trigger,
            "channel": {"id": message.channel, "name": "x"},
            "message": shown,
            "response_url": self.url + "/actions/1",
            "actions": [
                {
                    "type": "button",
                    "action_id": "cowgate-1",
                    "value": token,
                    "action_ts": trigger,
                }
            ],
        }
        form = urllib.parse.urlencode({"payload": json.dumps(payload)})
        status, body = self.post(form)
        if (status, body) != (200, b""):
            self.mistakes.append(f"a press was answered {status} {body!r}")

    def command(self, user, channel, text, name="/cowgate"):
        """A person types a slash command."""
        with self.changed:
            trigger = self._ts().replace(".", "-")
        form = urllib.parse.urlencode(
            {
                "token": "old",
                "team_id": "T1",
                "channel_id": channel,
                "user_id": user,
                "user_name": user.lower(),
                "command": name,
                "text": text,
                "api_app_id": "A1",
                "trigger_id": trigger,
                "response_url": self.url + "/commands/1",
            }
        )
        status, body = self.post(form)
        if (status, body) != (200, b""):
            self.mistakes.append(f"a command was answered {status} {body!r}")

    def deliver(self, event, event_id=None):
        """An event, with repeats until it is acknowledged.  True: it was."""
        with self.changed:
            self.count += 1
            number = event_id or f"Ev{self.count:08}"
        envelope = {
            "token": "old",
            "team_id": "T1",
            "api_app_id": "A1",
            "type": "event_callback",
            "event_id": number,
            "event_time": self.clock,
            "event": event,
            "authorizations": [
                {"team_id": "T1", "user_id": "UBOT", "is_bot": True}
            ],
        }
        headers = {}
        for attempt, pause in enumerate((0, *RETRIES)):
            time.sleep(pause)
            if attempt > 0:
                headers["x-slack-retry-num"] = str(attempt)
                headers["x-slack-retry-reason"] = "http_timeout"
            status, _ = self.post(envelope, headers)
            if status is not None and 200 <= status < 300:
                return True
        return False

    def post(self, body, headers=None, secret=None, stamp=None):
        """A signed request to the app: status and body, or None when it took too long."""
        if isinstance(body, dict):
            data, kind = json.dumps(body).encode(), "application/json"
        else:
            data, kind = body.encode(), "application/x-www-form-urlencoded"
        stamp = int(time.time()) if stamp is None else stamp
        sent = {
            "content-type": kind,
            "x-slack-request-timestamp": str(stamp),
            "x-slack-signature": sign(secret or self.signing_secret, stamp, data),
            **(headers or {}),
        }
        begun = time.monotonic()
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port_of_app, timeout=PATIENCE
        )
        try:
            connection.request("POST", self.path, data, sent)
            response = connection.getresponse()
            status, answer = response.status, response.read()
        except OSError:
            status, answer = None, b""
        finally:
            connection.close()
        with self.changed:
            self.answers.append((status, answer, time.monotonic() - begun))
        return status, answer

    # The platform.

    def _ts(self):
        self.count += 1
        return f"{self.clock}.{self.count:06}"

    def _author(self, channel, ts):
        for message in self.messages:
            if message.channel == channel and message.ts == ts:
                return "UBOT"
        for said, _, user, _ in self.said.get(channel, ()):
            if said == ts:
                return user
        return None

    def handle(self, exchange):
        if exchange.path.startswith("/files-pri/"):
            self._give_file(exchange)
            return
        if exchange.path.startswith("/upload/"):
            self._take_upload(exchange)
            return
        match = re.fullmatch(r"/api/([A-Za-z.]+)", exchange.path)
        if match is None or exchange.method != "POST":
            exchange.reply(404, "<html>not here</html>", content_type="text/html")
            return
        try:
            self._call(exchange, match.group(1))
        except Refused as refused:
            exchange.reply(200, refused.body)

    def _call(self, exchange, method):
        if exchange.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused("invalid_auth")
        if self.revoked:
            raise Refused("token_revoked")
        if method not in PARAMETERS:
            self.mistakes.append(f"there is no method {method}")
            raise Refused("unknown_method")
        parameters = self._parameters(exchange, method)
        with self.changed:
            self.calls.append((method, parameters))
            steps = self.scripts.get(method)
            step = steps.pop(0) if steps else "ok"
            self.changed.notify_all()
        needed = SCOPES.get(method)
        if needed is not None and needed not in self.scopes:
            provided = ",".join(sorted(self.scopes))
            raise Refused("missing_scope", needed=needed, provided=provided)
        self._act(exchange, method, parameters, step)

    def _act(self, exchange, method, parameters, step):
        name = step if isinstance(step, str) else step[0]
        if name == "error":
            raise Refused(step[1])
        if name == "status":
            headers = {"retry-after": str(step[2])} if len(step) > 2 else {}
            exchange.reply(step[1], {"ok": False, "error": "ratelimited"}, headers)
            return
        if name == "html":
            exchange.reply(502, "<html>Bad Gateway</html>", content_type="text/html")
            return
        if name in ("hang", "lost", "lost-reset"):
            {"hang": exchange.hang, "lost": exchange.close, "lost-reset": exchange.reset}[
                name
            ]()
            return
        if name == "slow":
            exchange.wait(step[1])
        with self.changed:
            result = getattr(self, "_do_" + method.replace(".", "_"))(parameters)
            self.changed.notify_all()
        if name == "done-hang":
            exchange.hang()
        elif name == "done-lost":
            exchange.close()
        elif name == "done-reset":
            exchange.reset()
        else:
            scopes = ",".join(sorted(self.scopes))
            exchange.reply(200, {"ok": True, **result}, {"x-oauth-scopes": scopes})

    def _parameters(self, exchange, method):
        kind = exchange.headers.get("content-type", "").split(";")[0].strip()
        if method in JSON_ONLY:
            if kind != "application/json":
                raise Refused("invalid_post_type")
            try:
                parameters = exchange.json()
            except ValueError as error:
                raise Refused("invalid_json") from error
        else:
            if kind != "application/x-www-form-urlencoded":
                self.mistakes.append(f"{method} reads no {kind}")
                raise Refused("invalid_arguments")
            parameters = dict(
                urllib.parse.parse_qsl(
                    exchange.body.decode(), keep_blank_values=True, strict_parsing=True
                )
                if exchange.body
                else []
            )
        for name in set(parameters) - PARAMETERS[method]:
            self.mistakes.append(f"{method} does not take {name}")
        return parameters

    def _place(self, parameters, name="channel"):
        about = self.channels.get(parameters.get(name))
        if about is None:
            raise Refused("channel_not_found")
        if not about["member"]:
            raise Refused("not_in_channel")
        if about["archived"]:
            raise Refused("is_archived")
        thread = parameters.get("thread_ts")
        if thread is not None and self._author(parameters[name], thread) is None:
            self.mistakes.append(f"there is no thread {thread}")
            raise Refused("thread_not_found")
        return parameters[name]

    def _text(self, parameters, limit):
        text = parameters.get("text")
        if not isinstance(text, str) or not text.strip():
            raise Refused("no_text")
        if len(text.encode()) > limit:
            raise Refused("msg_too_long")
        if re.search(r"[<>]|&(?!(?:amp|lt|gt);)", text):
            self.mistakes.append(f"text that is not escaped: {text!r}")
        blocks = parameters.get("blocks", [])
        if len(json.dumps(blocks, ensure_ascii=False).encode()) > BLOCKS_MAX:
            raise Refused("msg_blocks_too_long")
        self._check_blocks(blocks)
        # Blocks begin lines of their own, and only they are whole where the text is cut.
        told = "".join(flatten(blocks).split())
        if blocks and not told.startswith("".join(unescape(text).split())):
            self.mistakes.append(f"blocks say {flatten(blocks)!r}, not {text!r}")

    def _check_blocks(self, blocks):
        if not isinstance(blocks, list) or len(blocks) > BLOCK_COUNT_MAX:
            raise Refused("invalid_blocks")
        seen = set()
        for block in blocks:
            if block.get("type") == "rich_text":
                self._check_rich_text(block)
            elif block.get("type") == "actions":
                self._check_actions(block, seen)
            else:
                raise Refused("invalid_blocks")

    @staticmethod
    def _check_rich_text(block):
        if not block.get("elements"):
            raise Refused("invalid_blocks")
        for part in block["elements"]:
            if part.get("type") not in (
                "rich_text_section",
                "rich_text_quote",
                "rich_text_preformatted",
            ) or not part.get("elements"):
                raise Refused("invalid_blocks")
            for element in part["elements"]:
                if element.get("type") not in ("text", "link") or not element.get("text"):
                    raise Refused("invalid_blocks")
                if element["type"] == "link" and not re.match(
                    r"https?://.|mailto:.", element.get("url", "")
                ):
                    raise Refused("invalid_blocks")
                style = element.get("style", {})
                if set(style) - STYLES or not all(v is True for v in style.values()):
                    raise Refused("invalid_blocks")

    @staticmethod
    def _check_actions(block, seen):
        if not 1 <= len(block.get("elements", [])) <= 25:
            raise Refused("invalid_blocks")
        for element in block["elements"]:
            label = element.get("text", {})
            if (
                element.get("type") != "button"
                or label.get("type") != "plain_text"
                or not 1 <= len(label.get("text", "")) <= 75
                or not 1 <= len(element.get("value", "")) <= 2000
                or element.get("style", "primary") not in ("primary", "danger")
                or element.get("action_id") in seen
            ):
                raise Refused("invalid_blocks")
            seen.add(element["action_id"])

    # Methods.

    def _do_auth_test(self, _parameters):
        return {
            "url": self.url,
            "team": "Ours",
            "user": "cowgate",
            "team_id": "T1",
            "user_id": "UBOT",
            "bot_id": "BBOT",
            "is_enterprise_install": False,
        }

    def _do_users_info(self, parameters):
        name = self.users.get(parameters.get("user"))
        if name is None:
            raise Refused("user_not_found")
        return {
            "user": {
                "id": parameters["user"],
                "name": name.lower(),
                "profile": {"display_name": name, "real_name": name},
            }
        }

    def _do_chat_postMessage(self, parameters):
        channel = self._place(parameters)
        self._text(parameters, POST_TEXT_MAX)
        message = Message(channel, self._ts(), dict(parameters))
        self.messages.append(message)
        return {"channel": channel, "ts": message.ts, "message": {"text": message.text}}

    def _do_chat_update(self, parameters):
        channel = self._place(parameters)
        self._text(parameters, UPDATE_TEXT_MAX)
        for message in self.messages:
            if message.channel == channel and message.ts == parameters.get("ts"):
                message.content["text"] = parameters["text"]
                message.content["blocks"] = parameters.get("blocks", [])
                message.history.append(message.text)
                return {"channel": channel, "ts": message.ts, "text": message.text}
        raise Refused("message_not_found")

    def _do_chat_postEphemeral(self, parameters):
        channel = self._place(parameters)
        self._text(parameters, POST_TEXT_MAX)
        if parameters.get("user") not in self.users:
            raise Refused("user_not_in_channel")
        self.ephemerals.append((channel, parameters["user"], unescape(parameters["text"])))
        return {"message_ts": self._ts()}

    def _reaction(self, parameters):
        channel = self._place(parameters)
        ts = parameters.get("timestamp")
        if self._author(channel, ts) is None:
            raise Refused("message_not_found")
        if not re.fullmatch(r"[a-z0-9_+-]+", parameters.get("name", "")):
            raise Refused("invalid_name")
        return self.reactions.setdefault((channel, ts), set())

    def _do_reactions_add(self, parameters):
        marks = self._reaction(parameters)
        if parameters["name"] in marks:
            raise Refused("already_reacted")
        marks.add(parameters["name"])
        return {}

    def _do_reactions_remove(self, parameters):
        marks = self._reaction(parameters)
        if parameters["name"] not in marks:
            raise Refused("no_reaction")
        marks.remove(parameters["name"])
        return {}

    def _history(self, parameters, thread):
        channel = self._place(parameters)
        if parameters.get("include_all_metadata") != "true":
            self.mistakes.append("history without metadata")
        listed = [
            {
                "type": "message",
                "user": "UBOT",
                "bot_id": "BBOT",
                "ts": m.ts,
                "text": m.content["text"],
                **({"metadata": m.content["metadata"]} if "metadata" in m.content else {}),
            }
            for m in self.messages
            if m.channel == channel
            and m.thread == thread
            and float(m.ts) >= float(parameters.get("oldest", 0))
        ]
        return listed

    @staticmethod
    def _page(listed, parameters):
        begin = int(parameters.get("cursor") or 0)
        end = begin + min(int(parameters.get("limit", 100)), 2)  # small, to need several
        more = end < len(listed)
        answer = {"messages": listed[begin:end], "has_more": more}
        if more:
            answer["response_metadata"] = {"next_cursor": str(end)}
        return answer

    def _do_conversations_history(self, parameters):
        return self._page(self._history(parameters, None)[::-1], parameters)

    def _do_conversations_replies(self, parameters):
        if self._author(parameters.get("channel"), parameters.get("ts")) is None:
            raise Refused("thread_not_found")
        return self._page(self._history(parameters, parameters["ts"]), parameters)

    # Files.

    def _do_files_getUploadURLExternal(self, parameters):
        if not parameters.get("filename") or int(parameters.get("length", 0)) <= 0:
            raise Refused("invalid_arguments")
        self.count += 1
        number = f"F{self.count:06}"
        self.uploads[number] = {
            "name": parameters["filename"],
            "length": int(parameters["length"]),
            "bytes": None,
        }
        return {"upload_url": f"{self.url}/upload/v1/{number}", "file_id": number}

    def _take_upload(self, exchange):
        upload = self.uploads.get(exchange.path.rpartition("/")[2])
        if upload is None or upload["length"] != len(exchange.body):
            exchange.reply(400, "wrong size", content_type="text/plain")
            return
        if "authorization" in exchange.headers:
            self.mistakes.append("the token went to the upload's place")
        upload["bytes"] = exchange.body
        exchange.reply(200, f"OK - {len(exchange.body)}", content_type="text/plain")

    def _do_files_completeUploadExternal(self, parameters):
        channel = self._place(parameters, "channel_id")
        shown = []
        for file in parameters.get("files", []):
            upload = self.uploads.pop(file.get("id"), None)
            if upload is None or upload["bytes"] is None:
                raise Refused("file_not_found")
            self.files.append(
                (
                    channel,
                    parameters.get("thread_ts"),
                    file.get("title", upload["name"]),
                    upload["bytes"],
                    unescape(parameters.get("initial_comment", "")),
                )
            )
            shown.append({"id": file["id"], "title": file.get("title")})
        if not shown:
            raise Refused("invalid_arguments")
        return {"files": shown}

    def _give_file(self, exchange):
        number = exchange.path.split("/")[2].partition("-")[2]
        if (
            exchange.headers.get("authorization") != f"Bearer {self.token}"
            or "files:read" not in self.scopes
        ):
            page = "<!DOCTYPE html><html><title>Sign in to Slack</title></html>"
            exchange.reply(200, page, content_type="text/html")
            return
        with self.changed:
            steps = self.scripts.get("file")
            step = steps.pop(0) if steps else "ok"
        if isinstance(step, tuple) and step[0] == "slow":
            exchange.wait(step[1])
        name, content = self.shared[number]
        assert name
        exchange.reply(200, content, content_type="application/octet-stream")
