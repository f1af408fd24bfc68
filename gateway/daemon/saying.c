/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator's program has said or paused. */
#include "gateway/daemon/house.h"

#include "gateway/conversation/draft.h"
#include "gateway/journal/inbox.h"

#include <cowgate/sdk/error.h>
#include <stdlib.h>
#include <string.h>

#define SAYING_PAUSED "gateway.paused" /* checkpoint of an instance: "1" while it is */

/* A completion that comes on a later turn without having been to the journal. */
struct saying {
	struct loop_task task;
	journal_done done;
	void *arg;
	enum cg_status status;
};

static void tell(void *arg)
{
	struct saying *saying = arg;
	struct cg_error err = {.text = ""};

	cg_error_set(&err, saying->status, "%s", cg_status_text(saying->status));
	saying->done(saying->arg, saying->status, &err);
	free(saying);
}

static void tell_later(
	struct loop *loop, enum cg_status status, journal_done done, void *arg)
{
	struct saying *saying = malloc(sizeof(*saying));

	if (saying == NULL)
		abort();
	*saying = (struct saying){.done = done, .arg = arg, .status = status};
	loop_task_init(&saying->task, tell, saying);
	loop_defer(loop, &saying->task);
}

static char *copy(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

void saying_say(void *arg, const struct operator_message *message, journal_done done,
	void *done_arg)
{
	struct daemon *daemon = arg;
	struct draft_route route = {.instance = copy(message->instance),
		.chat_id = copy(message->chat_id),
		.thread_id = copy(message->thread_id)};
	const struct draft_text text = {.delivery_id = message->delivery_id,
		.source = message->text,
		.purpose = OUTBOX_DELIVERY};
	struct drafts drafts = {.items = NULL};
	enum cg_status status = CG_NOMEM;

	if (supervisor_find(daemon->supervisor, message->instance) == NULL)
		status = CG_NOT_FOUND;
	else if (route.instance != NULL && route.chat_id != NULL &&
		 (route.thread_id != NULL || message->thread_id == NULL))
		status = drafts_add_text(&drafts, &daemon->outlet, &route, &text);
	if (status != CG_OK)
		tell_later(daemon->loop, status == CG_LIMIT ? CG_INVALID : status, done,
			done_arg);
	else
		outbox_say(daemon->journal, drafts.items, drafts.count, done, done_arg);
	drafts_finish(&drafts);
	draft_route_finish(&route);
}

/* Pauses. */

struct pausing {
	struct daemon *daemon;
	journal_done done;
	void *arg;
	bool pause;
	char instance[];
};

static void stored(void *arg, enum cg_verdict verdict)
{
	struct pausing *pausing = arg;
	struct instance *instance =
		supervisor_find(pausing->daemon->supervisor, pausing->instance);
	struct cg_error err = {.text = ""};
	bool well = verdict == CG_VERDICT_COMMITTED && instance != NULL;

	if (well && !pausing->daemon->stopping)
		supervisor_pause(pausing->daemon->supervisor, instance, pausing->pause);
	/* What waits may be tried as at any start, before the channel has heard anything. */
	if (well && !pausing->pause) {
		delivery_resume(pausing->daemon->delivery, pausing->instance);
		delivery_wake(pausing->daemon->delivery);
	}
	pausing->done(pausing->arg, well ? CG_OK : CG_IO, &err);
	free(pausing);
}

void saying_pause(
	void *arg, const char *id, bool pause, journal_done done, void *done_arg)
{
	struct daemon *daemon = arg;
	const struct cg_checkpoint checkpoint = {
		.key = SAYING_PAUSED, .value = pause ? "1" : "0"};
	size_t size = strlen(id) + 1;
	struct pausing *pausing;

	if (supervisor_find(daemon->supervisor, id) == NULL) {
		tell_later(daemon->loop, CG_NOT_FOUND, done, done_arg);
		return;
	}
	pausing = malloc(sizeof(*pausing) + size);
	if (pausing == NULL) {
		tell_later(daemon->loop, CG_NOMEM, done, done_arg);
		return;
	}
	*pausing = (struct pausing){
		.daemon = daemon, .done = done, .arg = done_arg, .pause = pause};
	memcpy(pausing->instance, id, size);
	inbox_checkpoint(daemon->journal, id, &checkpoint, stored, pausing);
}

bool saying_is_paused(void *arg, const struct instance *instance)
{
	const struct daemon *daemon = arg;
	char value[8];

	return inbox_checkpoint_load(daemon->journal, instance_id(instance),
		       SAYING_PAUSED, value, sizeof(value)) &&
	       strcmp(value, "1") == 0;
}
