/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/webhook/wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static const struct cg_capabilities capabilities = {
	.size = sizeof(capabilities),
	.text_unit = CG_UNIT_UTF16,
	.max_text = 4096,
	.max_buttons = 8,
	.max_button_rows = 4,
	.max_button_token = 64,
	.max_file = 100,
	.edit = true,
	.answer = true,
};
static const struct webhook_wire_sender sender = {.instance_id = "webhook-a",
	.kind = "webhook",
	.parse_mode = "plain",
	.capabilities = &capabilities};

/* @json's message; the caller frees *@ret_body after use. */
static enum cg_status read_json(const char *json, struct json_object **ret_body,
	struct webhook_message *ret, struct cg_error *err)
{
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), ret_body, err), CG_OK);
	return webhook_wire_read(*ret_body, 16, ret, err);
}

static void everything_is_mapped(void)
{
	struct webhook_message message;
	struct json_object *body;
	struct cg_error err;

	CU_ASSERT_EQUAL(
		read_json(
			"{\"id\":\" e1 \",\"target\":{\"chatId\":\"c\",\"isDirect\":true,"
			"\"threadId\":\"t\",\"userId\":null,\"messageId\":\"m\"},"
			"\"sender\":{\"userId\":\"u\",\"username\":\"n\",\"displayName\":"
			"\"N N\",\"isBot\":true},\"text\":\"/Ask@bot  what \","
			"\"receivedAt\":\"2026-11-22T03:04:05Z\","
			"\"attachments\":[{\"filename\":\"a.txt\",\"mimeType\":\"text/"
			"plain\","
			"\"bufferBase64\":\"aGk=\"}]}",
			&body, &message, &err),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(message.inbound.event_id, "e1");
	CU_ASSERT_STRING_EQUAL(message.inbound.target.chat_id, "c");
	CU_ASSERT_STRING_EQUAL(message.inbound.target.thread_id, "t");
	CU_ASSERT_STRING_EQUAL(message.inbound.target.user_id, "u");
	CU_ASSERT_STRING_EQUAL(message.inbound.message_id, "m");
	CU_ASSERT_TRUE(message.inbound.target.is_direct);
	CU_ASSERT_TRUE(message.inbound.sender.is_bot);
	CU_ASSERT_STRING_EQUAL(message.inbound.sender.display_name, "N N");
	CU_ASSERT_EQUAL(message.inbound.type, CG_EVENT_COMMAND);
	CU_ASSERT_STRING_EQUAL(message.inbound.command, "ask");
	CU_ASSERT_STRING_EQUAL(message.inbound.command_args, "what ");
	CU_ASSERT_STRING_EQUAL(message.inbound.text, "/Ask@bot  what ");
	CU_ASSERT_EQUAL(message.inbound.received_at_ms, INT64_C(1795316645000));
	CU_ASSERT_EQUAL(message.inbound.attachment_count, 1);
	CU_ASSERT_EQUAL(message.inbound.attachments[0].bytes, 2);
	cg_json_free(body);
}

static void an_interaction_is_a_button_unless_it_says_otherwise(void)
{
	struct webhook_message message;
	struct json_object *body;
	struct cg_error err;

	CU_ASSERT_EQUAL(
		read_json("{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":"
			  "\"u\"},\"interaction\":{\"id\":\"p\",\"token\":\"apv:1\"}}",
			&body, &message, &err),
		CG_OK);
	CU_ASSERT_EQUAL(message.inbound.type, CG_EVENT_INTERACTION);
	CU_ASSERT_STRING_EQUAL(message.inbound.text, "apv:1");
	CU_ASSERT_STRING_EQUAL(message.inbound.interaction->token, "apv:1");
	CU_ASSERT_FALSE(message.inbound.interaction->is_command);
	CU_ASSERT_PTR_NULL(message.inbound.event_id);
	cg_json_free(body);
}

static void what_is_no_truth_is_none(void)
{
	static const char *const words[] = {"\"true\"", "1", "null", "[true]", "false"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct webhook_message message;
		struct json_object *body;
		char json[128];

		snprintf(json, sizeof(json),
			"{\"target\":{\"chatId\":\"c\",\"isDirect\":%s},"
			"\"sender\":{\"userId\":\"u\",\"isBot\":%s}}",
			words[i], words[i]);
		CU_ASSERT_EQUAL_FATAL(read_json(json, &body, &message, NULL), CG_OK);
		CU_ASSERT_FALSE(message.inbound.target.is_direct);
		CU_ASSERT_FALSE(message.inbound.sender.is_bot);
		cg_json_free(body);
	}
}

static void an_interaction_may_be_a_command(void)
{
	static const struct {
		const char *kind;
		bool command;
	} rows[] = {{"command", true}, {"button", false}, {"another", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct webhook_message message;
		struct json_object *body;
		char json[160];

		snprintf(json, sizeof(json),
			"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"},"
			"\"interaction\":{\"id\":\"p\",\"token\":\"t\",\"kind\":\"%s\"}}",
			rows[i].kind);
		CU_ASSERT_EQUAL_FATAL(read_json(json, &body, &message, NULL), CG_OK);
		CU_ASSERT_EQUAL(message.inbound.type, CG_EVENT_INTERACTION);
		CU_ASSERT_EQUAL(message.inbound.interaction->is_command, rows[i].command);
		cg_json_free(body);
	}
}

static void names_of_files_have_an_end(void)
{
	static const struct {
		const char *members; /* of an attachment, up to a text of so many bytes */
		int limit;
	} rows[] = {
		{"\"filename\":", 255},
		{"\"filename\":\"f\",\"mimeType\":", 255},
		{"\"filename\":\"f\",\"providerFileId\":", 512},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		int beyond = (int)(i % 2);
		struct webhook_message message;
		struct json_object *body;
		char json[800];

		snprintf(json, sizeof(json),
			"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"},"
			"\"attachments\":[{%s\"%0*d\"}]}",
			rows[i / 2].members, rows[i / 2].limit + beyond, 0);
		CU_ASSERT_EQUAL(read_json(json, &body, &message, NULL),
			beyond ? CG_INVALID : CG_OK);
		cg_json_free(body);
	}
}

static void check_error(const char *members, const char *word)
{
	struct webhook_message message;
	struct json_object *body;
	struct cg_error err = {.text = ""};
	char json[2048];

	snprintf(json, sizeof(json),
		"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"}%s}",
		members);
	CU_ASSERT_EQUAL(read_json(json, &body, &message, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, word));
	cg_json_free(body);
}

static void mistakes_are_named(void)
{
	char longest[1024];

	check_error(",\"id\":7", "id must be a string");
	check_error(",\"id\":\"a\\u0007\"", "id must not hold control characters");
	check_error(",\"text\":[]", "text must be a string");
	check_error(",\"text\":\"a\\u0000b\"", "NUL");
	check_error(",\"rawText\":7", "rawText must be a string");
	check_error(",\"rawText\":\"a\\u0000b\"", "rawText must not hold a NUL");
	check_error(",\"interaction\":{\"id\":\"p\"}", "interaction.token is required");
	check_error(",\"interaction\":[]", "interaction must be an object");
	check_error(",\"attachments\":[7]", "attachments[]");
	check_error(",\"attachments\":[{}]", "attachments[].filename is required");
	check_error(
		",\"attachments\":[{\"filename\":\"f\",\"sizeBytes\":-1}]", "sizeBytes");
	check_error(",\"attachments\":[{\"filename\":\"f\",\"sizeBytes\":17}]", "larger");
	check_error(",\"attachments\":[{\"filename\":\"f\",\"bufferBase64\":\"aGk\"}]",
		"base64");
	check_error(",\"attachments\":[{\"filename\":\"f\",\"sizeBytes\":3,"
		    "\"bufferBase64\":\"aGk=\"}]",
		"another size");
	snprintf(longest, sizeof(longest), ",\"id\":\"%0257d\"", 0);
	check_error(longest, "id is too long");
}

static void attachments_end_at_twenty(void)
{
	struct webhook_message message;
	struct json_object *body;
	struct cg_error err;
	char json[2048];

	for (int count = 20; count <= 21; count++) {
		int at = snprintf(json, sizeof(json),
			"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"},"
			"\"attachments\":[");

		for (int i = 0; i < count; i++)
			at += snprintf(json + at, sizeof(json) - (size_t)at,
				"%s{\"filename\":\"f\"}", i == 0 ? "" : ",");
		snprintf(json + at, sizeof(json) - (size_t)at, "]}");
		CU_ASSERT_EQUAL(read_json(json, &body, &message, &err),
			count == 20 ? CG_OK : CG_INVALID);
		cg_json_free(body);
	}
}

static void check_body(const struct cg_outbound *outbound, const char *expected)
{
	struct cg_buffer json;
	struct cg_error err = {.text = ""};

	cg_buffer_init(&json, 65536);
	CU_ASSERT_EQUAL(webhook_wire_write(&sender, outbound, &json, &err), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&json), expected);
	cg_buffer_finish(&json);
}

#define HEAD(type) \
	"{\"deliveryId\":\"d1\",\"idempotencyKey\":\"d1\",\"provider\":\"webhook-a\"," \
	"\"providerInstanceId\":\"webhook-a\",\"providerKind\":\"webhook\",\"type\":" \
	"\"" type "\""
#define TARGET \
	",\"target\":{\"provider\":\"webhook-a\",\"providerKind\":\"webhook\"," \
	"\"chatId\":" \
	"\"c\",\"isDirect\":false,\"threadId\":null,\"userId\":null,\"messageId\":" \
	"\"m\"}"
#define OPTIONS ",\"options\":{\"deliveryId\":\"d1\",\"parseMode\":\"plain\"}"

static void deliveries_have_their_keys_in_order(void)
{
	const struct cg_button buttons[] = {
		{.label = "Yes", .token = "a", .style = CG_BUTTON_GOOD},
		{.label = "No", .token = "b", .style = CG_BUTTON_DANGER},
		{.label = "?", .token = "c", .starts_row = true},
	};
	struct cg_outbound outbound = {.size = sizeof(outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "d1",
		.target = {.chat_id = "c", .message_id = "m"},
		.source = "**a** \"q\" / \n",
		.source_length = 13,
		.text = "a",
		.text_length = 1,
		.interaction_id = "p",
		.buttons = buttons,
		.button_count = 3};

	check_body(&outbound,
		HEAD("text") TARGET ",\"text\":\"**a** \\\"q\\\" / \\n\"" OPTIONS "}");
	outbound.kind = CG_OUTBOUND_EDIT;
	check_body(&outbound,
		HEAD("edit") TARGET ",\"messageId\":\"m\",\"text\":"
				    "\"**a** \\\"q\\\" / \\n\"" OPTIONS "}");
	outbound.kind = CG_OUTBOUND_BUTTONS;
	outbound.source = "q";
	outbound.source_length = 1;
	check_body(&outbound, HEAD("buttons") TARGET
		",\"text\":\"q\",\"buttons\":[[{\"label\":\"Yes\",\"token\":\"a\","
		"\"style\":\"success\"},{\"label\":\"No\",\"token\":\"b\",\"style\":"
		"\"danger\"}],[{\"label\":\"?\",\"token\":\"c\"}]]" OPTIONS "}");
	outbound.kind = CG_OUTBOUND_TYPING;
	check_body(&outbound, HEAD("typing") TARGET "}");
	outbound.kind = CG_OUTBOUND_ANSWER;
	outbound.alert = true;
	check_body(&outbound,
		HEAD("answer_interaction") ",\"interactionId\":\"p\","
					   "\"text\":\"q\",\"alert\":true}");
}

static void a_file_is_announced_up_to_its_bytes(void)
{
	struct cg_file file = {
		.filename = "a \"b\".txt", .mime_type = NULL, .path = "/f", .bytes = 100};
	struct cg_outbound outbound = {.size = sizeof(outbound),
		.kind = CG_OUTBOUND_FILE,
		.delivery_id = "d1",
		.target = {.chat_id = "c", .message_id = "m"},
		.file = &file};
	struct cg_buffer json;

	check_body(&outbound, HEAD("file") TARGET ",\"file\":{\"filename\":"
						  "\"a \\\"b\\\".txt\","
						  "\"dataBase64\":\"");
	file.mime_type = "text/plain";
	check_body(&outbound, HEAD("file") TARGET ",\"file\":{\"filename\":"
						  "\"a \\\"b\\\".txt\","
						  "\"mimeType\":\"text/plain\","
						  "\"dataBase64\":\"");
	file.bytes = 101;
	cg_buffer_init(&json, 4096);
	CU_ASSERT_EQUAL(webhook_wire_write(&sender, &outbound, &json, NULL), CG_INVALID);
	CU_ASSERT_EQUAL(json.length, 0);
	cg_buffer_finish(&json);
}

static void ids_end_at_512_bytes(void)
{
	char id[514];
	struct cg_outbound outbound = {.size = sizeof(outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "d1",
		.target = {.chat_id = id},
		.text = "x",
		.text_length = 1};

	for (size_t length = 512; length <= 513; length++) {
		struct cg_buffer json;

		memset(id, 'c', length);
		id[length] = '\0';
		cg_buffer_init(&json, 65536);
		CU_ASSERT_EQUAL(webhook_wire_write(&sender, &outbound, &json, NULL),
			length == 512 ? CG_OK : CG_INVALID);
		CU_ASSERT_EQUAL(json.length > 0, length == 512);
		cg_buffer_finish(&json);
	}
}

static void check_receipt(const char *body, const char *expected)
{
	char receipt[CG_INBOUND_ID + 1];

	webhook_wire_receipt(body, strlen(body), receipt);
	CU_ASSERT_STRING_EQUAL(receipt, expected);
}

static void receipts_are_optional(void)
{
	check_receipt("{\"messageId\":\" 7 \"}", "7");
	check_receipt("{\"messageId\":7}", "");
	check_receipt("{\"messageId\":\"a\\nb\"}", "");
	check_receipt("OK", "");
	check_receipt("", "");
	check_receipt("[\"messageId\"]", "");
}

UNIT_SUITE(webhook_wire, UNIT_TEST(everything_is_mapped),
	UNIT_TEST(an_interaction_is_a_button_unless_it_says_otherwise),
	UNIT_TEST(what_is_no_truth_is_none), UNIT_TEST(an_interaction_may_be_a_command),
	UNIT_TEST(names_of_files_have_an_end), UNIT_TEST(mistakes_are_named),
	UNIT_TEST(attachments_end_at_twenty),
	UNIT_TEST(deliveries_have_their_keys_in_order),
	UNIT_TEST(a_file_is_announced_up_to_its_bytes), UNIT_TEST(ids_end_at_512_bytes),
	UNIT_TEST(receipts_are_optional));
