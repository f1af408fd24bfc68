/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens for gateways elsewhere: made, listed and revoked by the operator. */
#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/secret.h>
#include <string.h>

enum cg_status route_token_list(struct call *call)
{
	struct json_object *array = cg_json_new_array();
	enum cg_status status = token_list(&call->change, array);

	if (status == CG_OK)
		return call_answer_one(call, 200, "tokens", array);
	cg_json_free(array);
	return status;
}

/* The scope is always the same, and anything else is asked for in vain. */
static bool wants_gateway(struct call *call)
{
	struct json_object *scopes = cg_json_member(call->body, "scopes");
	bool ok =
		scopes == NULL || cg_json_count(cg_json_array(call->body, "scopes")) > 0;

	for (size_t i = 0; ok && i < cg_json_count(scopes); i++) {
		const char *scope = cg_json_value_string(cg_json_at(scopes, i), NULL);

		ok = scope != NULL && strcmp(scope, "gateway") == 0;
	}
	if (!ok)
		call_refuse(call, 400, "request.invalid",
			"The only scope that is given out is gateway.");
	return ok;
}

/* The channels that are named: each must exist. */
static size_t read_grants(struct call *call, const char *ret[TOKEN_GRANTS])
{
	struct json_object *array = cg_json_array(call->body, "channelBindingIds");
	size_t count = cg_json_count(array);

	if (count == 0 || count > TOKEN_GRANTS)
		call_refuse(call, 400, "request.invalid",
			"channelBindingIds must name 1 to %d channels.", TOKEN_GRANTS);
	for (size_t i = 0; i < count && !call_refused(call); i++) {
		ret[i] = cg_json_value_string(cg_json_at(array, i), NULL);
		if (ret[i] == NULL || channel_find(call->channels, ret[i]) == NULL)
			call_refuse(call, 400, "request.invalid",
				"channelBindingIds names a channel that is not here.");
	}
	return count;
}

enum cg_status route_token_create(struct call *call)
{
	const char *grants[TOKEN_GRANTS];
	struct token_seed seed = {
		.name = call_text(call, "name", CALL_REQUIRED, TOKEN_NAME),
		.life_ms = call_number(call, "ttlMs", CALL_OPTIONAL, TOKEN_LIFE_MS),
		.bindings = grants,
		.binding_count = read_grants(call, grants),
	};
	struct json_object *reply, *record = NULL;
	char text[TOKEN_TEXT];
	enum cg_status status;

	if (!wants_gateway(call) || call_refused(call))
		return CG_DENIED;
	if (seed.life_ms < 1 || seed.life_ms > TOKEN_LIFE_MOST_MS)
		return call_refuse(call, 400, "request.invalid",
			"ttlMs must lie between 1 and a year.");
	status = token_create(&call->change, &seed, text, &record);
	if (status == CG_LIMIT)
		return call_refuse(call, 409, "quota.tokens_exceeded",
			"There are too many tokens: revoke one.");
	if (status == CG_OK)
		status = call_audit(
			call, "token.create", cg_json_string_or(record, "tokenId", ""));
	if (status != CG_OK) {
		cg_json_free(record);
		return status;
	}
	reply = cg_json_new_object();
	cg_json_put(reply, "token", record);
	cg_json_put_string(reply, "plaintext", text);
	cg_wipe(text, sizeof(text));
	return call_answer(call, 201, reply);
}

enum cg_status route_token_revoke(struct call *call)
{
	struct json_object *record = NULL;
	enum cg_status status = token_revoke(&call->change, call->id[0], &record);

	if (status != CG_OK)
		return status;
	if (record == NULL)
		return call_refuse(
			call, 404, "tokens.not_found", "There is no such token.");
	status = call_audit(call, "token.revoke", call->id[0]);
	if (status == CG_OK)
		return call_answer_one(call, 200, "token", record);
	cg_json_free(record);
	return status;
}
