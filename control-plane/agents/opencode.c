/* SPDX-License-Identifier: Apache-2.0 */
/* An agent behind a server of OpenCode: the backend. */
#include "control-plane/agents/opencode.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void backend_destroy(void *self)
{
	struct opencode *opencode = self;
	struct agent_turn *turn;

	if (opencode == NULL)
		return;
	while ((turn = LIST_FIRST(&opencode->turns)) != NULL)
		opencode_turn_destroy(turn);
	opencode_server_finish(opencode);
	free(opencode);
}

static enum cg_status backend_create(const struct agent_host *host,
	const struct agent_options *options, void **ret_self, struct cg_error *err)
{
	struct opencode *opencode = calloc(1, sizeof(*opencode));
	enum cg_status status = CG_OK;

	if (opencode == NULL)
		return cg_error_nomem(err);
	opencode->host = *host;
	opencode->options = options;
	LIST_INIT(&opencode->turns);
	if (options->directory != NULL)
		cg_text_copy(opencode->directory, sizeof(opencode->directory),
			options->directory);
	else if (getcwd(opencode->directory, sizeof(opencode->directory)) == NULL)
		status = cg_error_set(err, CG_IO, "the working directory is not there");
	if (status == CG_OK)
		status = opencode_server_init(opencode, err);
	if (status != CG_OK) {
		backend_destroy(opencode);
		return status;
	}
	*ret_self = opencode;
	return CG_OK;
}

static enum cg_status backend_start(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	struct opencode *opencode = self;
	enum cg_status status;

	if (opencode->turn_count >= OPENCODE_TURNS)
		return cg_error_set(err, CG_LIMIT, "too many turns under way");
	status = opencode_turn_create(opencode, prompt, sink, arg, ret);
	return status == CG_OK ? CG_OK : cg_error_nomem(err);
}

static void backend_cancel(void *self, struct agent_turn *turn)
{
	(void)self;
	opencode_turn_cancel(turn);
}

static enum cg_status backend_permission(void *self, struct agent_turn *turn,
	const char *permission_id, const char *reply, const char *message)
{
	(void)self;
	return opencode_turn_permission(turn, permission_id, reply, message);
}

static enum cg_status backend_question(void *self, struct agent_turn *turn,
	const char *request_id, struct json_object *answers)
{
	(void)self;
	return opencode_turn_question(turn, request_id, answers);
}

static enum cg_status backend_steer(
	void *self, struct agent_turn *turn, const struct agent_prompt *prompt)
{
	(void)self;
	return opencode_turn_steer(turn, prompt);
}

/* A prompt that is sent again has its old id and is looked for first: one that is answered is
 * not run again, and one that may have acted ends as unsettled. */
static bool backend_repeatable(void *self, const struct agent_prompt *prompt)
{
	(void)self;
	(void)prompt;
	return true;
}

static enum cg_status backend_health(void *self, struct cg_error *err)
{
	const struct opencode *opencode = self;

	if (opencode->ready)
		return CG_OK;
	return cg_error_set(err, CG_NETWORK, "%s",
		opencode->why[0] != '\0' ? opencode->why
					 : "the server of OpenCode is starting");
}

const struct agent_ops agent_opencode = {
	.name = "opencode",
	.remembers = true,
	.has_agents = true,
	.create = backend_create,
	.destroy = backend_destroy,
	.start = backend_start,
	.cancel = backend_cancel,
	.permission = backend_permission,
	.question = backend_question,
	.steer = backend_steer,
	.repeatable = backend_repeatable,
	.health = backend_health,
};
