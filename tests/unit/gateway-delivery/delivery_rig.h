/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A delivery over a real journal, a virtual clock, and an outlet that does what a test says.
 *
 * The clock moves only by yard_pass(); what waits for it is then woken by hand.  Waiting turns
 * the loop until something is so; RIG_PATIENCE_MS only keeps a broken delivery from hanging.
 */
#ifndef COWGATE_TESTS_DELIVERY_RIG_H
#define COWGATE_TESTS_DELIVERY_RIG_H

#include "gateway/delivery/board.h"
#include "gateway/delivery/delivery.h"
#include "tests/unit/gateway-journal/journal_rig.h"

#include <cowgate/sdk/text.h>
#include <sched.h>

#define YARD_SENDS 1024

/* One call of the outlet's send, as it was asked for. */
struct yard_send {
	enum cg_outbound_kind kind;
	enum cg_reaction reaction;
	char id[160], chat[64], edited[64], context[64], text[512];
	char name[64], path[192]; /* of a file */
	uint32_t attempt;
	int64_t timeout_ms;
	int64_t state; /* of the row, as another reader saw it during the call */
	cg_send_done done;
	void *arg;
	bool over;
};

struct yard {
	struct rig rig; /* first: the journal, the loop and the clock */
	struct delivery *delivery;
	struct delivery_options options;
	struct outlet outlet;
	struct cg_capabilities capabilities;
	enum cg_status can; /* what capabilities() says of every instance */
	enum cg_status takes; /* what send() says */
	struct yard_send sends[YARD_SENDS];
	size_t count;
	/* What was asked of the platform. */
	unsigned queries, cancels;
	int64_t query_timeout_ms;
	cg_query_done answer;
	void *answer_arg;
	enum cg_status can_query;
	/* What the delivery told. */
	unsigned reports[OUTBOX_SUPERSEDED + 1];
	char reason[32];
	int64_t latency_ms;
	unsigned refusals; /* accounts */
	char refused[65];
	bool started, drained;
	struct outbox_recovery recovery;
};

static inline enum cg_status yard_capabilities(
	void *self, const char *instance, struct cg_capabilities *ret)
{
	struct yard *yard = self;

	(void)instance;
	if (ret != NULL && yard->can != CG_NOT_FOUND)
		*ret = yard->capabilities;
	return yard->can;
}

static inline uint32_t yard_measure(
	void *self, const char *instance, const char *text, size_t length)
{
	struct yard *yard = self;

	(void)instance;
	return (uint32_t)cg_text_measure(text, length, yard->capabilities.text_unit);
}

static inline const struct cg_retry_schedule *yard_schedule(
	void *self, const char *instance, int64_t *ret_lifetime_ms)
{
	(void)self;
	(void)instance;
	*ret_lifetime_ms = 86400000;
	return &cg_retry_chat;
}

/* Only the number of the row's state, or -1; ids of tests hold no quotes. */
static inline int64_t yard_state(struct yard *yard, const char *id)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT state FROM outbox WHERE delivery_id = '%s'",
		id);
	return rig_number(&yard->rig, sql);
}

static inline enum cg_status yard_take(void *self, const char *instance,
	const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct yard *yard = self;
	struct yard_send *send = &yard->sends[yard->count];

	(void)instance;
	if (yard->takes != CG_OK)
		return yard->takes;
	CU_ASSERT_FATAL(yard->count < YARD_SENDS);
	*send = (struct yard_send){.kind = outbound->kind,
		.reaction = outbound->reaction,
		.attempt = outbound->attempt,
		.timeout_ms = outbound->timeout_ms,
		.done = done,
		.arg = arg};
	cg_text_copy(send->id, sizeof(send->id),
		outbound->delivery_id == NULL ? "" : outbound->delivery_id);
	cg_text_copy(send->chat, sizeof(send->chat), outbound->target.chat_id);
	cg_text_copy(send->context, sizeof(send->context),
		outbound->target.context == NULL ? "" : outbound->target.context);
	cg_text_copy(send->edited, sizeof(send->edited),
		outbound->target.message_id == NULL ? "" : outbound->target.message_id);
	cg_text_copy(send->text, sizeof(send->text),
		outbound->text == NULL ? "" : outbound->text);
	if (outbound->file != NULL) {
		cg_text_copy(send->name, sizeof(send->name), outbound->file->filename);
		cg_text_copy(send->path, sizeof(send->path), outbound->file->path);
	}
	send->state = send->id[0] == '\0' ? -1 : yard_state(yard, send->id);
	yard->count++;
	return CG_OK;
}

static inline void yard_end(struct yard *yard, size_t index, struct cg_outcome outcome)
{
	struct yard_send *send = &yard->sends[index];

	CU_ASSERT_FATAL(index < yard->count && !send->over);
	send->over = true;
	outcome.size = sizeof(outcome);
	send->done(send->arg, &outcome);
}

/* As a provider does it: whoever is not waited for any longer ends as ambiguous. */
static inline void yard_cancel(void *self, const char *instance, void *arg)
{
	struct yard *yard = self;

	(void)instance;
	yard->cancels++;
	for (size_t i = 0; i < yard->count; i++) {
		if (!yard->sends[i].over && yard->sends[i].arg == arg)
			yard_end(yard, i,
				(struct cg_outcome){.class = CG_OUTCOME_AMBIGUOUS});
	}
}

static inline enum cg_status yard_query(void *self, const char *instance,
	const struct cg_outbound *outbound, cg_query_done done, void *arg)
{
	struct yard *yard = self;

	(void)instance;
	if (yard->can_query != CG_OK)
		return yard->can_query;
	yard->queries++;
	yard->query_timeout_ms = outbound->timeout_ms;
	yard->answer = done;
	yard->answer_arg = arg;
	return CG_OK;
}

static inline uint64_t yard_random(void *arg)
{
	(void)arg;
	return 0; /* the short end of every jitter */
}

static inline void yard_report(void *arg, const struct delivery_report *report)
{
	struct yard *yard = arg;

	yard->reports[report->state]++;
	cg_text_copy(yard->reason, sizeof(yard->reason),
		report->reason == NULL ? "" : report->reason);
	if (report->state == OUTBOX_SENT)
		yard->latency_ms = report->latency_ms;
}

static inline void yard_account(void *arg, const char *instance, const char *detail)
{
	struct yard *yard = arg;

	(void)detail;
	yard->refusals++;
	cg_text_copy(yard->refused, sizeof(yard->refused), instance);
}

static inline void yard_started(
	void *arg, enum cg_status status, const struct outbox_recovery *recovery)
{
	struct yard *yard = arg;

	CU_ASSERT_EQUAL(status, CG_OK);
	yard->started = true;
	yard->recovery = *recovery;
}

static inline void yard_drained(void *arg)
{
	((struct yard *)arg)->drained = true;
}

static inline void yard_wake(void *arg)
{
	struct yard *yard = arg;

	if (yard->delivery != NULL)
		delivery_wake(yard->delivery);
}

#define YARD_UNTIL(yard, condition) \
	do { \
		bool until_met; \
\
		while (!(until_met = (condition)) && !(yard)->rig.expired) { \
			loop_turn((yard)->rig.loop); \
			sched_yield(); \
		} \
		CU_ASSERT_FATAL(until_met); \
	} while (0)

static inline void yard_open(struct yard *yard)
{
	const struct journal_hooks hooks = {
		rig_inbox_ready, yard_wake, rig_state, yard, NULL};

	rig_open(&yard->rig);
	journal_set_hooks(yard->rig.journal, &hooks);
	CU_ASSERT_EQUAL_FATAL(
		delivery_create(yard->rig.loop, yard->rig.journal, &yard->outlet,
			&yard->options, &yard->delivery, NULL),
		CG_OK);
}

static inline void yard_start(struct yard *yard)
{
	yard->started = false;
	delivery_start(yard->delivery, yard_started, yard);
	YARD_UNTIL(yard, yard->started);
}

/* @vfs NULL: the platform's. */
static inline void yard_init(struct yard *yard, const char *vfs)
{
	memset(yard, 0, sizeof(*yard));
	rig_init(&yard->rig);
	yard->rig.options.vfs = vfs;
	yard->outlet = (struct outlet){.self = yard,
		.capabilities = yard_capabilities,
		.measure = yard_measure,
		.schedule = yard_schedule,
		.send = yard_take,
		.cancel = yard_cancel,
		.query = yard_query};
	yard->capabilities = (struct cg_capabilities){.size = sizeof(yard->capabilities),
		.text_unit = CG_UNIT_UTF16,
		.max_text = 4096,
		.edit = true,
		.typing = true};
	yard->options = (struct delivery_options){.concurrency = 8,
		.window = 64,
		.send_timeout_ms = 10000,
		.spool_dir = yard->rig.directory,
		.random = yard_random,
		.report = yard_report,
		.account_refused = yard_account,
		.arg = yard};
	yard_open(yard);
	yard_start(yard);
}

/* Everything goes as in the daemon: the journal first, then who stands on it. */
static inline void yard_close(struct yard *yard)
{
	rig_close(&yard->rig);
	delivery_destroy(yard->delivery);
	yard->delivery = NULL;
	loop_turn(yard->rig.loop);
}

static inline void yard_finish(struct yard *yard)
{
	if (yard->delivery != NULL)
		yard_close(yard);
	rig_finish(&yard->rig);
}

/* The process dies; what the platform was asked is never heard of again. */
static inline void yard_restart(struct yard *yard)
{
	yard_close(yard);
	yard->count = 0;
	memset(yard->reports, 0, sizeof(yard->reports));
	yard_open(yard);
	yard_start(yard);
}

static inline void yard_pass(struct yard *yard, int64_t ms)
{
	yard->rig.now_ms += ms;
	delivery_wake(yard->delivery);
}

static inline void yard_store(struct yard *yard, const struct obligation *o, size_t count)
{
	CU_ASSERT_EQUAL(rig_oblige(&yard->rig, o, count), CG_OK);
}

static inline void yard_say(struct yard *yard, const char *id, const char *chat)
{
	struct obligation o = rig_obligation(id, chat);

	yard_store(yard, &o, 1);
}

/* Wait until the outlet has been asked @count times in all. */
static inline void yard_await(struct yard *yard, size_t count)
{
	YARD_UNTIL(yard, yard->count >= count);
}

static inline void yard_await_state(struct yard *yard, const char *id, int64_t state)
{
	YARD_UNTIL(yard, yard_state(yard, id) == state);
}

/* The index of the first open send of a delivery; fails when there is none. */
static inline size_t yard_find(struct yard *yard, const char *id)
{
	for (size_t i = 0; i < yard->count; i++) {
		if (!yard->sends[i].over && strcmp(yard->sends[i].id, id) == 0)
			return i;
	}
	CU_FAIL_FATAL("it was not sent");
	return 0;
}

static inline void yard_receipt(struct yard *yard, size_t index, const char *message_id)
{
	yard_end(yard, index,
		(struct cg_outcome){.class = CG_OUTCOME_SENT, .message_id = message_id});
}

/*
 * Everything that may be sent now has been: a message to a chat of its own is stored, found and
 * sent, and whatever else was due was found with it or before.
 */
static inline void yard_settle(struct yard *yard)
{
	static unsigned number;
	char id[32];

	snprintf(id, sizeof(id), "sentinel-%u", ++number);
	yard_say(yard, id, id);
	for (;;) {
		size_t i = yard->count;

		while (i-- > 0 && strcmp(yard->sends[i].id, id) != 0)
			continue;
		if (i < yard->count) {
			yard_receipt(yard, i, id);
			yard->sends[i] = yard->sends[--yard->count];
			break;
		}
		CU_ASSERT_FATAL(!yard->rig.expired);
		loop_turn(yard->rig.loop);
		sched_yield();
	}
	yard_await_state(yard, id, OUTBOX_SENT);
	YARD_UNTIL(yard, !yard->delivery->querying);
}

#endif
