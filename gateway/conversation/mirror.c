/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/mirror.h"

#include "cloud-client/channel.h"

#include <stdlib.h>
#include <string.h>

struct reflection {
	TAILQ_ENTRY(reflection) link;
	int64_t sequence;
	char binding_id[];
};

static void drop(struct mirror *mirror, struct reflection *reflection)
{
	TAILQ_REMOVE(&mirror->waiting, reflection, link);
	mirror->count--;
	free(reflection);
}

static void write_next(struct conversation *conversation);

static void written(
	void *arg, const struct cloud_result *result, const struct cloud_cursor *cursor)
{
	struct conversation *conversation = arg;

	(void)cursor; /* a stale one is a gateway's that is further */
	conversation->mirror.call = NULL;
	if (result->error == CLOUD_OK || result->error == CLOUD_NOT_FOUND)
		write_next(conversation);
	else if (conversation->mirror.count > 0)
		loop_timer_set(&conversation->mirror.timer, MIRROR_MS);
}

/* One after the other: nobody waits for it. */
static void write_next(struct conversation *conversation)
{
	struct mirror *mirror = &conversation->mirror;
	struct reflection *first = TAILQ_FIRST(&mirror->waiting);
	struct cloud_cursor_params params;

	if (first == NULL || mirror->call != NULL)
		return;
	params = (struct cloud_cursor_params){
		.binding_id = first->binding_id, .last_event_sequence = first->sequence};
	if (cloud_set_cursor(conversation->parts.client, &params, written, conversation,
		    &mirror->call) != CG_OK)
		mirror->call = NULL;
	drop(mirror, first);
}

static void time_came(void *arg)
{
	write_next(arg);
}

void mirror_note(
	struct conversation *conversation, const char *binding_id, int64_t sequence)
{
	struct mirror *mirror = &conversation->mirror;
	size_t length = strlen(binding_id) + 1;
	struct reflection *reflection;

	if (!conversation->options.mirror || sequence <= 0)
		return;
	TAILQ_FOREACH (reflection, &mirror->waiting, link) {
		if (strcmp(reflection->binding_id, binding_id) == 0) {
			reflection->sequence = sequence;
			return;
		}
	}
	if (mirror->count == MIRROR_SESSIONS)
		return;
	reflection = malloc(sizeof(*reflection) + length);
	if (reflection == NULL)
		return;
	reflection->sequence = sequence;
	memcpy(reflection->binding_id, binding_id, length);
	TAILQ_INSERT_TAIL(&mirror->waiting, reflection, link);
	mirror->count++;
	if (!loop_timer_pending(&mirror->timer))
		loop_timer_set(&mirror->timer, MIRROR_MS);
}

enum cg_status mirror_init(struct conversation *conversation)
{
	TAILQ_INIT(&conversation->mirror.waiting);
	return loop_timer_init(&conversation->mirror.timer, conversation->parts.loop,
		time_came, conversation);
}

void mirror_finish(struct conversation *conversation)
{
	struct mirror *mirror = &conversation->mirror;

	cloud_call_cancel(mirror->call);
	while (!TAILQ_EMPTY(&mirror->waiting))
		drop(mirror, TAILQ_FIRST(&mirror->waiting));
	loop_timer_finish(&mirror->timer);
}
