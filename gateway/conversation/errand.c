/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/errand.h"

#include "gateway/conversation/command.h"
#include "gateway/conversation/decision.h"
#include "gateway/conversation/inbound.h"
#include "gateway/conversation/mark.h"
#include "gateway/conversation/stream.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRAND_RETRY_MS 1000
#define ERRAND_RETRY_MAX_MS 30000

static void step_identify(struct errand *errand);
static void step_close(struct errand *errand);

/* Steps and waiting. */

void errand_go(struct errand *errand, void (*step)(struct errand *errand))
{
	errand->step = step;
	step(errand);
}

static void wait_over(void *arg)
{
	struct errand *errand = arg;

	errand->step(errand);
}

static void retry(struct errand *errand, int64_t at_least_ms)
{
	int64_t delay = cg_retry_reconnect(ERRAND_RETRY_MS, ERRAND_RETRY_MAX_MS,
		errand->failures, conversation_random(errand->conversation));

	errand->failures++;
	loop_timer_set(&errand->timer, delay > at_least_ms ? delay : at_least_ms);
}

void errand_wait(struct errand *errand)
{
	retry(errand, 0);
}

static void add_words(struct errand *errand, struct drafts *drafts, const char *suffix,
	const char *text)
{
	char id[DRAFT_ID_MAX];
	struct draft_text draft = {
		.delivery_id = id, .source = text, .purpose = OUTBOX_NOTICE};

	/* A repeat makes the same id again. */
	snprintf(id, sizeof(id), "%s:%s:%s", errand->message->instance,
		errand->message->event_id, suffix);
	drafts_add_text(
		drafts, errand->conversation->parts.outlet, &errand->route, &draft);
}

void errand_say(struct errand *errand, const char *suffix, const char *text)
{
	add_words(errand, &errand->drafts, suffix, text);
}

void errand_whisper(struct errand *errand, const char *suffix, const char *text)
{
	size_t from = errand->drafts.count;

	errand_say(errand, suffix, text);
	for (size_t i = from; i < errand->drafts.count; i++)
		errand->drafts.items[i].silent = true;
}

/* The answer to a press. */

static void send_answer(struct errand *errand)
{
	struct conversation *conversation = errand->conversation;
	const struct inbox_message *message = errand->message;
	struct delivery_route route;

	/* Once: also one that was answered before a restart is not answered again. */
	if (errand->answered || errand->answer[0] == '\0' ||
		message->interaction_id == NULL ||
		message->id <= conversation->found_after)
		return;
	errand->answered = true;
	draft_route_view(&errand->route, &route);
	delivery_answer(conversation->parts.delivery, &route, message->interaction_id,
		errand->answer, errand->answer_alert);
}

void errand_answer_press(struct errand *errand, const char *text, bool refusal)
{
	const struct outlet *outlet = errand->conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	outlet->capabilities(outlet->self, errand->message->instance, &capabilities);
	cg_text_copy(errand->answer, sizeof(errand->answer), text);
	errand->answer_alert = refusal;
	if (refusal && !capabilities.answer)
		errand_say(errand, "press", text);
}

void errand_answer_now(struct errand *errand, const char *text)
{
	cg_text_copy(errand->answer, sizeof(errand->answer), text);
	send_answer(errand);
}

bool errand_back_from_journal(struct errand *errand)
{
	errand->waiting_for_journal = false;
	if (errand->dying)
		errand_destroy(errand);
	return !errand->dying;
}

/* The end: the claim is completed, then the row is closed with what is to be said. */

static void tell_closed(const struct errand *errand)
{
	const struct conversation_options *options = &errand->conversation->options;

	if (options->closed != NULL)
		options->closed(options->arg, errand->message, errand->end,
			errand->reason[0] == '\0' ? NULL : errand->reason);
}

static void closed(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct errand *errand = arg;

	(void)err;
	errand->waiting_for_journal = false;
	if (errand->dying) {
		errand_destroy(errand);
		return;
	}
	if (status != CG_OK) {
		retry(errand, 0);
		return;
	}
	send_answer(errand);
	tell_closed(errand);
	mark_closed(errand->conversation, errand->message->id, errand->end,
		strcmp(errand->reason, "interaction") == 0);
	errand_destroy(errand);
}

static void step_close(struct errand *errand)
{
	const struct inbox_closing closing = {
		.id = errand->message->id,
		.end = errand->end,
		.reason = errand->reason[0] == '\0' ? NULL : errand->reason,
		.mark = mark_of(errand->conversation, errand->message->id),
		.obligations = errand->drafts.items,
		.count = errand->drafts.count,
	};

	errand->waiting_for_journal = true;
	inbox_finish(errand->conversation->parts.journal, &closing, closed, errand);
}

static void completed(void *arg, const struct cloud_result *result,
	const struct cloud_provider_event *event)
{
	struct errand *errand = arg;

	(void)event;
	errand->call = NULL;
	if (result->retryable) {
		errand_failed(errand, result);
		return;
	}
	errand_go(errand, step_close); /* a claim that is no longer ours is done */
}

static void step_complete(struct errand *errand)
{
	struct cloud_complete_params params = {
		.event_id = errand->event_id,
		.processed = errand->end == INBOX_HANDED,
		.last_error = errand->end == INBOX_HANDED ? NULL : errand->reason,
	};

	if (errand->event_id[0] == '\0') {
		errand_go(errand, step_close);
		return;
	}
	params.channel_binding_id = errand->channel->binding_id;
	errand_begun(errand, cloud_complete(errand->conversation->parts.client, &params,
				     completed, errand, &errand->call));
}

void errand_finish(struct errand *errand, enum inbox_end end, const char *reason)
{
	errand->end = end;
	cg_text_copy(
		errand->reason, sizeof(errand->reason), reason == NULL ? "" : reason);
	if (errand->stream != NULL)
		stream_expected(errand->stream);
	errand->stream = NULL;
	errand_go(errand, step_complete);
}

/* Trouble. */

static bool is_ending(const struct errand *errand)
{
	return errand->step == step_complete || errand->step == step_close;
}

static int64_t age_ms(const struct errand *errand)
{
	return conversation_wall_ms(errand->conversation) - errand->message->received_ms;
}

/* An agent must not run an order that nobody remembers giving. */
static bool is_too_old(const struct errand *errand)
{
	const struct conversation *conversation = errand->conversation;

	return clock_sane(loop_clock(conversation->parts.loop)) &&
	       age_ms(errand) >= conversation->options.handover_ms;
}

static void expire(struct errand *errand)
{
	errand_say(errand, "expired", words_text(WORDS_EXPIRED));
	conversation_tell(errand->conversation, CONVERSATION_EXPIRED,
		errand->message->instance, NULL);
	errand->end = INBOX_DEAD;
	cg_text_copy(errand->reason, sizeof(errand->reason), "deadline");
	if (errand->stream != NULL)
		stream_expected(errand->stream);
	errand->stream = NULL;
	errand_go(errand, step_close); /* the Cloud is away: its claim lapses by itself */
}

/* Once, after a while: the person learns that the message is safe and waits. */
static void notice(struct errand *errand, const char *why)
{
	struct drafts drafts = {.count = 0};

	errand->noticed = true;
	conversation_tell(errand->conversation, CONVERSATION_WAITING,
		errand->message->instance, why);
	add_words(errand, &drafts, "waiting", words_text(WORDS_WAITING));
	outbox_store(errand->conversation->parts.journal, drafts.items, drafts.count,
		NULL, NULL, NULL);
	drafts_finish(&drafts);
}

void errand_begun(struct errand *errand, enum cg_status status)
{
	if (status == CG_OK)
		return;
	errand->call = NULL;
	if (status == CG_INVALID && !is_ending(errand)) {
		errand_say(errand, "refused", words_text(WORDS_REFUSED));
		conversation_tell(errand->conversation, CONVERSATION_REFUSED,
			errand->message->instance, "invalid");
		errand_finish(errand, INBOX_DEAD, "invalid");
	} else if (status == CG_INVALID) {
		errand_go(errand, step_close);
	} else {
		retry(errand, 0);
	}
}

static void refuse(struct errand *errand, const struct cloud_result *result)
{
	const char *code = result->policy_code[0] != '\0'
				   ? result->policy_code
				   : cloud_error_name(result->error);
	enum words words = WORDS_REFUSED;

	if (result->error == CLOUD_PAYMENT_REQUIRED)
		words = WORDS_PAYMENT;
	else if (result->error == CLOUD_FORBIDDEN)
		words = WORDS_STRANGER;
	errand_say(errand, "refused", words_text(words));
	conversation_tell(errand->conversation, CONVERSATION_REFUSED,
		errand->message->instance, code);
	errand_finish(errand, INBOX_DEAD, code);
}

void errand_failed(struct errand *errand, const struct cloud_result *result)
{
	const struct conversation *conversation = errand->conversation;

	if (result->error == CLOUD_UNAUTHORIZED)
		conversation_tell(conversation, CONVERSATION_TOKEN_REFUSED,
			errand->message->instance, result->policy_code);
	else if (!result->retryable && !is_ending(errand)) {
		refuse(errand, result);
		return;
	}
	if (!is_ending(errand) && is_too_old(errand)) {
		expire(errand);
		return;
	}
	if (!errand->noticed && age_ms(errand) >= conversation->options.notice_ms &&
		!is_ending(errand) && inbound_may_notice(errand))
		notice(errand, cloud_error_name(result->error));
	retry(errand, result->retry_after_ms);
}

/* Who is it, and may they? */

void errand_actor(const struct errand *errand, struct cloud_actor *ret)
{
	*ret = (struct cloud_actor){
		.identity_id =
			errand->identity_id[0] == '\0' ? NULL : errand->identity_id,
		.provider = errand->message->instance,
		.external_workspace_id = errand->channel->workspace_id,
		.external_user_id = errand->sender_id,
	};
}

/* A stranger is told at most once in a while, and only with a code that lets them in. */
static void stranger(struct errand *errand, const struct cloud_identity *identity)
{
	char text[512];

	if (identity->pairing_code != NULL && identity->pairing_notify) {
		snprintf(text, sizeof(text),
			"You are not known here yet. Ask a member or the operator to "
			"approve this code: %s",
			identity->pairing_code);
		errand_say(errand, "pairing", text);
	}
	conversation_tell(errand->conversation, CONVERSATION_STRANGER,
		errand->message->instance, identity->status);
	errand_finish(errand, INBOX_HANDED, "stranger");
}

static bool may_prompt(const struct cloud_identity *identity)
{
	return strcmp(identity->status, "active") == 0 &&
	       (strcmp(identity->role, "owner") == 0 ||
		       strcmp(identity->role, "admin") == 0 ||
		       strcmp(identity->role, "member") == 0);
}

static bool is_anything_asked(const struct errand *errand)
{
	struct journal_figures figures;

	journal_figures(errand->conversation->parts.journal, &figures);
	return (errand->message->is_direct || errand->message->reply_to != NULL) &&
	       figures.inquiries > 0;
}

/* An approver decides what others started. */
static bool may_decide(const struct cloud_identity *identity)
{
	return may_prompt(identity) || (strcmp(identity->status, "active") == 0 &&
					       strcmp(identity->role, "approver") == 0);
}

/* Two programs that answer each other never end.  True: it is left alone, and that is said once. */
static bool is_loop(struct errand *errand)
{
	struct conversation *conversation = errand->conversation;
	const struct inbox_message *message = errand->message;
	const struct outlet *outlet = conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	enum brake_verdict verdict;
	int64_t rest_ms = 0;
	char text[512];

	outlet->capabilities(outlet->self, message->instance, &capabilities);
	if (!conversation->options.brake || !capabilities.chat)
		return false;
	verdict = brake_heard(&conversation->brake,
		outbox_lane(message->instance, message->chat_id, message->thread_id),
		message->received_ms, conversation_mono_ms(conversation), &rest_ms);
	if (verdict == BRAKE_FREE)
		return false;
	if (verdict == BRAKE_BEGINS) {
		snprintf(text, sizeof(text),
			"%d messages in a row came within seconds of an answer, as if "
			"two programs talked to each other. Nothing from here goes to "
			"the agent for %lld minutes.",
			BRAKE_TURNS, (long long)(rest_ms / 60000));
		errand_say(errand, "loop", text);
	}
	conversation_tell(conversation,
		verdict == BRAKE_BEGINS ? CONVERSATION_LOOP : CONVERSATION_IGNORED,
		message->instance, message->chat_id);
	errand_finish(errand, INBOX_HANDED, "loop");
	return true;
}

/* What a member says is an answer to what is asked, or a prompt. */
static void take_words(struct errand *errand)
{
	const struct inbox_message *message = errand->message;
	bool files = message->attachment_count > 0;

	if (cg_text_blank(message->text) && !files) {
		conversation_tell(errand->conversation, CONVERSATION_IGNORED,
			message->instance, NULL);
		errand_finish(errand, INBOX_HANDED, "empty");
		return;
	}
	if (is_loop(errand))
		return;
	mark_seen(errand->conversation, message);
	if (is_anything_asked(errand) && !files)
		decision_reply(errand, errand_hand_over);
	else
		errand_hand_over(errand);
}

static void identified(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity)
{
	struct errand *errand = arg;
	const struct inbox_message *message = errand->message;

	errand->call = NULL;
	if (result->error != CLOUD_OK) {
		errand_failed(errand, result);
		return;
	}
	cg_text_copy(
		errand->identity_id, sizeof(errand->identity_id), identity->identity_id);
	errand->failures = 0;
	if (message->type == CG_EVENT_INTERACTION) {
		decision_press(errand, may_decide(identity));
	} else if (!may_prompt(identity) &&
		   (!may_decide(identity) || !chat_command_decides(message))) {
		stranger(errand, identity);
	} else if (message->sender_is_bot) {
		/* Two programs that answer each other never end. */
		conversation_tell(errand->conversation, CONVERSATION_IGNORED,
			message->instance, "bot");
		errand_finish(errand, INBOX_HANDED, "bot");
	} else if (chat_command_find(message) != NULL) {
		conversation_tell(errand->conversation, CONVERSATION_COMMAND,
			message->instance, message->command);
		errand_go(errand, chat_command_find(message));
	} else {
		take_words(errand);
	}
}

static void step_identify(struct errand *errand)
{
	struct cloud_identity_params params = {
		.channel_binding_id = errand->channel->binding_id,
		.username = errand->message->sender_username,
		.display_name = errand->message->sender_name,
	};

	errand_actor(errand, &params.actor);
	errand_begun(errand, cloud_resolve_identity(errand->conversation->parts.client,
				     &params, identified, errand, &errand->call));
}

/* The claim. */

/* Nothing to complete. */
static void finish_duplicate(struct errand *errand)
{
	errand_finish(errand, INBOX_HANDED, "duplicate");
}

/* It was ours: the process ended before the row was closed. */
static void go_on_marked(struct errand *errand)
{
	const struct inbox_message *message = errand->message;

	if (message->type != CG_EVENT_INTERACTION && chat_command_find(message) == NULL &&
		message->id <= errand->conversation->found_after &&
		errand->binding_id[0] != '\0')
		mark_handed(errand->conversation, message, errand->binding_id);
	finish_duplicate(errand);
}

static void claimed(void *arg, const struct cloud_result *result,
	const struct cloud_provider_event *event)
{
	struct errand *errand = arg;
	struct conversation *conversation = errand->conversation;
	bool ours, over;

	errand->call = NULL;
	if (result->error != CLOUD_OK) {
		errand_failed(errand, result);
		return;
	}
	ours = event->claimed_by != NULL &&
	       strcmp(event->claimed_by,
		       cloud_client_claimed_by(conversation->parts.client)) == 0;
	over = strcmp(event->status, "processed") == 0 ||
	       (strcmp(event->status, "failed") == 0 && !event->retryable);
	errand->failures = 0;
	if (event->claimed && event->attempt_count <= 1 && is_too_old(errand)) {
		expire(errand);
	} else if (event->claimed || (ours && !over)) {
		cg_text_copy(errand->event_id, sizeof(errand->event_id), event->event_id);
		errand_go(
			errand, step_identify); /* "ours": it was us, before a restart */
	} else if (over) {
		conversation_tell(conversation, CONVERSATION_DUPLICATE,
			errand->message->instance, NULL);
		if (ours || event->claimed_by == NULL)
			errand_find_session(errand, go_on_marked);
		else
			finish_duplicate(errand);
	} else if (is_too_old(errand)) {
		expire(errand);
	} else {
		retry(errand,
			event->claim_expires_ms - conversation_wall_ms(conversation));
	}
}

static struct json_object *claim_metadata(const struct errand *errand)
{
	const struct inbox_message *message = errand->message;
	struct json_object *metadata = cg_json_new_object();
	char received[CG_TIME_TEXT];

	cg_time_format(message->received_ms, received);
	cg_json_put_string(metadata, "providerKind", errand->channel->kind);
	cg_json_put_string(metadata, "providerMessageId", message->message_id);
	cg_json_put_string(metadata, "targetChatId", message->chat_id);
	cg_json_put_string(metadata, "targetThreadId", message->thread_id);
	cg_json_put_string(metadata, "senderUserId", message->sender_id);
	cg_json_put_string(metadata, "command", message->command);
	cg_json_put_int(metadata, "attachmentCount", (int64_t)message->attachment_count);
	cg_json_put_string(metadata, "interactionKind",
		message->type != CG_EVENT_INTERACTION ? NULL
		: message->interaction_is_command     ? "command"
						      : "button");
	cg_json_put_string(metadata, "receivedAt", received);
	return metadata;
}

static void step_claim(struct errand *errand)
{
	static const char *const types[] = {
		[CG_EVENT_MESSAGE] = "message",
		[CG_EVENT_COMMAND] = "command",
		[CG_EVENT_INTERACTION] = "interaction",
	};
	struct json_object *metadata = claim_metadata(errand);
	char external_event_id[EXTERNAL_ID];
	struct cloud_claim_params params = {
		.provider = errand->message->instance,
		.provider_instance_id = errand->message->instance,
		.provider_event_id = external_event_id,
		.event_type = types[errand->message->type],
		.channel_binding_id = errand->channel->binding_id,
		.external_workspace_id = errand->channel->workspace_id,
		.metadata = metadata,
	};

	external_id(errand->message->event_id, external_event_id);
	errand_begun(errand, cloud_claim(errand->conversation->parts.client, &params,
				     claimed, errand, &errand->call));
	cg_json_free(metadata);
}

/* Life. */

static void errand_free(void *arg)
{
	struct errand *errand = arg;

	loop_timer_finish(&errand->timer);
	drafts_finish(&errand->drafts);
	decision_destroy(errand->decision);
	draft_route_finish(&errand->route);
	inbox_message_destroy(errand->message);
	free(errand);
}

enum cg_status errand_begin(struct conversation *conversation, struct thread *thread,
	struct inbox_message *message)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (errand == NULL)
		return CG_NOMEM;
	if (draft_route_from_message(&errand->route, message) != CG_OK ||
		loop_timer_init(&errand->timer, conversation->parts.loop, wait_over,
			errand) != CG_OK) {
		draft_route_finish(&errand->route);
		free(errand);
		return CG_NOMEM;
	}
	errand->conversation = conversation;
	errand->thread = thread;
	errand->message = message;
	errand->channel = conversation_channel(conversation, message->instance);
	loop_task_init(&errand->burial, errand_free, errand);
	LIST_INSERT_HEAD(&conversation->errands, errand, link);
	conversation->errand_count++;
	external_id(message->sender_id, errand->sender_id);
	if (errand->channel == NULL)
		errand_finish(errand, INBOX_DEAD, "channel removed");
	else
		errand_go(errand, step_claim);
	return CG_OK;
}

void errand_destroy(struct errand *errand)
{
	if (!errand->dying) {
		errand->dying = true;
		if (errand->stream != NULL)
			stream_expected(errand->stream);
		errand->stream = NULL;
		cloud_call_cancel(errand->call);
		loop_timer_clear(&errand->timer);
		LIST_REMOVE(errand, link);
		errand->conversation->errand_count--;
		inbound_errand_over(errand);
	}
	if (!errand->waiting_for_journal)
		loop_defer(errand->conversation->parts.loop, &errand->burial);
}
