/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/wire.h"
#include "tests/support/telegram_bot.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct telegram_message read;
static struct json_object *message; /* what @read borrows from */

static void content(const char *json)
{
	cg_json_free(message);
	message = telegram_bot_parse(json);
	telegram_content_read(message, &read);
}

static void forget(void)
{
	cg_json_free(message);
	message = NULL;
}

static void the_largest_picture_is_taken(void)
{
	content("{\"photo\":[{\"file_id\":\"s\",\"width\":90,\"height\":90},"
		"{\"file_id\":\"l\",\"width\":900,\"height\":600,\"file_size\":7,"
		"\"file_unique_id\":\"u1\"},{\"file_id\":\"m\",\"width\":300,\"height\":"
		"200}]}");
	CU_ASSERT_STRING_EQUAL(read.attachment.file_id, "l");
	CU_ASSERT_STRING_EQUAL(read.attachment.filename, "photo-u1.jpg");
	CU_ASSERT_STRING_EQUAL(read.attachment.mime_type, "image/jpeg");
	CU_ASSERT_EQUAL(read.attachment.bytes, 7);
	content("{\"photo\":[{\"file_id\":\"a\"},{\"file_id\":\"b\"}]}"); /* they rise */
	CU_ASSERT_STRING_EQUAL(read.attachment.file_id, "b");
	CU_ASSERT_EQUAL(read.attachment.bytes, -1);
	content("{\"photo\":[]}");
	CU_ASSERT_PTR_NULL(read.attachment.file_id);
	forget();
}

static void what_a_sender_claims_is_taken_when_it_could_be(void)
{
	char json[1024], id[514];

	content("{\"document\":{\"file_id\":\"d\",\"file_name\":\"r.pdf\","
		"\"mime_type\":\"application/pdf\"}}");
	CU_ASSERT_STRING_EQUAL(read.filename, "r.pdf");
	CU_ASSERT_STRING_EQUAL(read.attachment.mime_type, "application/pdf");
	content("{\"document\":{\"file_id\":\"d\",\"file_name\":\"a\\nb\","
		"\"mime_type\":\"pdf\"}}");
	CU_ASSERT_STRING_EQUAL(read.filename, "document");
	CU_ASSERT_PTR_NULL(read.attachment.mime_type);
	content("{\"voice\":{\"file_id\":\"v\",\"mime_type\":\"audio/\\u0007\"}}");
	CU_ASSERT_STRING_EQUAL(read.attachment.mime_type, "audio/ogg");
	memset(id, 'a', 513);
	id[513] = '\0';
	snprintf(json, sizeof(json), "{\"document\":{\"file_id\":\"%s\"}}", id);
	content(json);
	CU_ASSERT_PTR_NULL(read.attachment.file_id);
	id[512] = '\0';
	snprintf(json, sizeof(json), "{\"document\":{\"file_id\":\"%s\"}}", id);
	content(json);
	CU_ASSERT_STRING_EQUAL(read.attachment.file_id, id);
	forget();
}

static void an_animation_is_no_document(void)
{
	content("{\"document\":{\"file_id\":\"d\"},\"animation\":{\"file_id\":\"a\"}}");
	CU_ASSERT_STRING_EQUAL(read.attachment.file_id, "a");
	CU_ASSERT_STRING_EQUAL(read.attachment.mime_type, "video/mp4");
	content("{\"text\":\"nothing beside it\"}"); /* and nothing stays */
	CU_ASSERT_PTR_NULL(read.attachment.file_id);
	CU_ASSERT_STRING_EQUAL(read.named, "");
	forget();
}

static void a_venue_is_not_named_twice(void)
{
	content("{\"location\":{\"latitude\":1.5,\"longitude\":-2},\"venue\":{\"title\":"
		"\"Inn\",\"address\":\"Road 1\",\"location\":{\"latitude\":1.5,"
		"\"longitude\":-2}}}");
	CU_ASSERT_STRING_EQUAL(read.named, "[place: Inn, Road 1 (1.500000, -2.000000)]");
	forget();
}

static void long_words_are_cut_whole(void)
{
	struct cg_buffer json;
	size_t length;

	cg_buffer_init(&json, 65536);
	cg_buffer_text(&json, "{\"poll\":{\"question\":\"");
	for (int i = 0; i < 299; i++)
		cg_buffer_char(&json, 'q');
	cg_buffer_text(&json, "\xC3\xA4\",\"options\":["); /* cut in two by the cap */
	for (int i = 0; i < 20; i++)
		cg_buffer_format(&json, "%s{\"text\":\"%d\"}", i == 0 ? "" : ",", i);
	cg_buffer_text(&json, "]}}");
	content(cg_buffer_string(&json));
	cg_buffer_finish(&json);
	length = strlen(read.named);
	CU_ASSERT_TRUE(cg_utf8_valid(read.named, length));
	CU_ASSERT_PTR_NOT_NULL(strstr(read.named, " / 11]"));
	CU_ASSERT_PTR_NULL(strstr(read.named, " / 12"));
	CU_ASSERT_EQUAL(read.named[length - 1], ']');
	forget();
}

UNIT_SUITE(telegram_wire_content, UNIT_TEST(the_largest_picture_is_taken),
	UNIT_TEST(what_a_sender_claims_is_taken_when_it_could_be),
	UNIT_TEST(an_animation_is_no_document), UNIT_TEST(a_venue_is_not_named_twice),
	UNIT_TEST(long_words_are_cut_whole));
