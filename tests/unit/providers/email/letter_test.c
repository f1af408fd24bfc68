/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/letter.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW INT64_C(1700000000000)
#define EMOJI "\xF0\x9F\x90\x84" /* two UTF-16 units */

static const struct email_settings settings = {
	.from = "agent@example.org",
	.from_name = "Agent",
	.domain = "example.org",
	.subject = "An update",
	.max_attachment = 8,
};

static struct cg_outbound text_to(const char *chat, const char *text)
{
	return (struct cg_outbound){.size = sizeof(struct cg_outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "delivery-1",
		.target = {.chat_id = chat},
		.text = text,
		.text_length = strlen(text),
		.attempt = 1};
}

static enum cg_status made(const struct cg_outbound *outbound)
{
	struct letter letter;
	struct cg_error err = {.text = ""};
	enum cg_status status = letter_init(&letter, &settings, outbound, NOW, &err);

	CU_ASSERT_EQUAL(status == CG_OK, err.text[0] == '\0');
	if (status == CG_OK)
		letter_finish(&letter);
	return status;
}

static void a_route_keeps_ids_and_subject(void)
{
	char text[LETTER_CONTEXT + 1], longest[EMAIL_ID];
	struct letter_context context;

	letter_context_write("r@x.org", "p@x.org", "Re: AW: Pl\xC3\xA4ne <b>", text);
	letter_context_read(text, &context);
	CU_ASSERT_STRING_EQUAL(context.root, "r@x.org");
	CU_ASSERT_STRING_EQUAL(context.parent, "p@x.org");
	CU_ASSERT_STRING_EQUAL(context.subject, "Pl\xC3\xA4ne <b>");
	letter_context_read(NULL, &context);
	CU_ASSERT_STRING_EQUAL(context.root, "");
	letter_context_read("something else", &context);
	CU_ASSERT_STRING_EQUAL(context.subject, "");
	letter_context_read("<r@x.org> only", &context);
	CU_ASSERT_STRING_EQUAL(context.root, "r@x.org");
	CU_ASSERT_STRING_EQUAL(context.subject, "only");
	/* Never more than a route holds. */
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	letter_context_write(longest, longest, longest, text);
	CU_ASSERT_TRUE(strlen(text) <= LETTER_CONTEXT);
	letter_context_read(text, &context);
	CU_ASSERT_STRING_EQUAL(context.root, longest);
	CU_ASSERT_STRING_EQUAL(context.parent, "");
}

static void an_answer_stays_in_its_thread(void)
{
	struct cg_outbound outbound = text_to("Ada <Ada@Example.com>", "Hello");
	struct letter letter;

	outbound.target.context = "<root@example.com> <before@example.com> Plans";
	outbound.target.message_id = "<asked@example.com>";
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.to, "ada@example.com");
	CU_ASSERT_STRING_EQUAL(letter.draft.from, settings.from);
	CU_ASSERT_STRING_EQUAL(letter.draft.from_name, settings.from_name);
	CU_ASSERT_STRING_EQUAL(letter.draft.subject, "Re: Plans");
	CU_ASSERT_STRING_EQUAL(letter.draft.in_reply_to, "asked@example.com");
	CU_ASSERT_STRING_EQUAL(letter.draft.references[0], "root@example.com");
	CU_ASSERT_STRING_EQUAL(letter.draft.references[1], "asked@example.com");
	CU_ASSERT_EQUAL(letter.draft.at_ms, NOW);
	CU_ASSERT_EQUAL(letter.draft.fd, -1);
	letter_finish(&letter);

	/* Which mail is answered is not said: the one that the route remembers, else the first. */
	outbound.target.message_id = NULL;
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.in_reply_to, "before@example.com");
	letter_finish(&letter);
	outbound.target.context = "<root@example.com> Plans";
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.in_reply_to, "root@example.com");
	letter_finish(&letter);
}

static void what_answers_nothing_has_our_subject(void)
{
	struct cg_outbound outbound = text_to("ada@example.com", "Hello");
	struct letter letter;

	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.subject, "An update");
	CU_ASSERT_STRING_EQUAL(letter.draft.in_reply_to, "");
	CU_ASSERT_STRING_EQUAL(letter.draft.references[0], "");
	letter_finish(&letter);

	/* A relay's own name of a thread is an id only when it looks like one. */
	outbound.target.thread_id = "ticket 12";
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.references[0], "");
	letter_finish(&letter);
	outbound.target.thread_id = "ticket12@relay.example";
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.references[0], "ticket12@relay.example");
	CU_ASSERT_STRING_EQUAL(letter.draft.in_reply_to, "ticket12@relay.example");
	letter_finish(&letter);
}

/* Each attempt of a delivery is the same mail to whoever compares ids. */
static void a_delivery_keeps_its_id(void)
{
	struct cg_outbound outbound = text_to("ada@example.com", "Hello");
	char first[EMAIL_ID];
	struct letter letter;

	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_TRUE(email_id_is_ours(letter.draft.id, settings.domain, NULL));
	cg_text_copy(first, sizeof(first), letter.draft.id);
	letter_finish(&letter);
	outbound.attempt = 2;
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW + 60000, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.id, first);
	letter_finish(&letter);
	outbound.delivery_id = "delivery-2";
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_NOT_EQUAL(letter.draft.id, first);
	letter_finish(&letter);
}

static void links_can_be_read_and_clicked(void)
{
	static const char source[] = "See [the <docs>](https://example.com/a).";
	static const struct cg_span link = {.kind = CG_SPAN_LINK,
		.offset = 4,
		.length = 10,
		.detail = "https://example.com/a"};
	struct cg_outbound outbound = text_to("ada@example.com", "See the <docs>.");
	struct letter letter;

	outbound.source = source;
	outbound.source_length = strlen(source);
	outbound.spans = &link;
	outbound.span_count = 1;
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(letter.draft.text, "https://example.com/a"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(letter.draft.html, "href=\"https://example.com/a\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(letter.draft.html, "the &lt;docs&gt;"));
	letter_finish(&letter);
	/* Without a source the text stands for itself. */
	outbound.source = NULL;
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.text, "See the <docs>.");
	letter_finish(&letter);
}

static void what_can_never_be_sent_is_refused(void)
{
	struct cg_outbound outbound = text_to("ada@example.com", "Hello");

	CU_ASSERT_EQUAL(made(&outbound), CG_OK);
	outbound.kind = CG_OUTBOUND_BUTTONS;
	CU_ASSERT_EQUAL(made(&outbound), CG_UNSUPPORTED);
	outbound = text_to("ada@example.com", "Hello");
	outbound.delivery_id = NULL;
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
	outbound = text_to("ada@example.com", " \n\t");
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
	outbound = text_to("ada", "Hello");
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
	outbound.target.chat_id = NULL;
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
}

static void one_person_is_written_to(void)
{
	struct cg_outbound outbound =
		text_to("ada@example.com\r\nBcc: eve@example.net", "Hello");
	struct letter letter;

	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(letter.draft.to, "ada@example.com");
	letter_finish(&letter);
}

static void texts_have_a_length(void)
{
	char *longest = calloc(1, 2 * LETTER_TEXT_MAX + 8);
	struct cg_outbound outbound;

	CU_ASSERT_PTR_NOT_NULL_FATAL(longest);
	for (int i = 0; i < LETTER_TEXT_MAX / 2; i++)
		memcpy(longest + 4 * i, EMOJI, 4);
	outbound = text_to("ada@example.com", longest);
	CU_ASSERT_EQUAL(made(&outbound), CG_OK);
	longest[2 * LETTER_TEXT_MAX] = 'x';
	outbound = text_to("ada@example.com", longest);
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
	free(longest);
}

static void a_file_is_opened_and_owned(void)
{
	char path[] = "/tmp/cowgate-letter-XXXXXX", bytes[16] = "";
	int fd = mkstemp(path), owned;
	struct cg_file file = {
		.filename = "../a\tb.txt", .mime_type = "text/plain\r\nX: y", .bytes = 8};
	struct cg_outbound outbound = {.size = sizeof(outbound),
		.kind = CG_OUTBOUND_FILE,
		.delivery_id = "delivery-1",
		.target = {.chat_id = "ada@example.com"},
		.file = &file};
	struct letter letter;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "contents", 8), 8);
	close(fd);
	file.path = path;
	CU_ASSERT_EQUAL_FATAL(
		letter_init(&letter, &settings, &outbound, NOW, NULL), CG_OK);
	owned = letter.draft.fd;
	CU_ASSERT_EQUAL(read(owned, bytes, sizeof(bytes)), 8);
	CU_ASSERT_STRING_EQUAL(bytes, "contents");
	CU_ASSERT_STRING_EQUAL(letter.draft.filename, "ab.txt");
	CU_ASSERT_PTR_NULL(strpbrk(letter.draft.mime_type, "\r\n"));
	letter_finish(&letter);
	CU_ASSERT_EQUAL(fcntl(owned, F_GETFD), -1);

	file.bytes = settings.max_attachment + 1;
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
	file.bytes = 8;
	unlink(path);
	CU_ASSERT_EQUAL(made(&outbound), CG_IO);
	file.path = NULL;
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
	outbound.file = NULL;
	CU_ASSERT_EQUAL(made(&outbound), CG_INVALID);
}

/* A zero letter has descriptor 0, which is somebody else's. */
static void nothing_can_be_finished(void)
{
	struct letter letter = {.text = NULL};
	int fd = fcntl(0, F_GETFD);

	letter_finish(&letter);
	CU_ASSERT_EQUAL(fcntl(0, F_GETFD), fd);
	letter_finish(&letter);
}

UNIT_SUITE(email_letter, UNIT_TEST(a_route_keeps_ids_and_subject),
	UNIT_TEST(an_answer_stays_in_its_thread),
	UNIT_TEST(what_answers_nothing_has_our_subject),
	UNIT_TEST(a_delivery_keeps_its_id), UNIT_TEST(links_can_be_read_and_clicked),
	UNIT_TEST(what_can_never_be_sent_is_refused), UNIT_TEST(one_person_is_written_to),
	UNIT_TEST(texts_have_a_length), UNIT_TEST(a_file_is_opened_and_owned),
	UNIT_TEST(nothing_can_be_finished));
