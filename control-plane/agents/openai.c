/* SPDX-License-Identifier: Apache-2.0 */
/* An agent behind an OpenAI-compatible server: the backend.  Turns are in openai_turn.c. */
#include "control-plane/agents/openai_turn.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

static void openai_destroy(void *self)
{
	struct openai *openai = self;
	struct agent_turn *turn;

	if (openai == NULL)
		return;
	while ((turn = LIST_FIRST(&openai->turns)) != NULL)
		openai_turn_destroy(turn);
	for (size_t i = 0; i < openai->url_count; i++)
		free(openai->urls[i]);
	free(openai);
}

static enum cg_status add_server(
	struct openai *openai, const char *base, struct cg_error *err)
{
	size_t length = strlen(base);
	struct cg_buffer url;
	struct cg_url parts;

	if (openai->url_count == OPENAI_SERVERS)
		return cg_error_set(err, CG_LIMIT,
			"the agent \"openai\" takes at most %d servers", OPENAI_SERVERS);
	if (cg_url_parse(base, &parts, err) != CG_OK)
		return cg_error_prefix(err, OPENAI_URL_SETTING);
	while (length > 0 && base[length - 1] == '/')
		length--;
	cg_buffer_init(&url, length + sizeof("/chat/completions"));
	cg_buffer_add(&url, base, length);
	cg_buffer_text(&url, "/chat/completions");
	openai->urls[openai->url_count] = cg_buffer_take(&url, NULL);
	cg_buffer_finish(&url);
	if (openai->urls[openai->url_count] == NULL)
		return cg_error_nomem(err);
	openai->url_count++;
	return CG_OK;
}

static enum cg_status openai_create(const struct agent_host *host,
	const struct agent_options *options, void **ret_self, struct cg_error *err)
{
	const char *const *more = options->fallback_urls;
	struct openai *openai;
	enum cg_status status;

	if (cg_text_blank(options->url))
		return cg_error_set(err, CG_INVALID,
			"the agent \"openai\" needs " OPENAI_URL_SETTING);
	openai = calloc(1, sizeof(*openai));
	if (openai == NULL)
		return cg_error_nomem(err);
	openai->loop = host->loop;
	openai->http = host->http;
	openai->options = options;
	LIST_INIT(&openai->turns);
	status = add_server(openai, options->url, err);
	for (; status == CG_OK && more != NULL && *more != NULL; more++)
		status = add_server(openai, *more, err);
	if (status != CG_OK) {
		openai_destroy(openai);
		return status;
	}
	*ret_self = openai;
	return CG_OK;
}

static enum cg_status openai_start(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	struct openai *openai = self;
	enum cg_status status;

	if (openai->turn_count >= OPENAI_TURNS)
		return cg_error_set(err, CG_LIMIT, "too many turns under way");
	status = openai_turn_create(openai, prompt, sink, arg, ret);
	if (status == CG_LIMIT)
		return cg_error_set(err, status, "the prompt is too long for the model");
	return status == CG_OK ? CG_OK : cg_error_nomem(err);
}

static void openai_cancel(void *self, struct agent_turn *turn)
{
	(void)self;
	openai_turn_cancel(turn);
}

/* A question asked twice costs money and nothing else. */
static bool openai_repeatable(void *self, const struct agent_prompt *prompt)
{
	(void)self;
	(void)prompt;
	return true;
}

static enum cg_status openai_health(void *self, struct cg_error *err)
{
	const struct openai *openai = self;

	if (openai->health.status == CG_OK)
		return CG_OK;
	return cg_error_set(
		err, (enum cg_status)openai->health.status, "%s", openai->health.text);
}

const struct agent_ops agent_openai = {
	.name = "openai",
	.create = openai_create,
	.destroy = openai_destroy,
	.start = openai_start,
	.cancel = openai_cancel,
	.repeatable = openai_repeatable,
	.health = openai_health,
};
