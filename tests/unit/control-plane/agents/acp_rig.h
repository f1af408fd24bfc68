/* SPDX-License-Identifier: Apache-2.0 */
/* The "acp" backend with a program that the test plays.  Its requests are numbered from 1. */
#ifndef COWGATE_TESTS_ACP_RIG_H
#define COWGATE_TESTS_ACP_RIG_H

#include "control-plane/agents/acp.h"
#include "tests/support/child_fake.h"
#include "tests/unit/control-plane/agents/turn_rig.h"

#define ACP_RESULT(id, result) \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":" result "}"
#define ACP_HELLO ACP_RESULT(1, "{\"protocolVersion\":1}")
#define ACP_HELLO_LOADS \
	ACP_RESULT(1, \
		"{\"protocolVersion\":1,\"agentCapabilities\":{\"loadSession\":true}}")
#define ACP_UPDATE(session, update) \
	"{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{\"sessionId\":" \
	"\"" session "\",\"update\":" update "}}"
#define ACP_SAYS(session, text) \
	ACP_UPDATE(session, "{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{" \
			    "\"type\":\"text\",\"text\":\"" text "\"}}")
#define ACP_WANTS(session, id, call) \
	"{\"jsonrpc\":\"2.0\",\"id\":\"" id "\",\"method\":\"session/" \
	"request_permission\",\"params\":{\"sessionId\":\"" session \
	"\",\"toolCall\":{\"toolCallId\":\"" call "\",\"title\":\"rm " \
	"x\"},\"options\":[{\"optionId\":\"o\",\"kind\":\"allow_once\"}," \
	"{\"optionId\":\"r\",\"kind\":\"reject_once\"}]}}"

static inline void acp_begin(struct rig *rig)
{
	static const char *const command[] = {"agent", NULL};

	rig_init(rig, &agent_acp);
	rig->options.command = command;
	rig->options.directory = "/work";
	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
}

/* … which has started and introduced itself. */
static inline void acp_begin_ready(struct rig *rig, const char *hello)
{
	acp_begin(rig);
	child_fake_start();
	child_fake_say(hello);
	cg_buffer_clear(&child_fake.read);
}

/* The program was told this since it was asked last. */
static inline bool acp_heard(const char *what)
{
	bool heard = child_fake.read.length > 0 &&
		     strstr(cg_buffer_string(&child_fake.read), what) != NULL;

	cg_buffer_clear(&child_fake.read);
	return heard;
}

/* A turn in the new session "S", prompted: requests 2 and 3. */
static inline void acp_begin_prompted(struct rig *rig, struct rig_turn *turn)
{
	acp_begin_ready(rig, ACP_HELLO_LOADS);
	rig_begin(rig, turn, "", "c1", "hello");
	child_fake_say(ACP_RESULT(2, "{\"sessionId\":\"S\"}"));
	CU_ASSERT_TRUE(acp_heard("\"id\":3,\"method\":\"session/prompt\""));
}

#endif
