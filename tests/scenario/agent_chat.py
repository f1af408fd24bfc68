# SPDX-License-Identifier: Apache-2.0
"""A conversation straight through the plane of a running daemon, over the operator's socket:
what an agent reports, before any channel has made its own of it."""
import http.client
import json
import threading
import time
import uuid

from tests.scenario.daemon import UnixConnection

ENDS = ("session.idle", "session.aborted", "runtime.error")


class AgentChat:
    def __init__(self, daemon, name="one"):
        self.daemon = daemon
        self.name = name
        self.changed = threading.Condition()
        self.events = []  # of all turns, in order
        self.mark = 0  # where the last prompt began
        self.connection = None
        body = self.meet()
        body.update(externalChatId=name, externalThreadId=name, title="Test")
        bound = self.post("sessions/bind", body)
        self.binding = bound["binding"]["bindingId"]
        self.session = bound["session"]["session"]["sessionId"]
        self.after = bound["session"]["projection"]["sequence"]
        self.listen()

    def post(self, path, body):
        answer = self.daemon.local(
            "/api/channels/" + path,
            "POST",
            json.dumps(body),
            {"content-type": "application/json"},
        )
        if answer.status >= 300:
            raise AssertionError(f"{path}: {answer!r}\n{self.daemon.said()}")
        return answer.json()

    def meet(self):
        body = {"provider": "chat", "channelBindingId": "chat", "externalUserId": "tester"}
        self.post("identities/resolve", body)
        return body

    def return_after_a_restart(self):
        """The stream goes on behind the last event that was read."""
        self.meet()
        self.listen()

    def listen(self):
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()

    def _read(self):
        connection = UnixConnection(self.daemon.socket_path(), 300)
        try:
            connection.request(
                "GET", f"/api/channels/sessions/{self.binding}/events?after={self.after}"
            )
            response = connection.getresponse()
            for line in response:
                if not line.startswith(b"data:"):
                    continue
                event = json.loads(line[5:])
                with self.changed:
                    self.after = event.get("sequence", self.after)
                    self.events.append(event)
                    self.changed.notify_all()
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # the daemon has gone
        finally:
            connection.close()

    # What the person does.

    def say(self, text, **more):
        with self.changed:
            self.mark = len(self.events)
        body = {
            "bindingId": self.binding,
            "text": text,
            "idempotencyKey": uuid.uuid4().hex,
            "provider": "chat",
            "externalUserId": "tester",
        }
        body.update(more)
        return self.post("sessions/prompt", body)

    def _token(self, kind, target):
        made = self.post(
            "interactions",
            {
                "sessionId": self.session,
                "sessionBindingId": self.binding,
                "kind": kind,
                "targetId": target,
            },
        )
        return {
            "token": made["plaintextToken"],
            "provider": "chat",
            "externalUserId": "tester",
            "externalChatId": self.name,
            "externalThreadId": self.name,
        }

    def permit(self, response, event=None):
        """Answer the newest permission (or this one): allow, always, reject."""
        event = event or self.wait("permission.requested")
        body = self._token("permission", event["payload"]["permissionId"])
        body["response"] = response
        return self.post("interactions/resolve", body)

    def answer(self, answers, event=None):
        event = event or self.wait("question.asked")
        body = self._token("question", event["payload"]["requestId"])
        if answers is None:
            body["reject"] = True
        else:
            body["answers"] = answers
        return self.post("interactions/resolve", body)

    def abort(self):
        return self.post(f"sessions/{self.binding}/abort", {})

    # What the person sees.

    def since(self):
        with self.changed:
            return self.events[self.mark :]

    def wait_for(self, predicate, what, seconds=30):
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = predicate(self.events[self.mark :])
                if found:
                    return found
                left = end - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(min(left, 0.5))
        seen = "\n".join(json.dumps(event)[:300] for event in self.since())
        raise AssertionError(f"{what} did not come:\n{seen}\n{self.daemon.said()[-5000:]}")

    def wait(self, kind, seconds=30):
        """The newest event of a kind since the last prompt."""
        return self.wait_for(
            lambda events: next((e for e in reversed(events) if e["type"] == kind), None),
            kind,
            seconds,
        )

    def wait_end(self, seconds=60):
        return self.wait_for(
            lambda events: next((e for e in events if e["type"] in ENDS), None),
            "the end of the turn",
            seconds,
        )

    def wait_text(self, wanted, seconds=30):
        return self.wait_for(lambda events: wanted in texts(events), wanted, seconds)

    def ask(self, text, seconds=60, **more):
        """A whole turn: its end, and all that was said."""
        self.say(text, **more)
        end = self.wait_end(seconds)
        return end, texts(self.since())

    def payloads(self, kind):
        return [e["payload"] for e in self.since() if e["type"] == kind]


def texts(events):
    """What the messages say, one a line, as a reader of the stream has them."""
    messages = {}
    for event in events:
        if event["type"] != "assistant.message":
            continue
        payload = event["payload"]
        before = messages.get(payload["messageId"], "")
        append = payload.get("mode") == "append"
        messages[payload["messageId"]] = (before if append else "") + payload["content"]
    return "\n".join(messages.values())
