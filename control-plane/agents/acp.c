/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent behind the Agent Client Protocol: a program that is started here and spoken to over
 * its standard streams.  One program serves all sessions.
 */
#include "control-plane/agents/acp.h"

#include <cowgate/host.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACP_COMMAND_SETTING "OPEN_COWORK_GATEWAY_AGENT_COMMAND"

static void notice(
	struct acp *acp, int level, const char *event, const char *key, const char *value)
{
	if (acp->host.notice != NULL)
		acp->host.notice(acp->host.arg, level, event, key, value);
}

/* ---- what goes ---- */

static void request_remove(struct acp *acp, struct acp_request *request)
{
	LIST_REMOVE(request, entry);
	acp->request_count--;
	free(request);
}

static enum cg_status send_line(
	struct acp *acp, struct cg_buffer *line, enum cg_status status)
{
	if (status == CG_OK)
		status = child_write(&acp->child, line->bytes, line->length);
	cg_buffer_finish(line);
	/* It has stopped reading, and would never learn what was to be said. */
	if (status == CG_LIMIT && acp->child.process != NULL)
		child_restart(&acp->child);
	return status;
}

enum cg_status acp_call(struct acp *acp, const char *method, struct json_object *params,
	acp_done done, void *arg, struct acp_request **ret)
{
	struct acp_request *request = NULL;
	struct cg_buffer line;
	enum cg_status status;

	cg_buffer_init(&line, ACP_LINE);
	status = acp_write_request(&line, acp->last_number + 1, method, params);
	if (status == CG_OK && acp->request_count == ACP_REQUESTS)
		status = CG_LIMIT;
	if (status == CG_OK) {
		request = calloc(1, sizeof(*request));
		status = request == NULL ? CG_NOMEM : CG_OK;
	}
	if (status != CG_OK) {
		cg_buffer_finish(&line);
		return status;
	}
	status = send_line(acp, &line, status);
	if (status != CG_OK) {
		free(request);
		return status;
	}
	request->number = ++acp->last_number;
	request->done = done;
	request->arg = arg;
	LIST_INSERT_HEAD(&acp->requests, request, entry);
	acp->request_count++;
	*ret = request;
	return CG_OK;
}

void acp_forget(struct acp *acp, struct acp_request *request)
{
	if (request != NULL)
		request_remove(acp, request);
}

void acp_tell(struct acp *acp, const char *method, struct json_object *params)
{
	struct cg_buffer line;

	cg_buffer_init(&line, ACP_LINE);
	send_line(acp, &line, acp_write_notice(&line, method, params));
}

void acp_answer(struct acp *acp, struct json_object *id, struct json_object *result)
{
	struct cg_buffer line;

	cg_buffer_init(&line, ACP_LINE);
	send_line(acp, &line, acp_write_result(&line, id, result));
}

/* ---- what comes ---- */

static struct agent_turn *turn_of(struct acp *acp, struct json_object *params)
{
	const char *id = cg_json_string(params, "sessionId");
	struct acp_session *session = id == NULL ? NULL : acp_session_find(acp, id);

	return session == NULL ? NULL : session->turn;
}

static void take_response(struct acp *acp, const struct acp_message *message)
{
	struct acp_request *request, taken;

	LIST_FOREACH (request, &acp->requests, entry) {
		if (request->number == message->number)
			break;
	}
	if (request == NULL)
		return; /* nobody waits for it */
	taken = *request;
	request_remove(acp, request);
	/* A response with neither would look like the end of the program. */
	if (message->result == NULL && message->error == NULL) {
		struct json_object *nothing = cg_json_new_object();

		taken.done(taken.arg, nothing, NULL);
		cg_json_free(nothing);
	} else {
		taken.done(taken.arg, message->result, message->error);
	}
}

static void take_request(struct acp *acp, const struct acp_message *message)
{
	struct agent_turn *turn = turn_of(acp, message->params);
	struct cg_buffer line;

	if (strcmp(message->method, "session/request_permission") == 0) {
		if (turn == NULL || !acp_turn_ask(turn, message->id, message->params))
			acp_answer(acp, message->id, acp_permission_result(NULL));
		return;
	}
	cg_buffer_init(&line, ACP_LINE);
	send_line(acp, &line,
		acp_write_error(
			&line, message->id, ACP_METHOD_NOT_FOUND, "Method not found"));
}

static void on_nonsense(struct acp *acp)
{
	if (!acp->talked_nonsense)
		notice(acp, CG_LOG_WARN, "agent.nonsense", "program",
			acp->options->command[0]);
	acp->talked_nonsense = true;
}

static void on_line(void *arg, const char *line, size_t length, bool whole)
{
	struct acp *acp = arg;
	struct json_object *json = NULL;
	struct acp_message message;

	if (!whole) {
		notice(acp, CG_LOG_WARN, "agent.line_too_long", "program",
			acp->options->command[0]);
		child_restart(&acp->child);
		return;
	}
	if (length == 0)
		return;
	if (cg_json_parse(line, length, &json, NULL) != CG_OK) {
		on_nonsense(acp);
		return;
	}
	acp_message_read(json, &message);
	switch (message.kind) {
	case ACP_RESPONSE:
		take_response(acp, &message);
		break;
	case ACP_REQUEST:
		take_request(acp, &message);
		break;
	case ACP_NOTICE:
		if (strcmp(message.method, "session/update") == 0) {
			struct agent_turn *turn = turn_of(acp, message.params);

			if (turn != NULL)
				acp_turn_update(
					turn, cg_json_object(message.params, "update"));
		}
		break;
	case ACP_NONSENSE:
		on_nonsense(acp);
		break;
	}
	cg_json_free(json);
}

/* ---- the program ---- */

static void on_initialized(
	void *arg, struct json_object *result, struct json_object *error)
{
	struct acp *acp = arg;

	loop_timer_clear(&acp->patience);
	if (error != NULL || !acp_initialize_read(result, &acp->abilities)) {
		if (error != NULL)
			acp_error_text(error, acp->why, sizeof(acp->why));
		else
			cg_text_copy(acp->why, sizeof(acp->why),
				"the agent speaks another version of the protocol");
		child_restart(&acp->child);
		return;
	}
	acp->ready = true;
	child_does_well(&acp->child);
	notice(acp, CG_LOG_INFO, "agent.ready", "program", acp->options->command[0]);
	acp_turns_go_on(acp);
}

static void on_start(void *arg)
{
	struct acp *acp = arg;
	struct acp_request *request;

	acp->talked_nonsense = false;
	loop_timer_set(&acp->patience, ACP_OPEN_MS);
	if (acp_call(acp, "initialize", acp_initialize_params("1"), on_initialized, acp,
		    &request) != CG_OK)
		child_restart(&acp->child);
}

static void on_patience(void *arg)
{
	struct acp *acp = arg;

	cg_text_copy(acp->why, sizeof(acp->why), "the agent's program does not answer");
	child_restart(&acp->child);
}

static void on_down(void *arg, const char *why)
{
	struct acp *acp = arg;
	struct acp_request *request;

	loop_timer_clear(&acp->patience);
	if (acp->ready || acp->why[0] == '\0')
		cg_text_copy(acp->why, sizeof(acp->why), why);
	acp->ready = false;
	while ((request = LIST_FIRST(&acp->requests)) != NULL)
		request_remove(acp, request);
	acp_turns_lost(acp, why);
	acp_sessions_clear(acp);
}

/* ---- the backend ---- */

static void acp_destroy(void *self)
{
	struct acp *acp = self;
	struct agent_turn *turn;
	struct acp_request *request;

	if (acp == NULL)
		return;
	while ((turn = LIST_FIRST(&acp->turns)) != NULL)
		acp_turn_destroy(turn);
	while ((request = LIST_FIRST(&acp->requests)) != NULL)
		request_remove(acp, request);
	acp_sessions_clear(acp);
	child_finish(&acp->child);
	loop_timer_finish(&acp->patience);
	free(acp);
}

static enum cg_status find_directory(struct acp *acp, struct cg_error *err)
{
	if (acp->options->directory != NULL)
		cg_text_copy(
			acp->directory, sizeof(acp->directory), acp->options->directory);
	else if (getcwd(acp->directory, sizeof(acp->directory)) == NULL)
		return cg_error_set(err, CG_IO, "the working directory is not there");
	return CG_OK;
}

static enum cg_status acp_create(const struct agent_host *host,
	const struct agent_options *options, void **ret_self, struct cg_error *err)
{
	struct child_options program = {
		.argv = options->command,
		.line_limit = ACP_LINE,
		.on_start = on_start,
		.on_line = on_line,
		.on_down = on_down,
	};
	struct acp *acp;
	enum cg_status status;

	if (options->command == NULL || options->command[0] == NULL)
		return cg_error_set(
			err, CG_INVALID, "the agent \"acp\" needs " ACP_COMMAND_SETTING);
	acp = calloc(1, sizeof(*acp));
	if (acp == NULL)
		return cg_error_nomem(err);
	acp->host = *host;
	acp->options = options;
	program.arg = acp;
	LIST_INIT(&acp->requests);
	LIST_INIT(&acp->sessions);
	LIST_INIT(&acp->turns);
	status = find_directory(acp, err);
	if (status == CG_OK &&
		loop_timer_init(&acp->patience, host->loop, on_patience, acp) != CG_OK)
		status = cg_error_nomem(err);
	if (status == CG_OK)
		status = child_init(&acp->child, &acp->host, options, &program, err);
	if (status != CG_OK) {
		acp_destroy(acp);
		return status;
	}
	*ret_self = acp;
	return CG_OK;
}

static enum cg_status acp_start(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	struct acp *acp = self;

	if (acp->turn_count >= ACP_TURNS)
		return cg_error_set(err, CG_LIMIT, "too many turns under way");
	return acp_turn_create(acp, prompt, sink, arg, ret) == CG_OK
		       ? CG_OK
		       : cg_error_nomem(err);
}

static void acp_cancel(void *self, struct agent_turn *turn)
{
	(void)self;
	acp_turn_cancel(turn);
}

static enum cg_status acp_permission(void *self, struct agent_turn *turn,
	const char *permission_id, const char *reply, const char *message)
{
	(void)self;
	(void)message; /* the protocol has no place for it */
	return acp_turn_permission(turn, permission_id, reply);
}

/* The program has died with us, and it may have done something before. */
static bool acp_repeatable(void *self, const struct agent_prompt *prompt)
{
	(void)self;
	(void)prompt;
	return false;
}

static enum cg_status acp_health(void *self, struct cg_error *err)
{
	const struct acp *acp = self;

	if (acp->ready)
		return CG_OK;
	return cg_error_set(err, CG_NETWORK, "%s",
		acp->why[0] != '\0' ? acp->why : "the agent's program is starting");
}

const struct agent_ops agent_acp = {
	.name = "acp",
	.remembers = true,
	.create = acp_create,
	.destroy = acp_destroy,
	.start = acp_start,
	.cancel = acp_cancel,
	.permission = acp_permission,
	.repeatable = acp_repeatable,
	.health = acp_health,
};
