/* SPDX-License-Identifier: Apache-2.0 */
/* Files that agents made. */
#include "control-plane/file.h"
#include "control-plane/routes/router.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

static enum cg_status no_artifact(struct call *call)
{
	return call_refuse(
		call, 404, "artifacts.not_found", "There is no such artifact.");
}

/* The bytes as base64, as the Cloud gives them. */
static enum cg_status put_bytes(
	struct call *call, const struct file *file, struct json_object *record)
{
	char *bytes, *text;
	size_t length, encoded;
	enum cg_status status = file_store_read(
		call->change.files, file->file_id, &bytes, &length, call->change.err);

	if (status == CG_NOT_FOUND)
		return no_artifact(call);
	if (status != CG_OK)
		return call_refuse_unavailable(call, "The file cannot be read.");
	text = malloc(4 * ((length + 2) / 3) + 1);
	if (text == NULL) {
		free(bytes);
		return CG_NOMEM;
	}
	encoded = cg_base64(bytes, length, text);
	cg_json_put(record, "dataBase64", cg_json_new_string_length(text, encoded));
	free(text);
	free(bytes);
	return CG_OK;
}

/* In memory a path does instead of the bytes: transfer=path. */
static enum cg_status put_body(
	struct call *call, const struct file *file, struct json_object *record)
{
	char transfer[CALL_FIELD + 1], path[FILE_PATH];

	if (!call_query(call, "transfer", 0, transfer) || strcmp(transfer, "path") != 0 ||
		call->principal != PLANE_GATEWAY)
		return put_bytes(call, file, record);
	file_store_path(call->change.files, file->file_id, path);
	cg_json_put_string(record, "path", path);
	return CG_OK;
}

enum cg_status route_session_artifact(struct call *call)
{
	struct binding binding;
	struct file file;
	struct json_object *record;
	enum cg_status status = call_binding(call, call->id[0], &binding);

	if (status != CG_OK)
		return status;
	status = file_artifact(&call->change, binding.session, call->id[1], &file);
	if (status == CG_OK && file.id == 0)
		status = no_artifact(call);
	if (status == CG_OK) {
		record = file_json(&file, binding_text(&binding, "sessionId"));
		status = put_body(call, &file, record);
		if (status == CG_OK)
			status = call_answer_one(call, 200, "artifact", record);
		else
			cg_json_free(record);
	}
	binding_finish(&binding);
	return status;
}
