/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/standing.h"

#include "gateway/conversation/card.h"
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define STANDING_TEXT 4096 /* bytes of a reply */
#define STANDING_NAME 80 /* code points of an agent's or a model's name */
#define STANDING_AGENTS 24 /* that are listed */

static void reply(struct errand *errand, const char *text)
{
	errand_say(errand, "reply", text);
	errand_finish(errand, INBOX_HANDED, "command");
}

/* /status: what the session has cost, which only its projection tells; then what it does. */

static void add_name(struct cg_buffer *text, const char *label, const char *name)
{
	if (cg_text_blank(name))
		return;
	cg_buffer_text(text, label);
	card_add_plain(text, name, STANDING_NAME);
}

static void tell_standing(
	struct errand *errand, bool busy, const struct cloud_session_status *status)
{
	struct cg_buffer text;

	cg_buffer_init(&text, STANDING_TEXT);
	cg_buffer_text(&text, words_text(busy ? WORDS_BUSY : WORDS_IDLE));
	if (status != NULL) {
		add_name(&text, "\nAgent: ", status->agent);
		add_name(&text, "\nModel: ", status->model);
		if (status->queued > 0)
			cg_buffer_format(
				&text, "\nWaiting: %lld", (long long)status->queued);
	}
	if (errand->cost > 0)
		cg_buffer_format(&text, "\nCost so far: $%.4f", errand->cost);
	reply(errand, cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

static void status_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status)
{
	struct errand *errand = arg;

	errand->call = NULL;
	if (result->retryable)
		errand_failed(errand, result);
	else if (result->error != CLOUD_OK)
		reply(errand, words_text(WORDS_NO_SESSION));
	else
		tell_standing(errand, status->busy, status);
}

static void step_status(struct errand *errand)
{
	struct cloud_session_params params = {.binding_id = errand->binding_id};

	errand_begun(errand, cloud_get_status(errand->conversation->parts.client, &params,
				     status_came, errand, &errand->call));
}

static void snapshot_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot)
{
	struct errand *errand = arg;

	errand->call = NULL;
	if (result->retryable) {
		errand_failed(errand, result);
		return;
	}
	if (result->error != CLOUD_OK) {
		reply(errand, words_text(WORDS_NO_SESSION));
		return;
	}
	errand->cost = cg_json_double(snapshot->view, "sessionCost", 0);
	if (errand->conversation->can_status)
		errand_go(errand, step_status);
	else
		tell_standing(errand, stream_is_running(snapshot), NULL);
}

static void step_snapshot(struct errand *errand)
{
	struct cloud_session_params params = {.binding_id = errand->binding_id};

	if (errand->binding_id[0] == '\0')
		reply(errand, words_text(WORDS_NO_SESSION));
	else
		errand_begun(
			errand, cloud_snapshot(errand->conversation->parts.client,
					&params, snapshot_came, errand, &errand->call));
}

void standing_tell(struct errand *errand)
{
	errand_find_session(errand, step_snapshot);
}

/* /agent */

static void listed(
	void *arg, const struct cloud_result *result, const struct cloud_agents *agents)
{
	struct errand *errand = arg;
	struct cloud_agent agent;
	struct cg_buffer text;

	errand->call = NULL;
	if (result->error != CLOUD_OK) {
		errand_failed(errand, result);
		return;
	}
	cg_buffer_init(&text, STANDING_TEXT);
	cg_buffer_text(&text, words_text(WORDS_AGENTS));
	for (size_t i = 0; i < agents->count && i < STANDING_AGENTS; i++) {
		if (!cloud_agents_at(agents, i, &agent))
			continue;
		cg_buffer_text(&text, "\n- ");
		card_add_plain(&text, agent.name, STANDING_NAME);
		if (strcmp(agent.name, agent.backend) != 0)
			add_name(&text, ", by ", agent.backend);
		add_name(&text, ", ", agent.model);
	}
	if (agents->count > STANDING_AGENTS)
		cg_buffer_text(&text, "\n- …");
	reply(errand, cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

static void step_list(struct errand *errand)
{
	errand_begun(errand, cloud_list_agents(errand->conversation->parts.client, listed,
				     errand, &errand->call));
}

static void chosen(
	void *arg, const struct cloud_result *result, const struct cloud_agent *agent)
{
	struct errand *errand = arg;
	struct cg_buffer text;

	errand->call = NULL;
	if (result->error != CLOUD_OK && result->error != CLOUD_NOT_FOUND &&
		result->error != CLOUD_CONFLICT) {
		errand_failed(errand, result);
		return;
	}
	cg_buffer_init(&text, STANDING_TEXT);
	if (result->error == CLOUD_OK) {
		cg_buffer_text(&text, words_text(WORDS_AGENT_CHOSEN));
		card_add_plain(&text, agent->name, STANDING_NAME);
		cg_buffer_char(&text, '.');
	} else {
		/* It says who is there, or that the agent is working. */
		card_add_plain(&text, result->message, 4 * STANDING_NAME);
	}
	reply(errand, cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

static void step_choose(struct errand *errand)
{
	const char *args = errand->message->command_args;
	const char *from = args == NULL ? "" : args + strspn(args, " \t\n");
	char name[4 * STANDING_NAME + 1];
	struct cloud_choice_params params = {
		.binding_id = errand->binding_id, .agent = name};
	enum cg_status status;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(from, " \t\n"), from);
	status = cloud_choose_agent(errand->conversation->parts.client, &params, chosen,
		errand, &errand->call);
	if (status == CG_INVALID)
		reply(errand, words_text(WORDS_NO_AGENT)); /* nobody is called that */
	else
		errand_begun(errand, status);
}

/* Who has said nothing yet has no session to choose for. */
static void bind_to_choose(struct errand *errand)
{
	errand_bind(errand, step_choose);
}

void standing_agent(struct errand *errand)
{
	const struct conversation *conversation = errand->conversation;

	if (conversation->probed && !conversation->can_agents)
		reply(errand, words_text(WORDS_NO_AGENTS));
	else if (cg_text_blank(errand->message->command_args))
		errand_go(errand, step_list);
	else
		errand_find_session(errand, bind_to_choose);
}

/* A message behind others. */

static void queue_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status)
{
	struct errand *errand = arg;
	char text[128];

	errand->call = NULL;
	/* It is one of those that wait, and one is being worked on. */
	if (result->error == CLOUD_OK && status->busy && status->queued > 0) {
		snprintf(text, sizeof(text), "Queued, %lld before it.",
			(long long)status->queued);
		errand_whisper(errand, "queued", text);
	}
	errand_finish(errand, INBOX_HANDED, NULL);
}

/* A mark says it without words; where messages are letters, it is not worth one. */
static bool is_worth_saying(const struct errand *errand)
{
	const struct conversation *conversation = errand->conversation;
	const struct outlet *outlet = conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	return conversation->can_status && errand->queues &&
	       outlet->capabilities(
		       outlet->self, errand->message->instance, &capabilities) == CG_OK &&
	       (capabilities.edit || capabilities.typing) &&
	       !(conversation->options.reactions && capabilities.reactions);
}

void standing_tell_queue(struct errand *errand)
{
	struct cloud_session_params params = {.binding_id = errand->binding_id};

	if (!is_worth_saying(errand) ||
		cloud_get_status(errand->conversation->parts.client, &params, queue_came,
			errand, &errand->call) != CG_OK) {
		errand->call = NULL;
		errand_finish(errand, INBOX_HANDED, NULL);
	}
}
