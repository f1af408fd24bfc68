/* SPDX-License-Identifier: Apache-2.0 */
/* A journal in a directory of its own, on a loop with a virtual clock. */
#ifndef COWGATE_TESTS_JOURNAL_RIG_H
#define COWGATE_TESTS_JOURNAL_RIG_H

#include "gateway/journal/cursor.h"
#include "gateway/journal/inbox.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/outbox.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIG_PATIENCE_MS 60000 /* before a test that hangs fails */
#define RIG_NOW INT64_C(1700000000000) /* where the virtual clock starts */

struct rig {
	struct clock clock; /* first: the clock's functions find the rig by it */
	int64_t now_ms;
	bool sane;
	struct loop *loop;
	struct loop_timer guard;
	bool expired;
	struct offload *offload;
	struct journal *journal;
	struct journal_options options;
	char directory[64];
	char path[96];
	/* Hooks. */
	unsigned inbox_hooks, outbox_hooks, edges;
	enum cg_status state;
	/* Answers. */
	bool answered;
	enum cg_status status;
	enum cg_verdict verdict;
	struct inbox_message *messages[INBOX_PAGE];
	struct outbox_row *rows[OUTBOX_DUE_MAX];
	size_t count;
	int64_t next_due_ms;
	struct json_object *json;
	struct outbox_recovery recovery;
};

static inline int64_t rig_wall(const struct clock *clock)
{
	return ((const struct rig *)clock)->now_ms;
}

static inline bool rig_sane(const struct clock *clock)
{
	return ((const struct rig *)clock)->sane;
}

static inline void rig_on_guard(void *arg)
{
	struct rig *rig = arg;

	rig->expired = true;
	loop_stop(rig->loop);
}

static inline void rig_inbox_ready(void *arg)
{
	((struct rig *)arg)->inbox_hooks++;
}

static inline void rig_outbox_ready(void *arg)
{
	((struct rig *)arg)->outbox_hooks++;
}

static inline void rig_state(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct rig *rig = arg;

	(void)err;
	rig->state = status;
	rig->edges++;
	loop_stop(rig->loop);
}

/* End the wait for an answer. */
static inline void rig_answer(struct rig *rig)
{
	rig->answered = true;
	loop_stop(rig->loop);
}

static inline void rig_await(struct rig *rig)
{
	while (!rig->answered && !rig->expired)
		loop_run(rig->loop);
	CU_ASSERT_FALSE_FATAL(rig->expired);
	rig->answered = false;
}

/* One turn behind the answer, for hooks. */
static inline void rig_turn(struct rig *rig)
{
	for (int i = 0; i < 3; i++)
		loop_turn(rig->loop);
}

static inline void rig_open(struct rig *rig)
{
	const struct journal_hooks hooks = {
		rig_inbox_ready, rig_outbox_ready, rig_state, rig, NULL};
	struct cg_error err = {0};

	rig->options.path = rig->path;
	CU_ASSERT_EQUAL_FATAL(offload_create(rig->loop, &rig->offload, &err), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		journal_open(rig->loop, rig->offload, &rig->options, &rig->journal, &err),
		CG_OK);
	journal_set_hooks(rig->journal, &hooks);
}

static inline void rig_close(struct rig *rig)
{
	offload_destroy(rig->offload);
	journal_close(rig->journal);
	rig->offload = NULL;
	rig->journal = NULL;
}

static inline void rig_reopen(struct rig *rig)
{
	rig_close(rig);
	rig_open(rig);
}

/* Options may be set before rig_open(). */
static inline void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->clock = (struct clock){
		.wall_ms = rig_wall, .mono_ms = rig_wall, .sane = rig_sane};
	rig->now_ms = RIG_NOW;
	rig->sane = true;
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/cowgate-journal-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(rig->directory));
	snprintf(rig->path, sizeof(rig->path), "%s/journal.db", rig->directory);
	CU_ASSERT_EQUAL_FATAL(loop_create(&rig->clock, &rig->loop, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		loop_timer_init(&rig->guard, rig->loop, rig_on_guard, rig), CG_OK);
	loop_timer_set(&rig->guard, RIG_PATIENCE_MS);
}

static inline void rig_start(struct rig *rig)
{
	rig_init(rig);
	rig_open(rig);
}

static inline void rig_drop(struct rig *rig)
{
	cg_json_free(rig->json);
	rig->json = NULL;
	rig->count = 0;
}

static inline void rig_finish(struct rig *rig)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};

	if (rig->journal != NULL)
		rig_close(rig);
	rig_drop(rig);
	loop_timer_finish(&rig->guard);
	loop_destroy(rig->loop);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", rig->path, suffixes[i]);
		unlink(path);
	}
	rmdir(rig->directory);
}

/* Completions. */

static inline void rig_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct rig *rig = arg;

	(void)err;
	rig->status = status;
	rig_answer(rig);
}

static inline void rig_submitted(void *arg, enum cg_verdict verdict)
{
	struct rig *rig = arg;

	rig->verdict = verdict;
	rig_answer(rig);
}

static inline void rig_on_messages(
	void *arg, enum cg_status status, struct inbox_message **messages, size_t count)
{
	struct rig *rig = arg;

	rig->status = status;
	rig->count = count;
	if (count > 0)
		memcpy(rig->messages, messages, count * sizeof(struct inbox_message *));
	free(messages);
	rig_answer(rig);
}

static inline void rig_on_rows(void *arg, enum cg_status status, struct outbox_row **rows,
	size_t count, int64_t next_due_ms)
{
	struct rig *rig = arg;

	rig->status = status;
	rig->count = count;
	rig->next_due_ms = next_due_ms;
	if (count > 0)
		memcpy(rig->rows, rows, count * sizeof(struct outbox_row *));
	free(rows);
	rig_answer(rig);
}

static inline void rig_on_json(void *arg, enum cg_status status, struct json_object *json)
{
	struct rig *rig = arg;

	rig->status = status;
	cg_json_free(rig->json);
	rig->json = cg_json_ref(json);
	rig_answer(rig);
}

static inline void rig_on_recovery(
	void *arg, enum cg_status status, const struct outbox_recovery *recovery)
{
	struct rig *rig = arg;

	rig->status = status;
	rig->recovery = *recovery;
	rig_answer(rig);
}

/* Inbox. */

static inline struct cg_inbound rig_message(const char *event_id, const char *text)
{
	return (struct cg_inbound){
		.size = sizeof(struct cg_inbound),
		.type = CG_EVENT_MESSAGE,
		.event_id = event_id,
		.target = {.chat_id = "chat"},
		.sender = {.user_id = "user"},
		.text = text,
		.raw = text,
		.raw_length = text != NULL ? strlen(text) : 0,
	};
}

static inline enum cg_verdict rig_submit(
	struct rig *rig, const char *instance, const struct cg_inbound *inbound)
{
	inbox_store(rig->journal, instance, inbound, rig->now_ms, rig_submitted, rig);
	CU_ASSERT_FALSE(rig->answered);
	rig_await(rig);
	return rig->verdict;
}

static inline enum cg_verdict rig_store_message(
	struct rig *rig, const char *event_id, const char *text)
{
	struct cg_inbound inbound = rig_message(event_id, text);

	return rig_submit(rig, "telegram", &inbound);
}

/* Messages behind @after; to be given back with rig_free_messages(). */
static inline size_t rig_read(struct rig *rig, int64_t after)
{
	inbox_read(rig->journal, after, rig_on_messages, rig);
	rig_await(rig);
	return rig->count;
}

static inline void rig_free_messages(struct rig *rig)
{
	for (size_t i = 0; i < rig->count; i++)
		inbox_message_destroy(rig->messages[i]);
	rig->count = 0;
}

static inline enum cg_status rig_finish_message(struct rig *rig, int64_t id,
	enum inbox_end end, const struct obligation *o, size_t count)
{
	const struct inbox_closing closing = {.id = id,
		.end = end,
		.reason = end == INBOX_DEAD ? "deadline" : NULL,
		.obligations = o,
		.count = count};

	inbox_finish(rig->journal, &closing, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

/* Outbox. */

static inline struct obligation rig_obligation(
	const char *delivery_id, const char *chat_id)
{
	return (struct obligation){
		.delivery_id = delivery_id,
		.instance = "telegram",
		.target = {.chat_id = chat_id},
		.purpose = OUTBOX_FINAL,
		.kind = CG_OUTBOUND_TEXT,
		.source = "text",
		.part = 1,
		.parts = 1,
	};
}

static inline enum cg_status rig_oblige(
	struct rig *rig, const struct obligation *obligations, size_t count)
{
	outbox_store(rig->journal, obligations, count, NULL, rig_done, rig);
	CU_ASSERT_FALSE(rig->answered);
	rig_await(rig);
	return rig->status;
}

/* A final text for a chat. */
static inline enum cg_status rig_say(
	struct rig *rig, const char *delivery_id, const char *chat_id)
{
	struct obligation o = rig_obligation(delivery_id, chat_id);

	return rig_oblige(rig, &o, 1);
}

/* What is due; to be given back with rig_free_rows(). */
static inline size_t rig_ask(struct rig *rig, const struct outbox_query *query)
{
	outbox_due(rig->journal, query, rig_on_rows, rig);
	rig_await(rig);
	return rig->count;
}

static inline size_t rig_due(struct rig *rig)
{
	const struct outbox_query query = {
		.now_ms = rig->now_ms, .limit = OUTBOX_DUE_MAX};

	return rig_ask(rig, &query);
}

static inline void rig_free_rows(struct rig *rig)
{
	for (size_t i = 0; i < rig->count; i++)
		outbox_row_destroy(rig->rows[i]);
	rig->count = 0;
}

/* The delivery ids of what is due, joined with spaces. */
static inline const char *rig_due_ids(struct rig *rig, const struct outbox_query *query)
{
	static char text[4096];
	size_t length = 0;

	rig_ask(rig, query);
	text[0] = '\0';
	for (size_t i = 0; i < rig->count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
			i > 0 ? " " : "", rig->rows[i]->delivery_id);
	rig_free_rows(rig);
	return text;
}

static inline enum cg_status rig_sending(struct rig *rig, int64_t id)
{
	outbox_sending(rig->journal, id, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static inline enum cg_status rig_settle(
	struct rig *rig, int64_t id, const struct outbox_result *result)
{
	outbox_settle(rig->journal, id, result, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static inline enum cg_status rig_settle_as(
	struct rig *rig, int64_t id, enum outbox_state state, int64_t not_before_ms)
{
	const struct outbox_result result = {
		.state = state,
		.not_before_ms = not_before_ms,
		.counts = true,
		.receipt = state == OUTBOX_SENT ? "receipt" : NULL,
		.now_ms = rig->now_ms,
	};

	return rig_settle(rig, id, &result);
}

/* The file as another reader sees it: what is committed. */
static inline int64_t rig_number(struct rig *rig, const char *sql)
{
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	if (sqlite3_open_v2(rig->path, &sqlite, SQLITE_OPEN_READONLY, NULL) ==
			SQLITE_OK &&
		sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return number;
}

static inline struct journal_figures rig_figures(struct rig *rig)
{
	struct journal_figures figures;

	journal_figures(rig->journal, &figures);
	return figures;
}

/* Every figure against a fresh count. */
static inline void rig_check_figures(struct rig *rig)
{
	struct journal_figures f = rig_figures(rig);

	CU_ASSERT_EQUAL(f.inbox_pending,
		rig_number(rig, "SELECT count(*) FROM inbox WHERE closed_ms IS NULL"));
	CU_ASSERT_EQUAL(f.inbox_pending_bytes,
		rig_number(rig, "SELECT coalesce(sum(bytes), 0) FROM inbox WHERE "
				"closed_ms IS NULL"));
	CU_ASSERT_EQUAL(f.inbox_dead,
		rig_number(rig, "SELECT count(*) FROM inbox WHERE state = 2"));
	CU_ASSERT_EQUAL(f.outbox_pending,
		rig_number(rig, "SELECT count(*) FROM outbox WHERE state IN (0, 1, 3)"));
	CU_ASSERT_EQUAL(f.outbox_unknown,
		rig_number(rig, "SELECT count(*) FROM outbox WHERE state = 3"));
	CU_ASSERT_EQUAL(f.outbox_dead,
		rig_number(rig, "SELECT count(*) FROM outbox WHERE state = 4"));
	CU_ASSERT_EQUAL(f.outbox_sent,
		rig_number(rig, "SELECT count(*) FROM outbox WHERE state = 2"));
}

#endif
