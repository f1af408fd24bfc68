/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/mail_json.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE 8

static const struct mail_json_reading reading = {
	.domain = "example.org",
	.own_address = "agent@example.org",
	.authserv_id = "mx.example.org",
	.max_file = MAX_FILE,
};

/* INVALID leaves @ret as it was and says why. */
static enum cg_status read_text(const char *text, struct mail *ret)
{
	struct json_object *body = NULL;
	struct cg_error err = {.text = ""};
	enum cg_status status;

	*ret = (struct mail){.left_out = 77};
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &body, NULL), CG_OK);
	status = mail_json_read(body, &reading, ret, &err);
	cg_json_free(body);
	if (status != CG_OK) {
		CU_ASSERT_EQUAL(ret->left_out, 77);
		CU_ASSERT_PTR_NULL(ret->text);
		CU_ASSERT_TRUE(err.text[0] != '\0');
	}
	return status;
}

static void a_mail_is_read(void)
{
	struct mail mail;

	CU_ASSERT_EQUAL_FATAL(
		read_text("{\"from\":\"Ada L. <Ada@Example.com>\","
			  "\"messageId\":\"<m1@example.com>\",\"subject\":\"Plans\\r\\nX:"
			  " y\","
			  "\"text\":\"Hello\\n\\nOn Monday Bob wrote:\\n> old\\n\"}",
			&mail),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(mail.from, "ada@example.com");
	CU_ASSERT_STRING_EQUAL(mail.name, "Ada L.");
	CU_ASSERT_STRING_EQUAL(mail.id, "m1@example.com");
	CU_ASSERT_PTR_NULL(strpbrk(mail.subject, "\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(mail.text, "Hello"));
	CU_ASSERT_PTR_NULL(strstr(mail.text, "old"));
	CU_ASSERT_PTR_NULL(mail.automatic);
	CU_ASSERT_FALSE(mail.authenticated);
	CU_ASSERT_EQUAL(mail.file_count, 0);
	mail_finish(&mail);
}

static void fields_have_other_names(void)
{
	struct mail mail;

	CU_ASSERT_EQUAL_FATAL(
		read_text("{\"sender\":{\"email\":\"ada@example.com\",\"name\":\"Ada\"},"
			  "\"messageId\":\" \",\"id\":\"relay-7\",\"text\":\"\","
			  "\"body\":\"Hello\",\"html\":\"<p>No</p>\"}",
			&mail),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(mail.from, "ada@example.com");
	CU_ASSERT_STRING_EQUAL(mail.name, "Ada");
	CU_ASSERT_STRING_EQUAL(mail.id, "relay-7");
	CU_ASSERT_STRING_EQUAL(mail.text, "Hello");
	mail_finish(&mail);
	CU_ASSERT_EQUAL_FATAL(
		read_text("{\"from\":\"a@example.com\",\"id\":\"1\","
			  "\"html\":\"<style>x</style><p>Hi &amp; ho</p>\"}",
			&mail),
		CG_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(mail.text, "Hi & ho"));
	CU_ASSERT_PTR_NULL(strstr(mail.text, "x"));
	mail_finish(&mail);
}

/* Nobody can be answered then; the mail itself is sound. */
static void a_sender_that_is_none_is_empty(void)
{
	static const char *const bodies[] = {
		"{\"id\":\"1\",\"text\":\"x\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"from\":\"nobody\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"from\":7}",
		"{\"id\":\"1\",\"text\":\"x\",\"from\":{\"name\":\"Ada\"}}",
		"{\"id\":\"1\",\"from\":\"\",\"sender\":\"a@example.com\"}",
	};
	struct mail mail;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		CU_ASSERT_EQUAL_FATAL(read_text(bodies[i], &mail), CG_OK);
		CU_ASSERT_STRING_EQUAL(mail.from, "");
		CU_ASSERT_FALSE(mail.authenticated);
		mail_finish(&mail);
	}
}

static void an_id_is_required_and_bounded(void)
{
	char body[2 * EMAIL_ID], id[EMAIL_ID + 1];
	struct mail mail;

	CU_ASSERT_EQUAL(read_text("{\"from\":\"a@example.com\"}", &mail), CG_INVALID);
	CU_ASSERT_EQUAL(read_text("{\"id\":\" \"}", &mail), CG_INVALID);
	CU_ASSERT_EQUAL(read_text("{\"id\":\"a\\u0001b\"}", &mail), CG_INVALID);
	CU_ASSERT_EQUAL(read_text("[]", &mail), CG_INVALID);
	memset(id, 'i', EMAIL_ID);
	id[EMAIL_ID - 1] = '\0';
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	CU_ASSERT_EQUAL_FATAL(read_text(body, &mail), CG_OK);
	CU_ASSERT_STRING_EQUAL(mail.id, id);
	mail_finish(&mail);
	id[EMAIL_ID - 1] = 'i';
	id[EMAIL_ID] = '\0';
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	CU_ASSERT_EQUAL(read_text(body, &mail), CG_INVALID);
}

static void a_thread_is_found_in_any_form(void)
{
	static const struct {
		const char *field, *root;
	} rows[] = {
		{"\"references\":[\"<r@example.com>\",7,\"<b@example.com>\"]",
			"r@example.com"},
		{"\"references\":\"<r@example.com> <b@example.com>\"", "r@example.com"},
		{"\"inReplyTo\":\"<r@example.com>\"", "r@example.com"},
		{"\"subject\":\"Plans\"", "own@example.com"},
	};
	char body[256], key[EMAIL_KEY];
	struct mail mail;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(body, sizeof(body), "{\"id\":\"<own@example.com>\",%s}",
			rows[i].field);
		CU_ASSERT_EQUAL_FATAL(read_text(body, &mail), CG_OK);
		email_thread_key(rows[i].root, key);
		CU_ASSERT_STRING_EQUAL(mail.thread, key);
		CU_ASSERT_STRING_EQUAL(mail.root, rows[i].root);
		mail_finish(&mail);
	}
	/* What the relay calls it goes first, and is refused when it cannot be kept. */
	CU_ASSERT_EQUAL_FATAL(read_text("{\"id\":\"1\",\"threadId\":\"ticket 12\","
					"\"references\":\"<r@example.com>\"}",
				      &mail),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(mail.thread, "ticket 12");
	CU_ASSERT_STRING_EQUAL(mail.root, "r@example.com");
	mail_finish(&mail);
	CU_ASSERT_EQUAL(
		read_text("{\"id\":\"1\",\"threadId\":\"a\\nb\"}", &mail), CG_INVALID);
}

static void files_are_decoded(void)
{
	struct mail mail;

	CU_ASSERT_EQUAL_FATAL(
		read_text("{\"id\":\"1\",\"attachments\":["
			  "{\"filename\":\"a/b.txt\",\"mimeType\":\"text/plain\","
			  "\"contentBase64\":\"Y29u\\r\\ndGVu dHM=\"},"
			  "{\"name\":\"c.bin\",\"contentType\":\"x/y\",\"size\":8},"
			  "{\"bufferBase64\":\"AAE=\",\"sizeBytes\":2}]}",
			&mail),
		CG_OK);
	CU_ASSERT_EQUAL_FATAL(mail.file_count, 3);
	CU_ASSERT_STRING_EQUAL(mail.files[0].filename, "b.txt");
	CU_ASSERT_STRING_EQUAL(mail.files[0].mime_type, "text/plain");
	CU_ASSERT_EQUAL_FATAL(mail.files[0].length, MAX_FILE);
	CU_ASSERT_EQUAL(memcmp(mail.files[0].bytes, "contents", MAX_FILE), 0);
	CU_ASSERT_EQUAL(mail.files[0].told, -1);
	CU_ASSERT_STRING_EQUAL(mail.files[1].filename, "c.bin");
	CU_ASSERT_PTR_NULL(mail.files[1].bytes);
	CU_ASSERT_EQUAL(mail.files[1].told, 8);
	CU_ASSERT_STRING_EQUAL(mail.files[2].filename, "attachment");
	CU_ASSERT_EQUAL(mail.files[2].length, 2);
	CU_ASSERT_EQUAL(memcmp(mail.files[2].bytes, "\0\1", 2), 0);
	mail_finish(&mail);
}

/* The good file before the bad one is freed with it. */
static void files_that_are_none_spoil_the_mail(void)
{
	static const char *const lists[] = {
		"{\"contentBase64\":\"####\"}",
		"{\"contentBase64\":\"YWJjZGVmZ2hp\"}", /* nine bytes */
		"{\"filename\":\"a\",\"size\":9}",
	};
	char body[256];
	struct mail mail;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		snprintf(body, sizeof(body),
			"{\"id\":\"1\",\"attachments\":[{\"contentBase64\":\"AAE=\"},%s]"
			"}",
			lists[i]);
		CU_ASSERT_EQUAL(read_text(body, &mail), CG_INVALID);
	}
}

static void files_have_a_number(void)
{
	char body[64 + 16 * (MAIL_FILES + 1)];
	size_t used;
	struct mail mail;

	for (size_t count = MAIL_FILES; count <= MAIL_FILES + 1; count++) {
		used = (size_t)snprintf(
			body, sizeof(body), "{\"id\":\"1\",\"attachments\":[");
		for (size_t i = 0; i < count; i++)
			used += (size_t)snprintf(body + used, sizeof(body) - used,
				"%s{\"name\":\"n\"}", i == 0 ? "" : ",");
		snprintf(body + used, sizeof(body) - used, "]}");
		CU_ASSERT_EQUAL(
			read_text(body, &mail), count > MAIL_FILES ? CG_INVALID : CG_OK);
		if (count == MAIL_FILES) {
			CU_ASSERT_EQUAL(mail.file_count, MAIL_FILES);
			mail_finish(&mail);
		}
	}
}

static void machines_and_results_are_seen(void)
{
	struct mail mail;

	CU_ASSERT_EQUAL_FATAL(
		read_text("{\"id\":\"1\",\"from\":\"a@example.com\",\"text\":\"x\","
			  "\"headers\":{\"auto-submitted\":\"auto-replied\"},"
			  "\"authenticationResults\":"
			  "\"mx.example.org; dkim=pass header.d=example.com\"}",
			&mail),
		CG_OK);
	CU_ASSERT_PTR_NOT_NULL(mail.automatic);
	CU_ASSERT_TRUE(mail.authenticated);
	mail_finish(&mail);
	CU_ASSERT_EQUAL_FATAL(
		read_text("{\"id\":\"1\",\"from\":\"a@example.com\",\"text\":\"x\","
			  "\"headers\":{\"Precedence\":\"bulk\"},"
			  "\"authenticationResults\":"
			  "\"mx.example.org; dkim=pass header.d=example.net\"}",
			&mail),
		CG_OK);
	CU_ASSERT_PTR_NOT_NULL(mail.automatic);
	CU_ASSERT_FALSE(mail.authenticated);
	mail_finish(&mail);
}

static enum cg_status read_form(const char *body, struct mail *ret, struct cg_error *err)
{
	*ret = (struct mail){.file_count = 0};
	*err = (struct cg_error){.text = ""};
	return mail_form_read(body, strlen(body), &reading, ret, err);
}

static void a_form_says_the_same(void)
{
	struct cg_error err;
	struct mail mail;
	char key[EMAIL_KEY];

	CU_ASSERT_EQUAL_FATAL(
		read_form(
			"from=Ada+%3Cada%40example.com%3E&messageId=%3Cm%40example.com%3E"
			"&text=Hello%0Athere&subject=Plans&references=%3Cr%40example.com%"
			"3E",
			&mail, &err),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(mail.from, "ada@example.com");
	CU_ASSERT_STRING_EQUAL(mail.name, "Ada");
	CU_ASSERT_STRING_EQUAL(mail.id, "m@example.com");
	CU_ASSERT_STRING_EQUAL(mail.text, "Hello\nthere");
	email_thread_key("r@example.com", key);
	CU_ASSERT_STRING_EQUAL(mail.thread, key);
	mail_finish(&mail);

	CU_ASSERT_EQUAL(
		read_form("from=a%40example.com&text=x", &mail, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "messageId"));
	CU_ASSERT_EQUAL(read_form("messageId=m&subject=%zz", &mail, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "subject"));
}

/* One field beyond what a form may hold. */
static void a_form_field_has_a_length(void)
{
	static const char head[] = "messageId=m&text=";
	size_t length = sizeof(head) - 1 + (1u << 20) + 1;
	char *body = malloc(length);
	struct cg_error err = {.text = ""};
	struct mail mail = {.file_count = 0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(body);
	memset(body, 'x', length);
	memcpy(body, head, sizeof(head) - 1);
	CU_ASSERT_EQUAL(mail_form_read(body, length, &reading, &mail, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "text"));
	free(body);
}

UNIT_SUITE(email_mail_json, UNIT_TEST(a_mail_is_read), UNIT_TEST(fields_have_other_names),
	UNIT_TEST(a_sender_that_is_none_is_empty),
	UNIT_TEST(an_id_is_required_and_bounded),
	UNIT_TEST(a_thread_is_found_in_any_form), UNIT_TEST(files_are_decoded),
	UNIT_TEST(files_that_are_none_spoil_the_mail), UNIT_TEST(files_have_a_number),
	UNIT_TEST(machines_and_results_are_seen), UNIT_TEST(a_form_says_the_same),
	UNIT_TEST(a_form_field_has_a_length));
