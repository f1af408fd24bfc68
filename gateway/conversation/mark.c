/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/mark.h"

#include "gateway/conversation/draft.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

enum mark_state {
	MARK_SEEN, /* on its way */
	MARK_PROMPTING, /* the call is under way, or its answer was lost */
	MARK_PROMPTED, /* it waits for its turn */
	MARK_RUNNING,
	MARK_ENDED, /* but for the receipt */
};

struct mark {
	TAILQ_ENTRY(mark) link;
	int64_t message_id; /* of the inbox row */
	enum mark_state state;
	bool failed;
	struct draft_route route; /* owned */
	char *target; /* owned: the platform's id of the message */
	char binding_id[256], command_id[256];
	char answer_id[DRAFT_ID_MAX];
};

static void mark_forget(struct conversation *conversation, struct mark *mark)
{
	TAILQ_REMOVE(&conversation->marks.list, mark, link);
	conversation->marks.count--;
	draft_route_finish(&mark->route);
	free(mark->target);
	free(mark);
}

static void show(
	struct conversation *conversation, const struct mark *mark, enum cg_reaction what)
{
	struct delivery_route route;

	draft_route_view(&mark->route, &route);
	route.target.message_id = mark->target;
	delivery_react(conversation->parts.delivery, &route, what);
}

static void conclude(struct conversation *conversation, struct mark *mark, bool failed)
{
	show(conversation, mark, failed ? CG_REACTION_FAILED : CG_REACTION_DONE);
	mark_forget(conversation, mark);
}

static struct mark *find(struct conversation *conversation, int64_t message_id)
{
	struct mark *mark;

	TAILQ_FOREACH (mark, &conversation->marks.list, link) {
		if (mark->message_id == message_id)
			return mark;
	}
	return NULL;
}

void marks_init(struct conversation *conversation)
{
	TAILQ_INIT(&conversation->marks.list);
}

void marks_finish(struct conversation *conversation)
{
	struct mark *mark;

	while ((mark = TAILQ_FIRST(&conversation->marks.list)) != NULL)
		mark_forget(conversation, mark);
}

/* Beginnings. */

static bool can_mark(
	const struct conversation *conversation, const struct inbox_message *message)
{
	const struct outlet *outlet = conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	return conversation->options.reactions && message->message_id != NULL &&
	       outlet->capabilities(outlet->self, message->instance, &capabilities) ==
		       CG_OK &&
	       capabilities.reactions;
}

void mark_seen(struct conversation *conversation, const struct inbox_message *message)
{
	struct mark *mark;

	if (!can_mark(conversation, message) || find(conversation, message->id) != NULL)
		return;
	if (conversation->marks.count == MARKS)
		mark_forget(conversation, TAILQ_FIRST(&conversation->marks.list));
	mark = calloc(1, sizeof(*mark));
	if (mark == NULL)
		return;
	mark->message_id = message->id;
	mark->target = strdup(message->message_id);
	if (mark->target == NULL ||
		draft_route_from_message(&mark->route, message) != CG_OK) {
		free(mark->target);
		free(mark);
		return;
	}
	TAILQ_INSERT_TAIL(&conversation->marks.list, mark, link);
	conversation->marks.count++;
	show(conversation, mark, CG_REACTION_SEEN);
}

void mark_prompting(
	struct conversation *conversation, int64_t message_id, const char *binding_id)
{
	struct mark *mark = find(conversation, message_id);

	if (mark == NULL || mark->state != MARK_SEEN)
		return;
	mark->state = MARK_PROMPTING;
	cg_text_copy(mark->binding_id, sizeof(mark->binding_id), binding_id);
}

void mark_prompted(
	struct conversation *conversation, int64_t message_id, const char *command_id)
{
	struct mark *mark = find(conversation, message_id);

	/* Its turn may have begun before the answer to the call came. */
	if (mark == NULL || mark->state == MARK_SEEN || mark->state == MARK_ENDED ||
		(mark->state == MARK_RUNNING &&
			strcmp(mark->command_id, command_id) == 0))
		return;
	mark->state = MARK_PROMPTED;
	cg_text_copy(mark->command_id, sizeof(mark->command_id), command_id);
}

void mark_closed(struct conversation *conversation, int64_t message_id,
	enum inbox_end end, bool done)
{
	struct mark *mark = find(conversation, message_id);

	if (mark == NULL)
		return;
	if (end == INBOX_DEAD)
		conclude(conversation, mark, true);
	else if (done)
		conclude(conversation, mark, false);
	else if (mark->state == MARK_SEEN || mark->state == MARK_PROMPTING)
		conclude(conversation, mark, true);
}

/* Turns. */

static struct mark *find_command(
	struct conversation *conversation, const char *binding_id, const char *command_id)
{
	struct mark *mark;

	TAILQ_FOREACH (mark, &conversation->marks.list, link) {
		if (strcmp(mark->binding_id, binding_id) == 0 &&
			strcmp(mark->command_id, command_id) == 0)
			return mark;
	}
	return NULL;
}

/* Messages of a thread become prompts one after the other: at most one is without its id. */
static struct mark *find_nameless(
	struct conversation *conversation, const char *binding_id, bool any)
{
	struct mark *mark;

	TAILQ_FOREACH (mark, &conversation->marks.list, link) {
		if (strcmp(mark->binding_id, binding_id) == 0 &&
			(mark->state == MARK_PROMPTING ||
				(any && mark->state == MARK_PROMPTED)))
			return mark;
	}
	return NULL;
}

void mark_running(
	struct conversation *conversation, const char *binding_id, const char *command_id)
{
	struct mark *mark = NULL;

	if (command_id != NULL)
		mark = find_command(conversation, binding_id, command_id);
	if (mark == NULL)
		mark = find_nameless(conversation, binding_id, command_id == NULL);
	if (mark == NULL || mark->state == MARK_ENDED)
		return;
	mark->state = MARK_RUNNING;
	if (command_id != NULL)
		cg_text_copy(mark->command_id, sizeof(mark->command_id), command_id);
}

/* The receipt may have come before the end of the turn. */

struct look {
	struct conversation *conversation;
	char answer_id[DRAFT_ID_MAX];
};

static void looked(void *arg, enum cg_status status, enum outbox_state state)
{
	struct look *look = arg;

	if (status == CG_OK && look->conversation->running)
		mark_delivered(look->conversation, look->answer_id, state);
	free(look);
}

static void look(struct conversation *conversation, const char *answer_id)
{
	struct look *look = malloc(sizeof(*look));

	if (look == NULL)
		return; /* then only the report tells */
	look->conversation = conversation;
	cg_text_copy(look->answer_id, sizeof(look->answer_id), answer_id);
	outbox_state_of(conversation->parts.journal, answer_id, looked, look);
}

void mark_ended(struct conversation *conversation, const char *binding_id,
	const char *answer_id, bool failed, bool all)
{
	struct mark *mark, *next;
	bool waits = false;

	for (mark = TAILQ_FIRST(&conversation->marks.list); mark != NULL; mark = next) {
		next = TAILQ_NEXT(mark, link);
		if (strcmp(mark->binding_id, binding_id) != 0)
			continue;
		if (mark->state == MARK_PROMPTED && all) {
			conclude(conversation, mark, true);
		} else if (mark->state == MARK_RUNNING && answer_id[0] == '\0') {
			conclude(conversation, mark, failed);
		} else if (mark->state == MARK_RUNNING) {
			mark->state = MARK_ENDED;
			mark->failed = failed;
			cg_text_copy(mark->answer_id, sizeof(mark->answer_id), answer_id);
			waits = true;
		}
	}
	if (waits)
		look(conversation, answer_id);
}

void mark_delivered(struct conversation *conversation, const char *delivery_id,
	enum outbox_state state)
{
	struct mark *mark, *next;

	if (state != OUTBOX_SENT && state != OUTBOX_DEAD && state != OUTBOX_SUPERSEDED)
		return;
	for (mark = TAILQ_FIRST(&conversation->marks.list); mark != NULL; mark = next) {
		next = TAILQ_NEXT(mark, link);
		if (mark->state == MARK_ENDED &&
			strcmp(mark->answer_id, delivery_id) == 0)
			conclude(
				conversation, mark, mark->failed || state == OUTBOX_DEAD);
	}
}
