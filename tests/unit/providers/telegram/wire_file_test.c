/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/error.h>
#include <string.h>

static struct cg_outbound with(const struct cg_file *file, const char *text)
{
	return (struct cg_outbound){.size = sizeof(struct cg_outbound),
		.kind = CG_OUTBOUND_FILE,
		.target = {.chat_id = "9"},
		.file = file,
		.text = text,
		.text_length = strlen(text)};
}

/* Written into @ret, a NUL-ended body; @tail is checked here. */
static const char *written(const struct cg_outbound *outbound, bool plain, char ret[4096])
{
	const struct telegram_form form = {.plain = plain, .boundary = "b0"};
	struct telegram_written out = {.method = NULL};

	cg_buffer_init(&out.body, 4096);
	cg_buffer_init(&out.tail, 64);
	telegram_file_write(outbound, &form, &out);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&out.tail), "\r\n--b0--\r\n");
	cg_text_copy(ret, 4096, cg_buffer_string(&out.body));
	cg_buffer_finish(&out.body);
	cg_buffer_finish(&out.tail);
	return out.method;
}

static void check(const struct cg_file *file, const char *text, enum cg_status expected)
{
	const struct cg_outbound outbound = with(file, text);
	struct cg_error err = {.text = ""};

	CU_ASSERT_EQUAL(telegram_file_check(&outbound, &err), expected);
	CU_ASSERT_EQUAL(err.text[0] == '\0', expected == CG_OK);
}

static void what_the_platform_takes(void)
{
	struct cg_file file = {.path = "/tmp/f", .bytes = TELEGRAM_FILE_OUT};
	char caption[1026];

	check(&file, "", CG_OK);
	file.bytes++;
	check(&file, "", CG_INVALID);
	file.bytes = 0;
	check(&file, "", CG_INVALID);
	file.bytes = 1;
	memset(caption, 'a', 1025);
	caption[1025] = '\0';
	check(&file, caption, CG_INVALID);
	caption[1024] = '\0';
	check(&file, caption, CG_OK);
	file.path = "";
	check(&file, "", CG_INVALID);
	check(NULL, "", CG_INVALID);
}

static void a_picture_is_shown_up_to_five_megabytes(void)
{
	struct cg_file file = {.path = "/tmp/f",
		.filename = "p.png",
		.mime_type = "image/png",
		.bytes = TELEGRAM_PHOTO_OUT};
	const struct cg_outbound outbound = with(&file, "");
	char body[4096];

	CU_ASSERT_STRING_EQUAL(written(&outbound, false, body), "sendPhoto");
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "name=\"photo\"; filename=\"p.png\""));
	CU_ASSERT_STRING_EQUAL(written(&outbound, true, body), "sendDocument");
	file.bytes++;
	CU_ASSERT_STRING_EQUAL(written(&outbound, false, body), "sendDocument");
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "name=\"document\"; filename=\"p.png\""));
	file.bytes = 1;
	file.mime_type = "image/svg+xml"; /* nothing that a chat shows */
	CU_ASSERT_STRING_EQUAL(written(&outbound, false, body), "sendDocument");
}

static void a_name_does_not_end_its_line(void)
{
	struct cg_file file = {.path = "/tmp/f",
		.filename = "a\"b\r\nc\x7F.txt",
		.mime_type = "text/plain\r\nX-Evil: 1",
		.bytes = 1};
	const struct cg_outbound outbound = with(&file, "");
	char body[4096];

	written(&outbound, false, body);
	CU_ASSERT_STRING_EQUAL(body,
		"--b0\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n9\r\n"
		"--b0\r\nContent-Disposition: form-data; name=\"document\"; "
		"filename=\"a%22b%0D%0Ac%7F.txt\"\r\nContent-Type: "
		"application/octet-stream\r\n\r\n");
	file.filename = NULL;
	written(&outbound, false, body);
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "; filename=\"file\"\r\n"));
}

static void a_caption_has_its_entities_unless_plain(void)
{
	static const struct cg_span bold = {
		.kind = CG_SPAN_BOLD, .offset = 0, .length = 2};
	struct cg_file file = {.path = "/tmp/f", .bytes = 1};
	struct cg_outbound outbound = with(&file, "hi");
	char body[4096];

	outbound.spans = &bold;
	outbound.span_count = 1;
	outbound.silent = true;
	written(&outbound, false, body);
	CU_ASSERT_PTR_NOT_NULL(strstr(body,
		"name=\"disable_notification\"\r\n\r\ntrue\r\n--b0\r\n"
		"Content-Disposition: form-data; name=\"caption\"\r\n\r\nhi\r\n--b0\r\n"
		"Content-Disposition: form-data; name=\"caption_entities\"\r\n\r\n[{"));
	written(&outbound, true, body);
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "name=\"caption\""));
	CU_ASSERT_PTR_NULL(strstr(body, "caption_entities"));
}

UNIT_SUITE(telegram_wire_file, UNIT_TEST(what_the_platform_takes),
	UNIT_TEST(a_picture_is_shown_up_to_five_megabytes),
	UNIT_TEST(a_name_does_not_end_its_line),
	UNIT_TEST(a_caption_has_its_entities_unless_plain));
