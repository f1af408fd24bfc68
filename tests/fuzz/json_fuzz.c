/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON: what is accepted must be written as JSON that reads as the same. */
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_round_trip(struct json_object *value)
{
	struct json_object *again = NULL;
	size_t length = 0;
	size_t again_length = 0;
	const char *text = cg_json_text(value, &length);
	const char *again_text;

	require(cg_utf8_valid(text, length));
	require(cg_json_parse(text, length, &again, NULL) == CG_OK);
	again_text = cg_json_text(again, &again_length);
	require(length == again_length && memcmp(text, again_text, length) == 0);
	cg_json_free(again);
}

static void check_string(const char *text, size_t length)
{
	struct json_object *value = NULL;
	struct cg_buffer buffer;
	size_t read = 0;
	const char *back;

	cg_buffer_init(&buffer, 8 * length + 2);
	require(cg_json_write_string(&buffer, text, length) == CG_OK);
	require(cg_json_parse(buffer.bytes, buffer.length, &value, NULL) == CG_OK);
	back = cg_json_value_string(value, &read);
	require(back != NULL);
	if (cg_utf8_valid(text, length))
		require(read == length && memcmp(back, text, length) == 0);
	cg_json_free(value);
	cg_buffer_finish(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	struct json_object *value = NULL;
	struct cg_error err;
	bool strict = cg_json_parse(text, length, &value, &err) == CG_OK;

	if (strict) {
		check_round_trip(value);
		cg_json_free(value);
	}
	if (cg_json_parse_relaxed(text, length, &value, &err) == CG_OK) {
		check_round_trip(value);
		cg_json_free(value);
	} else {
		require(!strict); /* relaxing refuses nothing */
	}
	check_string(text, length);
	return 0;
}
