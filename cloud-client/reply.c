/* SPDX-License-Identifier: Apache-2.0 */
/* One reader for each kind of reply, and the call of its callback. */
#include "cloud-client/reply.h"

#include "cloud-client/request.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static bool read_provider_event(
	struct json_object *body, struct cloud_provider_event *ret)
{
	if (!cloud_provider_event_read(cg_json_object(body, "event"), ret))
		return false;
	ret->claimed = cg_json_bool(body, "claimed", false);
	ret->duplicate = cg_json_bool(body, "duplicate", false);
	return true;
}

static bool read_identity(struct json_object *body, struct cloud_identity *ret)
{
	struct json_object *identity = cg_json_object(body, "identity");
	struct json_object *pairing;

	/* The routes for people call it a person. */
	if (identity == NULL)
		identity = cg_json_object(body, "person");
	if (!cloud_identity_read(identity, ret))
		return false;
	/* The pairing stands beside the identity, or inside it. */
	pairing = cg_json_object(body, "pairing");
	if (pairing != NULL)
		cloud_pairing_read(pairing, ret);
	return true;
}

static bool read_removal(struct json_object *body, struct cloud_identity *ret)
{
	if (read_identity(body, ret))
		return true;
	*ret = (struct cloud_identity){
		.identity_id = "",
		.provider = "",
		.external_user_id = "",
		.role = "",
		.status = "",
		.pairing_expires_ms = -1,
		.created_ms = -1,
	};
	return true;
}

static bool read_bound(struct json_object *body, struct cloud_bound *ret)
{
	return cloud_session_binding_read(
		       cg_json_object(body, "binding"), &ret->binding) &&
	       cloud_session_snapshot_read(
		       cg_json_object(body, "session"), &ret->session);
}

static bool read_command(struct json_object *body, struct cloud_command *ret)
{
	return cloud_command_read(cg_json_object(body, "command"), ret);
}

static bool read_cursor(struct json_object *body, struct cloud_cursor *ret)
{
	struct json_object *result = cg_json_object(body, "result");
	struct json_object *binding = cg_json_object(result, "binding");

	if (binding == NULL)
		binding = cg_json_object(body, "binding");
	if (!cg_json_has(result, "ok"))
		return false;
	ret->applied = cg_json_bool(result, "ok", false);
	return cloud_session_binding_read(binding, &ret->binding);
}

static bool read_interaction(struct json_object *body, struct cloud_interaction *ret)
{
	if (!cloud_interaction_read(cg_json_object(body, "interaction"), ret))
		return false;
	ret->token = cg_json_string(body, "plaintextToken");
	return true;
}

static bool read_resolution(struct json_object *body, struct cloud_resolution *ret)
{
	ret->processing_error = cg_json_string(body, "processingError");
	return cloud_interaction_read(
		       cg_json_object(body, "interaction"), &ret->interaction) &&
	       read_command(body, &ret->command);
}

static bool read_snapshot(struct json_object *body, struct cloud_session_snapshot *ret)
{
	return cloud_session_snapshot_read(body, ret);
}

static bool read_artifact(struct json_object *body, struct cloud_artifact *ret)
{
	return cloud_artifact_read(cg_json_object(body, "artifact"), ret);
}

static bool read_extensions(struct json_object *body, struct cloud_extensions *ret)
{
	ret->names = cg_json_array(body, "extensions");
	ret->epoch = cg_json_string_or(body, "epoch", "");
	return true;
}

static bool read_abort(struct json_object *body, struct cloud_abort *ret)
{
	ret->aborted = cg_json_bool(body, "aborted", false);
	ret->dropped = cg_json_int(body, "dropped", 0);
	return cg_json_has(body, "aborted");
}

static bool read_forgotten(struct json_object *body, struct cloud_forgotten *ret)
{
	ret->sessions = cg_json_int(body, "forgotten", 0);
	ret->agent_keeps = cg_json_bool(body, "agentKeeps", false);
	return cg_json_has(body, "forgotten");
}

static bool read_session_status(
	struct json_object *body, struct cloud_session_status *ret)
{
	ret->busy = cg_json_bool(body, "busy", false);
	ret->queued = cg_json_int(body, "queued", 0);
	ret->agent = cg_json_string(body, "agent");
	ret->model = cg_json_string(body, "model");
	return cg_json_has(body, "busy");
}

static bool read_agents(struct json_object *body, struct cloud_agents *ret)
{
	ret->array = cg_json_array(body, "agents");
	ret->count = cg_json_count(ret->array);
	return ret->array != NULL;
}

static bool read_agent(struct json_object *body, struct cloud_agent *ret)
{
	return cloud_agent_read(body, ret);
}

static bool read_people(struct json_object *body, struct cloud_people *ret)
{
	ret->array = cg_json_array(body, "people");
	ret->count = cg_json_count(ret->array);
	return ret->array != NULL;
}

static bool read_delivery(struct json_object *body, struct cloud_delivery *ret)
{
	return cloud_delivery_read(cg_json_object(body, "delivery"), ret);
}

static bool read_deliveries(struct json_object *body, struct cloud_deliveries *ret)
{
	ret->array = cg_json_array(body, "deliveries");
	ret->count = cg_json_count(ret->array);
	return ret->array != NULL;
}

/* What Clouds say to a path that they do not have: the reference answers 403 to it. */
static bool route_absent(const struct cloud_result *result)
{
	return result->http_status == 403 || result->http_status == 404 ||
	       result->http_status == 405;
}

void reply_deliver(enum reply_kind kind, union reply_done done, void *arg,
	struct cloud_result *result, struct json_object *body)
{
	if (kind == REPLY_extensions && route_absent(result)) {
		request_result_set(result, CLOUD_OK);
		body = NULL;
	}
	switch (kind) {
#define CLOUD_REPLY(reply, done_name, record) \
	case REPLY_##reply: { \
		struct cloud_##record value; \
		bool good; \
\
		memset(&value, 0, sizeof(value)); \
		good = result->error == CLOUD_OK && read_##reply(body, &value); \
		if (result->error == CLOUD_OK && !good) \
			request_result_set(result, CLOUD_PROTOCOL); \
		if (done.reply != NULL) \
			done.reply(arg, result, good ? &value : NULL); \
		break; \
	}
#include "cloud-client/reply.def"
#undef CLOUD_REPLY
	}
}
