/* SPDX-License-Identifier: Apache-2.0 */
/* Letting people in and out, and what this plane can do beyond the common API. */
#include "control-plane/forget.h"
#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <string.h>

#define PEOPLE_LIMIT 500

static const char *const roles[] = {
	"owner", "admin", "member", "approver", "viewer", NULL};
static const char *const person_states[] = {"active", "disabled", "pending", NULL};

enum cg_status route_extensions(struct call *call)
{
	static const char *const names[] = {"session.abort", "session.status", "people",
		"deliveries.create", "permission.always", "permission.message",
		"events.epoch", "attachments", "agents", "steer", "session.forget"};
	/* Files change hands by name only within this process. */
	static const char *const inside[] = {"attachments.path", "artifacts.path"};
	struct json_object *reply = cg_json_new_object(), *array = cg_json_new_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cg_json_append(array, cg_json_new_string(names[i]));
	for (size_t i = 0; call->principal == PLANE_GATEWAY &&
			   i < sizeof(inside) / sizeof(inside[0]);
		i++)
		cg_json_append(array, cg_json_new_string(inside[i]));
	cg_json_put(reply, "extensions", array);
	cg_json_put_string(reply, "epoch", call->change.epoch);
	return call_answer(call, 200, reply);
}

enum cg_status route_people_list(struct call *call)
{
	char state[CALL_FIELD + 1];
	const char *wanted = call_query(call, "status", 0, state) ? state : NULL;
	int64_t limit = call_query_number(call, "limit", PEOPLE_LIMIT, 1, PEOPLE_LIMIT);
	struct json_object *array;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	array = cg_json_new_array();
	status = identity_list(&call->change, wanted, limit, array);
	if (status == CG_OK)
		return call_answer_one(call, 200, "people", array);
	cg_json_free(array);
	return status;
}

/* The person of the path, refused with 404 when there is none. */
static enum cg_status find_person(struct call *call, struct identity *ret)
{
	enum cg_status status = identity_by_id(&call->change, call->id[0], ret);

	if (status == CG_OK && ret->id == 0)
		return call_refuse(
			call, 404, "people.not_found", "There is no such person.");
	return status;
}

static enum cg_status last_owner(struct call *call)
{
	return call_refuse(call, 409, "people.last_owner", "The last owner must stay.");
}

enum cg_status route_people_update(struct call *call)
{
	const char *role = call_choice(call, "role", CALL_OPTIONAL, roles);
	const char *state = call_choice(call, "status", CALL_OPTIONAL, person_states);
	struct identity person = {0};
	enum cg_status status;

	if (role == NULL && state == NULL)
		call_refuse(call, 400, "request.invalid", "role or status is required.");
	if (call_refused(call))
		return CG_DENIED;
	status = find_person(call, &person);
	if (status == CG_OK)
		status = identity_update(&call->change, &person, role, state, "operator");
	if (status == CG_OK)
		status = call_audit(call, "person.update", call->id[0]);
	if (status == CG_OK)
		status = call_answer_one(call, 200, "person", cg_json_ref(person.record));
	identity_finish(&person);
	return status == CG_CONFLICT ? last_owner(call) : status;
}

enum cg_status route_people_delete(struct call *call)
{
	struct forgetting self = {.change = &call->change,
		.roster = call->roster,
		.channels = call->channels};
	struct identity person = {0};
	struct json_object *reply;
	enum cg_status status = find_person(call, &person);

	if (status == CG_OK)
		status = forget_person(&self, call->id[0]);
	if (status == CG_OK && self.busy) {
		identity_finish(&person);
		return call_busy_forgetting(call);
	}
	if (status == CG_OK)
		status = identity_delete(&call->change, &person);
	if (status == CG_OK)
		status = call_audit(call, "person.delete", call->id[0]);
	if (status == CG_OK) {
		reply = cg_json_new_object();
		cg_json_put(reply, "person", cg_json_ref(person.record));
		cg_json_put_bool(reply, "deleted", true);
		cg_json_put_int(reply, "forgotten", self.sessions);
		cg_json_put_bool(reply, "agentKeeps", self.agent_keeps);
		status = call_answer(call, 200, reply);
	}
	identity_finish(&person);
	return status == CG_CONFLICT ? last_owner(call) : status;
}

/* The operator may judge anybody; a gateway speaks for an owner or admin in a chat. */
static enum cg_status require_manager(struct call *call)
{
	const char *provider;
	const char *workspace;
	struct identity_rights rights;
	enum cg_status status;

	if (call->principal == PLANE_OPERATOR)
		return CG_OK;
	provider = call_field(call, "provider", CALL_REQUIRED);
	workspace = call_field(call, "externalWorkspaceId", CALL_OPTIONAL);
	if (call_refused(call))
		return CG_DENIED;
	status = call_actor(call, provider, workspace == NULL ? "" : workspace, &rights);
	if (status == CG_OK && !identity_may_manage(&rights))
		return call_refuse(call, 403, "gateway-actor-rbac-required",
			"Only an owner or admin lets people in.");
	return status;
}

static enum cg_status judge(struct call *call, const char *role, const char *state)
{
	const char *code = call_field(call, "code", CALL_REQUIRED);
	struct identity person = {0};
	int64_t retry_ms = 0;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	status = require_manager(call);
	if (status != CG_OK)
		return status;
	status = pairing_redeem(&call->change, code, &person, &retry_ms);
	if (status == CG_LIMIT)
		return call_refuse_later(call, retry_ms, "pairing.too_many_attempts",
			"Too many wrong codes.");
	if (status == CG_NOT_FOUND) {
		call_refuse(call, 404, "pairing.not_found",
			"The code is wrong, or older than ten minutes.");
		return CG_OK; /* so that the wrong attempt is counted */
	}
	if (status == CG_OK)
		status = identity_update(&call->change, &person, role, state, "pairing");
	if (status == CG_OK)
		status = call_audit(call, role == NULL ? "person.deny" : "person.approve",
			cg_json_string_or(person.record, "identityId", ""));
	if (status == CG_OK)
		status = call_answer_one(call, 200, "person", cg_json_ref(person.record));
	identity_finish(&person);
	return status;
}

enum cg_status route_people_approve(struct call *call)
{
	return judge(call, "member", "active");
}

enum cg_status route_people_deny(struct call *call)
{
	return judge(call, NULL, "disabled");
}
