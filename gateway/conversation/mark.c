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
	bool late; /* what was told of its turn may have come before it */
	bool kept; /* the journal knows that it runs */
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

/* The journal forgets it when it has had the time to be shown. */
static void retire(struct conversation *conversation, int64_t message_id)
{
	struct marks *marks = &conversation->marks;

	if (marks->over_count == INBOX_MARKED) {
		inbox_unmark(conversation->parts.journal, marks->over, marks->over_count);
		marks->over_count = marks->ripe = 0;
	}
	marks->over[marks->over_count++] = message_id;
	if (!loop_timer_pending(&marks->rest))
		loop_timer_set(&marks->rest, MARK_REST_MS);
}

static void rested(void *arg)
{
	struct conversation *conversation = arg;
	struct marks *marks = &conversation->marks;

	if (marks->ripe > 0)
		inbox_unmark(conversation->parts.journal, marks->over, marks->ripe);
	marks->over_count -= marks->ripe;
	memmove(marks->over, marks->over + marks->ripe,
		marks->over_count * sizeof(marks->over[0]));
	marks->ripe = marks->over_count;
	if (marks->over_count > 0)
		loop_timer_set(&marks->rest, MARK_REST_MS);
}

static void conclude(struct conversation *conversation, struct mark *mark, bool failed)
{
	retire(conversation, mark->message_id);
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

enum cg_status marks_init(struct conversation *conversation)
{
	return loop_timer_init(&conversation->marks.rest, conversation->parts.loop,
		rested, conversation);
}

void marks_finish(struct conversation *conversation)
{
	struct mark *mark;

	while ((mark = TAILQ_FIRST(&conversation->marks.list)) != NULL)
		mark_forget(conversation, mark);
	loop_timer_finish(&conversation->marks.rest);
}

/* Beginnings. */

static bool can_mark(const struct conversation *conversation, const char *instance,
	const char *message_id)
{
	const struct outlet *outlet = conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	return conversation->options.reactions && message_id != NULL &&
	       outlet->capabilities(outlet->self, instance, &capabilities) !=
		       CG_NOT_FOUND &&
	       capabilities.reactions;
}

/* Takes @route over, also on failure, which is NULL. */
static struct mark *add(struct conversation *conversation, int64_t message_id,
	const char *target, struct draft_route *route)
{
	struct mark *mark = calloc(1, sizeof(*mark));

	if (mark != NULL)
		mark->target = strdup(target);
	if (mark == NULL || mark->target == NULL) {
		draft_route_finish(route);
		free(mark);
		return NULL;
	}
	if (conversation->marks.count == MARKS)
		mark_forget(conversation, TAILQ_FIRST(&conversation->marks.list));
	mark->message_id = message_id;
	mark->route = *route;
	TAILQ_INSERT_TAIL(&conversation->marks.list, mark, link);
	conversation->marks.count++;
	return mark;
}

void mark_seen(struct conversation *conversation, const struct inbox_message *message)
{
	struct draft_route route;
	struct mark *mark;

	/* One whose turn began before a restart is restored, or concluded. */
	if (message->mark >= INBOX_MARK_RUNNING ||
		find(conversation, message->id) != NULL ||
		!can_mark(conversation, message->instance, message->message_id) ||
		draft_route_from_message(&route, message) != CG_OK)
		return;
	mark = add(conversation, message->id, message->message_id, &route);
	if (mark == NULL)
		return;
	mark->late = message->id <= conversation->found_after;
	show(conversation, mark, CG_REACTION_SEEN);
}

void mark_handed(struct conversation *conversation, const struct inbox_message *message,
	const char *binding_id)
{
	mark_seen(conversation, message);
	mark_prompting(conversation, message->id, binding_id);
	mark_prompted(conversation, message->id, "");
}

void mark_prompting(
	struct conversation *conversation, int64_t message_id, const char *binding_id)
{
	struct mark *mark = find(conversation, message_id);

	if (mark == NULL)
		return;
	if (mark->state == MARK_SEEN)
		mark->state = MARK_PROMPTING;
	cg_text_copy(mark->binding_id, sizeof(mark->binding_id), binding_id);
}

void mark_prompted(
	struct conversation *conversation, int64_t message_id, const char *command_id)
{
	struct mark *mark = find(conversation, message_id);

	/* Its turn may have begun before the answer to the call came. */
	if (mark == NULL || mark->state == MARK_SEEN || mark->state == MARK_ENDED)
		return;
	/* Events that name no command, or a restart, leave open whose turn it is. */
	if (mark->state != MARK_RUNNING ||
		(mark->command_id[0] != '\0' &&
			strcmp(mark->command_id, command_id) != 0))
		mark->state = MARK_PROMPTED;
	cg_text_copy(mark->command_id, sizeof(mark->command_id), command_id);
}

/* NULL for "". */
static const char *text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

struct inbox_mark mark_of(struct conversation *conversation, int64_t message_id)
{
	const struct mark *mark = find(conversation, message_id);
	struct inbox_mark ret = {.state = INBOX_UNMARKED};

	if (mark == NULL)
		return ret;
	ret.binding_id = text_or_null(mark->binding_id);
	ret.command_id = text_or_null(mark->command_id);
	ret.answer_id = text_or_null(mark->answer_id);
	if (mark->state == MARK_ENDED)
		ret.state = mark->failed ? INBOX_MARK_FAILED : INBOX_MARK_ENDED;
	else if (mark->state == MARK_RUNNING)
		ret.state = INBOX_MARK_RUNNING;
	else if (mark->state == MARK_PROMPTED)
		ret.state = INBOX_MARK_PROMPTED;
	else
		ret.state = INBOX_MARK_SEEN;
	return ret;
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
				(mark->state == MARK_PROMPTED &&
					(any || mark->command_id[0] == '\0'))))
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

size_t marks_moving(struct conversation *conversation, const char *binding_id, bool over,
	int64_t *ret_ids)
{
	const struct mark *mark;
	size_t count = 0;

	TAILQ_FOREACH (mark, &conversation->marks.list, link) {
		if (count < OUTBOX_MARKED && mark->state == MARK_RUNNING &&
			(over || !mark->kept) &&
			strcmp(mark->binding_id, binding_id) == 0)
			ret_ids[count++] = mark->message_id;
	}
	return count;
}

void marks_moved(struct conversation *conversation, const char *binding_id)
{
	struct mark *mark;

	TAILQ_FOREACH (mark, &conversation->marks.list, link) {
		if (strcmp(mark->binding_id, binding_id) == 0)
			mark->kept = mark->state == MARK_RUNNING;
	}
}

/* The receipt may have come before the end of the turn. */

struct look {
	struct conversation *conversation;
	char answer_id[DRAFT_ID_MAX];
};

static void looked(void *arg, enum cg_status status, enum outbox_state state)
{
	struct look *look = arg;

	/* What is not known any more was sent a long time ago. */
	if (look->conversation->running && (status == CG_OK || status == CG_NOT_FOUND))
		mark_delivered(look->conversation, look->answer_id,
			status == CG_OK ? state : OUTBOX_SENT);
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
			conclude(conversation, mark, !mark->late);
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

/* After a restart. */

static void go_on(struct conversation *conversation, struct mark *mark,
	const struct inbox_marked *was)
{
	bool over = was->mark.state == INBOX_MARK_ENDED ||
		    was->mark.state == INBOX_MARK_FAILED;

	mark->failed = was->mark.state == INBOX_MARK_FAILED;
	mark->kept = was->mark.state == INBOX_MARK_RUNNING;
	if (over && mark->answer_id[0] != '\0') {
		mark->state = MARK_ENDED;
		look(conversation, mark->answer_id);
	} else if (over) {
		conclude(conversation, mark, mark->failed);
	} else if (was->mark.state == INBOX_MARK_SEEN) {
		/* It became no prompt, and its end was not shown. */
		conclude(conversation, mark, was->dead || !was->decided);
	} else if (was->closed && !was->open) {
		conclude(conversation, mark, true); /* nothing more will come */
	} else {
		mark->state = mark->kept ? MARK_RUNNING : MARK_PROMPTED;
	}
}

static void restore(struct conversation *conversation, const struct inbox_marked *was)
{
	const struct cursor way = {.instance = was->instance,
		.chat_id = was->chat_id,
		.thread_id = was->thread_id,
		.user_id = was->user_id,
		.context = was->context,
		.is_direct = was->is_direct};
	struct draft_route route;
	struct mark *mark;

	if (!can_mark(conversation, was->instance, was->message_id) ||
		draft_route_from_cursor(&route, &way) != CG_OK)
		return;
	mark = add(conversation, was->id, was->message_id, &route);
	if (mark == NULL)
		return;
	if (was->mark.binding_id != NULL)
		cg_text_copy(
			mark->binding_id, sizeof(mark->binding_id), was->mark.binding_id);
	if (was->mark.command_id != NULL)
		cg_text_copy(
			mark->command_id, sizeof(mark->command_id), was->mark.command_id);
	if (was->mark.answer_id != NULL)
		cg_text_copy(
			mark->answer_id, sizeof(mark->answer_id), was->mark.answer_id);
	go_on(conversation, mark, was);
}

static void listed(void *arg, enum cg_status status,
	const struct inbox_marked *const *marked, size_t count)
{
	struct conversation *conversation = arg;

	for (size_t i = 0; status == CG_OK && conversation->running && i < count; i++)
		restore(conversation, marked[i]);
}

void marks_restore(struct conversation *conversation)
{
	if (conversation->options.reactions)
		inbox_list_marked(conversation->parts.journal, listed, conversation);
}
