# SPDX-License-Identifier: Apache-2.0
"""A strict Telegram Bot API: it refuses what the real one refuses, and keeps what was shown.

Real in: getMe, long polls whose offset confirms, 409 for the poll that a second one overtakes,
401 for another token, lengths in UTF-16 units, entities that nest by the platform's rules and
never go through a surrogate pair, topics that must exist, edits that must exist and change
something, files by getFile and in parts, reactions out of a list, webhooks called with their
secret (one update of a chat at a time, again until they answer 2xx), groups that move, and,
where a test asks for them, flood limits.
"""
import collections
import http.client
import json
import re
import threading
import time
import urllib.parse

from tests.peers.loopback import Gone, Server

TEXT_MAX = 4096  # UTF-16 units
UPDATES_MAX = 100
POLL_MAX = 50  # seconds
CAPTION_MAX = 1024  # UTF-16 units
ENTITIES_MAX = 100
FILE_IN_MAX = 20 << 20  # bytes that getFile gives
FILE_OUT_MAX = 50 << 20
REACTIONS = {"👍", "👎", "❤", "🔥", "🎉", "👀", "🤔", "😁"}  # some of the list
HOOK_RETRY = 0.3  # seconds; the real one begins with more

ENTITY_TYPES = {
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "blockquote",
    "expandable_blockquote",
    "mention",
    "hashtag",
    "url",
    "bot_command",
}

# What each method may be given; anything else is a mistake of the client.
PARAMETERS = {
    "getMe": set(),
    "deleteWebhook": {"drop_pending_updates"},
    "setWebhook": {"url", "secret_token", "allowed_updates", "max_connections"},
    "getWebhookInfo": set(),
    "getUpdates": {"offset", "limit", "timeout", "allowed_updates"},
    "setMyCommands": {"commands", "scope", "language_code"},
    "sendMessage": {
        "chat_id",
        "message_thread_id",
        "text",
        "entities",
        "parse_mode",
        "disable_notification",
        "link_preview_options",
        "reply_parameters",
        "reply_markup",
        "protect_content",
    },
    "editMessageText": {
        "chat_id",
        "message_id",
        "text",
        "entities",
        "parse_mode",
        "link_preview_options",
        "reply_markup",
    },
    "editMessageReplyMarkup": {"chat_id", "message_id", "reply_markup"},
    "deleteMessage": {"chat_id", "message_id"},
    "sendChatAction": {"chat_id", "message_thread_id", "action"},
    "answerCallbackQuery": {
        "callback_query_id",
        "text",
        "show_alert",
        "url",
        "cache_time",
    },
    "getFile": {"file_id"},
    "setMessageReaction": {"chat_id", "message_id", "reaction", "is_big"},
    **{
        method: {
            "chat_id",
            "message_thread_id",
            part,
            "caption",
            "caption_entities",
            "parse_mode",
            "disable_notification",
            "reply_parameters",
        }
        for method, part in (("sendDocument", "document"), ("sendPhoto", "photo"))
    },
}

CODE = {"code", "pre"}
SPLITTABLE = {"bold", "italic", "underline", "strikethrough", "spoiler"}
QUOTES = {"blockquote", "expandable_blockquote"}


class Flood:
    """The platform's limits: so many messages in any so many seconds, `scale` times as many."""

    def __init__(self, scale=1.0):
        self.rules = {
            # About 30 and one a second: over three, so that a short burst is none.
            "account": (int(90 * scale), 3.0),
            "chat": (int(3 * scale), 3.0),
            "group": (int(20 * scale), 60.0),
        }
        self.sent = collections.defaultdict(collections.deque)
        self.taken = []  # when, in order
        self.refused = 0

    def take(self, chat, is_group, now, for_account=False):
        """None, or how many seconds to wait.  Typing and marks count for the account alone."""
        keys = [("account", None)]
        if not for_account:
            keys.append(("group" if is_group else "chat", chat))
        for rule, key in keys:
            limit, window = self.rules[rule]
            times = self.sent[rule, key]
            while times and times[0] <= now - window:
                times.popleft()
            if len(times) >= limit:
                self.refused += 1
                return times[0] + window - now
        for key in keys:
            self.sent[key].append(now)
        self.taken.append(now)
        return None


class Refused(Exception):
    """Answered {"ok":false}."""

    def __init__(self, code, description, retry_after=None, moved_to=None):
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.moved_to = moved_to


def units(text):
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def splits_pair(text, offset):
    """Does a cut after `offset` UTF-16 units go through a surrogate pair?"""
    data = text.encode("utf-16-le")
    if offset * 2 >= len(data):
        return False
    unit = int.from_bytes(data[offset * 2 : offset * 2 + 2], "little")
    return 0xDC00 <= unit <= 0xDFFF


class Message:
    """One that the bot has sent."""

    def __init__(self, number, chat, thread, content):
        self.id = number
        self.chat = chat
        self.thread = thread
        self.content = content
        self.history = [content["text"]]
        self.at = time.monotonic()

    @property
    def text(self):
        return self.content["text"]


class Telegram(Server):
    """One bot and its chats.  User ids are their private chats' ids."""

    def __init__(self, token, username="cow_gate_bot"):
        self.token = token
        self.me = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Cow",
            "username": username,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self.changed = threading.Condition()
        self.updates = []  # not confirmed
        self.next_update = 1000
        self.confirmed = 0  # highest update id that was confirmed
        self.poll = 0  # number of the newest getUpdates
        self.polling = 0
        self.conflicts = 0
        self.chats = {}  # id -> {"type", "topics"}
        self.messages = []  # sent by the bot, in order
        self.next_message = {}  # chat -> id
        self.queries = {}  # callback query id -> answer or None
        self.actions = []  # (chat, thread, action)
        self.calls = []  # (method, parameters) in order
        self.mistakes = []  # what no correct client does
        self.webhook = ""
        self.hook_secret = None
        self.hook_port = None  # where the proxy in front of the gateway leads to
        self.hook_error = None  # (date, message) of the last call that failed
        self.hook_calls = 0
        self.files = {}  # file id -> (path, bytes)
        self.heard = set()  # (chat, message id) of what people wrote
        self.reactions = {}  # (chat, message id) -> emoji
        self.moved = {}  # chat -> the supergroup that it has become
        self.flood = None
        self.commands = None
        self.scripts = {}
        self.revoked = False
        self.impatient = False  # polls are answered at once, as lax servers do
        super().__init__()
        self.caller = threading.Thread(target=self._call_webhook, daemon=True)
        self.caller.start()

    # What a test does.

    def script(self, method, *steps):
        """What becomes of the next calls of a method: ("status", code, description, retry_after),
        "lost" (nothing done, FIN), "lost-reset", "done-lost" (done, but FIN instead of the answer),
        "done-reset", "done-hang", ("slow", seconds), "html" (a proxy's 502), ("page", status),
        "hang", "ok"."""
        with self.changed:
            self.scripts[method] = list(steps)

    def private(self, user):
        with self.changed:
            self.chats[user] = {"type": "private", "topics": set()}
        return user

    def group(self, chat, topics=()):
        with self.changed:
            self.chats[chat] = {"type": "supergroup", "topics": set(topics)}
        return chat

    def say(self, user, text, chat=None, thread=None, **more):
        """A person writes; no text where there is something else.  Returns the update id."""
        chat = user if chat is None else chat
        with self.changed:
            number = self._number(chat)
            self.heard.add((chat, number))
            message = {
                "message_id": number,
                "date": int(time.time()),
                "chat": self._chat_json(chat),
                "from": self._user_json(user),
                **({} if text is None else {"text": text}),
                **more,
            }
            if thread is not None:
                message["message_thread_id"] = thread
                message["is_topic_message"] = True
            return self._push({"message": message})

    def file(self, name, data):
        """A file that somebody has uploaded, as messages name it."""
        with self.changed:
            number = len(self.files) + 1
            key = f"file-id-{number}"
            self.files[key] = (f"documents/file_{number}", data)
        return {
            "file_id": key,
            "file_unique_id": f"u{number}",
            "file_name": name,
            "file_size": len(data),
        }

    def photo(self, data):
        """A picture in two sizes; the data is the larger one's."""
        small, large = self.file("s", b"small"), self.file("l", data)
        return [{**small, "width": 9, "height": 9}, {**large, "width": 90, "height": 90}]

    def migrate(self, group, supergroup):
        """A group becomes a supergroup: both say so, and the old one is closed."""
        with self.changed:
            self.chats[supergroup] = {"type": "supergroup", "topics": set()}
            for chat, member, other in (
                (group, "migrate_to_chat_id", supergroup),
                (supergroup, "migrate_from_chat_id", group),
            ):
                message = {
                    "message_id": self._number(chat),
                    "date": int(time.time()),
                    "chat": self._chat_json(chat),
                    "from": self._user_json(1),
                    member: other,
                }
                self._push({"message": message})
            self.moved[group] = supergroup

    def press(self, user, message, data):
        """A person presses a button below a message."""
        with self.changed:
            query = f"q{self.next_update}"
            self.queries[query] = None
            self._push(
                {
                    "callback_query": {
                        "id": query,
                        "from": self._user_json(user),
                        "chat_instance": "1",
                        "data": data,
                        "message": self._message_json(message),
                    }
                }
            )
            return query

    def delete(self, message):
        """A person deletes what the bot has written."""
        with self.changed:
            self.messages.remove(message)
            self.changed.notify_all()

    def push(self, update):
        """Any update."""
        with self.changed:
            return self._push(update)

    def texts(self, chat, thread=None):
        """What is to be seen in a chat, in order."""
        with self.changed:
            return [
                m.text for m in self.messages if m.chat == chat and m.thread == thread
            ]

    def sent(self, chat):
        with self.changed:
            return [m for m in self.messages if m.chat == chat]

    def count(self, method):
        with self.changed:
            return sum(1 for name, _ in self.calls if name == method)

    def close(self):
        super().close()
        self.caller.join(65)

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

    # The platform.

    def _push(self, update):
        self.next_update += 1
        update["update_id"] = self.next_update
        self.updates.append(update)
        self.changed.notify_all()
        return self.next_update

    def _number(self, chat):
        if chat not in self.chats:
            raise KeyError(f"no chat {chat}")
        self.next_message[chat] = self.next_message.get(chat, 0) + 1
        return self.next_message[chat]

    def _chat_json(self, chat):
        about = {"id": chat, "type": self.chats[chat]["type"]}
        if about["type"] == "private":
            about["first_name"] = f"User{chat}"
        else:
            about["title"] = "A group"
            about["is_forum"] = bool(self.chats[chat]["topics"])
        return about

    @staticmethod
    def _user_json(user):
        return {
            "id": user,
            "is_bot": False,
            "first_name": f"User{user}",
            "username": f"user{user}",
        }

    def _message_json(self, message):
        result = {
            "message_id": message.id,
            "date": int(time.time()),
            "chat": self._chat_json(message.chat),
            "from": self.me,
            **message.content,
        }
        if message.thread is not None:
            result["message_thread_id"] = message.thread
            result["is_topic_message"] = True
        return result

    # Webhooks.

    def _next_calls(self):
        """The oldest update of each chat; with the lock held."""
        calls = {}
        for update in self.updates:
            for kind in ("message", "channel_post", "callback_query"):
                inner = update.get(kind) or {}
                inner = inner.get("message", inner)
                chat = (inner.get("chat") or {}).get("id")
                if chat is not None:
                    calls.setdefault(chat, update)
        return list(calls.values())

    def _call_webhook(self):
        while not self.closing.wait(0.02):
            with self.changed:
                ready = self.webhook and self.hook_port is not None
                updates = self._next_calls() if ready else []
            for update in updates:
                status = self._call_with(update)
                with self.changed:
                    if 200 <= status <= 299:
                        self.confirmed = max(self.confirmed, update["update_id"])
                        self.updates = [u for u in self.updates if u is not update]
                    else:
                        self.hook_error = (
                            int(time.time()),
                            f"Wrong response from the webhook: {status}",
                        )
                    self.changed.notify_all()
                if not 200 <= status <= 299:
                    self.closing.wait(HOOK_RETRY)

    def _call_with(self, update):
        path = urllib.parse.urlparse(self.webhook).path
        headers = {"content-type": "application/json"}
        if self.hook_secret is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.hook_secret
        self.hook_calls += 1
        connection = http.client.HTTPConnection("127.0.0.1", self.hook_port, timeout=60)
        try:
            connection.request("POST", path, json.dumps(update), headers)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def _give_file(self, exchange, token, path):
        if token != self.token or self.revoked:
            exchange.reply(401, b"")
            return
        with self.changed:
            steps = self.scripts.get("file")
            step = steps.pop(0) if steps else "ok"
        if step == "lost":
            exchange.close()
            return
        for name, data in self.files.values():
            if name == path:
                exchange.reply(200, data, content_type="application/octet-stream")
                return
        exchange.reply(404, b"")

    def handle(self, exchange):
        match = re.fullmatch(r"/file/bot([^/]+)/(.+)", exchange.path)
        if match is not None:
            self._give_file(exchange, match.group(1), urllib.parse.unquote(match.group(2)))
            return
        match = re.fullmatch(r"/bot([^/]+)/([A-Za-z]+)", exchange.path)
        if match is None:
            self._answer_error(exchange, Refused(404, "Not Found"))
            return
        token, method = match.groups()
        if token != self.token or self.revoked:
            self._answer_error(exchange, Refused(401, "Unauthorized"))
            return
        try:
            parameters = self._parameters(exchange, method)
            with self.changed:
                self.calls.append((method, parameters))
                steps = self.scripts.get(method)
                step = steps.pop(0) if steps else "ok"
                self.changed.notify_all()
            self._act(exchange, method, parameters, step)
        except Refused as refused:
            self._answer_error(exchange, refused)

    def _act(self, exchange, method, parameters, step):
        name = step if isinstance(step, str) else step[0]
        if name == "status":
            raise Refused(*step[1:])
        if name in ("html", "page"):
            status = 502 if name == "html" else step[1]
            page = f"<html><h1>{status}</h1></html>"
            exchange.reply(status, page, content_type="text/html")
            return
        if name == "hang":
            exchange.hang()
            return
        if name == "lost":
            exchange.close()
            return
        if name == "lost-reset":
            exchange.reset()
            return
        if name == "slow":
            exchange.wait(step[1])
        result = getattr(self, "_do_" + method)(exchange, parameters)
        if name == "done-hang":
            exchange.hang()
        elif name == "done-lost":
            exchange.close()
        elif name == "done-reset":
            exchange.reset()
        else:
            exchange.reply(200, {"ok": True, "result": result})

    @staticmethod
    def _answer_error(exchange, refused):
        body = {
            "ok": False,
            "error_code": refused.code,
            "description": refused.description,
        }
        headers = {}
        if refused.retry_after is not None:
            body["parameters"] = {"retry_after": refused.retry_after}
            headers["retry-after"] = str(refused.retry_after)
        if refused.moved_to is not None:
            body["parameters"] = {"migrate_to_chat_id": refused.moved_to}
        exchange.reply(refused.code, body, headers)

    def _parameters(self, exchange, method):
        if method not in PARAMETERS:
            raise Refused(404, "Not Found: method not found")
        parameters = dict(urllib.parse.parse_qsl(exchange.query))
        kind = exchange.headers.get("content-type", "").split(";")[0].strip()
        if exchange.body and kind == "application/json":
            try:
                body = exchange.json()
            except ValueError as error:
                raise Refused(400, "Bad Request: body is not JSON") from error
            parameters.update(body)
        elif exchange.body and kind == "application/x-www-form-urlencoded":
            form = urllib.parse.parse_qsl(exchange.body.decode(), keep_blank_values=True)
            parameters.update(form)
        elif exchange.body and kind == "multipart/form-data":
            parameters.update(self._multipart(exchange))
        elif exchange.body:
            raise Refused(400, "Bad Request: unknown content type")
        for name in set(parameters) - PARAMETERS[method]:
            self.mistakes.append(f"{method} does not take {name}")
        return parameters

    @staticmethod
    def _multipart(exchange):
        boundary = re.search(
            r'boundary="?([^";]+)"?', exchange.headers["content-type"]
        ).group(1)
        fields = {}
        for part in exchange.body.split(b"--" + boundary.encode())[1:-1]:
            head, _, value = part[2:-2].partition(b"\r\n\r\n")
            name = re.search(rb'name="([^"]*)"', head).group(1).decode()
            filename = re.search(rb'filename="?([^"\r\n;]*)"?', head)
            if filename is not None:
                fields[name] = (filename.group(1).decode(), value)
            else:
                fields[name] = value.decode()
        # A file may also come in a part of its own, which another one names.
        for name, value in list(fields.items()):
            if isinstance(value, str) and value.startswith("attach://"):
                fields[name] = fields.pop(value.removeprefix("attach://"), None)
        return fields

    @staticmethod
    def _integer(parameters, name, fallback=None):
        value = parameters.get(name, fallback)
        if value is None:
            return None
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise Refused(400, f"Bad Request: {name} is not a number") from error

    @staticmethod
    def _structure(parameters, name):
        value = parameters.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise Refused(400, f"Bad Request: can't parse {name}") from error
        return value

    # Methods.

    def _do_getMe(self, _exchange, _parameters):
        return self.me

    def _do_deleteWebhook(self, _exchange, parameters):
        with self.changed:
            self.webhook = ""
            if str(parameters.get("drop_pending_updates", "")).lower() == "true":
                self.mistakes.append("pending updates were dropped")
                self.updates.clear()
        return True

    def _do_setWebhook(self, _exchange, parameters):
        url = parameters.get("url", "")
        secret = parameters.get("secret_token")
        if not url.startswith("https://"):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided")
        if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        with self.changed:
            self.webhook = url
            self.hook_secret = secret
            self.hook_error = None
            self.changed.notify_all()
        return True

    def _do_getWebhookInfo(self, _exchange, _parameters):
        with self.changed:
            return {
                "url": self.webhook,
                "has_custom_certificate": False,
                "pending_update_count": len(self.updates),
                **(
                    {
                        "last_error_date": self.hook_error[0],
                        "last_error_message": self.hook_error[1],
                    }
                    if self.hook_error
                    else {}
                ),
            }

    def _do_setMyCommands(self, _exchange, parameters):
        self.commands = self._structure(parameters, "commands")
        return True

    def _do_getUpdates(self, exchange, parameters):
        offset = self._integer(parameters, "offset", 0)
        limit = self._integer(parameters, "limit", UPDATES_MAX)
        timeout = self._integer(parameters, "timeout", 0)
        if not 1 <= limit <= UPDATES_MAX or not 0 <= timeout <= POLL_MAX:
            self.mistakes.append("getUpdates out of its limits")
        if self.impatient:
            timeout = 0
        allowed = self._structure(parameters, "allowed_updates")
        with self.changed:
            if self.webhook:
                raise Refused(409, "Conflict: can't use getUpdates while webhook is active")
            self.poll += 1
            mine = self.poll
            self._confirm(offset)
            self.polling += 1
            self.changed.notify_all()
            try:
                return self._await_updates(exchange, mine, limit, timeout, allowed)
            finally:
                self.polling -= 1
                self.changed.notify_all()

    def _confirm(self, offset):
        if offset < 0:
            self.updates = self.updates[offset:]
        elif offset > 0:
            if offset > self.next_update + 1:
                self.mistakes.append("an offset beyond what was ever sent")
            self.confirmed = max(self.confirmed, offset - 1)
            self.updates = [u for u in self.updates if u["update_id"] >= offset]

    def _await_updates(self, exchange, mine, limit, timeout, allowed):
        end = time.monotonic() + timeout
        while True:
            if self.poll != mine:
                self.conflicts += 1
                raise Refused(
                    409,
                    "Conflict: terminated by other getUpdates request; "
                    "make sure that only one bot instance is running",
                )
            if self.closing.is_set():
                raise Gone
            ready = [
                u
                for u in self.updates
                if not allowed or any(kind in u for kind in allowed)
            ]
            left = end - time.monotonic()
            if ready or left <= 0:
                return ready[:limit]
            if exchange.left():
                raise Gone
            self.changed.wait(min(left, 0.1))

    def _content(self, parameters, name="text", limit=TEXT_MAX):
        """Text, entities and keyboard, checked."""
        text = parameters.get(name, "" if name == "caption" else None)
        if not isinstance(text, str) or (name == "text" and not text.strip()):
            raise Refused(400, "Bad Request: message text is empty")
        if units(text) > limit:
            raise Refused(400, f"Bad Request: message {name} is too long")
        if parameters.get("parse_mode"):
            self.mistakes.append("parse_mode instead of entities")
        content = {"text": text}
        entities = self._structure(
            parameters, "entities" if name == "text" else "caption_entities"
        )
        if entities:
            self._check_entities(text, entities)
            self._check_nesting(entities)
            content["entities"] = entities
        markup = self._structure(parameters, "reply_markup")
        if markup:
            self._check_markup(markup)
            content["reply_markup"] = markup
        return content

    @staticmethod
    def _check_entities(text, entities):
        total = units(text)
        if len(entities) > ENTITIES_MAX:
            raise Refused(400, "Bad Request: too many entities")
        for entity in entities:
            kind = entity.get("type")
            offset, length = entity.get("offset"), entity.get("length")
            if kind not in ENTITY_TYPES:
                raise Refused(400, f"Bad Request: unsupported entity type {kind}")
            if not isinstance(offset, int) or not isinstance(length, int):
                raise Refused(400, "Bad Request: entity without a place")
            if offset < 0 or length <= 0 or offset + length > total:
                raise Refused(400, "Bad Request: entity outside of the text")
            if splits_pair(text, offset) or splits_pair(text, offset + length):
                raise Refused(400, "Bad Request: entity splits a surrogate pair")
            if kind == "text_link" and not str(entity.get("url", "")).strip():
                raise Refused(400, "Bad Request: link without a URL")

    def _check_nesting(self, entities):
        """The platform mends some of this silently; we want it right."""
        for i, one in enumerate(entities):
            begin, end = one["offset"], one["offset"] + one["length"]
            for other in entities[i + 1 :]:
                its_begin = other["offset"]
                its_end = its_begin + other["length"]
                kinds = {one["type"], other["type"]}
                if its_begin < begin or (its_begin == begin and its_end > end):
                    self.mistakes.append("entities are not sorted")
                if its_begin >= end:
                    continue
                if its_end > end:
                    self.mistakes.append("entities overlap")
                if one["type"] == other["type"]:
                    self.mistakes.append(f"{one['type']} within itself")
                elif one["type"] in QUOTES or kinds & SPLITTABLE and not kinds & CODE:
                    continue
                else:
                    self.mistakes.append(f"{other['type']} within {one['type']}")

    @staticmethod
    def _check_markup(markup):
        for row in markup.get("inline_keyboard", []):
            for button in row:
                if not str(button.get("text", "")).strip():
                    raise Refused(400, "Bad Request: text buttons are unallowed")
                data = button.get("callback_data", "").encode()
                if not 1 <= len(data) <= 64:
                    raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")

    def _route(self, parameters):
        """Chat and topic that exist."""
        chat = self._integer(parameters, "chat_id")
        thread = self._integer(parameters, "message_thread_id")
        if chat not in self.chats:
            raise Refused(400, "Bad Request: chat not found")
        if chat in self.moved:
            raise Refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                moved_to=self.moved[chat],
            )
        if self.chats[chat].get("blocked"):
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if thread is not None and thread not in self.chats[chat]["topics"]:
            raise Refused(400, "Bad Request: message thread not found")
        return chat, thread

    def _limit(self, chat, for_account=False):
        """With the lock held: what a flood costs."""
        if self.flood is None:
            return
        wait = self.flood.take(
            chat, self.chats[chat]["type"] != "private", time.monotonic(), for_account
        )
        if wait is not None:
            seconds = max(1, int(wait + 0.999))
            raise Refused(429, f"Too Many Requests: retry after {seconds}", seconds)

    def block(self, chat):
        with self.changed:
            self.chats[chat]["blocked"] = True

    def _do_sendMessage(self, _exchange, parameters):
        with self.changed:
            chat, thread = self._route(parameters)
            content = self._content(parameters)
            self._limit(chat)
            message = Message(self._number(chat), chat, thread, content)
            self.messages.append(message)
            self.changed.notify_all()
            return self._message_json(message)

    def _find(self, parameters):
        chat = self._integer(parameters, "chat_id")
        number = self._integer(parameters, "message_id")
        for message in self.messages:
            if message.chat == chat and message.id == number:
                return message
        return None

    def _do_editMessageText(self, _exchange, parameters):
        with self.changed:
            message = self._find(parameters)
            if message is None:
                raise Refused(400, "Bad Request: message to edit not found")
            content = self._content(parameters)
            if content == message.content:
                raise Refused(
                    400,
                    "Bad Request: message is not modified: specified new message "
                    "content and reply markup are exactly the same as a current "
                    "content and reply markup of the message",
                )
            self._limit(message.chat)
            message.content = content
            message.history.append(content["text"])
            self.changed.notify_all()
            return self._message_json(message)

    def _do_editMessageReplyMarkup(self, _exchange, parameters):
        with self.changed:
            message = self._find(parameters)
            if message is None:
                raise Refused(400, "Bad Request: message to edit not found")
            message.content.pop("reply_markup", None)
            self.changed.notify_all()
            return self._message_json(message)

    def _do_deleteMessage(self, _exchange, parameters):
        with self.changed:
            message = self._find(parameters)
            if message is None:
                raise Refused(400, "Bad Request: message to delete not found")
            self.messages.remove(message)
            self.changed.notify_all()
            return True

    def _do_sendChatAction(self, _exchange, parameters):
        with self.changed:
            chat, thread = self._route(parameters)
            self._limit(chat, for_account=True)
            self.actions.append((chat, thread, parameters.get("action")))
            self.changed.notify_all()
            return True

    def _do_answerCallbackQuery(self, _exchange, parameters):
        query = str(parameters.get("callback_query_id"))
        with self.changed:
            if query not in self.queries:
                raise Refused(
                    400,
                    "Bad Request: query is too old and response timeout expired "
                    "or query ID is invalid",
                )
            if self.queries[query] is not None:
                self.mistakes.append("a button press was answered twice")
            self.queries[query] = parameters.get("text", "")
            self.changed.notify_all()
            return True

    def _do_setMessageReaction(self, _exchange, parameters):
        key = (
            self._integer(parameters, "chat_id"),
            self._integer(parameters, "message_id"),
        )
        reaction = self._structure(parameters, "reaction") or []
        with self.changed:
            if key not in self.heard:
                raise Refused(400, "Bad Request: message to react not found")
            if len(reaction) > 1 or any(r.get("emoji") not in REACTIONS for r in reaction):
                raise Refused(400, "Bad Request: REACTION_INVALID")
            self._limit(key[0], for_account=True)
            if reaction:
                self.reactions[key] = reaction[0]["emoji"]
            else:
                self.reactions.pop(key, None)
            self.changed.notify_all()
            return True

    def _do_getFile(self, _exchange, parameters):
        with self.changed:
            found = self.files.get(parameters.get("file_id"))
        if found is None:
            raise Refused(400, "Bad Request: invalid file_id")
        if len(found[1]) > FILE_IN_MAX:
            raise Refused(400, "Bad Request: file is too big")
        return {
            "file_id": parameters["file_id"],
            "file_unique_id": "u",
            "file_size": len(found[1]),
            "file_path": found[0],
        }

    def _send_file(self, parameters, part):
        with self.changed:
            chat, thread = self._route(parameters)
            file = parameters.get(part)
            if not isinstance(file, tuple):
                raise Refused(400, f"Bad Request: there is no {part} in the request")
            if not file[1] or len(file[1]) > FILE_OUT_MAX:
                raise Refused(400, "Bad Request: file must be non-empty and below 50 MB")
            if part == "photo" and file[1][:3] not in (b"\xff\xd8\xff", b"\x89PN", b"RIF"):
                raise Refused(400, "Bad Request: IMAGE_PROCESS_FAILED")
            content = self._content(parameters, "caption", CAPTION_MAX)
            self._limit(chat)
            content[part] = {"file_name": file[0], "bytes": file[1]}
            message = Message(self._number(chat), chat, thread, content)
            self.messages.append(message)
            self.changed.notify_all()
            result = self._message_json(message)
            result[part] = {"file_name": file[0]}
            return result

    def _do_sendDocument(self, _exchange, parameters):
        return self._send_file(parameters, "document")

    def _do_sendPhoto(self, _exchange, parameters):
        return self._send_file(parameters, "photo")
