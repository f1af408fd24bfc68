# SPDX-License-Identifier: Apache-2.0
"""A person with a mail program: against a strict server of our own, and those of others."""
import base64
import json
import threading
import time
import unittest
from email.message import EmailMessage

from tests.peers.email_servers import PASSWORD, USER, Aiosmtpd, Dovecot, Exim
from tests.peers.authority import Authority
from tests.peers.imap import Imap
from tests.peers.model import Model
from tests.peers.smtp import Smtp
from tests.scenario.daemon import MODEL_KEY, SECRETS, Scenario, model_settings

INBOUND_SECRET = "inbound-secret-Lw8rC4vJk1"


class EmailCase(Scenario):
    secrets = (*SECRETS, INBOUND_SECRET, PASSWORD)

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory / "tls")
        self.pair = self.authority.issue("server", "DNS:localhost", "IP:127.0.0.1")
        self.number = 0

    def smtp(self, mode="starttls", pair=None, **more):
        return self.peer(Smtp(mode, pair or self.pair, USER, PASSWORD, **more))

    def settings(self, port, **more):
        settings = {
            "EMAIL_INBOUND_SECRET": INBOUND_SECRET,
            "EMAIL_FROM": "Agent Köw <agent@example.org>",
            "EMAIL_SMTP_HOST": "localhost",
            "EMAIL_SMTP_PORT": port,
            "EMAIL_SMTP_USERNAME": USER,
            "EMAIL_SMTP_PASSWORD": PASSWORD,
            "EMAIL_CA_FILE": self.authority.pem,
            "EMAIL_ALLOW_FROM": "*",
        }
        settings.update(more)
        return {name: value for name, value in settings.items() if value is not None}

    def post(self, daemon, body, kind="application/json", secret=INBOUND_SECRET):
        if isinstance(body, dict):
            body = json.dumps(body)
        return daemon.request(
            "POST",
            "/webhooks/email",
            body if isinstance(body, bytes) else body.encode(),
            {"x-open-cowork-gateway-email-secret": secret, "content-type": kind},
        )

    def write(self, daemon, text, **more):
        """A person writes; the Message-ID."""
        self.number += 1
        name = more.pop("id", f"m{self.number}@example.com")
        mail = {"from": "Ada <ada@example.com>", "messageId": f"<{name}>", "text": text}
        answer = self.post(daemon, {**mail, **more})
        self.assertEqual(answer.status, 202, f"{answer!r}\n{daemon.said()}")
        return name

    def await_mails(self, smtp, count, daemon, seconds=30):
        self.assertTrue(
            smtp.wait_for(lambda s: len(s.mails) >= count, seconds),
            f"{smtp.texts()} {smtp.commands[-12:]}\n{daemon.said()[-6000:]}",
        )
        self.assertEqual(smtp.mistakes, [])
        return smtp.mails[count - 1]


def raw_mail(text, number, sender="Ada <ada@example.com>", **headers):
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = "agent@example.org"
    mail["Message-ID"] = f"<raw{number}@example.com>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


class EmailTalk(EmailCase):
    def test_there_and_back_in_each_way_of_tls(self):
        for mode, more in (
            ("starttls", {}),
            ("implicit", {"EMAIL_SMTP_SECURE": "true"}),
            ("starttls", {"EMAIL_SMTP_TLS": "opportunistic"}),
        ):
            smtp = self.smtp(mode)
            daemon = self.daemon(self.settings(smtp.port, **more))
            name = self.write(daemon, "Grüße 😀 **fett**", subject="Re: Über 😀")
            mail = self.await_mails(smtp, 1, daemon)
            self.assertTrue(mail.tls)
            self.assertEqual(mail.user, USER)
            self.assertEqual((mail.sender, mail.recipients), ("agent@example.org", ["ada@example.com"]))
            self.assertEqual(mail.text, "Grüße 😀 fett")
            self.assertIn("<b>fett</b>", mail.html)
            self.assertEqual(mail.message["Subject"], "Re: Über 😀")
            self.assertEqual(mail.message["In-Reply-To"], f"<{name}>")
            self.assertEqual(mail.message["Auto-Submitted"], "auto-replied")
            self.assertEqual(mail.message["From"].addresses[0].display_name, "Agent Köw")
            daemon.stop()

    def test_a_thread_stays_one_conversation(self):
        """Whatever of the older references a client keeps."""
        smtp = self.smtp()
        model = self.peer(Model(MODEL_KEY))
        daemon = self.daemon({**self.settings(smtp.port), **model_settings(model)})
        first = self.write(daemon, "id-1 one", subject="Plan")
        answer = self.await_mails(smtp, 1, daemon)
        second = self.write(
            daemon, "id-2 two\n\nOn Monday, agent@example.org wrote:\n> one",
            references=f"<{first}> <{answer.id}>", inReplyTo=f"<{answer.id}>", subject="Re: Plan",
        )
        answer = self.await_mails(smtp, 2, daemon)
        self.assertEqual(answer.message["References"].split(), [f"<{first}>", f"<{second}>"])
        self.write(daemon, "id-3 three", inReplyTo=f"<{answer.id}>", subject="AW: Plan")
        answer = self.await_mails(smtp, 3, daemon)
        self.assertEqual(answer.message["Subject"], "Re: Plan")
        said = [m["content"] for m in model.requests[-1]["messages"] if m["role"] == "user"]
        self.assertEqual(said, ["id-1 one", "id-2 two", "id-3 three"])
        self.write(daemon, "id-4 elsewhere", subject="Other")
        self.await_mails(smtp, 4, daemon)
        said = [m["content"] for m in model.requests[-1]["messages"] if m["role"] == "user"]
        self.assertEqual(said, ["id-4 elsewhere"])

    def test_streaming_is_one_mail(self):
        smtp = self.smtp()
        model = self.peer(Model(MODEL_KEY))
        daemon = self.daemon({**self.settings(smtp.port), **model_settings(model)})
        model.script(("slow", 0.2))
        self.write(daemon, "id-5 count to the end")
        mail = self.await_mails(smtp, 1, daemon)
        self.assertEqual(mail.text, Model.answer("id-5 count to the end"))
        self.write(daemon, "id-6 next")
        self.await_mails(smtp, 2, daemon)
        self.assertEqual(len(smtp.mails), 2)

    def test_commands_by_reply(self):
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        first = self.write(daemon, "hello")
        self.await_mails(smtp, 1, daemon)
        self.write(daemon, "/help\n\nRegards, Ada\n\n> hello", references=f"<{first}>", subject="Re: Work")
        self.assertIn("/new", self.await_mails(smtp, 2, daemon).text)

    def test_approval_question_and_file(self):
        """The echo agent shows what agents do; everything is decided by reply, over a restart."""
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        first = self.write(daemon, "ask to clean up", subject="Work")
        card = self.await_mails(smtp, 1, daemon)
        self.assertIn("/approve", card.text)
        self.write(daemon, "/approve\n\nBest, Ada\n\n> x", references=f"<{first}> <{card.id}>", subject="Re: Work")
        self.assertTrue(
            smtp.wait_for(lambda s: len(s.mails) > 1 and any(
                "pproved" in text for text in s.texts()[1:])),
            f"{smtp.texts()}\n{daemon.said()[-4000:]}")
        daemon.restart()
        self.write(daemon, "question which colour", references=f"<{first}>", subject="Re: Work")
        self.assertTrue(
            smtp.wait_for(lambda s: any("/answer" in text for text in s.texts())),
            f"{smtp.texts()}\n{daemon.said()[-4000:]}")
        self.write(daemon, "/answer Violet, of course\n-- \nAda", references=f"<{first}>", subject="Re: Work")
        self.assertTrue(
            smtp.wait_for(lambda s: any("Violet, of course" in text for text in s.texts())),
            f"{smtp.texts()}\n{daemon.said()[-4000:]}")
        self.write(daemon, "file report.txt all is well", references=f"<{first}>", subject="Re: Work")
        self.assertTrue(
            smtp.wait_for(lambda s: any(mail.files() for mail in s.mails)),
            f"{smtp.texts()}\n{daemon.said()[-4000:]}")
        mail = next(mail for mail in smtp.mails if mail.files())
        content = mail.files()["report.txt"]
        self.assertIn("all is well", content if isinstance(content, str) else content.decode())
        self.assertEqual({m.message["Subject"] for m in smtp.mails}, {"Re: Work"})
        self.assertEqual(smtp.mistakes, [])

    def test_each_charset(self):
        """As mail programs write it, whatever the alphabet."""
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        samples = {
            "iso-8859-15": "Grüße, 5 € für Œuvre",
            "windows-1252": "“Grüße” – 5 €",
            "iso-8859-2": "Příliš žluťoučký kůň",
            "koi8-r": "Съешь же ещё этих булок",
            "windows-1251": "Съешь же ещё этих булок",
            "iso-2022-jp": "いろはにほへと",
            "shift_jis": "いろはにほへと",
            "euc-jp": "いろはにほへと",
            "euc-kr": "다람쥐 헌 쳇바퀴에",
            "big5": "天地玄黃",
            "gb18030": "天地玄黄 😀",
            "utf-8": "Grüße 😀 天 ё",
        }
        for number, (charset, text) in enumerate(samples.items()):
            body = base64.encodebytes(text.encode(charset)).decode()
            subject = f"=?{charset}?B?{body.strip()}?="
            mail = (
                f"From: Ada <ada{number}@example.com>\nTo: agent@example.org\n"
                f"Message-ID: <c{number}@example.com>\nSubject: {subject}\nMIME-Version: 1.0\n"
                f'Content-Type: text/plain; charset="{charset}"\n'
                f"Content-Transfer-Encoding: base64\n\n{body}"
            )
            self.assertEqual(self.post(daemon, mail, "message/rfc822").status, 202, charset)
        self.await_mails(smtp, len(samples), daemon)
        for number, (charset, text) in enumerate(samples.items()):
            mail = next(m for m in smtp.mails if m.recipients == [f"ada{number}@example.com"])
            self.assertEqual(mail.text, text, charset)
            self.assertEqual(mail.message["Subject"], "Re: " + text, charset)

    def test_repeats_and_forged_twins(self):
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        body = {"from": "ada@example.com", "messageId": "<one@example.com>", "text": "once"}
        for _ in range(3):
            self.assertEqual(self.post(daemon, body).status, 202)
        self.assertEqual(self.post(daemon, {**body, "text": "another"}).status, 409)
        self.assertEqual(self.post(daemon, body, secret="wrong").status, 401)
        self.assertEqual(self.post(daemon, {"from": "ada@example.com"}).status, 400)
        self.await_mails(smtp, 1, daemon)
        daemon.restart()
        self.assertEqual(self.post(daemon, body).status, 202)
        self.write(daemon, "the end")
        self.await_mails(smtp, 2, daemon)
        self.assertEqual(smtp.texts(), ["once", "the end"])

    def test_machines_are_not_answered(self):
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        for number, headers in enumerate((
            {"Auto_Submitted": "auto-replied"},
            {"Precedence": "bulk"},
            {"List_Id": "<l.example.com>"},
            {"X_Auto_Response_Suppress": "OOF"},
        )):
            mail = raw_mail("I am away", number, **headers)
            self.assertEqual(self.post(daemon, mail.as_bytes(), "message/rfc822").status, 202)
        for number, sender in enumerate(("MAILER-DAEMON@example.com", "agent@example.org")):
            mail = raw_mail("Undelivered", 10 + number, sender)
            self.assertEqual(self.post(daemon, mail.as_bytes(), "message/rfc822").status, 202)
        self.write(daemon, "a person")
        self.await_mails(smtp, 1, daemon)
        own = smtp.mails[0]
        self.assertEqual(self.post(daemon, own.data, "message/rfc822").status, 202)
        self.write(daemon, "the end")
        self.await_mails(smtp, 2, daemon)
        self.assertEqual(smtp.texts(), ["a person", "the end"])

    def test_a_loop_runs_dry(self):
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        first = self.write(daemon, "0")
        statuses = [
            self.post(daemon, {"from": "ada@example.com", "messageId": f"<l{n}@example.com>",
                               "references": f"<{first}>", "text": str(n)}).status
            for n in range(1, 25)
        ]
        self.assertEqual(statuses, [202] * 19 + [503] * 5)
        self.write(daemon, "another conversation")
        self.await_mails(smtp, 21, daemon)

    def test_who_is_who(self):
        """A From that nobody has signed for is not the member of that name."""
        smtp = self.smtp()
        daemon = self.daemon(self.settings(
            smtp.port, EMAIL_ALLOW_FROM="ada@example.com", EMAIL_AUTHSERV_ID="mx.example.org"))
        passed = {"Authentication_Results": "mx.example.org; dkim=pass header.d=example.com"}
        good = raw_mail("it is me", 1, **passed)
        self.post(daemon, good.as_bytes(), "message/rfc822")
        self.assertEqual(self.await_mails(smtp, 1, daemon).text, "it is me")
        for number, forged in enumerate((
            raw_mail("forged", 2),
            raw_mail("forged", 3, Authentication_Results="evil.example; dkim=pass header.d=example.com"),
            raw_mail("forged", 4, Authentication_Results="mx.example.org; dkim=pass header.d=evil.example"),
            raw_mail("forged", 5, '"ada@example.com" <eve@evil.example>', **passed),
        )):
            self.assertEqual(self.post(daemon, forged.as_bytes(), "message/rfc822").status, 202, number)
        again = raw_mail("me again", 6, **passed)
        self.post(daemon, again.as_bytes(), "message/rfc822")
        self.assertTrue(smtp.wait_for(lambda s: "me again" in s.texts()), daemon.said())
        self.assertNotIn("forged", smtp.texts())

    def test_files_in(self):
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        mail = raw_mail("see the file", 1)
        mail.add_attachment(b"rows", maintype="text", subtype="csv", filename="tä.csv")
        self.assertEqual(self.post(daemon, mail.as_bytes(), "message/rfc822").status, 202)
        body = {"from": "ada@example.com", "messageId": "<f2@example.com>", "text": "and this",
                "attachments": [{"filename": "b.txt", "contentType": "text/plain",
                                 "contentBase64": base64.b64encode(b"bytes").decode()}]}
        self.assertEqual(self.post(daemon, body).status, 202)
        body["messageId"] = "<f3@example.com>"
        body["attachments"][0]["contentBase64"] = base64.b64encode(bytes(2 << 20)).decode()
        self.assertIn(self.post(daemon, body).status, (400, 413))
        for wanted in ("tä.csv (text/csv, 4 bytes)", "b.txt (text/plain, 5 bytes)"):
            self.assertTrue(smtp.wait_for(lambda s, w=wanted: w in s.texts()), smtp.texts())


class EmailOverRestarts(EmailCase):
    """The process dies at the worst moment: the person has one whole answer."""

    def test_amid_an_answer(self):
        smtp = self.smtp()
        model = self.peer(Model(MODEL_KEY))
        daemon = self.daemon({**self.settings(smtp.port), **model_settings(model)})
        model.script(("hold", threading.Event(), 0.1))
        first = self.write(daemon, "id-1 tell me everything there is")
        self.assertTrue(model.wait_for(lambda m: m.active == 1), daemon.said())
        daemon.kill()
        daemon.start()
        self.await_mails(smtp, 1, daemon, 60)
        self.write(daemon, "id-2 and then", references=f"<{first}>")
        self.await_mails(smtp, 2, daemon)
        self.assertEqual(
            smtp.texts(),
            [Model.answer("id-1 tell me everything there is"), Model.answer("id-2 and then")])

    def test_amid_a_pending_approval(self):
        """The agent died with the process and asks again."""
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        first = self.write(daemon, "ask make release", subject="Work")
        self.await_mails(smtp, 1, daemon)
        daemon.kill()
        daemon.start()

        def asked(server):
            return {mail.id for mail in server.mails if "/approve" in mail.text}

        self.assertTrue(
            smtp.wait_for(lambda s: len(asked(s)) == 2),
            f"{smtp.texts()}\n{daemon.said()[-6000:]}")
        self.write(daemon, "/approve", references=f"<{first}>", subject="Re: Work")
        self.assertTrue(
            smtp.wait_for(lambda s: any("allowed once" in text for text in s.texts())),
            f"{smtp.texts()}\n{daemon.said()[-6000:]}")

    def killed_among_five_parts(self, stage):
        smtp = self.smtp()
        model = self.peer(Model(MODEL_KEY))
        daemon = self.daemon({**self.settings(smtp.port), **model_settings(model)})
        words = [f"w{number:05}" for number in range(13000)]
        model.script(("text", " ".join(words)))
        smtp.script(stage, ("none",), ("none",), ("hang",))
        self.write(daemon, "tell me everything")
        self.assertTrue(
            smtp.wait_for(lambda s: s.peek(stage) == ("none",) and not s.scripts[stage], 60),
            f"{smtp.commands[-12:]}\n{daemon.said()[-6000:]}")
        daemon.kill()
        daemon.start()
        self.assertTrue(
            smtp.wait_for(lambda s: len({mail.id for mail in s.mails}) == 5, 90),
            f"{[text[:20] for text in smtp.texts()]}\n{daemon.said()[-6000:]}")
        parts = {mail.id: mail.text for mail in smtp.mails}  # a client shows an id once
        self.assertEqual(" ".join(parts.values()).split(), words)
        self.assertEqual(smtp.mistakes, [])
        return smtp

    def test_killed_before_the_third_of_five_parts_arrived(self):
        self.assertEqual(len(self.killed_among_five_parts("data").mails), 5)

    def test_killed_after_the_third_of_five_parts_arrived(self):
        self.assertEqual(len(self.killed_among_five_parts("end").mails), 6)


class EmailTrouble(EmailCase):
    def one(self, smtp, daemon, seconds=60):
        self.write(daemon, "important")
        mail = self.await_mails(smtp, 1, daemon, seconds)
        self.assertEqual(mail.text, "important")

    def test_what_did_not_leave_leaves_later(self):
        """Lost before its end, at each stage: sent again, and arrives once."""
        for stage in ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data"):
            smtp = self.smtp()
            smtp.script(stage, ("drop",))
            daemon = self.daemon(self.settings(smtp.port))
            self.one(smtp, daemon)
            daemon.stop()
            self.assertEqual(len(smtp.mails), 1, stage)

    def test_what_may_have_arrived_is_repeated_with_its_id(self):
        smtp = self.smtp()
        smtp.script("end", ("drop",))
        daemon = self.daemon(self.settings(smtp.port))
        self.one(smtp, daemon)
        self.await_mails(smtp, 2, daemon, 90)
        self.assertEqual(smtp.mails[0].id, smtp.mails[1].id)
        self.until(lambda: daemon.delivery("important", status="sent"), "it is known", daemon)
        self.assertEqual(len(smtp.mails), 2)

    def test_a_hanging_server_is_left(self):
        for action in (("hang",), ("drip",)):
            smtp = self.smtp()
            smtp.script("connect", action)
            daemon = self.daemon(self.settings(smtp.port, SMTP_TIMEOUT_MS="1500"))
            self.one(smtp, daemon)
            daemon.stop()

    def test_refusals_are_final(self):
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port))
        for stage, reply in (
            ("rcpt", "550 5.1.1 no such user"),
            ("end", "554 5.7.1 spam"),
            ("data", "554 5.5.0 no"),
        ):
            smtp.script(stage, ("reply", reply))
            self.write(daemon, f"refused at {stage}")
            self.until(
                lambda s=stage: daemon.delivery(f"refused at {s}", status="dead"),
                f"{stage}: dead", daemon)
        self.write(daemon, "the next")
        self.await_mails(smtp, 1, daemon)
        self.assertEqual(smtp.texts(), ["the next"])

    def check_never(self, smtp, settings, words):
        daemon = self.daemon(settings)
        self.write(daemon, "not in clear")
        self.until(
            lambda: words in daemon.operator("/ready").body.decode() or words in daemon.said(),
            words, daemon)
        self.assertEqual(smtp.mails, [])
        if smtp.mode != "implicit": # there it is the mail itself that is held back
            self.assertNotIn("DATA", smtp.commands)
        self.assertEqual(smtp.mistakes, [])
        daemon.kill()

    def test_nothing_goes_in_clear(self):
        smtp = self.smtp("none", auth_in_clear=True)
        self.check_never(smtp, self.settings(smtp.port), "offers no TLS")
        smtp = self.smtp("none", auth_in_clear=True)
        self.check_never(
            smtp, self.settings(smtp.port, EMAIL_SMTP_TLS="opportunistic"), "offers no TLS")

    def test_a_login_is_never_left_out(self):
        for mode, more in (("starttls", {}), ("implicit", {"EMAIL_SMTP_SECURE": "true"})):
            smtp = self.smtp(mode, offer_auth=False, required=False)
            self.check_never(smtp, self.settings(smtp.port, **more), "no login")

    def test_certificates_are_judged(self):
        stranger = Authority(self.directory / "other", "other").issue("server", "DNS:localhost")
        elsewhere = self.authority.issue("elsewhere", "DNS:mail.example.org")
        for pair in (stranger, elsewhere):
            for mode, more in (("starttls", {}), ("implicit", {"EMAIL_SMTP_SECURE": "true"})):
                smtp = self.smtp(mode, pair)
                self.check_never(smtp, self.settings(smtp.port, **more), "certificate")

    def test_a_numeric_host_is_found_in_the_certificate(self):
        smtp = self.smtp()
        daemon = self.daemon(self.settings(smtp.port, EMAIL_SMTP_HOST="127.0.0.1"))
        self.one(smtp, daemon)


class EmailOthers(EmailCase):
    """Servers that others wrote."""

    def there(self, server):
        daemon = self.daemon(self.settings(server.port))
        for number in range(6): # the race of TLS 1.3's tickets would show
            self.write(daemon, f"number {number} über\n.dot\n..dots")
        self.until(lambda: len(server.messages()) == 6, "all arrive", daemon, 60)
        for message in server.messages():
            text = message.get_body(("plain",)).get_content()
            self.assertIn("über\n.dot\n..dots", text.replace("\r\n", "\n"))
            self.assertEqual(message["To"], "ada@example.com")
        self.write(daemon, "to nobody", **{"from": "nosuch@example.com"})
        self.until(lambda: daemon.delivery("to nobody", status="dead"), "dead", daemon)

    def test_exim(self):
        self.there(self.peer(Exim(self.directory / "exim", self.pair)))

    def test_aiosmtpd(self):
        self.there(self.peer(Aiosmtpd(self.directory / "aio", self.pair)))


class MailboxCase(EmailCase):
    def setUp(self):
        super().setUp()
        self.smtp_peer = self.smtp()
        self.sent = 0

    def imap_settings(self, port, **more):
        settings = {
            "EMAIL_INBOUND_SECRET": None,
            "EMAIL_IMAP_URL": f"imaps://localhost:{port}",
            "EMAIL_IMAP_USERNAME": USER,
            "EMAIL_IMAP_PASSWORD": PASSWORD,
        }
        return self.settings(self.smtp_peer.port, **{**settings, **more})

    def mail(self, text, **more):
        self.sent += 1
        return raw_mail(text, self.sent, **more).as_string()

    def await_idle(self, daemon):
        self.until(
            lambda: '"inbound":"up"' in daemon.operator("/ready").body.decode().replace(" ", "")
            or "from its end" in daemon.said(), "the mailbox is read", daemon)

    def await_text(self, daemon, text, seconds=40):
        self.assertTrue(
            self.smtp_peer.wait_for(lambda s: text in s.texts(), seconds),
            f"{text}: {self.smtp_peer.texts()}\n{daemon.said()[-6000:]}")


class EmailMailboxStrict(MailboxCase):
    """IMAP, against a server of our own that has bad days."""

    def begin(self):
        self.imap = self.peer(Imap(self.pair, USER, PASSWORD))
        daemon = self.daemon(self.imap_settings(self.imap.port))
        self.assertTrue(self.imap.wait_for(lambda i: i.idling == 1), daemon.said())
        return daemon

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.imap.mistakes, [])

    def test_pushed_torn_and_hung_up(self):
        daemon = self.begin()
        self.imap.deliver(self.mail("pushed"))
        self.await_text(daemon, "pushed")
        self.imap.script("tear", *["torn"] * 20)
        self.imap.deliver(self.mail("in pieces"))
        self.await_text(daemon, "in pieces")
        self.imap.script("fetch", "drop", "drop")
        self.imap.deliver(self.mail("in the third connection"))
        self.await_text(daemon, "in the third connection")
        self.imap.hang_up()
        self.imap.deliver(self.mail("meanwhile"))
        self.await_text(daemon, "meanwhile")
        self.assertEqual(len(self.smtp_peer.mails), 4)
        self.until(lambda: self.imap.seen == [1, 2, 3, 4], "seen", daemon)

    def test_a_mail_that_is_not_given_is_asked_for_again(self):
        """For a while; one that the server never gives does not keep the others for ever."""
        daemon = self.begin()
        self.imap.deny(1, 1000)
        self.imap.deny(2, 1)
        self.imap.deliver(self.mail("broken over there"))
        self.imap.deliver(self.mail("late"))
        self.until(
            lambda: "does not give a mail" in daemon.operator("/ready").body.decode(),
            "it is told", daemon)
        self.await_text(daemon, "late", 90)
        self.assertIn("mail 1 cannot be read there and is passed over", daemon.said())
        self.assertEqual(self.imap.fetches, [1] * 5 + [2] * 2)
        self.until(
            lambda: "does not give a mail" not in daemon.operator("/ready").body.decode(),
            "it is over", daemon)

    def test_very_many_numbers_are_searched_in_pieces(self):
        """An answer is one line, which may not be of any length."""
        daemon = self.begin()
        self.assertEqual(daemon.stop(), 0)
        self.imap.searches.clear()
        for uid in (5, 30000, 60000):
            self.imap.deliver(self.mail(f"number {uid}"), uid)
        daemon.start()
        self.await_text(daemon, "number 60000")
        self.assertEqual(
            self.smtp_peer.texts(), ["number 5", "number 30000", "number 60000"])
        self.assertTrue(self.imap.wait_for(lambda i: i.idling == 1))
        for first, last in self.imap.searches:
            self.assertTrue(last == "*" or int(last) - first < 10000, (first, last))
        self.assertGreater(len(self.imap.searches), 6)
        self.imap.deliver(self.mail("the end"))
        self.await_text(daemon, "the end")


class EmailMailbox(MailboxCase):
    """IMAP, against dovecot."""

    def dovecot(self, **more):
        return self.peer(Dovecot(self.directory / "dovecot", self.pair, **more))

    def test_read_marked_and_nothing_lost(self):
        dovecot = self.dovecot()
        dovecot.deliver(self.mail("long before"))
        daemon = self.daemon(self.imap_settings(dovecot.tls_port))
        self.await_idle(daemon)
        dovecot.deliver(self.mail("pushed"), self.mail("Ünïcode"))
        self.await_text(daemon, "pushed")
        self.await_text(daemon, "Ünïcode")
        self.until(lambda: dovecot.flags() == {1: False, 2: True, 3: True}, "seen", daemon)
        self.assertEqual(daemon.stop(), 0)
        dovecot.deliver(self.mail("while down 1"), self.mail("while down 2"),
                        self.mail("away", Auto_Submitted="auto-replied"))
        daemon.start()
        self.await_text(daemon, "while down 2")
        daemon.kill()
        dovecot.deliver(self.mail("after the crash"))
        daemon.start()
        self.await_text(daemon, "after the crash")
        # Killed between sending and knowing, it sends again: the same mail by its id.
        arrived = {mail.id: mail.text for mail in self.smtp_peer.mails}
        self.assertCountEqual( # each is a conversation of its own
            arrived.values(),
            ["pushed", "Ünïcode", "while down 1", "while down 2", "after the crash"])
        self.assertFalse(dovecot.flags()[6], "an ignored mail stays unseen")

    def test_starttls_and_without_idle(self):
        dovecot = self.dovecot(idle=False)
        daemon = self.daemon(self.imap_settings(
            dovecot.tls_port, EMAIL_IMAP_URL=f"imap://localhost:{dovecot.port}"))
        self.await_idle(daemon)
        self.assertEqual(daemon.stop(), 0)
        dovecot.deliver(self.mail("found"))
        daemon.start()
        self.await_text(daemon, "found")

    def test_numbered_anew(self):
        dovecot = self.dovecot()
        daemon = self.daemon(self.imap_settings(dovecot.tls_port))
        self.await_idle(daemon)
        dovecot.deliver(self.mail("before"))
        self.await_text(daemon, "before")
        daemon.stop()
        dovecot.renumber()
        time.sleep(1.1) # UIDVALIDITY is a second
        dovecot.deliver(self.mail("meanwhile"))
        daemon.start()
        self.await_text(daemon, "meanwhile")
        self.assertEqual(self.smtp_peer.texts(), ["before", "meanwhile"])
        dovecot.deliver(self.mail("and on"))
        self.await_text(daemon, "and on")

    def test_a_server_that_goes_is_told(self):
        dovecot = self.dovecot()
        daemon = self.daemon(self.imap_settings(dovecot.tls_port))
        self.await_idle(daemon)
        dovecot.close()
        self.until(
            lambda: "ended the connection" in daemon.operator("/ready").body.decode()
            or "cannot be reached" in daemon.operator("/ready").body.decode(),
            "it is told", daemon)

    def test_a_wrong_password_is_told(self):
        dovecot = self.dovecot()
        daemon = self.daemon(self.imap_settings(dovecot.tls_port, EMAIL_IMAP_PASSWORD="wrong-one"))
        self.until(lambda: "refused the login" in daemon.said() or
                   "refused the login" in daemon.operator("/ready").body.decode(), "told", daemon)


if __name__ == "__main__":
    unittest.main()
