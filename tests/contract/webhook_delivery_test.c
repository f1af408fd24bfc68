/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks and bridges beyond plain texts: files, two secrets, proxies, silent receivers. */
#include "tests/contract/request.h"
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND_SECRET "the-next-one-to-come"

static char path[64];

static void write_file(size_t length)
{
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/cowgate-out-XXXXXX");
	file = fdopen(mkstemp(path), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	for (size_t i = 0; i < length; i++)
		putc((int)(i * 7 % 256), file);
	fclose(file);
}

static struct cg_outbound file_outbound(struct cg_file *file, uint64_t bytes)
{
	struct cg_outbound outbound = host_fake_text("");

	*file = (struct cg_file){.filename = "Bericht \"1\".pdf",
		.mime_type = "application/pdf",
		.path = path,
		.bytes = bytes};
	outbound.kind = CG_OUTBOUND_FILE;
	outbound.file = file;
	return outbound;
}

/* ---- Files out ---- */

static void check_content(const char *json, size_t bytes)
{
	struct json_object *body = NULL, *file;
	const char *text;
	uint8_t *content;
	size_t length = 0, count = 0;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), &body, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(body, "type", ""), "file");
	file = cg_json_object(body, "file");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(file, "filename", ""), "Bericht \"1\".pdf");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(file, "mimeType", ""), "application/pdf");
	text = cg_json_value_string(cg_json_member(file, "dataBase64"), &length);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	content = malloc(3 * length / 4 + 3);
	CU_ASSERT_TRUE(cg_unbase64(text, length, content, &count));
	CU_ASSERT_EQUAL(count, bytes);
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL(content[i], i * 7 % 256);
	free(content);
	cg_json_free(body);
}

static void files_go_out_whole(void)
{
	static const size_t sizes[] = {0, 1, 3071, 3072, 10000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct rig *rig = subject_up(&subject_discord);
		struct cg_file file;
		struct cg_outbound outbound = file_outbound(&file, sizes[i]);
		struct cg_signature_headers expected;
		struct cg_http_call *call;
		struct host_fake_sent sent;

		write_file(sizes[i]);
		rig_send(rig, &outbound, &sent);
		CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
		host_fake_pass(rig->host, 0);
		call = host_fake_open_call(rig->host);
		CU_ASSERT_PTR_NOT_NULL_FATAL(call);
		check_content(call->body, sizes[i]);
		expected = webhook_request_sign(
			WEBHOOK_SECRET, "delivery-1", call->body, rig->host->wall_ms);
		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "webhook-signature"), expected.standard);
		host_fake_answer(call, 200, "{\"messageId\":\"f1\"}");
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
		CU_ASSERT_STRING_EQUAL(sent.message_id, "f1");
		rig_destroy(rig);
		unlink(path);
	}
}

static void check_refused_file(struct rig *rig, const struct cg_outbound *outbound)
{
	struct host_fake_sent sent;

	rig_send(rig, outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_TRUE(strlen(sent.detail) > 0);
}

static void a_file_that_cannot_be_sent_is_refused(void)
{
	struct rig *rig = subject_up(&subject_webhook);
	struct cg_file file;
	struct cg_outbound outbound;

	write_file(1048577);
	outbound = file_outbound(&file, 1048577);
	check_refused_file(rig, &outbound); /* beyond maxAttachmentBytes */
	outbound = file_outbound(&file, 1048576);
	check_refused_file(rig, &outbound); /* it is larger than was said */
	unlink(path);
	check_refused_file(rig, &outbound); /* it is gone */
	file.filename = "a\nb";
	check_refused_file(rig, &outbound);
	rig_destroy(rig);
}

static void a_cancelled_file_ends_once(void)
{
	struct rig *rig = subject_up(&subject_webhook);
	struct cg_file file;
	struct cg_outbound outbound = file_outbound(&file, 10);
	struct host_fake_sent sent;

	write_file(10);
	rig_send(rig, &outbound, &sent);
	rig_cancel(rig, &sent);
	CU_ASSERT_EQUAL(sent.count, 1);
	host_fake_pass(rig->host, 1000);
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_EQUAL(sent.count, 1);
	rig_send(rig, &outbound, &sent); /* and one that never ends */
	rig_destroy(rig);
	CU_ASSERT_EQUAL(sent.count, 0);
	unlink(path);
}

/* ---- Files in ---- */

#define TWO_FILES \
	"{\"id\":\"m1\",\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"}," \
	"\"attachments\":[{\"filename\":\"a.txt\",\"mimeType\":\"text/plain\"," \
	"\"bufferBase64\":\" aGVs\\nbG8= \"},{\"filename\":\"b\",\"sizeBytes\":7}]}"

static void inline_files_are_spooled_before_the_message(void)
{
	struct rig *rig = subject_up(&subject_whatsapp);
	const struct host_fake_submission *got;
	struct webhook_request request;
	char content[16] = "";
	FILE *file;

	request_post_signed(rig, &request, WEBHOOK_SECRET, TWO_FILES);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 0);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL_FATAL(host_fake_open_submissions(rig->host), 1);
	got = host_fake_last(rig->host);
	CU_ASSERT_EQUAL(got->attachments, 2);
	CU_ASSERT_STRING_EQUAL(got->files[0].mime_type, "text/plain");
	CU_ASSERT_EQUAL(got->files[0].bytes, 5);
	CU_ASSERT_STRING_EQUAL(got->files[1].spool_path, "");
	CU_ASSERT_EQUAL(got->files[1].bytes, 7);
	file = fopen(got->files[0].spool_path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fread(content, 1, sizeof(content), file), 5);
	CU_ASSERT_STRING_EQUAL(content, "hello");
	fclose(file);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_EQUAL(access(got->files[0].spool_path, F_OK), 0);
	rig_destroy(rig);
}

/* What no message refers to is taken away again. */
static void files_of_what_was_not_stored_go(void)
{
	static const enum cg_verdict verdicts[] = {CG_VERDICT_DUPLICATE,
		CG_VERDICT_CONFLICT, CG_VERDICT_INVALID, CG_VERDICT_UNAVAILABLE};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		struct rig *rig = subject_up(&subject_webhook);
		struct webhook_request request;

		request_post_signed(rig, &request, WEBHOOK_SECRET, TWO_FILES);
		host_fake_pass(rig->host, 0);
		CU_ASSERT_EQUAL(
			access(host_fake_last(rig->host)->files[0].spool_path, F_OK), 0);
		host_fake_verdict(rig->host, verdicts[i]);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_NOT_EQUAL(
			access(host_fake_last(rig->host)->files[0].spool_path, F_OK), 0);
		rig_destroy(rig);
	}
}

static void without_room_for_files_nothing_is_taken(void)
{
	struct rig *rig = subject_up(&subject_webhook);
	struct webhook_request request;

	rig->host->refuse_spool = true;
	request_post_signed(rig, &request, WEBHOOK_SECRET, TWO_FILES);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig->host->refuse_spool = false;
	request_post_signed(rig, &request, WEBHOOK_SECRET, TWO_FILES);
	rig->provider->ops->stop(rig->self); /* while they are being written */
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
}

/* ---- Two secrets ---- */

static struct rig *up_with(const char *name, const char *value)
{
	struct settings_pair *pairs = calloc(4, sizeof(*pairs));
	struct rig *rig;

	pairs[0] = (struct settings_pair){"deliveryUrl", "https://receiver.example.org/"};
	pairs[1] = (struct settings_pair){"sharedSecret", WEBHOOK_SECRET};
	pairs[2] = (struct settings_pair){name, value};
	rig = module_rig("webhook", pairs);
	if (rig_create(rig, NULL) == CG_OK)
		CU_ASSERT_EQUAL(rig->provider->ops->start(rig->self, NULL), CG_OK);
	return rig;
}

static void down(struct rig *rig)
{
	const struct settings_pair *pairs = rig->host->settings.pairs;

	rig_destroy(rig);
	free((void *)(uintptr_t)pairs);
}

static void either_secret_opens_the_way_in(void)
{
	static const char *const secrets[] = {WEBHOOK_SECRET, SECOND_SECRET, "a third"};
	struct rig *rig = up_with("sharedSecretSecond", SECOND_SECRET);

	for (int i = 0; i < 3; i++) {
		struct webhook_request request;

		request_post_signed(rig, &request, secrets[i],
			"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"}}");
		CU_ASSERT_EQUAL(request.answers, i == 2);
		CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), i < 2);
		if (i < 2)
			host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	}
	down(rig);
}

static void the_first_secret_signs_and_the_second_beside_it(void)
{
	struct rig *rig = up_with("sharedSecretSecond", SECOND_SECRET);
	struct cg_outbound outbound = host_fake_text("hello");
	struct cg_signature_headers first, second;
	char both[256];
	struct host_fake_sent sent;
	struct cg_http_call *call;

	rig_send(rig, &outbound, &sent);
	call = host_fake_open_call(rig->host);
	first = webhook_request_sign(
		WEBHOOK_SECRET, "delivery-1", call->body, rig->host->wall_ms);
	second = webhook_request_sign(
		SECOND_SECRET, "delivery-1", call->body, rig->host->wall_ms);
	snprintf(both, sizeof(both), "%s %s", first.standard, second.standard);
	CU_ASSERT_STRING_EQUAL(host_fake_header(call, "webhook-signature"), both);
	CU_ASSERT_STRING_EQUAL(
		host_fake_header(call, "x-open-cowork-gateway-webhook-signature"),
		first.gateway);
	/* A receiver that repeats either is not quoted. */
	host_fake_answer(call, 400, "you said " SECOND_SECRET);
	CU_ASSERT_STRING_EQUAL(sent.detail, "");
	down(rig);
}

/* ---- Proxy and trust ---- */

static void a_proxy_is_used_and_not_shown(void)
{
	struct rig *rig = up_with("proxy", "http://user:pass@proxy.example.org:3128");
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(rig->host)->proxy,
		"http://user:pass@proxy.example.org:3128");
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_NOT_DISPATCHED);
	down(rig);
	rig = up_with("proxy", "proxy.example.org:3128");
	CU_ASSERT_PTR_NULL(rig->self);
	down(rig);
}

static void a_ca_file_must_be_there(void)
{
	struct rig *rig;
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	write_file(1);
	rig = up_with("caFile", path);
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(rig->host)->ca_file, path);
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(rig->host)->proxy, "");
	down(rig);
	unlink(path);
	rig = up_with("caFile", path);
	CU_ASSERT_PTR_NULL(rig->self);
	down(rig);
}

/* ---- A receiver that does not answer ---- */

static void send_and_fail(struct rig *rig, enum cg_http_result result)
{
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	struct cg_http_call *call;

	rig_send(rig, &outbound, &sent);
	call = host_fake_open_call(rig->host);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	host_fake_fault(call, result);
}

static void check_put_off(struct rig *rig, int64_t wait_ms)
{
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NULL(host_fake_nth_call(rig->host, 1));
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_RATE_LIMITED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_DESTINATION);
	CU_ASSERT_EQUAL(sent.outcome.retry_after_ms, wait_ms);
}

static void a_silent_receiver_is_left_alone_and_asked_by_one(void)
{
	static const enum cg_http_result faults[] = {CG_HTTP_NOT_DISPATCHED,
		CG_HTTP_TIMED_OUT, CG_HTTP_NO_ANSWER, CG_HTTP_NOT_DISPATCHED,
		CG_HTTP_TIMED_OUT};
	struct rig *rig = subject_up(&subject_webhook);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent probe;

	for (size_t i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
		send_and_fail(rig, faults[i]);
	}
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	CU_ASSERT_TRUE(strlen(rig->host->health_detail) > 0);
	check_put_off(rig, 30000);
	host_fake_pass(rig->host, 30000);
	rig_send(rig, &outbound, &probe);
	CU_ASSERT_PTR_NOT_NULL_FATAL(host_fake_open_call(rig->host));
	check_put_off(rig, 2000);
	host_fake_answer(host_fake_open_call(rig->host), 200, "");
	CU_ASSERT_EQUAL(probe.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	CU_ASSERT_STRING_EQUAL(rig->host->health_detail, "");
	rig_send(rig, &outbound, &probe);
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_call(rig->host));
	rig_destroy(rig);
}

/* A no is an answer. */
static void refusals_open_nothing(void)
{
	struct rig *rig = subject_up(&subject_webhook);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	for (int i = 0; i < 20; i++) {
		rig_send(rig, &outbound, &sent);
		CU_ASSERT_PTR_NOT_NULL_FATAL(host_fake_open_call(rig->host));
		host_fake_answer(host_fake_open_call(rig->host), i % 2 ? 404 : 429, "");
	}
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	rig_destroy(rig);
}

/* ---- Bridges ---- */

static bool takes(const struct subject *subject, enum cg_outbound_kind kind)
{
	struct rig *rig = subject_up(subject);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	bool taken;

	outbound.kind = kind;
	outbound.target.message_id = "m";
	outbound.interaction_id = "p";
	rig_send(rig, &outbound, &sent);
	taken = host_fake_open_call(rig->host) != NULL;
	rig_destroy(rig);
	return taken;
}

static void bridges_do_what_their_platforms_do(void)
{
	CU_ASSERT_TRUE(takes(&subject_discord, CG_OUTBOUND_EDIT));
	CU_ASSERT_TRUE(takes(&subject_discord, CG_OUTBOUND_ANSWER));
	CU_ASSERT_TRUE(takes(&subject_discord, CG_OUTBOUND_TYPING));
	CU_ASSERT_FALSE(takes(&subject_whatsapp, CG_OUTBOUND_EDIT));
	CU_ASSERT_TRUE(takes(&subject_whatsapp, CG_OUTBOUND_ANSWER));
	CU_ASSERT_FALSE(takes(&subject_signal, CG_OUTBOUND_EDIT));
	CU_ASSERT_FALSE(takes(&subject_signal, CG_OUTBOUND_ANSWER));
	CU_ASSERT_TRUE(takes(&subject_signal, CG_OUTBOUND_TYPING));
	CU_ASSERT_FALSE(takes(&subject_webhook, CG_OUTBOUND_REACTION));
}

static void a_bridge_says_which_it_is(void)
{
	struct rig *rig = subject_up(&subject_discord);
	struct cg_outbound outbound = host_fake_text("**hello**");
	struct host_fake_sent sent;
	const char *body;

	rig_send(rig, &outbound, &sent);
	body = host_fake_open_call(rig->host)->body;
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"providerKind\":\"discord\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"parseMode\":\"markdown\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"text\":\"**hello**\""));
	rig_destroy(rig);
}

UNIT_SUITE(webhook_delivery, UNIT_TEST(files_go_out_whole),
	UNIT_TEST(a_file_that_cannot_be_sent_is_refused),
	UNIT_TEST(a_cancelled_file_ends_once),
	UNIT_TEST(inline_files_are_spooled_before_the_message),
	UNIT_TEST(files_of_what_was_not_stored_go),
	UNIT_TEST(without_room_for_files_nothing_is_taken),
	UNIT_TEST(either_secret_opens_the_way_in),
	UNIT_TEST(the_first_secret_signs_and_the_second_beside_it),
	UNIT_TEST(a_proxy_is_used_and_not_shown), UNIT_TEST(a_ca_file_must_be_there),
	UNIT_TEST(a_silent_receiver_is_left_alone_and_asked_by_one),
	UNIT_TEST(refusals_open_nothing), UNIT_TEST(bridges_do_what_their_platforms_do),
	UNIT_TEST(a_bridge_says_which_it_is));
