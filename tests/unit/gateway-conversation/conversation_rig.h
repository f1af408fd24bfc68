/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation between a real journal and a scripted Cloud, over an outlet that takes what it
 * is given.  The clock is virtual; timers of real time are fired by hand where a test says that
 * their time has come.
 */
#ifndef COWGATE_TESTS_CONVERSATION_RIG_H
#define COWGATE_TESTS_CONVERSATION_RIG_H

#include "gateway/conversation/context.h"
#include "gateway/conversation/errand.h"
#include "tests/support/cloud_fake.h"
#include "tests/unit/gateway-delivery/delivery_rig.h"

#include <stdarg.h>

#define TALK_FACTS 4096

struct talk {
	struct yard yard; /* first: the journal, the loop, the clock, the outlet */
	struct cloud_fake cloud;
	struct cloud_client *client;
	struct conversation *conversation;
	struct conversation_options options;
	struct conversation_channel channel;
	const char *extensions; /* what the probe is told; NULL: an empty Cloud */
	unsigned facts[CONVERSATION_STREAM_LOST + 1];
	char detail[64];
	char ends[256]; /* of messages: "e1 prompt, e2 dead deadline, " */
	size_t resumed;
	bool started;
	struct cloud_exchange *current; /* the call that was taken last */
	struct cloud_exchange *stream; /* the newest */
};

static inline void talk_fact(
	void *arg, enum conversation_fact fact, const char *instance, const char *detail)
{
	struct talk *talk = arg;

	(void)instance;
	talk->facts[fact]++;
	cg_text_copy(talk->detail, sizeof(talk->detail), detail == NULL ? "" : detail);
}

static inline void talk_closed(void *arg, const struct inbox_message *message,
	enum inbox_end end, const char *reason)
{
	struct talk *talk = arg;
	size_t length = strlen(talk->ends);

	snprintf(talk->ends + length, sizeof(talk->ends) - length, "%s %s%s, ",
		message->event_id, end == INBOX_DEAD ? "dead " : "",
		reason == NULL ? "prompt" : reason);
}

static inline void talk_inbox_ready(void *arg)
{
	struct talk *talk = arg;

	conversation_inbox_ready(talk->conversation);
}

static inline void talk_outbox_ready(void *arg)
{
	struct talk *talk = arg;

	delivery_wake(talk->yard.delivery);
	conversation_outbox_ready(talk->conversation);
}

static inline void talk_resumed(void *arg, size_t streams)
{
	struct talk *talk = arg;

	talk->resumed = streams;
	talk->started = true;
}

#define TALK_UNTIL(talk, condition) YARD_UNTIL(&(talk)->yard, condition)

/* Let the loop do what can be done without waiting for anybody. */
static inline void talk_turn(struct talk *talk)
{
	for (int i = 0; i < 4; i++)
		loop_turn(talk->yard.rig.loop);
}

/* The next call that nobody has looked at, NULL if there is none; streams are put aside. */
static inline struct cloud_exchange *talk_look(struct talk *talk)
{
	struct cloud_exchange *exchange;

	cloud_fake_advance(&talk->cloud, 0);
	while ((exchange = cloud_fake_take(&talk->cloud)) != NULL && exchange->stream)
		talk->stream = exchange;
	return exchange;
}

/* The next call.  Waits for it. */
static inline struct cloud_exchange *talk_take(struct talk *talk)
{
	TALK_UNTIL(talk, (talk->current = talk_look(talk)) != NULL);
	return talk->current;
}

/* It must be this one; @path is the end of its path. */
static inline struct cloud_exchange *talk_expect(struct talk *talk, const char *path)
{
	struct cloud_exchange *exchange = talk_take(talk);
	size_t length = strlen(exchange->path), tail = strlen(path);

	if (length < tail || strcmp(exchange->path + length - tail, path) != 0) {
		fprintf(stderr, "expected %s, got %s\n", path, exchange->path);
		CU_FAIL_FATAL("another call was expected");
	}
	return exchange;
}

static inline void talk_answer(
	struct talk *talk, const char *path, int status, const char *json)
{
	cloud_fake_answer(talk_expect(talk, path), status, json);
}

static inline bool talk_is_at_rest(const struct talk *talk)
{
	const struct conversation *conversation = talk->conversation;
	const struct errand *errand;

	LIST_FOREACH (errand, &conversation->errands, link) {
		if (errand->waiting_for_journal)
			return false;
	}
	return !conversation->reading && !conversation->pump.queued &&
	       journal_pending(talk->yard.rig.journal) == 0;
}

/* Nothing is under way but what waits for the Cloud or for its time. */
static inline void talk_rest(struct talk *talk)
{
	talk_turn(talk);
	TALK_UNTIL(talk, talk_is_at_rest(talk));
	talk_turn(talk);
	TALK_UNTIL(talk, talk_is_at_rest(talk));
}

/* Nothing is asked of the Cloud, also not after what is on its way has ended. */
static inline void talk_expect_nothing(struct talk *talk)
{
	struct cloud_exchange *exchange;

	talk_rest(talk);
	exchange = talk_look(talk);
	if (exchange != NULL)
		fprintf(stderr, "unexpected %s\n", exchange->path);
	CU_ASSERT_PTR_NULL_FATAL(exchange);
}

#define TALK_CLAIM "/provider-events/claim"
#define TALK_IDENTITY "/identities/resolve"
#define TALK_BIND "/sessions/bind"
#define TALK_PROMPT "/sessions/prompt"
#define TALK_COMPLETE "/complete"

#define TALK_CLAIMED \
	"{\"claimed\":true,\"event\":{\"eventId\":\"ev-1\",\"status\":\"processing\"," \
	"\"attemptCount\":1,\"claimedBy\":\"gateway:test\"}}"
#define TALK_MEMBER \
	"{\"identity\":{\"identityId\":\"id-1\",\"role\":\"member\"," \
	"\"status\":\"active\"}}"
#define TALK_BOUND \
	"{\"binding\":{\"agentId\":\"agent-1\",\"bindingId\":\"bind-1\",\"sessionId\":" \
	"\"sess-1\"," \
	"\"lastEventSequence\":0},\"session\":{\"session\":{\"sessionId\":\"sess-1\"}}}"
#define TALK_PROMPTED "{\"command\":{\"commandId\":\"c-1\",\"sessionId\":\"sess-1\"}}"
#define TALK_COMPLETED "{\"event\":{\"eventId\":\"ev-1\",\"status\":\"processed\"}}"
#define TALK_OURS \
	"{\"extensions\":[\"session.abort\",\"session.status\",\"people\"]," \
	"\"epoch\":\"e1\"}"

static inline void talk_open(struct talk *talk)
{
	const struct cloud_client_options options = {.transport = &talk->cloud.transport,
		.host = &talk->cloud.host,
		.claimed_by = "gateway:test"};
	const struct conversation_parts parts = {.loop = talk->yard.rig.loop,
		.offload = talk->yard.rig.offload,
		.journal = talk->yard.rig.journal,
		.delivery = talk->yard.delivery,
		.outlet = &talk->yard.outlet};
	const struct journal_hooks hooks = {
		talk_inbox_ready, talk_outbox_ready, rig_state, talk, NULL};
	struct conversation_parts whole = parts;

	CU_ASSERT_EQUAL_FATAL(cloud_client_create(&options, &talk->client, NULL), CG_OK);
	whole.client = talk->client;
	CU_ASSERT_EQUAL_FATAL(
		conversation_create(&whole, &talk->options, &talk->conversation, NULL),
		CG_OK);
	journal_set_hooks(talk->yard.rig.journal, &hooks);
}

/* Begin, and answer the probe. */
static inline void talk_start(struct talk *talk)
{
	talk->started = false;
	conversation_start(talk->conversation, talk_resumed, talk);
	talk_answer(talk, "/extensions", talk->extensions == NULL ? 404 : 200,
		talk->extensions);
	TALK_UNTIL(talk, talk->started);
}

/* Options may be changed between the two. */
static inline void talk_prepare(struct talk *talk, const char *vfs)
{
	memset(talk, 0, sizeof(*talk));
	yard_init(&talk->yard, vfs);
	cloud_fake_init(&talk->cloud);
	talk->extensions = TALK_OURS;
	talk->channel = (struct conversation_channel){.instance = "telegram",
		.binding_id = "channel-1",
		.workspace_id = "work-1",
		.default_agent = "build"};
	talk->options = (struct conversation_options){.channels = &talk->channel,
		.channel_count = 1,
		.product = "Cowgate",
		.quiet_ms = 3600000,
		.spool_dir = talk->yard.rig.directory,
		.random = yard_random,
		.fact = talk_fact,
		.closed = talk_closed,
		.arg = talk};
}

static inline void talk_init(struct talk *talk)
{
	talk_prepare(talk, NULL);
	talk_open(talk);
	talk_start(talk);
}

/* As the daemon does it: the journal first. */
static inline void talk_close(struct talk *talk)
{
	rig_close(&talk->yard.rig);
	conversation_destroy(talk->conversation);
	talk->conversation = NULL;
	delivery_destroy(talk->yard.delivery);
	talk->yard.delivery = NULL;
	cloud_client_destroy(talk->client);
	loop_turn(talk->yard.rig.loop);
}

static inline void talk_finish(struct talk *talk)
{
	talk_close(talk);
	cloud_fake_finish(&talk->cloud);
	yard_finish(&talk->yard);
}

/* The process dies and comes back. */
static inline void talk_restart(struct talk *talk)
{
	talk_close(talk);
	talk->yard.count = 0;
	memset(talk->facts, 0, sizeof(talk->facts));
	yard_open(&talk->yard);
	yard_start(&talk->yard);
	talk_open(talk);
	talk_start(talk);
}

/* Messages in. */

static inline struct cg_inbound talk_message(
	const char *event_id, const char *chat, const char *text)
{
	struct cg_inbound inbound = rig_message(event_id, text);

	inbound.target.chat_id = chat;
	return inbound;
}

static inline void talk_submit(struct talk *talk, const struct cg_inbound *inbound)
{
	CU_ASSERT_EQUAL(
		rig_submit(&talk->yard.rig, "telegram", inbound), CG_VERDICT_COMMITTED);
}

static inline void talk_hear(
	struct talk *talk, const char *event_id, const char *chat, const char *text)
{
	const struct cg_inbound inbound = talk_message(event_id, chat, text);

	talk_submit(talk, &inbound);
}

static inline void talk_command(
	struct talk *talk, const char *event_id, const char *command, const char *args)
{
	struct cg_inbound inbound = talk_message(event_id, "chat", command);

	inbound.type = CG_EVENT_COMMAND;
	inbound.command = command;
	inbound.command_args = args;
	talk_submit(talk, &inbound);
}

/* Claim and identity of the next message. */
static inline void talk_admit(struct talk *talk)
{
	talk_answer(talk, TALK_CLAIM, 200, TALK_CLAIMED);
	talk_answer(talk, TALK_IDENTITY, 200, TALK_MEMBER);
}

/* From a message that was heard to its prompt, which is left unanswered. */
static inline struct cloud_exchange *talk_until_prompt(struct talk *talk)
{
	talk_admit(talk);
	talk_answer(talk, TALK_BIND, 200, TALK_BOUND);
	return talk_expect(talk, TALK_PROMPT);
}

static inline void talk_await_closed(struct talk *talk, int64_t count)
{
	TALK_UNTIL(talk, rig_number(&talk->yard.rig,
				 "SELECT count(*) FROM inbox WHERE closed_ms IS NOT "
				 "NULL") >= count);
	TALK_UNTIL(talk, talk->conversation->errand_count == 0);
}

/* The only errand on its way. */
static inline struct errand *talk_errand(struct talk *talk)
{
	struct errand *errand = LIST_FIRST(&talk->conversation->errands);

	CU_ASSERT_PTR_NOT_NULL_FATAL(errand);
	return errand;
}

/* Wait until it has given up for now, then let its time come. */
static inline void talk_retry(struct talk *talk)
{
	struct errand *errand = talk_errand(talk);

	TALK_UNTIL(talk, loop_timer_pending(&errand->timer));
	loop_timer_clear(&errand->timer);
	errand->timer.fire(errand->timer.arg);
}

/* What the chat was told, all of it, joined with '|', in the order of the outbox. */
static inline const char *talk_said(struct talk *talk)
{
	static char text[4096];
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *statement = NULL;

	text[0] = '\0';
	if (sqlite3_open_v2(talk->yard.rig.path, &sqlite, SQLITE_OPEN_READONLY, NULL) ==
			SQLITE_OK &&
		sqlite3_prepare_v2(sqlite,
			"SELECT group_concat(source, '|') FROM (SELECT source FROM"
			" outbox ORDER BY id)",
			-1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW &&
		sqlite3_column_text(statement, 0) != NULL)
		cg_text_copy(text, sizeof(text),
			(const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return text;
}

/* A chat with a session, its first prompt made and its stream open. */
static inline void talk_converse(struct talk *talk)
{
	talk_hear(talk, "e1", "chat", "text");
	cloud_fake_answer(talk_until_prompt(talk), 202, TALK_PROMPTED);
	talk_answer(talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(talk, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(talk->stream);
	cloud_fake_open(talk->stream);
}

/* An event of the session; false: no credit for the next. */
static inline bool talk_event(
	struct talk *talk, int64_t sequence, const char *type, const char *payload)
{
	char json[4096];

	snprintf(json, sizeof(json),
		"{\"sequence\":%lld,\"type\":\"%s\",\"sessionId\":\"sess-1\","
		"\"eventId\":\"x\",\"payload\":%s}",
		(long long)sequence, type, payload == NULL ? "{}" : payload);
	return cloud_fake_event(talk->stream, sequence, type, json);
}

static inline bool talk_says(
	struct talk *talk, int64_t sequence, const char *id, const char *text)
{
	char payload[1024];

	snprintf(payload, sizeof(payload),
		"{\"messageId\":\"%s\",\"mode\":\"append\",\"content\":\"%s\"}", id,
		text);
	return talk_event(talk, sequence, "assistant.message", payload);
}

/* Until what an event asked for is stored and the next may come. */
static inline void talk_await_credit(struct talk *talk)
{
	TALK_UNTIL(talk, !talk->stream->paused);
}

/* A stream that was begun and not looked at, put aside; calls are left for later. */
static inline bool talk_look_stream(struct talk *talk)
{
	struct cloud_exchange *exchange;

	cloud_fake_advance(&talk->cloud, 0);
	TAILQ_FOREACH (exchange, &talk->cloud.exchanges, entry) {
		if (exchange->stream && !exchange->over && !exchange->taken) {
			exchange->taken = true;
			talk->stream = exchange;
			return true;
		}
	}
	return false;
}

/* The next connection of the session, open. */
static inline void talk_reconnect(struct talk *talk)
{
	TALK_UNTIL(talk, talk_look_stream(talk));
	cloud_fake_open(talk->stream);
}

static inline int64_t talk_cursor(struct talk *talk)
{
	return rig_number(&talk->yard.rig,
		"SELECT sequence FROM cursor WHERE binding_id = 'bind-1'");
}

static inline int64_t talk_count(struct talk *talk, const char *sql)
{
	return rig_number(&talk->yard.rig, sql);
}

#endif
