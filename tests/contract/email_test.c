/* SPDX-License-Identifier: Apache-2.0 */
/* Mail in by webhook: who is believed and when it is answered; what settings are refused; and a
 * server that answers as it is told, to see what becomes of a send. */
#include "tests/contract/request.h"
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY \
	"{\"from\":\"ada@example.com\",\"messageId\":\"<m1@example.com>\",\"text\":" \
	"\"hi\"}"
#define RAW "From: ada@example.com\r\nMessage-ID: <m1@example.com>\r\n"

static void post(struct rig *rig, struct webhook_request *request, const char *header,
	const char *secret, const char *body)
{
	*request = (struct webhook_request){.answers = 0};
	if (header != NULL)
		webhook_request_set(request, header, secret);
	webhook_request_set(request, "content-type",
		body[0] == '{' ? "application/json" : "message/rfc822");
	request_post(rig, request, body);
	host_fake_pass(rig->host, 0);
}

static void post_known(struct rig *rig, struct webhook_request *request, const char *body)
{
	post(rig, request, "x-open-cowork-gateway-email-secret", EMAIL_SECRET, body);
}

static void only_who_knows_the_secret_is_heard(void)
{
	static const struct {
		const char *header, *value;
		bool heard;
	} rows[] = {
		{"x-open-cowork-gateway-email-secret", EMAIL_SECRET, true},
		{"authorization", "Bearer " EMAIL_SECRET, true},
		{"authorization", "bearer  " EMAIL_SECRET, true},
		{NULL, NULL, false},
		{"x-open-cowork-gateway-email-secret", "", false},
		{"x-open-cowork-gateway-email-secret", EMAIL_SECRET "x", false},
		{"x-open-cowork-gateway-email-secret", "battery-staple-mai", false},
		{"authorization", EMAIL_SECRET, false},
		{"authorization", "Basic " EMAIL_SECRET, false},
		{"x-open-cowork-gateway-webhook-secret", EMAIL_SECRET, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig *rig = subject_up(&subject_email);
		struct webhook_request request;

		post(rig, &request, rows[i].header, rows[i].value, BODY);
		CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), rows[i].heard);
		if (rows[i].heard)
			host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result,
			rows[i].heard ? CG_WEBHOOK_ACCEPTED : CG_WEBHOOK_DENIED);
		rig_destroy(rig);
	}
}

static void the_relay_is_answered_after_the_commit(void)
{
	static const struct {
		enum cg_verdict verdict;
		enum cg_webhook_result result;
	} rows[] = {
		{CG_VERDICT_COMMITTED, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_DUPLICATE, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_CONFLICT, CG_WEBHOOK_CONFLICT},
		{CG_VERDICT_INVALID, CG_WEBHOOK_BAD},
		{CG_VERDICT_UNAVAILABLE, CG_WEBHOOK_UNAVAILABLE},
	};
	struct rig *rig = subject_up(&subject_email);
	struct webhook_request request;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		post_known(rig, &request, i % 2 == 0 ? BODY : RAW "\r\nhi\r\n");
		CU_ASSERT_EQUAL(request.answers, 0);
		host_fake_verdict(rig->host, rows[i].verdict);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, rows[i].result);
	}
	rig_destroy(rig);
}

static void what_is_not_understood_is_named(void)
{
	static const struct {
		const char *body, *word;
	} rows[] = {
		{"{", "JSON"},
		{"{\"from\":\"ada@example.com\",\"text\":\"x\"}", "messageId"},
		{"{\"from\":\"ada@example.com\",\"id\":\"1\",\"attachments\":[{\"name\":"
		 "\"a\","
		 "\"contentBase64\":\"*\"}]}",
			"base64"},
		{"{\"from\":\"ada@example.com\",\"id\":\"1\",\"attachments\":[{\"name\":"
		 "\"a\","
		 "\"size\":1048577}]}",
			"1048576"},
		{"{\"from\":\"ada@example.com\",\"id\":\"1\",\"threadId\":\"a\\u0001\"}",
			"threadId"},
	};
	struct rig *rig = subject_up(&subject_email);
	struct webhook_request request;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		post_known(rig, &request, rows[i].body);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
		if (strcmp(rows[i].word, "JSON") != 0)
			CU_ASSERT_PTR_NOT_NULL(strstr(request.body, rows[i].word));
	}
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
}

static void files_are_on_the_disk_before_the_message(void)
{
	struct rig *rig = subject_up(&subject_email);
	struct webhook_request request;
	char bytes[8] = "";
	FILE *file;

	post_known(rig, &request,
		RAW "Content-Type: application/x\r\nContent-Disposition: attachment; "
		    "filename=\"../a b\"\r\n\r\nbytes");
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].filename, "a b");
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->files[0].bytes, 5);
	file = fopen(host_fake_last(rig->host)->files[0].spool_path, "rb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fread(bytes, 1, sizeof(bytes), file), 5);
	fclose(file);
	CU_ASSERT_STRING_EQUAL(bytes, "bytes");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(access(host_fake_last(rig->host)->files[0].spool_path, R_OK), 0);

	/* What was not taken leaves nothing behind, and a full disk is told. */
	post_known(rig, &request,
		"From: ada@example.com\r\nMessage-ID: <m2@example.com>\r\n"
		"Content-Disposition: attachment; filename=x\r\n\r\nbytes");
	host_fake_verdict(rig->host, CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_NOT_EQUAL(
		access(host_fake_last(rig->host)->files[0].spool_path, R_OK), 0);
	rig->host->refuse_spool = true;
	post_known(rig, &request,
		RAW "Content-Disposition: attachment; filename=x\r\n\r\nbytes");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	rig_destroy(rig);
}

static void a_request_may_outlive_its_instance(void)
{
	struct rig *rig = subject_up(&subject_email);
	struct webhook_request request;

	post_known(rig, &request, RAW "\r\nhi");
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	rig_destroy(rig);
	CU_ASSERT_EQUAL(request.answers, 0);
}

/* ---- Settings ---- */

static void check_settings(
	const char *name, const char *value, enum cg_status expected, const char *word)
{
	struct settings_pair pairs[12] = {
		{"from", "agent@example.org"},
		{"smtpHost", "smtp.example.org"},
		{"inboundSecret", EMAIL_SECRET},
	};
	struct cg_error err = {.text = ""};
	struct rig *rig;
	size_t at = 0;

	while (pairs[at].name != NULL && strcmp(pairs[at].name, name) != 0)
		at++;
	pairs[at] = (struct settings_pair){name, value};
	rig = module_rig("email", pairs);
	CU_ASSERT_EQUAL(rig_create(rig, &err), expected);
	if (strstr(err.text, word) == NULL)
		fprintf(stderr, "%s=%s: %s\n", name, value, err.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, word));
	rig_destroy(rig);
}

static void settings_are_judged_at_create(void)
{
	check_settings("from", "no address", CG_INVALID, "from");
	check_settings("inboundAddress", "nobody", CG_INVALID, "inboundAddress");
	check_settings("inboundSecret", "", CG_INVALID, "imapUrl");
	check_settings("smtpHost", "smtp.example.org:587", CG_INVALID, "smtpHost");
	check_settings("smtpUsername", "agent", CG_INVALID, "smtpPassword");
	check_settings("smtpTls", "off", CG_OK, "");
	check_settings("smtpSecure", "true", CG_OK, "");
	check_settings("imapUrl", "https://imap.example.org", CG_INVALID, "imapUrl");
	check_settings("imapUrl", "imaps://u:p@imap.example.org", CG_INVALID, "imapUrl");
	check_settings("imapUrl", "imaps://imap.example.org", CG_INVALID, "imapUsername");
	check_settings("subject", "two\nlines", CG_INVALID, "subject");
}

/* ---- Out ---- */

/* What a server answers to each command; one connection. */
struct server {
	const char *verb, *reply; /* in place of "250 ok"; NULL reply: it hangs up */
	int listener;
	int port;
	pthread_t thread;
};

static void serve(struct server *server, int fd)
{
	char line[2048] = "220 ready\r\n", reply[128];
	FILE *in = fdopen(fd, "r");
	bool data = false;

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	(void)!write(fd, line, strlen(line));
	while (fgets(line, sizeof(line), in) != NULL) {
		const char *verb = data ? "." : line;
		bool scripted = strncmp(verb, server->verb, strlen(server->verb)) == 0;

		if (data && strcmp(line, ".\r\n") != 0)
			continue;
		if (scripted && server->reply == NULL)
			break;
		snprintf(reply, sizeof(reply), "%s\r\n",
			scripted                        ? server->reply
			: strncmp(verb, "DATA", 4) == 0 ? "354 go on"
							: "250 ok");
		data = strncmp(reply, "354", 3) == 0;
		(void)!write(fd, reply, strlen(reply));
	}
	fclose(in);
}

static void *server_main(void *arg)
{
	struct server *server = arg;
	int fd = accept(server->listener, NULL, NULL);

	if (fd >= 0)
		serve(server, fd);
	return NULL;
}

static void server_start(struct server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(server->listener, 1) != 0 ||
		getsockname(server->listener, (struct sockaddr *)&address, &length) !=
			0 ||
		pthread_create(&server->thread, NULL, server_main, server) != 0)
		abort();
	server->port = ntohs(address.sin_port);
}

static void check_send(const char *verb, const char *reply, enum cg_outcome_class class,
	enum cg_outcome_scope scope)
{
	struct server server = {.verb = verb, .reply = reply};
	char port[8];
	struct settings_pair pairs[] = {
		{"from", "agent@example.org"},
		{"smtpHost", "127.0.0.1"},
		{"inboundSecret", EMAIL_SECRET},
		{"smtpTls", "off"},
		{"smtpPort", port},
		{NULL, NULL},
	};
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	struct rig *rig;

	server_start(&server);
	snprintf(port, sizeof(port), "%d", server.port);
	rig = module_rig("email", pairs);
	rig_up(rig);
	outbound.target.chat_id = "ada@example.com";
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, class);
	CU_ASSERT_EQUAL(sent.outcome.scope, scope);
	CU_ASSERT_EQUAL(sent.message_id[0] != '\0', class == CG_OUTCOME_SENT);
	if (sent.outcome.class != class)
		fprintf(stderr, "%s %s: %s\n", verb, reply, sent.detail);
	host_fake_pass(rig->host, 200000);
	CU_ASSERT_EQUAL(sent.count, 1);
	rig_destroy(rig);
	shutdown(server.listener, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.listener);
}

static void every_answer_has_its_class(void)
{
	check_send("nothing", "", CG_OUTCOME_SENT, CG_SCOPE_MESSAGE);
	check_send("MAIL", "550 who", CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT);
	check_send("MAIL", "451 later", CG_OUTCOME_RATE_LIMITED, CG_SCOPE_ACCOUNT);
	check_send("RCPT", "550 5.1.1 no", CG_OUTCOME_REFUSED, CG_SCOPE_CHAT);
	check_send("RCPT", "450 grey", CG_OUTCOME_RATE_LIMITED, CG_SCOPE_CHAT);
	check_send("DATA", "554 no", CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE);
	check_send(".", "554 spam", CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE);
	check_send(".", "452 full", CG_OUTCOME_RATE_LIMITED, CG_SCOPE_MESSAGE);
	check_send("QUIT", NULL, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE);
	check_send("RCPT", NULL, CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_DESTINATION);
	check_send(".", NULL, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_MESSAGE);
}

static void what_mail_cannot_do_is_refused(void)
{
	static const enum cg_outbound_kind kinds[] = {CG_OUTBOUND_EDIT,
		CG_OUTBOUND_BUTTONS, CG_OUTBOUND_ANSWER, CG_OUTBOUND_TYPING,
		CG_OUTBOUND_REACTION, CG_OUTBOUND_FILE};
	struct rig *rig = subject_up(&subject_email);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	char *text = calloc(1, 20002);

	outbound.target.chat_id = "ada@example.com";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		outbound.kind = kinds[i];
		rig_send(rig, &outbound, &sent);
		host_fake_pass(rig->host, 0);
		CU_ASSERT_EQUAL(sent.count, 1);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	}
	outbound = host_fake_text("hello"); /* to chat "1" */
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	memset(text, 'x', 20001);
	outbound = host_fake_text(text);
	outbound.target.chat_id = "ada@example.com";
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(sent.detail, "20000"));
	rig_destroy(rig);
	free(text);
}

UNIT_SUITE(email, UNIT_TEST(only_who_knows_the_secret_is_heard),
	UNIT_TEST(the_relay_is_answered_after_the_commit),
	UNIT_TEST(what_is_not_understood_is_named),
	UNIT_TEST(files_are_on_the_disk_before_the_message),
	UNIT_TEST(a_request_may_outlive_its_instance),
	UNIT_TEST(settings_are_judged_at_create), UNIT_TEST(every_answer_has_its_class),
	UNIT_TEST(what_mail_cannot_do_is_refused));
