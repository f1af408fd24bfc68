/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/decision.h"

#include "gateway/conversation/card.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECISION_REASON 2048 /* bytes of a reason, its NUL included */

struct decision {
	struct choice choice; /* what was said */
	void (*otherwise)(struct errand *errand);
	bool pressed; /* else it was typed */
	/* What is decided. */
	int64_t id;
	struct draft_route route; /* owned; the card's */
	char *card_id, *card, *target_id; /* owned */
	struct cg_buffer said; /* "Approved", for the record and the card */
	enum cloud_answer answer;
	struct json_object *answers; /* owned; NULL: none */
	char token[257]; /* the Cloud's; wiped after use */
	char reason[DECISION_REASON]; /* of a denial, for the agent; "" none */
	enum words outcome; /* what the person is told in the end */
};

void decision_destroy(struct decision *decision)
{
	if (decision == NULL)
		return;
	draft_route_finish(&decision->route);
	free(decision->card_id);
	free(decision->card);
	free(decision->target_id);
	cg_buffer_finish(&decision->said);
	cg_json_free(decision->answers);
	cg_wipe(decision->token, sizeof(decision->token));
	free(decision);
}

static void step_look(struct errand *errand);

/* The redrawn card is all the answer that an ordinary message needs. */
static bool is_shown(const struct errand *errand)
{
	const struct outlet *outlet = errand->conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	if (errand->decision == NULL || !errand->decision->choice.from_reply)
		return false;
	outlet->capabilities(outlet->self, errand->message->instance, &capabilities);
	return capabilities.edit;
}

/* The end: the press is answered, or the command replied to. */
static void tell(
	struct errand *errand, const char *text, bool refusal, const char *reason)
{
	if (errand->decision != NULL && errand->decision->pressed)
		errand_answer_press(errand, text, refusal);
	else if (refusal || !is_shown(errand))
		errand_say(errand, "reply", text);
	errand_finish(errand, INBOX_HANDED, reason);
}

static void refuse(struct errand *errand, enum words words)
{
	tell(errand, words_text(words), true, "interaction.refused");
}

static struct decision *make_decision(struct errand *errand)
{
	struct decision *decision = calloc(1, sizeof(*decision));

	if (decision == NULL)
		abort(); /* a few hundred bytes: nothing else would work either */
	cg_buffer_init(&decision->said, INQUIRY_ANSWER_MAX);
	decision_destroy(errand->decision);
	errand->decision = decision;
	return decision;
}

/* Recording: the journal first, then card and answer. */

static void put_who(struct cg_buffer *buffer, const struct inbox_message *message)
{
	const char *name = !cg_text_blank(message->sender_name) ? message->sender_name
			   : !cg_text_blank(message->sender_username)
				   ? message->sender_username
				   : message->sender_id;

	card_add_plain(buffer, name, 60);
}

static void redraw(struct errand *errand)
{
	struct decision *decision = errand->decision;
	struct cg_buffer text;

	cg_buffer_init(&text, OUTBOX_TEXT_MAX);
	cg_buffer_text(&text, decision->card);
	cg_buffer_text(&text, "\n\n**");
	cg_buffer_text(&text, cg_buffer_string(&decision->said));
	cg_buffer_text(&text, "** by ");
	put_who(&text, errand->message);
	drafts_add_redraw(&errand->drafts, &decision->route, decision->card_id,
		cg_buffer_string(&text), false);
	cg_buffer_finish(&text);
}

static void conclude(struct errand *errand)
{
	redraw(errand);
	tell(errand, words_text(errand->decision->outcome), false, "interaction");
}

static void recorded(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct errand *errand = arg;

	(void)err;
	if (!errand_back_from_journal(errand))
		return;
	if (status == CG_OK || status == CG_CONFLICT)
		conclude(errand);
	else
		errand_wait(errand);
}

static void step_record(struct errand *errand)
{
	errand->waiting_for_journal = true;
	inquiry_settle(errand->conversation->parts.journal, errand->decision->id,
		INQUIRY_IS_DECIDED, recorded, errand);
}

/* The Cloud would not have it: whoever may can still decide. */

static void released(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct errand *errand = arg;

	(void)err;
	if (!errand_back_from_journal(errand))
		return;
	if (status == CG_OK || status == CG_CONFLICT)
		refuse(errand, errand->decision->outcome);
	else
		errand_wait(errand);
}

static void step_release(struct errand *errand)
{
	errand->waiting_for_journal = true;
	inquiry_settle(errand->conversation->parts.journal, errand->decision->id,
		INQUIRY_IS_OPEN, released, errand);
}

/* True: it is being dealt with. */
static bool was_refused(struct errand *errand, const struct cloud_result *result)
{
	if (result->error == CLOUD_OK)
		return false;
	if (result->retryable || result->error == CLOUD_UNAUTHORIZED) {
		/* It takes longer than a platform waits for an answer. */
		if (errand->decision->pressed)
			errand_answer_now(errand, words_text(WORDS_DECISION_WAITS));
		errand_failed(errand, result);
		return true;
	}
	errand->decision->outcome = result->error == CLOUD_FORBIDDEN ? WORDS_NOT_FROM_HERE
				    : result->error == CLOUD_CONFLICT
					    ? WORDS_DECIDED_ELSEWHERE
					    : WORDS_NOT_OPEN_OR_YOURS;
	errand_go(errand, step_release);
	return true;
}

/* The Cloud: a token, and at once its answer. */

static void resolved(void *arg, const struct cloud_result *result,
	const struct cloud_resolution *resolution)
{
	struct errand *errand = arg;

	(void)resolution;
	errand->call = NULL;
	if (was_refused(errand, result))
		return;
	cg_wipe(errand->decision->token, sizeof(errand->decision->token));
	errand->failures = 0;
	errand_go(errand, step_record);
}

/* A call that cannot be made of what is stored never will be. */
static void begun(struct errand *errand, enum cg_status status)
{
	if (status != CG_INVALID) {
		errand_begun(errand, status);
		return;
	}
	errand->call = NULL;
	errand->decision->outcome = WORDS_NOT_FROM_HERE;
	errand_go(errand, step_release);
}

static void step_resolve(struct errand *errand)
{
	struct decision *decision = errand->decision;
	char chat_id[EXTERNAL_ID];
	struct cloud_resolve_params params = {
		.external_chat_id = chat_id,
		.token = decision->token,
		.external_interaction_id = errand->event_id,
		.answer = decision->answer,
		.answers = decision->answers,
		.message = decision->reason[0] == '\0' ? NULL : decision->reason,
	};

	external_id(errand->message->chat_id, chat_id);
	errand_actor(errand, &params.actor);
	begun(errand, cloud_resolve_interaction(errand->conversation->parts.client,
			      &params, resolved, errand, &errand->call));
}

static void created(void *arg, const struct cloud_result *result,
	const struct cloud_interaction *interaction)
{
	struct errand *errand = arg;
	struct decision *decision = errand->decision;

	errand->call = NULL;
	if (was_refused(errand, result))
		return;
	if (interaction->token == NULL ||
		strlen(interaction->token) >= sizeof(decision->token)) {
		decision->outcome = WORDS_NOT_FROM_HERE;
		errand_go(errand, step_release);
		return;
	}
	cg_text_copy(decision->token, sizeof(decision->token), interaction->token);
	errand_go(errand, step_resolve);
}

static void step_create(struct errand *errand)
{
	struct decision *decision = errand->decision;
	struct cloud_interaction_params params = {
		.agent_id = decision->route.agent_id,
		.session_binding_id = decision->route.binding_id,
		.session_id = decision->route.session_id,
		.provider = errand->message->instance,
		.kind = decision->answers != NULL ||
					decision->answer == CLOUD_ANSWER_REJECT
				? "question"
				: "permission",
		.target_id = decision->target_id,
	};

	begun(errand, cloud_create_interaction(errand->conversation->parts.client,
			      &params, created, errand, &errand->call));
}

/* Taking it. */

static void taken(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct errand *errand = arg;

	(void)err;
	if (!errand_back_from_journal(errand))
		return;
	if (status == CG_OK)
		errand_go(errand, step_create);
	else if (status == CG_CONFLICT)
		errand_go(errand, step_look); /* somebody was faster: who? */
	else
		errand_wait(errand);
}

static void step_take(struct errand *errand)
{
	struct decision *decision = errand->decision;
	struct inquiry_taking taking = {.id = decision->id,
		.message_id = errand->message->id,
		.answer = cg_buffer_string(&decision->said)};
	struct cg_buffer who;

	cg_buffer_init(&who, INQUIRY_WHO_MAX);
	put_who(&who, errand->message);
	taking.decided_by = cg_buffer_string(&who);
	errand->waiting_for_journal = true;
	inquiry_take(errand->conversation->parts.journal, &taking, taken, errand);
	cg_buffer_finish(&who);
}

/* What was found. */

static bool keep(struct decision *decision, const struct inquiry *inquiry)
{
	draft_route_finish(&decision->route);
	free(decision->card_id);
	free(decision->card);
	free(decision->target_id);
	decision->id = inquiry->id;
	decision->card_id = strdup(inquiry->card_id);
	decision->card = strdup(inquiry->card);
	decision->target_id = strdup(inquiry->target_id);
	return draft_route_from_inquiry(&decision->route, inquiry) == CG_OK &&
	       decision->card_id != NULL && decision->card != NULL &&
	       decision->target_id != NULL;
}

/* It was decided, by whom is known. */
static void tell_decided(struct errand *errand, const struct inquiry *inquiry)
{
	char text[256];

	snprintf(text, sizeof(text), "%s already: %.80s by %.80s.",
		inquiry->state == INQUIRY_IS_TAKEN ? "Somebody decides this" : "Decided",
		inquiry->answer == NULL ? "" : inquiry->answer,
		inquiry->decided_by == NULL ? "somebody" : inquiry->decided_by);
	tell(errand, text, true, "interaction.decided");
}

static bool is_late(const struct errand *errand, const struct inquiry *inquiry)
{
	const struct clock *clock = loop_clock(errand->conversation->parts.loop);

	return inquiry->closed_ms == 0
		       ? clock_sane(clock) && clock_wall(clock) >= inquiry->expires_ms
		       : inquiry->closed_ms >= inquiry->expires_ms;
}

static void decide(struct errand *errand, const struct inquiry *inquiry)
{
	struct decision *decision = errand->decision;
	bool ours = inquiry->taken_by == errand->message->id;
	const struct choice_powers powers = {.always = errand->conversation->can_always,
		.reasons = errand->conversation->can_reason};
	struct choice_result result = {.said = &decision->said};

	cg_buffer_clear(&decision->said);
	cg_json_free(decision->answers);
	choice_apply(&decision->choice, inquiry, &powers, &result);
	if (result.outcome == WORDS_DONE_DENIED_WHY)
		cg_text_copy(decision->reason, sizeof(decision->reason),
			decision->choice.text);
	decision->answer = result.answer;
	decision->answers = result.answers;
	if (!keep(decision, inquiry)) {
		errand_wait(errand);
		return;
	}
	decision->outcome = result.outcome;
	if (inquiry->state == INQUIRY_IS_DECIDED && ours)
		conclude(errand); /* that was this very message, before a restart */
	else if (inquiry->state == INQUIRY_IS_DECIDED ||
		 (inquiry->state == INQUIRY_IS_TAKEN && !ours))
		tell_decided(errand, inquiry);
	else if (inquiry->state == INQUIRY_IS_GONE || is_late(errand, inquiry))
		refuse(errand, is_late(errand, inquiry) ? WORDS_EXPIRED_CARD
							: WORDS_DECIDED_ELSEWHERE);
	else if (decision->said.length == 0)
		refuse(errand, result.outcome); /* that is no answer to it */
	else
		errand_go(errand, step_take);
}

/* Several wait: which one is meant? */
static void list(
	struct errand *errand, const struct inquiry *const *matching, size_t count)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 8192);
	cg_buffer_text(&text, words_text(WORDS_WHICH_ONE));
	for (size_t i = 0; i < count && i < 10; i++) {
		const char *card = matching[i]->card;
		const char *line = card + strspn(card, "*");

		cg_buffer_format(&text, "\n%s: ", matching[i]->code);
		cg_buffer_add(&text, line, strcspn(line, "*\n"));
	}
	tell(errand, cg_buffer_string(&text), true, "interaction.several");
	cg_buffer_finish(&text);
}

static void nothing_found(struct errand *errand)
{
	struct decision *decision = errand->decision;

	if (choice_forget_code(&decision->choice))
		errand_go(errand, step_look); /* it was the answer's first word */
	else if (decision->otherwise != NULL &&
		 (decision->choice.from_reply || decision->choice.whole != NULL))
		errand_go(errand, decision->otherwise);
	else if (decision->pressed)
		refuse(errand, WORDS_BUTTON_GONE);
	else
		refuse(errand, decision->choice.code[0] == '\0' ? WORDS_NOTHING_ASKED
								: WORDS_CODE_UNKNOWN);
}

static void looked(
	void *arg, enum cg_status status, const struct inquiry *inquiries, size_t count)
{
	const struct inquiry *matching[INQUIRY_OPEN];
	struct errand *errand = arg;
	struct decision *decision = errand->decision;
	size_t matches = 0;

	if (!errand_back_from_journal(errand))
		return;
	if (status != CG_OK) {
		errand_wait(errand);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (choice_fits(&decision->choice, &inquiries[i]) &&
			strcmp(inquiries[i].instance, errand->message->instance) == 0 &&
			strcmp(inquiries[i].chat_id, errand->message->chat_id) == 0)
			matching[matches++] = &inquiries[i];
	}
	if (matches == 1)
		decide(errand, matching[0]);
	else if (matches == 0)
		nothing_found(errand);
	else if (decision->choice.from_reply)
		errand_go(errand, decision->otherwise);
	else
		list(errand, matching, matches);
}

static void step_look(struct errand *errand)
{
	const struct inbox_message *message = errand->message;
	const struct choice *choice = &errand->decision->choice;
	struct inquiry_query query = {
		.token = choice->token[0] == '\0' ? NULL : choice->token,
		.instance = message->instance,
		.chat_id = message->chat_id,
		.thread_id = message->thread_id,
		.code = choice->code[0] == '\0' ? NULL : choice->code,
		.receipt = choice->quotes ? message->reply_to : NULL,
	};

	errand->waiting_for_journal = true;
	inquiry_find(errand->conversation->parts.journal, &query, looked, errand);
}

/* Beginnings. */

void decision_press(struct errand *errand, bool may)
{
	struct decision *decision = make_decision(errand);

	decision->pressed = true;
	if (!may)
		refuse(errand, WORDS_NOT_YOURS);
	else if (!choice_from_press(
			 &decision->choice, errand->message->interaction_token))
		refuse(errand, WORDS_BUTTON_GONE);
	else
		errand_go(errand, step_look);
}

void decision_command(struct errand *errand, enum choice_verb verb,
	void (*otherwise)(struct errand *errand))
{
	struct decision *decision = make_decision(errand);

	decision->otherwise = otherwise;
	choice_from_command(&decision->choice, verb, errand->message->command_args);
	errand_go(errand, step_look);
}

void decision_reply(struct errand *errand, void (*otherwise)(struct errand *errand))
{
	struct decision *decision = make_decision(errand);

	decision->otherwise = otherwise;
	choice_from_reply(&decision->choice, errand->message->text,
		errand->message->reply_to != NULL);
	errand_go(errand, step_look);
}
