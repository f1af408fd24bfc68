/* SPDX-License-Identifier: Apache-2.0 */
/* What a model server may say, in a stream, in one piece, or as an error. */
#include "control-plane/agents/openai_wire.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *json = NULL;
	struct openai_chunk chunk;
	struct cg_error err;

	if (cg_json_parse((const char *)data, size, &json, NULL) != CG_OK)
		return 0;
	openai_chunk_read(json, &chunk);
	if ((chunk.text == NULL) != (chunk.length == 0))
		abort();
	if (chunk.text != NULL &&
		openai_tokens(chunk.text, chunk.length) > chunk.length + 1)
		abort();
	if (chunk.error != NULL) {
		openai_refusal(chunk.error_code, NULL, chunk.error, &err);
		if (strlen(err.text) >= sizeof(err.text))
			abort();
	}
	if (chunk.has_usage)
		cg_json_free(openai_usage_payload(&chunk.usage, "c"));
	cg_json_free(json);
	return 0;
}
