/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chat thread is bound anew, as by /new, so that nothing leads back; then what is known under
 * its earlier generations goes: first on the other side, then here.  Whatever interrupts it, the
 * message that asks for it stays in the inbox and it begins again.
 */
#include "gateway/conversation/forgetting.h"

#include "gateway/conversation/errand.h"
#include "gateway/conversation/stream.h"
#include "gateway/journal/forget.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FORGETTING_AT_ONCE 16 /* generations in one call */

static void step_other_side(struct errand *errand);

static void finish(struct errand *errand, enum words words)
{
	errand_say(errand, "reply", words_text(words));
	errand_finish(errand, INBOX_HANDED, "command");
}

/* Here. */

static void forgotten_here(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct errand *errand = arg;

	(void)err;
	if (!errand_back_from_journal(errand))
		return;
	if (status != CG_OK)
		errand_wait(
			errand); /* a message of it is being sent, or the disk is full */
	else if (!errand->conversation->can_forget)
		finish(errand, WORDS_FORGOTTEN_HERE);
	else
		finish(errand, errand->agent_keeps ? WORDS_FORGOTTEN_BUT_AGENT
						   : WORDS_FORGOTTEN);
}

static void step_here(struct errand *errand)
{
	const struct inbox_message *message = errand->message;
	const struct journal_forget what = {
		.instance = message->instance,
		.chat_id = message->chat_id,
		.thread_id = message->thread_id,
		.keep_binding = errand->binding_id,
	};

	errand->waiting_for_journal = true;
	journal_forget(
		errand->conversation->parts.journal, &what, forgotten_here, errand);
}

/* On the other side, the latest generations first. */

static void forgotten_there(void *arg, const struct cloud_result *result,
	const struct cloud_forgotten *forgotten)
{
	struct errand *errand = arg;

	errand->call = NULL;
	if (result->error != CLOUD_OK) {
		errand_failed(errand, result);
		return;
	}
	errand->agent_keeps |= forgotten->agent_keeps;
	errand->generations -= errand->generations < FORGETTING_AT_ONCE
				       ? errand->generations
				       : FORGETTING_AT_ONCE;
	errand_go(errand, step_other_side);
}

static void step_other_side(struct errand *errand)
{
	const struct inbox_message *message = errand->message;
	char threads[FORGETTING_AT_ONCE][EXTERNAL_ID], chat[EXTERNAL_ID],
		thread[ERRAND_THREAD];
	const char *ids[FORGETTING_AT_ONCE];
	struct cloud_actor actor;
	struct cloud_forget_params params = {
		.channel_binding_id = errand->channel->binding_id,
		.actor = &actor,
		.external_chat_id = chat,
		.external_thread_ids = ids,
	};

	if (!errand->conversation->can_forget || errand->generations == 0) {
		errand_go(errand, step_here);
		return;
	}
	external_id(message->chat_id, chat);
	for (; params.count < FORGETTING_AT_ONCE && params.count < errand->generations;
		params.count++) {
		errand_thread_id(message,
			errand->generations - 1 - (unsigned)params.count, thread,
			sizeof(thread));
		external_id(thread, threads[params.count]);
		ids[params.count] = threads[params.count];
	}
	errand_actor(errand, &actor);
	errand_begun(errand, cloud_forget_threads(errand->conversation->parts.client,
				     &params, forgotten_there, errand, &errand->call));
}

/* A new conversation. */

/* What still comes of the earlier ones is not shown any more. */
static void close_streams(struct errand *errand)
{
	const struct inbox_message *message = errand->message;
	struct conversation *conversation = errand->conversation;

	stream_destroy_thread(conversation, message->instance, message->chat_id,
		message->thread_id, errand->binding_id);
}

static void step_renewed(struct errand *errand)
{
	close_streams(errand);
	errand->generations = errand->generation;
	errand_go(errand, step_other_side);
}

static bool is_confirmed(const char *args)
{
	size_t length;

	if (args == NULL)
		return false;
	args += strspn(args, " \t\n");
	length = strcspn(args, " \t\n");
	return length == 3 && strncasecmp(args, "yes", 3) == 0 &&
	       args[length + strspn(args + length, " \t\n")] == '\0';
}

static void step_ask(struct errand *errand)
{
	if (!errand->conversation->probed)
		errand_wait(errand); /* what the other side can do is not known yet */
	else
		finish(errand, errand->conversation->can_forget ? WORDS_FORGET_ASK
								: WORDS_FORGET_ASK_HERE);
}

void forgetting_run(struct errand *errand)
{
	if (is_confirmed(errand->message->command_args))
		errand_renew(errand, step_renewed);
	else
		errand_go(errand, step_ask);
}
