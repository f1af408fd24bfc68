/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots, artifacts, and the extension routes of our own plane. */
#include "cloud-client/session.h"

#include "cloud-client/call.h"

#include <cowgate/sdk/json.h>
#include <string.h>

#define SESSIONS "/api/channels/sessions"
#define PEOPLE "/api/channels/people"
#define ARTIFACT_AROUND \
	(64u << 10) /* bytes of an artifact's record without its content */

bool cloud_extensions_have(const struct cloud_extensions *extensions, const char *name)
{
	for (size_t i = 0; i < cg_json_count(extensions->names); i++) {
		const char *offered =
			cg_json_value_string(cg_json_at(extensions->names, i), NULL);

		if (offered != NULL && strcmp(offered, name) == 0)
			return true;
	}
	return false;
}

bool cloud_agent_read(struct json_object *object, struct cloud_agent *ret)
{
	const char *name = cg_json_string(object, "name");

	if (name == NULL)
		name = cg_json_string(object, "agent");
	if (name == NULL)
		return false;
	*ret = (struct cloud_agent){name, cg_json_string_or(object, "backend", ""),
		cg_json_string(object, "model")};
	return true;
}

bool cloud_agents_at(
	const struct cloud_agents *list, size_t index, struct cloud_agent *ret)
{
	return cloud_agent_read(cg_json_at(list->array, index), ret);
}

/* Who asks, as the platform knows them. */
static void put_actor(struct request *request, const struct cloud_actor *actor)
{
	request_require(request, "provider", actor->provider);
	request_optional(request, "externalWorkspaceId", actor->external_workspace_id);
	request_require(request, "externalUserId", actor->external_user_id);
}

static void session_request(struct request *request, const char *method,
	const struct cloud_session_params *params, const char *tail)
{
	request_init(request, method, SESSIONS);
	request->idempotent = true;
	request_segment(request, params->binding_id);
	request_path(request, tail);
}

enum cg_status cloud_snapshot(struct cloud_client *client,
	const struct cloud_session_params *params, cloud_snapshot_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	session_request(&request, "GET", params, "/snapshot");
	request.response_limit = CLOUD_SNAPSHOT_REPLY;
	return call_send(client, &request,
		&(struct call_target){REPLY_snapshot, {.snapshot = done}, arg, ret});
}

/* Bytes of JSON that bring a file: base64, and what is around it. */
static size_t artifact_reply(uint64_t max_bytes)
{
	if (max_bytes == 0 || max_bytes > CLOUD_ARTIFACT_BYTES)
		max_bytes = CLOUD_ARTIFACT_BYTES;
	return (size_t)(4 * ((max_bytes + 2) / 3)) + ARTIFACT_AROUND;
}

enum cg_status cloud_get_artifact(struct cloud_client *client,
	const struct cloud_artifact_params *params, cloud_artifact_done done, void *arg,
	struct cloud_call **ret)
{
	struct cloud_session_params session = {params->binding_id};
	struct request request;

	session_request(&request, "GET", &session, "/artifacts");
	request_segment(&request, params->artifact_id);
	if (params->by_path)
		request_argument(&request, "transfer", "path");
	request.response_limit = artifact_reply(params->max_bytes);
	return call_send(client, &request,
		&(struct call_target){REPLY_artifact, {.artifact = done}, arg, ret});
}

enum cg_status cloud_probe_extensions(struct cloud_client *client,
	cloud_extensions_done done, void *arg, struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "GET", "/api/channels/extensions");
	request.idempotent = true;
	return call_send(client, &request,
		&(struct call_target){REPLY_extensions, {.extensions = done}, arg, ret});
}

enum cg_status cloud_abort_session(struct cloud_client *client,
	const struct cloud_session_params *params, cloud_abort_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	session_request(&request, "POST", params, "/abort");
	return call_send(client, &request,
		&(struct call_target){REPLY_abort, {.abort = done}, arg, ret});
}

enum cg_status cloud_forget_threads(struct cloud_client *client,
	const struct cloud_forget_params *params, cloud_forgotten_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;
	struct json_object *threads;

	request_init(&request, "POST", SESSIONS "/forget");
	request.idempotent = true;
	request_require(&request, "channelBindingId", params->channel_binding_id);
	request_require(&request, "externalChatId", params->external_chat_id);
	put_actor(&request, params->actor);
	threads = cg_json_new_array();
	for (size_t i = 0; i < params->count && i < CLOUD_FORGET; i++)
		cg_json_append(
			threads, cg_json_new_string(params->external_thread_ids[i]));
	cg_json_put(request.body, "externalThreadIds", threads);
	return call_send(client, &request,
		&(struct call_target){REPLY_forgotten, {.forgotten = done}, arg, ret});
}

enum cg_status cloud_get_status(struct cloud_client *client,
	const struct cloud_session_params *params, cloud_session_status_done done,
	void *arg, struct cloud_call **ret)
{
	struct request request;

	session_request(&request, "GET", params, "");
	return call_send(client, &request,
		&(struct call_target){
			REPLY_session_status, {.session_status = done}, arg, ret});
}

enum cg_status cloud_list_agents(struct cloud_client *client, cloud_agents_done done,
	void *arg, struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "GET", "/api/channels/agents");
	request.idempotent = true;
	return call_send(client, &request,
		&(struct call_target){REPLY_agents, {.agents = done}, arg, ret});
}

enum cg_status cloud_choose_agent(struct cloud_client *client,
	const struct cloud_choice_params *params, cloud_agent_done done, void *arg,
	struct cloud_call **ret)
{
	struct cloud_session_params session = {params->binding_id};
	struct request request;

	session_request(&request, "POST", &session, "/agent");
	request_require(&request, "agent", params->agent);
	return call_send(client, &request,
		&(struct call_target){REPLY_agent, {.agent = done}, arg, ret});
}

enum cg_status cloud_list_people(struct cloud_client *client, cloud_people_done done,
	void *arg, struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "GET", PEOPLE);
	request.idempotent = true;
	return call_send(client, &request,
		&(struct call_target){REPLY_people, {.people = done}, arg, ret});
}

static void pairing_request(struct request *request, const char *path,
	const struct cloud_pairing_params *params)
{
	const struct cloud_actor *actor = params->actor;

	request_init(request, "POST", path);
	request->idempotent = true;
	request_require(request, "code", params->code);
	if (actor != NULL)
		put_actor(request, actor);
}

enum cg_status cloud_approve_person(struct cloud_client *client,
	const struct cloud_pairing_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	pairing_request(&request, PEOPLE "/approve", params);
	return call_send(client, &request,
		&(struct call_target){REPLY_identity, {.identity = done}, arg, ret});
}

enum cg_status cloud_deny_person(struct cloud_client *client,
	const struct cloud_pairing_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	pairing_request(&request, PEOPLE "/deny", params);
	return call_send(client, &request,
		&(struct call_target){REPLY_identity, {.identity = done}, arg, ret});
}

enum cg_status cloud_update_person(struct cloud_client *client,
	const struct cloud_person_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", PEOPLE);
	request.idempotent = true;
	request_segment(&request, params->identity_id);
	request_optional(&request, "role", params->role);
	request_optional(&request, "status", params->status);
	return call_send(client, &request,
		&(struct call_target){REPLY_identity, {.identity = done}, arg, ret});
}

enum cg_status cloud_remove_person(struct cloud_client *client,
	const struct cloud_person_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "DELETE", PEOPLE);
	request.idempotent = true;
	request_segment(&request, params->identity_id);
	return call_send(client, &request,
		&(struct call_target){REPLY_removal, {.removal = done}, arg, ret});
}
