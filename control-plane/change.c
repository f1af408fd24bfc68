/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/change.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void published_free(struct published *frame)
{
	while (frame != NULL) {
		struct published *next = frame->next;

		cg_json_free(frame->data);
		free(frame->type);
		free(frame);
		frame = next;
	}
}

void answer_finish(struct answer *answer)
{
	free(answer->target_id);
	free(answer->message);
	cg_json_free(answer->answers);
	memset(answer, 0, sizeof(*answer));
}

void steer_finish(struct steer *steer)
{
	free(steer->text);
	memset(steer, 0, sizeof(*steer));
}

enum cg_status change_steer(
	struct change *change, int64_t session, const char *command_id, const char *text)
{
	steer_finish(&change->steer);
	change->steer.text = strdup(text);
	if (change->steer.text == NULL)
		return cg_error_nomem(change->err);
	cg_text_copy(
		change->steer.command_id, sizeof(change->steer.command_id), command_id);
	change->steer.session = session;
	return CG_OK;
}

void change_finish(struct change *change)
{
	steer_finish(&change->steer);
	published_free(change_take_published(change));
	answer_finish(&change->answer);
	free(change->ended);
	change->ended = NULL;
	change->ended_count = 0;
}

enum cg_status change_end_session(struct change *change, int64_t session)
{
	int64_t *ended = realloc(
		change->ended, (change->ended_count + 1) * sizeof(*change->ended));

	if (ended == NULL)
		return cg_error_nomem(change->err);
	ended[change->ended_count++] = session;
	change->ended = ended;
	return CG_OK;
}

enum cg_status change_publish(struct change *change, int64_t session, int64_t sequence,
	const char *type, struct json_object *data)
{
	struct published *frame = calloc(1, sizeof(*frame));

	if (frame != NULL)
		frame->type = strdup(type);
	if (frame == NULL || frame->type == NULL) {
		free(frame);
		cg_json_free(data);
		return cg_error_nomem(change->err);
	}
	frame->session = session;
	frame->sequence = sequence;
	frame->data = data;
	if (change->last == NULL)
		change->first = frame;
	else
		change->last->next = frame;
	change->last = frame;
	return CG_OK;
}

struct published *change_take_published(struct change *change)
{
	struct published *first = change->first;

	change->first = change->last = NULL;
	return first;
}

enum cg_status change_query(struct change *change, const char *sql,
	const struct sql_value *values, size_t count, struct statement **ret)
{
	struct statement *statement;
	enum cg_status status =
		transaction_prepare(change->tx, sql, &statement, change->err);

	*ret = NULL;
	if (status != CG_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		const struct sql_value *value = &values[i];
		int index = (int)i + 1;

		if (value->kind == SQL_VALUE_INT)
			statement_bind_int(statement, index, value->number);
		else if (value->text == NULL || value->length == SIZE_MAX)
			statement_bind_text(statement, index, value->text);
		else
			statement_bind_text_length(
				statement, index, value->text, value->length);
	}
	*ret = statement;
	return CG_OK;
}

enum cg_status change_first(struct change *change, const char *sql,
	const struct sql_value *values, size_t count, struct statement **ret)
{
	bool row = false;
	enum cg_status status = change_query(change, sql, values, count, ret);

	if (status != CG_OK)
		return status;
	status = statement_step(*ret, &row, change->err);
	if (status != CG_OK || !row) {
		statement_finish(*ret);
		*ret = NULL;
	}
	return status;
}

enum cg_status change_run(struct change *change, const char *sql,
	const struct sql_value *values, size_t count)
{
	struct statement *statement;
	enum cg_status status = change_query(change, sql, values, count, &statement);

	return status == CG_OK ? statement_execute(statement, change->err) : status;
}

enum cg_status change_number(struct change *change, const char *sql,
	const struct sql_value *values, size_t count, int64_t *ret)
{
	struct statement *statement;
	enum cg_status status = change_first(change, sql, values, count, &statement);

	if (status == CG_OK && statement != NULL)
		*ret = statement_int(statement, 0);
	statement_finish(statement);
	return status;
}

bool change_touched(struct change *change)
{
	return transaction_changes(change->tx) > 0;
}

void hashed_id(
	const char *prefix, const char *const *parts, size_t count, char ret[HASHED_ID])
{
	uint8_t digest[CG_SHA256];
	char hex[33];

	cg_sha256_joined(parts, count, digest);
	cg_hex(digest, 16, hex);
	snprintf(ret, HASHED_ID, "%s%s", prefix, hex);
}

void random_id(char ret[RANDOM_ID])
{
	uint8_t bytes[16];
	char hex[33];

	cg_random(bytes, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	cg_hex(bytes, sizeof(bytes), hex);
	snprintf(ret, RANDOM_ID, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		hex + 16, hex + 20);
}

void put_stored(struct json_object *object, const char *key, const char *text)
{
	struct json_object *value = NULL;

	if (text != NULL)
		cg_json_parse(text, strlen(text), &value, NULL);
	cg_json_put(object, key, value);
}

void put_optional(struct json_object *object, const char *key, const char *text)
{
	cg_json_put_string(object, key, text == NULL || *text == '\0' ? NULL : text);
}
