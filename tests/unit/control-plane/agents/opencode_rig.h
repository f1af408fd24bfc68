/* SPDX-License-Identifier: Apache-2.0 */
/* The "opencode" backend with a server that the test plays. */
#ifndef COWGATE_TESTS_OPENCODE_RIG_H
#define COWGATE_TESTS_OPENCODE_RIG_H

#include "control-plane/agents/opencode_turn.h"
#include "tests/support/opencode_server_fake.h"
#include "tests/unit/control-plane/agents/turn_rig.h"

#include <stdarg.h>

#define NEWEST "msg_0123456789abAAAAAAAAAAAAAA" /* the model's message */

/* Frees nothing that the test has to free but the turn's log. */
static inline void opencode_begin(struct rig *rig)
{
	rig_init(rig, &agent_opencode);
	rig->options.directory = "/work";
	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
}

/* The server was asked this since it was looked at last. */
static inline bool opencode_asked(const char *what)
{
	bool asked = opencode_server_fake.asked.length > 0 &&
		     strstr(cg_buffer_string(&opencode_server_fake.asked), what) != NULL;

	cg_buffer_clear(&opencode_server_fake.asked);
	return asked;
}

static inline void opencode_event_of(const char *type, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* An event whose properties are written like a text. */
static inline void opencode_event_of(const char *type, const char *format, ...)
{
	char properties[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(properties, sizeof(properties), format, args);
	va_end(args);
	opencode_server_fake_event(type, properties);
}

/* The model begins its message @id as an answer to @parent. */
static inline void opencode_model_begins(const char *id, const char *parent)
{
	opencode_event_of("message.updated",
		"{\"sessionID\":\"S\",\"info\":{\"id\":\"%s\",\"role\":\"assistant\","
		"\"parentID\":\"%s\"}}",
		id, parent);
}

static inline void opencode_model_says(const char *part, const char *text)
{
	opencode_event_of("message.part.updated",
		"{\"sessionID\":\"S\",\"part\":{\"id\":\"%s\",\"messageID\":\"" NEWEST
		"\",\"type\":\"text\",\"text\":\"%s\"}}",
		part, text);
}

static inline void opencode_tool_is(const char *status, const char *call)
{
	opencode_event_of("message.part.updated",
		"{\"sessionID\":\"S\",\"part\":{\"id\":\"prt_t\",\"messageID\":\"" NEWEST
		"\",\"type\":\"tool\",\"tool\":\"bash\",\"state\":{\"status\":\"%s\"},"
		"\"callID\":\"%s\"}}",
		status, call);
}

static inline void opencode_session_is_idle(void)
{
	opencode_server_fake_event("session.idle", "{\"sessionID\":\"S\"}");
}

/* A turn of the new session "S" whose prompt was taken, and whose answer has begun. */
static inline void opencode_begin_running(struct rig *rig, struct rig_turn *turn)
{
	opencode_begin(rig);
	opencode_server_fake_up();
	rig_begin(rig, turn, "", "c1", "hello");
	CU_ASSERT_TRUE(opencode_server_fake_answer("/session", "{\"id\":\"S\"}"));
	CU_ASSERT_TRUE(opencode_server_fake_answer("/prompt_async", NULL));
	opencode_model_begins(NEWEST, turn->turn->message_id);
	cg_buffer_clear(&opencode_server_fake.asked);
}

/* The list of messages: the model's one, complete when @finish is not "", as an answer to @parent. */
static inline bool opencode_list(const char *parent, const char *finish)
{
	char list[1024];

	snprintf(list, sizeof(list),
		"[{\"info\":{\"id\":\"" NEWEST "\",\"role\":\"assistant\",\"parentID\":"
		"\"%s\",\"finish\":\"%s\",\"time\":{"
		"\"completed\":%d}},\"parts\":[]}]",
		parent, finish, *finish != '\0');
	return opencode_server_fake_answer("/message?", list);
}

#endif
