/* SPDX-License-Identifier: Apache-2.0 */
/* One agent, its loop, and a sink that writes down what a turn reports. */
#ifndef COWGATE_TESTS_AGENT_RIG_H
#define COWGATE_TESTS_AGENT_RIG_H

#include "control-plane/agents/agent.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/json.h>
#include <string.h>

#define RIG_PATIENCE_MS 60000 /* only a hanging turn waits for it */

struct agent_rig {
	struct clock clock;
	struct loop *loop;
	struct http_client *http;
	struct agent_options options;
	const struct agent_ops *ops;
	void *agent;
	struct loop_timer guard;
	struct agent_turn *turn; /* the last one */
	struct cg_buffer log; /* a line for each call of the sink */
	struct cg_buffer text; /* of the answer, as a person would see it */
	int shown, events, ended; /* calls */
	enum agent_end end;
	char message[512]; /* of the end */
	const char *reply; /* to a permission, from inside the sink; NULL: none */
	const char *why;
	struct json_object *answers; /* to a question, in the same way */
	const struct agent_file *files; /* of the next prompt */
	size_t file_count;
	int cancel_at; /* cancel from inside this call that shows or tells; 0: never */
};

static inline void rig_note(struct agent_rig *rig)
{
	if (rig->cancel_at == rig->shown + rig->events)
		rig->ops->cancel(rig->agent, rig->turn);
}

static inline void rig_append(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct agent_rig *rig = arg;

	rig->shown++;
	cg_buffer_format(&rig->log, "append %s %.*s\n", message_id, (int)length, text);
	if (strstr(message_id, ":answer") != NULL)
		cg_buffer_add(&rig->text, text, length);
	rig_note(rig);
}

static inline void rig_replace(
	void *arg, const char *message_id, const char *text, size_t length)
{
	struct agent_rig *rig = arg;

	rig->shown++;
	cg_buffer_format(&rig->log, "replace %s %.*s\n", message_id, (int)length, text);
	if (strstr(message_id, ":answer") != NULL) {
		cg_buffer_clear(&rig->text);
		cg_buffer_add(&rig->text, text, length);
	}
	rig_note(rig);
}

static inline void rig_event(void *arg, const char *type, struct json_object *payload)
{
	struct agent_rig *rig = arg;

	rig->events++;
	cg_buffer_format(&rig->log, "event %s %s\n", type, cg_json_text(payload, NULL));
	rig_note(rig);
	if (strcmp(type, "permission.requested") == 0 && rig->reply != NULL)
		CU_ASSERT_EQUAL(rig->ops->permission(rig->agent, rig->turn,
					cg_json_string(payload, "permissionId"),
					rig->reply, rig->why),
			CG_OK);
	if (strcmp(type, "question.asked") == 0)
		CU_ASSERT_EQUAL(
			rig->ops->question(rig->agent, rig->turn,
				cg_json_string(payload, "requestId"), rig->answers),
			CG_OK);
}

static inline void rig_artifact(void *arg, const struct agent_artifact *artifact)
{
	struct agent_rig *rig = arg;

	rig->events++;
	cg_buffer_format(&rig->log, "artifact %s %s %s %.*s\n",
		artifact->id == NULL ? "-" : artifact->id, artifact->filename,
		artifact->mime_type == NULL ? "-" : artifact->mime_type,
		(int)artifact->length, (const char *)artifact->data);
	rig_note(rig);
}

static inline void rig_bound(void *arg, const char *runtime_session_id)
{
	(void)arg;
	(void)runtime_session_id;
	CU_FAIL("a session of its own");
}

static inline void rig_ended(void *arg, enum agent_end end, const char *message)
{
	struct agent_rig *rig = arg;

	rig->ended++;
	rig->end = end;
	snprintf(
		rig->message, sizeof(rig->message), "%s", message != NULL ? message : "");
	loop_stop(rig->loop);
}

static const struct agent_sink rig_sink = {
	.append = rig_append,
	.replace = rig_replace,
	.event = rig_event,
	.artifact = rig_artifact,
	.bound = rig_bound,
	.ended = rig_ended,
};

static inline void rig_hangs(void *arg)
{
	struct agent_rig *rig = arg;

	CU_FAIL("a turn did not end");
	loop_stop(rig->loop);
}

/* All but the agent itself, so that a test can set options first. */
static inline void rig_init(struct agent_rig *rig, const struct agent_ops *ops)
{
	memset(rig, 0, sizeof(*rig));
	rig->ops = ops;
	clock_system(&rig->clock, 0);
	CU_ASSERT_EQUAL_FATAL(loop_create(&rig->clock, &rig->loop, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(http_client_create(rig->loop, &rig->http, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		loop_timer_init(&rig->guard, rig->loop, rig_hangs, rig), CG_OK);
	cg_buffer_init(&rig->log, 8u << 20);
	cg_buffer_init(&rig->text, 8u << 20);
}

static inline enum cg_status rig_create(struct agent_rig *rig, struct cg_error *err)
{
	struct agent_host host = {.loop = rig->loop, .http = rig->http};

	return rig->ops->create(&host, &rig->options, &rig->agent, err);
}

static inline void rig_finish(struct agent_rig *rig)
{
	rig->ops->destroy(rig->agent);
	http_client_destroy(rig->http);
	loop_timer_finish(&rig->guard);
	loop_destroy(rig->loop);
	cg_buffer_finish(&rig->log);
	cg_buffer_finish(&rig->text);
}

static inline enum cg_status rig_start(struct agent_rig *rig, const char *text)
{
	const struct agent_prompt prompt = {
		.session_id = "s1",
		.runtime_session_id = "",
		.command_id = "c1",
		.agent = "build",
		.attempt = 1,
		.text = text,
		.files = rig->files,
		.file_count = rig->file_count,
	};

	return rig->ops->start(rig->agent, &prompt, &rig_sink, rig, &rig->turn, NULL);
}

/* Until a turn ends; what an earlier one left behind is forgotten. */
static inline void rig_wait(struct agent_rig *rig)
{
	rig->ended = 0;
	loop_timer_set(&rig->guard, RIG_PATIENCE_MS);
	loop_run(rig->loop);
	loop_timer_clear(&rig->guard);
	CU_ASSERT_EQUAL(rig->ended, 1);
}

static inline void rig_prompt(struct agent_rig *rig, const char *text)
{
	cg_buffer_clear(&rig->log);
	cg_buffer_clear(&rig->text);
	rig->shown = rig->events = 0;
	CU_ASSERT_EQUAL_FATAL(rig_start(rig, text), CG_OK);
	/* Nothing is reported from inside start. */
	CU_ASSERT_EQUAL(rig->shown + rig->events + rig->ended, rig->ended);
	rig_wait(rig);
}

static inline const char *rig_text(struct agent_rig *rig)
{
	return cg_buffer_string(&rig->text);
}

static inline const char *rig_log(struct agent_rig *rig)
{
	return cg_buffer_string(&rig->log);
}

#endif
