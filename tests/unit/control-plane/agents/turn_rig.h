/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One backend on a loop whose time is the test's, and turns that write down what they report.
 */
#ifndef COWGATE_TESTS_TURN_RIG_H
#define COWGATE_TESTS_TURN_RIG_H

#include "control-plane/agents/agent.h"
#include "tests/support/virtual_loop.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

struct rig {
	struct virtual_clock clock;
	struct loop *loop;
	struct agent_options options;
	const struct agent_ops *ops;
	void *agent;
	char notices[512];
};

/* One turn, and what it told. */
struct rig_turn {
	struct rig *rig;
	struct agent_turn *turn;
	struct cg_buffer log; /* a line for each call of the sink */
	bool ended;
	enum agent_end end;
	char message[512];
	char bound[64];
};

static inline void rig_notice(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	struct rig *rig = arg;
	size_t length = strlen(rig->notices);

	(void)level;
	snprintf(rig->notices + length, sizeof(rig->notices) - length, "%s %s=%s\n",
		event, key, value);
}

/* The options are set between these two. */
static inline void rig_init(struct rig *rig, const struct agent_ops *ops)
{
	memset(rig, 0, sizeof(*rig));
	rig->ops = ops;
	virtual_clock_init(&rig->clock, 1800000000000);
	CU_ASSERT_EQUAL_FATAL(loop_create(&rig->clock.clock, &rig->loop, NULL), CG_OK);
}

static inline enum cg_status rig_create(struct rig *rig, struct cg_error *err)
{
	const struct agent_host host = {
		.loop = rig->loop, .notice = rig_notice, .arg = rig};

	return rig->ops->create(&host, &rig->options, &rig->agent, err);
}

static inline void rig_finish(struct rig *rig)
{
	rig->ops->destroy(rig->agent);
	loop_destroy(rig->loop);
}

/* Do what can be done now. */
static inline void rig_settle(struct rig *rig)
{
	for (int i = 0; i < 8; i++)
		loop_turn(rig->loop);
}

/* Let so much time pass. */
static inline void rig_pass(struct rig *rig, int64_t ms)
{
	rig->clock.now_ms += ms;
	rig_settle(rig);
}

static inline void rig_append(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct rig_turn *turn = arg;

	cg_buffer_format(&turn->log, "append %s %.*s\n", message_id, (int)length, text);
}

static inline void rig_replace(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct rig_turn *turn = arg;

	cg_buffer_format(&turn->log, "replace %s %.*s\n", message_id, (int)length, text);
}

static inline void rig_event(void *arg, const char *type, struct json_object *payload)
{
	struct rig_turn *turn = arg;

	cg_buffer_format(&turn->log, "event %s %s\n", type, cg_json_text(payload, NULL));
}

static inline void rig_artifact(void *arg, const struct agent_artifact *artifact)
{
	struct rig_turn *turn = arg;

	cg_buffer_format(&turn->log, "artifact %s %s %zu\n", artifact->id,
		artifact->filename, artifact->length);
}

static inline void rig_bound(void *arg, const char *runtime_session_id)
{
	struct rig_turn *turn = arg;

	snprintf(turn->bound, sizeof(turn->bound), "%s", runtime_session_id);
}

static inline void rig_ended(void *arg, enum agent_end end, const char *message)
{
	struct rig_turn *turn = arg;

	CU_ASSERT_FALSE(turn->ended);
	turn->ended = true;
	turn->end = end;
	snprintf(turn->message, sizeof(turn->message), "%s",
		message != NULL ? message : "");
}

/* Begin a turn of the backend's session @session, "" for a new one. */
static inline void rig_begin(struct rig *rig, struct rig_turn *turn, const char *session,
	const char *command, const char *text)
{
	static const struct agent_sink sink = {
		.append = rig_append,
		.replace = rig_replace,
		.event = rig_event,
		.artifact = rig_artifact,
		.bound = rig_bound,
		.ended = rig_ended,
	};
	const struct agent_prompt prompt = {
		.session_id = "s1",
		.runtime_session_id = session,
		.command_id = command,
		.agent = "build",
		.attempt = 1,
		.text = text,
	};

	memset(turn, 0, sizeof(*turn));
	turn->rig = rig;
	cg_buffer_init(&turn->log, 32u << 20);
	CU_ASSERT_EQUAL_FATAL(
		rig->ops->start(rig->agent, &prompt, &sink, turn, &turn->turn, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(turn->log.length, 0); /* nothing is reported from inside start */
	rig_settle(rig);
}

static inline bool rig_told(const struct rig_turn *turn, const char *what)
{
	return turn->log.length > 0 && strstr(cg_buffer_string(&turn->log), what) != NULL;
}

/* It has ended so, with this in its sentence; what it had is freed. */
#define RIG_ENDED(turn, wanted, words) \
	do { \
		CU_ASSERT_TRUE((turn)->ended); \
		CU_ASSERT_EQUAL((turn)->end, wanted); \
		CU_ASSERT_PTR_NOT_NULL(strstr((turn)->message, words)); \
		cg_buffer_finish(&(turn)->log); \
	} while (0)

#endif
