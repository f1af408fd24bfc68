/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One send: `sending` is committed, then the provider is called, then what became of it is
 * committed, then the lane is free.
 */
#include "gateway/delivery/board.h"
#include "gateway/delivery/compose.h"
#include "gateway/delivery/content.h"
#include "gateway/delivery/verdict.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPT_ABSENT_MS \
	300000 /* a channel that is not configured is looked for again */

struct attempt {
	LIST_ENTRY(attempt) link;
	struct delivery *delivery;
	struct outbox_row *row; /* owned */
	struct composed composed;
	char *content; /* owned: path of a file that lies in the row; NULL: none is needed */
	struct cg_capabilities capabilities;
	struct loop_timer timer;
	struct loop_task burial;
	struct outbox_result result; /* its strings are below */
	struct cg_outcome outcome;
	char receipt[513];
	char detail[OUTBOX_DETAIL_MAX + 1];
	bool has_outcome, was_unknown, labelled, edit;
	bool at_journal, at_provider, over;
};

static void settle(struct attempt *attempt);
static void begin_sending(struct attempt *attempt);

int64_t delivery_wall_ms(const struct delivery *delivery)
{
	return clock_wall(loop_clock(delivery->loop));
}

int64_t delivery_mono_ms(const struct delivery *delivery)
{
	return clock_mono(loop_clock(delivery->loop));
}

size_t attempt_lanes(const struct delivery *delivery, uint64_t *lanes)
{
	const struct attempt *attempt;
	size_t count = 0;

	LIST_FOREACH (attempt, &delivery->attempts, link) {
		lanes[count++] = attempt->row->lane;
	}
	return count;
}

/* The end. */

static void attempt_free(void *arg)
{
	struct attempt *attempt = arg;

	loop_timer_finish(&attempt->timer);
	composed_finish(&attempt->composed);
	content_remove(attempt->content);
	outbox_row_destroy(attempt->row);
	free(attempt);
}

static void attempt_end(struct attempt *attempt)
{
	struct delivery *delivery = attempt->delivery;

	attempt->over = true;
	LIST_REMOVE(attempt, link);
	delivery->attempt_count--;
	loop_timer_clear(&attempt->timer);
	loop_defer(delivery->loop, &attempt->burial);
	scheduler_wake(delivery);
	preview_look(delivery);
	if (delivery->drained != NULL && delivery->attempt_count == 0) {
		void (*drained)(void *arg) = delivery->drained;

		delivery->drained = NULL;
		drained(delivery->drained_arg);
	}
}

/* What became of it. */

static void report(struct attempt *attempt, enum outbox_state state)
{
	struct delivery *delivery = attempt->delivery;
	struct delivery_report told = {
		.row = attempt->row,
		.state = state,
		.outcome = attempt->has_outcome ? &attempt->outcome : NULL,
		.latency_ms = delivery_wall_ms(delivery) - attempt->row->created_ms,
		.reason = attempt->result.reason,
	};

	delivery->options.report(delivery->options.arg, &told);
}

static void settled(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct attempt *attempt = arg;
	struct delivery *delivery = attempt->delivery;

	(void)err;
	attempt->at_journal = false;
	if (status != CG_OK && status != CG_CONFLICT) {
		/* The receipt is not stored: the lane stays held until it is. */
		loop_timer_set(&attempt->timer, DELIVERY_RETRY_MS);
		return;
	}
	if (status == CG_OK)
		report(attempt, attempt->result.state);
	if (status == CG_OK && attempt->result.state == OUTBOX_SENT &&
		attempt->row->purpose == OUTBOX_SLOT)
		preview_slot_sent(delivery, attempt->row, attempt->result.receipt);
	attempt_end(attempt);
}

/* Nobody misses a slot or a redraw: the final says it all, and the decision is recorded. */
static bool is_missed(const struct outbox_row *row)
{
	return row->purpose != OUTBOX_SLOT && row->purpose != OUTBOX_REDRAW;
}

static void settle(struct attempt *attempt)
{
	if (attempt->result.state == OUTBOX_DEAD && !is_missed(attempt->row))
		attempt->result.state = OUTBOX_SUPERSEDED;
	attempt->at_journal = true;
	outbox_settle(attempt->delivery->journal, attempt->row->id, &attempt->result,
		settled, attempt);
}

static void settle_dead(struct attempt *attempt, const char *reason)
{
	attempt->result = (struct outbox_result){.state = OUTBOX_DEAD,
		.reason = reason,
		.now_ms = delivery_wall_ms(attempt->delivery)};
	settle(attempt);
}

/* What is unknown and was not touched stays unknown. */
static void settle_absent(struct attempt *attempt)
{
	int64_t now = delivery_wall_ms(attempt->delivery);

	attempt->result = (struct outbox_result){
		.state = attempt->row->state == OUTBOX_UNKNOWN ? OUTBOX_UNKNOWN
							       : OUTBOX_PENDING,
		.not_before_ms = now + ATTEMPT_ABSENT_MS,
		.now_ms = now};
	settle(attempt);
}

static void settle_later(struct attempt *attempt, int64_t delay_ms, bool maybe_duplicate)
{
	int64_t now = delivery_wall_ms(attempt->delivery);

	attempt->result = (struct outbox_result){.state = OUTBOX_PENDING,
		.not_before_ms = now + delay_ms,
		.maybe_duplicate = maybe_duplicate,
		.now_ms = now};
	settle(attempt);
}

/* Keep the outcome's strings: they are borrowed only during the provider's call. */
static void keep_outcome(struct attempt *attempt, const struct cg_outcome *outcome)
{
	attempt->outcome = *outcome;
	attempt->has_outcome = true;
	cg_text_copy(attempt->receipt, sizeof(attempt->receipt),
		outcome->message_id == NULL ? "" : outcome->message_id);
	cg_text_copy(attempt->detail, sizeof(attempt->detail),
		outcome->detail == NULL ? "" : outcome->detail);
	attempt->outcome.message_id =
		outcome->message_id == NULL ? NULL : attempt->receipt;
	attempt->outcome.detail = outcome->detail == NULL ? NULL : attempt->detail;
}

/* More than one row is concerned. */
static void pause_instance(struct attempt *attempt)
{
	struct delivery *delivery = attempt->delivery;
	const struct cg_outcome *outcome = &attempt->outcome;

	/* An instance has one destination: what must wait there makes all of it wait. */
	if (outcome->scope != CG_SCOPE_ACCOUNT &&
		(outcome->scope != CG_SCOPE_DESTINATION ||
			outcome->class != CG_OUTCOME_RATE_LIMITED))
		return;
	if (outcome->class == CG_OUTCOME_REFUSED) {
		scheduler_pause(delivery, attempt->row->instance, 0);
		delivery->options.account_refused(
			delivery->options.arg, attempt->row->instance, outcome->detail);
	} else if (outcome->class == CG_OUTCOME_RATE_LIMITED &&
		   outcome->retry_after_ms > 0) {
		scheduler_limit(
			delivery, attempt->row->instance, outcome->retry_after_ms);
	}
}

static void hand_over(struct attempt *attempt, const char *edit_id);

static void sent(void *arg, const struct cg_outcome *outcome)
{
	struct attempt *attempt = arg;
	struct delivery *delivery = attempt->delivery;
	struct verdict_case it = {.row = attempt->row,
		.outcome = &attempt->outcome,
		.reconcile = attempt->capabilities.reconcile,
		.edit = attempt->edit,
		.labelled = attempt->labelled,
		.now_ms = delivery_wall_ms(delivery),
		.random = delivery->options.random(delivery->options.arg)};
	int64_t lifetime;

	attempt->at_provider = false;
	loop_timer_clear(&attempt->timer);
	keep_outcome(attempt, outcome);
	if (outcome->class == CG_OUTCOME_REFUSED && outcome->scope == CG_SCOPE_MESSAGE &&
		attempt->edit && attempt->row->kind == CG_OUTBOUND_TEXT &&
		attempt->row->purpose != OUTBOX_REDRAW) {
		/* The slot is definitely gone, and nothing arrived: the final goes out anew. */
		hand_over(attempt, NULL);
		return;
	}
	pause_instance(attempt);
	it.schedule = delivery->outlet->schedule(
		delivery->outlet->self, attempt->row->instance, &lifetime);
	verdict_after_send(&it, &attempt->result);
	if (attempt->edit && attempt->result.state == OUTBOX_SENT &&
		attempt->result.receipt == NULL)
		attempt->result.receipt = attempt->row->slot_receipt;
	settle(attempt);
}

static void send_now(void *arg);

static void timed_out(void *arg)
{
	struct attempt *attempt = arg;
	const struct outlet *outlet = attempt->delivery->outlet;

	if (attempt->at_provider)
		outlet->cancel(outlet->self, attempt->row->instance, attempt);
	else if (attempt->result.now_ms != 0)
		settle(attempt);
	else
		attempt_end(attempt);
}

/* Sending. */

static enum cg_status make_content(struct attempt *attempt)
{
	if (!content_is_in(attempt->row) || attempt->content != NULL)
		return CG_OK;
	return content_write(
		attempt->row, attempt->delivery->options.spool_dir, &attempt->content);
}

static void hand_over(struct attempt *attempt, const char *edit_id)
{
	struct delivery *delivery = attempt->delivery;
	const struct outlet *outlet = delivery->outlet;
	struct compose_request request = {
		.row = attempt->row,
		.capabilities = &attempt->capabilities,
		.edit_id = edit_id,
		.timeout_ms = delivery->options.send_timeout_ms,
	};
	enum cg_status status;

	attempt->edit = edit_id != NULL || attempt->row->kind == CG_OUTBOUND_EDIT;
	attempt->labelled = !attempt->edit &&
			    verdict_labels(attempt->capabilities.reconcile) &&
			    (attempt->row->maybe_duplicate || attempt->was_unknown);
	request.label = attempt->labelled                            ? COMPOSE_LABEL
			: edit_id == NULL && attempt->row->slot_lost ? COMPOSE_LABEL_WHOLE
								     : NULL;
	composed_finish(&attempt->composed);
	status = make_content(attempt);
	request.content_path = attempt->content;
	if (status == CG_OK)
		status = compose(&request, &attempt->composed);
	if (status != CG_OK) {
		settle_later(attempt, DELIVERY_RETRY_MS, attempt->row->maybe_duplicate);
		return;
	}
	attempt->at_provider = true;
	status = outlet->send(outlet->self, attempt->row->instance,
		&attempt->composed.outbound, sent, attempt);
	if (status != CG_OK) {
		attempt->at_provider = false;
		settle_later(attempt, DELIVERY_RETRY_MS, attempt->row->maybe_duplicate);
		return;
	}
	loop_timer_set(
		&attempt->timer, delivery->options.send_timeout_ms + DELIVERY_GRACE_MS);
}

static void send_now(void *arg)
{
	struct attempt *attempt = arg;

	report(attempt, OUTBOX_SENDING);
	hand_over(attempt, attempt->row->slot_receipt);
}

static void sending_stored(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct attempt *attempt = arg;

	(void)err;
	attempt->at_journal = false;
	if (status == CG_OK) {
		attempt->row->attempts++; /* as stored */
		send_now(attempt);
	} else if (status == CG_CONFLICT) {
		attempt_end(attempt); /* the operator was faster */
	} else {
		loop_timer_set(&attempt->timer, DELIVERY_RETRY_MS);
	}
}

static void begin_sending(struct attempt *attempt)
{
	attempt->at_journal = true;
	outbox_sending(
		attempt->delivery->journal, attempt->row->id, sending_stored, attempt);
}

/* A row whose fate is not known. */

/* The platform cannot tell: one more send that says so, but no second slot. */
static void settle_unanswered(struct attempt *attempt)
{
	if (attempt->row->purpose == OUTBOX_SLOT)
		settle_dead(attempt, "ambiguous");
	else
		settle_later(attempt, 0, true);
}

static void asked(void *arg, enum cg_query_result result, const char *message_id)
{
	struct attempt *attempt = arg;

	attempt->at_provider = false;
	loop_timer_clear(&attempt->timer);
	if (result == CG_QUERY_ARRIVED) {
		cg_text_copy(attempt->receipt, sizeof(attempt->receipt),
			message_id == NULL ? "" : message_id);
		attempt->result = (struct outbox_result){.state = OUTBOX_SENT,
			.receipt = message_id == NULL ? NULL : attempt->receipt,
			.outcome = "sent",
			.now_ms = delivery_wall_ms(attempt->delivery)};
		settle(attempt);
	} else if (result == CG_QUERY_ABSENT) {
		attempt->was_unknown = false;
		begin_sending(attempt);
	} else {
		settle_unanswered(attempt);
	}
}

static void ask(struct attempt *attempt)
{
	struct delivery *delivery = attempt->delivery;
	struct compose_request request = {
		.row = attempt->row,
		.capabilities = &attempt->capabilities,
		.timeout_ms = delivery->options.send_timeout_ms,
	};

	attempt->at_provider = true;
	if (compose(&request, &attempt->composed) != CG_OK ||
		delivery->outlet->query(delivery->outlet->self, attempt->row->instance,
			&attempt->composed.outbound, asked, attempt) != CG_OK) {
		attempt->at_provider = false;
		settle_unanswered(attempt);
		return;
	}
	loop_timer_set(
		&attempt->timer, delivery->options.send_timeout_ms + DELIVERY_GRACE_MS);
}

static void resolve(struct attempt *attempt)
{
	attempt->was_unknown = true;
	switch (verdict_unknown(attempt->row, attempt->capabilities.reconcile)) {
	case VERDICT_ASK:
		ask(attempt);
		break;
	case VERDICT_DROP:
		settle_dead(attempt, "ambiguous");
		break;
	case VERDICT_LABEL:
	case VERDICT_REPEAT:
		/* The label is remembered with the row before anything is sent. */
		if (attempt->row->maybe_duplicate)
			begin_sending(attempt);
		else
			settle_later(attempt, 0, true);
		break;
	}
}

/* The beginning. */

static bool is_expired(const struct attempt *attempt)
{
	const struct clock *clock = loop_clock(attempt->delivery->loop);

	return clock_sane(clock) && attempt->row->deadline_ms > 0 &&
	       clock_wall(clock) >= attempt->row->deadline_ms;
}

void attempt_begin(struct delivery *delivery, struct outbox_row *row)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	enum cg_status status;

	if (attempt == NULL || loop_timer_init(&attempt->timer, delivery->loop, timed_out,
				       attempt) != CG_OK) {
		free(attempt);
		outbox_row_destroy(row);
		loop_timer_set(&delivery->due, DELIVERY_RETRY_MS);
		return;
	}
	attempt->delivery = delivery;
	attempt->row = row;
	loop_task_init(&attempt->burial, attempt_free, attempt);
	LIST_INSERT_HEAD(&delivery->attempts, attempt, link);
	delivery->attempt_count++;
	/* Also a slot that got its receipt after its stream had let go of it ends here. */
	if (row->slot_id != NULL)
		delivery_preview_end(delivery, row->slot_id);

	attempt->capabilities.size = sizeof(attempt->capabilities);
	status = delivery->outlet->capabilities(
		delivery->outlet->self, row->instance, &attempt->capabilities);
	if (is_expired(attempt)) {
		settle_dead(attempt, "deadline");
	} else if (status == CG_BUSY) {
		scheduler_pause(delivery, row->instance, 0);
		attempt_end(attempt);
	} else if (status != CG_OK) {
		settle_absent(attempt);
	} else if (row->purpose == OUTBOX_REDRAW &&
		   (row->slot_receipt == NULL || !attempt->capabilities.edit)) {
		settle_dead(attempt, "no card");
	} else if (row->state == OUTBOX_UNKNOWN) {
		resolve(attempt);
	} else {
		begin_sending(attempt);
	}
}

void attempt_finish_all(struct delivery *delivery)
{
	struct attempt *attempt;

	while ((attempt = LIST_FIRST(&delivery->attempts)) != NULL) {
		LIST_REMOVE(attempt, link);
		delivery->attempt_count--;
		attempt_free(attempt);
	}
}
