/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/inbound.h"

#include "gateway/conversation/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INBOUND_REREAD_MS 1000 /* before the journal is read again after it failed */
#define THREAD_KEY 1280 /* bytes of instance, chat and thread together */

struct waiting {
	STAILQ_ENTRY(waiting) link;
	struct inbox_message *message; /* owned */
};

struct thread {
	LIST_ENTRY(thread) bucket;
	TAILQ_ENTRY(thread) ready; /* while it has a message and none on its way */
	struct conversation *conversation;
	STAILQ_HEAD(, waiting) messages;
	bool busy; /* one of its messages is on its way */
	bool noticed; /* the person knows that what waits here waits */
	char key[];
};

static void make_key(const struct inbox_message *message, char *ret)
{
	snprintf(ret, THREAD_KEY, "%s\n%s\n%s", message->instance, message->chat_id,
		message->thread_id == NULL ? "" : message->thread_id);
}

static struct thread *find_thread(
	struct conversation *conversation, const struct inbox_message *message)
{
	char key[THREAD_KEY];
	struct thread *thread;
	size_t bucket, length;

	make_key(message, key);
	bucket = conversation_bucket(key);
	LIST_FOREACH (thread, &conversation->threads[bucket], bucket) {
		if (strcmp(thread->key, key) == 0)
			return thread;
	}
	length = strlen(key) + 1;
	thread = calloc(1, sizeof(*thread) + length);
	if (thread == NULL)
		return NULL;
	memcpy(thread->key, key, length);
	thread->conversation = conversation;
	STAILQ_INIT(&thread->messages);
	LIST_INSERT_HEAD(&conversation->threads[bucket], thread, bucket);
	return thread;
}

static void forget_if_empty(struct thread *thread)
{
	if (thread->busy || !STAILQ_EMPTY(&thread->messages))
		return;
	LIST_REMOVE(thread, bucket);
	free(thread);
}

/* False: no memory; the message is read again later. */
static bool enqueue(struct conversation *conversation, struct inbox_message *message)
{
	struct thread *thread = find_thread(conversation, message);
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (thread == NULL || waiting == NULL) {
		if (thread != NULL)
			forget_if_empty(thread);
		free(waiting);
		return false;
	}
	waiting->message = message;
	if (!thread->busy && STAILQ_EMPTY(&thread->messages))
		TAILQ_INSERT_TAIL(&conversation->ready, thread, ready);
	STAILQ_INSERT_TAIL(&thread->messages, waiting, link);
	conversation->queued++;
	return true;
}

static bool take_in(struct conversation *conversation, struct inbox_message *message)
{
	if (message->type == CG_EVENT_INTERACTION ||
		(chat_command_find(message) != NULL && !chat_command_waits(message)))
		return errand_begin(conversation, NULL, message) == CG_OK;
	return enqueue(conversation, message);
}

static void page_read(
	void *arg, enum cg_status status, struct inbox_message **messages, size_t count)
{
	struct conversation *conversation = arg;
	bool taken = conversation->running;

	conversation->reading = false;
	/* What came in while the page was read has said so meanwhile. */
	if (status == CG_OK && count == INBOX_PAGE)
		conversation->more = true;
	if (status == CG_OK && !conversation->caught_up) {
		if (count > 0)
			conversation->found_after = messages[count - 1]->id;
		conversation->caught_up = count < INBOX_PAGE;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t id = messages[i]->id;

		taken = taken && take_in(conversation, messages[i]);
		if (taken)
			conversation->read_after = id;
		else
			inbox_message_destroy(messages[i]);
	}
	free(messages);
	if (conversation->running && (status != CG_OK || (count > 0 && !taken)))
		loop_timer_set(&conversation->reread, INBOUND_REREAD_MS);
	inbound_pump(conversation);
}

static void reread_due(void *arg)
{
	struct conversation *conversation = arg;

	conversation->more = true;
	inbound_pump(conversation);
}

static void begin_next(struct conversation *conversation, struct thread *thread)
{
	struct waiting *waiting = STAILQ_FIRST(&thread->messages);

	TAILQ_REMOVE(&conversation->ready, thread, ready);
	STAILQ_REMOVE_HEAD(&thread->messages, link);
	conversation->queued--;
	thread->busy = true;
	if (errand_begin(conversation, thread, waiting->message) != CG_OK) {
		thread->busy = false;
		/* No memory: put it back where it was, and let something else end first. */
		STAILQ_INSERT_HEAD(&thread->messages, waiting, link);
		TAILQ_INSERT_TAIL(&conversation->ready, thread, ready);
		conversation->queued++;
		return;
	}
	free(waiting);
}

/* False: enough for now; the pump runs again when there is more. */
static bool may_begin(struct conversation *conversation)
{
	int64_t now_ms = conversation_mono_ms(conversation);
	struct journal_figures figures;

	journal_figures(conversation->parts.journal, &figures);
	if (pace_allows(&conversation->pace, now_ms, figures.inbox_stored))
		return true;
	loop_timer_set(&conversation->breath, pace_wait_ms(&conversation->pace, now_ms));
	return false;
}

static void pump(void *arg)
{
	struct conversation *conversation = arg;
	size_t before = conversation->errand_count + 1;

	while (conversation->running && !TAILQ_EMPTY(&conversation->ready) &&
		conversation->errand_count < conversation->options.concurrency &&
		conversation->errand_count != before && may_begin(conversation)) {
		before = conversation->errand_count;
		pace_count(&conversation->pace);
		begin_next(conversation, TAILQ_FIRST(&conversation->ready));
	}
	if (conversation->running && conversation->more && !conversation->reading &&
		conversation->queued + conversation->errand_count <
			CONVERSATION_WINDOW / 2) {
		conversation->reading = true;
		conversation->more = false;
		inbox_read(conversation->parts.journal, conversation->read_after,
			page_read, conversation);
	}
}

void inbound_pump(struct conversation *conversation)
{
	loop_defer(conversation->parts.loop, &conversation->pump);
}

bool inbound_may_notice(struct errand *errand)
{
	bool first = errand->thread == NULL || !errand->thread->noticed;

	if (errand->thread != NULL)
		errand->thread->noticed = true;
	return first;
}

void inbound_errand_over(struct errand *errand)
{
	struct conversation *conversation = errand->conversation;
	struct thread *thread = errand->thread;

	if (thread != NULL) {
		thread->busy = false;
		if (STAILQ_EMPTY(&thread->messages))
			forget_if_empty(thread);
		else
			TAILQ_INSERT_TAIL(&conversation->ready, thread, ready);
		errand->thread = NULL;
	}
	inbound_pump(conversation);
}

void inbound_shift(struct conversation *conversation, int64_t delta_ms)
{
	const int64_t old_now_ms = conversation_wall_ms(conversation) - delta_ms;
	struct errand *errand;

	LIST_FOREACH (errand, &conversation->errands, link) {
		int64_t *received_ms = &errand->message->received_ms;

		*received_ms = journal_shifted(*received_ms, old_now_ms, delta_ms);
	}
	for (size_t i = 0; i < CONVERSATION_BUCKETS; i++) {
		const struct thread *thread;

		LIST_FOREACH (thread, &conversation->threads[i], bucket) {
			struct waiting *waiting;

			STAILQ_FOREACH (waiting, &thread->messages, link) {
				int64_t *received_ms = &waiting->message->received_ms;

				*received_ms = journal_shifted(
					*received_ms, old_now_ms, delta_ms);
			}
		}
	}
}

static void breath_due(void *arg)
{
	inbound_pump(arg);
}

enum cg_status inbound_init(struct conversation *conversation)
{
	enum cg_status status;

	for (size_t i = 0; i < CONVERSATION_BUCKETS; i++)
		LIST_INIT(&conversation->threads[i]);
	TAILQ_INIT(&conversation->ready);
	LIST_INIT(&conversation->errands);
	loop_task_init(&conversation->pump, pump, conversation);
	conversation->more = true;
	status = loop_timer_init(&conversation->reread, conversation->parts.loop,
		reread_due, conversation);
	if (status == CG_OK)
		status = loop_timer_init(&conversation->breath, conversation->parts.loop,
			breath_due, conversation);
	return status;
}

void inbound_finish(struct conversation *conversation)
{
	struct errand *errand;

	while ((errand = LIST_FIRST(&conversation->errands)) != NULL)
		errand_destroy(errand);
	for (size_t i = 0; i < CONVERSATION_BUCKETS; i++) {
		struct thread *thread;

		while ((thread = LIST_FIRST(&conversation->threads[i])) != NULL) {
			struct waiting *waiting;

			while ((waiting = STAILQ_FIRST(&thread->messages)) != NULL) {
				STAILQ_REMOVE_HEAD(&thread->messages, link);
				inbox_message_destroy(waiting->message);
				free(waiting);
			}
			forget_if_empty(thread);
		}
	}
	loop_undefer(conversation->parts.loop, &conversation->pump);
	loop_timer_finish(&conversation->reread);
	loop_timer_finish(&conversation->breath);
}
