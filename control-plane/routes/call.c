/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/routes/call.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_finish(struct call *call)
{
	change_finish(&call->change);
	taken_prompt_finish(&call->taken);
	cg_json_free(call->reply);
	cg_json_free(call->body);
	free(call->query);
	call->reply = call->body = NULL;
	call->query = NULL;
}

enum cg_status call_answer(struct call *call, int status, struct json_object *reply)
{
	cg_json_free(call->reply);
	call->reply = reply;
	call->status = status;
	return CG_OK;
}

enum cg_status call_answer_one(
	struct call *call, int status, const char *key, struct json_object *value)
{
	struct json_object *reply = cg_json_new_object();

	cg_json_put(reply, key, value);
	return call_answer(call, status, reply);
}

enum cg_status call_refuse(
	struct call *call, int status, const char *policy, const char *format, ...)
{
	struct json_object *reply, *verdict;
	char text[CG_ERROR_TEXT];
	va_list args;

	if (call_refused(call))
		return CG_DENIED;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply = cg_json_new_object();
	verdict = cg_json_new_object();
	cg_json_put_string(reply, "error", text);
	cg_json_put_string(reply, "code", policy);
	cg_json_put_bool(verdict, "allowed", false);
	cg_json_put_string(verdict, "reason", text);
	cg_json_put_string(verdict, "policyCode", policy);
	cg_json_put(reply, "verdict", verdict);
	call_answer(call, status, reply);
	return CG_DENIED;
}

enum cg_status call_refuse_later(
	struct call *call, int64_t retry_after_ms, const char *policy, const char *text)
{
	enum cg_status status = call_refuse(call, 429, policy, "%s", text);

	call->retry_after_ms = retry_after_ms;
	cg_json_put_int(call->reply, "retryAfterMs", retry_after_ms);
	return status;
}

enum cg_status call_refuse_unavailable(struct call *call, const char *text)
{
	enum cg_status status = call_refuse(call, 503, "store.unavailable", "%s", text);

	call->retry_after_ms = CALL_RETRY_MS;
	cg_json_put_int(call->reply, "retryAfterMs", CALL_RETRY_MS);
	return status;
}

const char *call_text(
	struct call *call, const char *key, enum call_need need, size_t limit)
{
	struct json_object *value = cg_json_member(call->body, key);
	size_t length = 0;
	const char *text = cg_json_value_string(value, &length);

	if (value != NULL && text == NULL) {
		call_refuse(call, 400, "request.invalid", "%s must be a text.", key);
		return NULL;
	}
	if (text != NULL && (length > limit || strlen(text) != length)) {
		call_refuse(call, 400, "request.invalid", "%s is too long or has a NUL.",
			key);
		return NULL;
	}
	if (!cg_text_blank(text))
		return text;
	if (need == CALL_REQUIRED)
		call_refuse(call, 400, "request.invalid", "%s is required.", key);
	return NULL;
}

const char *call_field(struct call *call, const char *key, enum call_need need)
{
	return call_text(call, key, need, CALL_FIELD);
}

const char *call_choice(struct call *call, const char *key, enum call_need need,
	const char *const *choices)
{
	const char *text = call_field(call, key, need);

	if (text == NULL)
		return NULL;
	for (; *choices != NULL; choices++) {
		if (strcmp(text, *choices) == 0)
			return text;
	}
	call_refuse(call, 400, "request.invalid", "%s has an unknown value.", key);
	return NULL;
}

int64_t call_number(
	struct call *call, const char *key, enum call_need need, int64_t fallback)
{
	struct json_object *value = cg_json_member(call->body, key);
	int64_t number = 0;

	if (value == NULL && need == CALL_OPTIONAL)
		return fallback;
	if (!cg_json_value_int(value, &number) || number < 0) {
		call_refuse(
			call, 400, "request.invalid", "%s must be a number from 0.", key);
		return fallback;
	}
	return number;
}

struct json_object *call_document(struct call *call, const char *key, enum call_need need)
{
	struct json_object *value = cg_json_member(call->body, key);
	size_t length = 0;

	if (value == NULL && need == CALL_OPTIONAL)
		return NULL;
	if (!cg_json_is_object(value)) {
		call_refuse(call, 400, "request.invalid", "%s must be an object.", key);
		return NULL;
	}
	cg_json_text(value, &length);
	if (length > CALL_DOCUMENT) {
		call_refuse(call, 400, "request.invalid", "%s is too large.", key);
		return NULL;
	}
	return value;
}

int64_t call_time(struct call *call, const char *key)
{
	const char *text = call_field(call, key, CALL_OPTIONAL);
	int64_t time = 0;

	if (text != NULL && !cg_time_parse(text, &time))
		call_refuse(call, 400, "request.invalid", "%s must be an ISO 8601 time.",
			key);
	return time;
}

bool call_decode(const char *text, size_t length, bool plus, char ret[CALL_FIELD + 1])
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c == '%') {
			if (length - i < 3 || !cg_unhex(text + i + 1, 2, &c))
				return false;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0' || used == CALL_FIELD)
			return false;
		ret[used++] = (char)c;
	}
	ret[used] = '\0';
	return cg_utf8_valid(ret, used);
}

bool call_query(
	struct call *call, const char *key, size_t index, char ret[CALL_FIELD + 1])
{
	const char *rest = call->query;

	while (rest != NULL && *rest != '\0') {
		size_t length = strcspn(rest, "&");
		size_t name = strcspn(rest, "=&");
		bool matches = name == strlen(key) && strncmp(rest, key, name) == 0;

		if (matches && index-- == 0) {
			size_t from = name < length ? name + 1 : name;

			if (call_decode(rest + from, length - from, true, ret))
				return *ret != '\0';
			call_refuse(call, 400, "request.invalid",
				"the query parameter %s is malformed or too long.", key);
			return false;
		}
		rest += length;
		if (*rest == '&')
			rest++;
	}
	return false;
}

int64_t call_query_number(
	struct call *call, const char *key, int64_t fallback, int64_t least, int64_t most)
{
	char text[CALL_FIELD + 1];
	int64_t number;

	if (!call_query(call, key, 0, text) || !cg_parse_int(text, &number) || number < 0)
		return fallback;
	return number < least ? least : number > most ? most : number;
}

enum cg_status call_admit(struct call *call, bool read)
{
	enum cg_status status;

	if (call->principal != PLANE_TOKEN)
		return CG_OK;
	status = token_admit(&call->change, &call->token, &call->token_end);
	if (status == CG_DENIED)
		return call_refuse(call, 401, "auth.invalid_token",
			"The token is unknown, expired or revoked.");
	if (status == CG_OK && !read)
		status = token_touch(&call->change, call->token.id);
	return status;
}

enum cg_status call_granted(struct call *call, const char *binding_id)
{
	enum cg_status status;

	if (call->principal != PLANE_TOKEN)
		return CG_OK;
	status = token_grants(&call->change, call->token.id, binding_id);
	if (status == CG_DENIED)
		return call_refuse(call, 403, "channels.binding_scope_required",
			"The channel is not granted to this token.");
	return status;
}

enum cg_status call_channel(
	struct call *call, const char *binding_id, const struct channel **ret)
{
	*ret = channel_find(call->channels, binding_id);
	if (*ret == NULL)
		return call_refuse(call, 403, "channels.binding_scope_required",
			"The channel is unknown or switched off.");
	return call_granted(call, binding_id);
}

enum cg_status call_named_channel(struct call *call, const char *binding_id)
{
	if (call->principal != PLANE_TOKEN)
		return CG_OK;
	if (binding_id == NULL)
		return call_refuse(
			call, 400, "request.invalid", "channelBindingId is required.");
	return call_granted(call, binding_id);
}

enum cg_status call_binding(
	struct call *call, const char *binding_id, struct binding *ret)
{
	const struct channel *channel;
	enum cg_status status = binding_by_id(&call->change, binding_id, ret);

	if (status != CG_OK)
		return status;
	if (ret->id == 0)
		return call_refuse(call, 404, "channels.binding_not_found",
			"Channel session binding was not found.");
	status = call_channel(call, binding_text(ret, "channelBindingId"), &channel);
	if (status != CG_OK)
		binding_finish(ret);
	return status;
}

enum cg_status call_workspace(struct call *call, const struct channel *channel)
{
	const char *workspace = call_field(call, "externalWorkspaceId", CALL_OPTIONAL);

	if (call_refused(call))
		return CG_DENIED;
	if (!cg_json_has(call->body, "externalWorkspaceId"))
		return CG_OK;
	if (strcmp(workspace == NULL ? "" : workspace, channel->workspace) != 0)
		return call_refuse(call, 400, "channels.workspace_mismatch",
			"externalWorkspaceId does not belong to the channel.");
	return CG_OK;
}

enum cg_status call_actor(struct call *call, const char *provider, const char *workspace,
	struct identity_rights *ret)
{
	const char *id = call_field(call, "identityId", CALL_OPTIONAL);
	const char *user = call_field(call, "externalUserId", CALL_OPTIONAL);
	const struct identity_key key = {provider, workspace, user};

	if (call_refused(call))
		return CG_DENIED;
	if (id == NULL && user == NULL)
		return call_refuse(call, 400, "request.invalid",
			"identityId or externalUserId is required.");
	return identity_rights(&call->change, &key, id, ret);
}

enum cg_status call_prompter(struct call *call, const char *provider,
	const char *workspace, struct identity_rights *ret)
{
	enum cg_status status = call_actor(call, provider, workspace, ret);

	if (status == CG_OK && !identity_may_prompt(ret))
		return call_refuse(call, 403, "gateway-actor-rbac-required",
			"This person may not use the agent.");
	return status;
}

enum cg_status call_busy_forgetting(struct call *call)
{
	call_refuse_later(call, 1000, "sessions.busy",
		"The agent is still working and is being stopped; try again in a "
		"moment.");
	return CG_OK; /* so that what waits is dropped, and the agent is stopped */
}

enum cg_status call_audit(struct call *call, const char *event, const char *target)
{
	struct change *change = &call->change;
	enum cg_status status = change_run(change,
		"INSERT INTO audit (actor, event, target, created_at) VALUES (?, ?, ?, "
		"?)",
		BIND(TEXT(call->actor), TEXT(event), TEXT(target), INT(change->now)));

	if (status != CG_OK)
		return status;
	return change_run(change, "DELETE FROM audit WHERE id <= ?",
		BIND(INT(transaction_rowid(change->tx) - CALL_AUDIT)));
}
