/* SPDX-License-Identifier: Apache-2.0 */
/* The `agents` array of the files: more agents beside the one of the agent settings. */
#ifndef COWGATE_CONFIG_AGENT_H
#define COWGATE_CONFIG_AGENT_H

#include "config/option.h"
#include "config/source.h"
#include "config/value.h"

/* Members of an entry; the manual lists them. */
enum agent_member {
	AGENT_MEMBER_BACKEND,
	AGENT_MEMBER_URL,
	AGENT_MEMBER_API_KEY,
	AGENT_MEMBER_MODEL,
	AGENT_MEMBER_SYSTEM_PROMPT,
	AGENT_MEMBER_COMMAND,
	AGENT_MEMBER_DIRECTORY,
	AGENT_MEMBER_ENVIRONMENT,
	AGENT_MEMBER_USER,
	AGENT_MEMBER_LIMITS,
	AGENT_MEMBER_FALLBACK_URLS,
	AGENT_MEMBER_DAILY_TOKENS_PER_CHAT,
	AGENT_MEMBER_DAILY_TOKENS,
	AGENT_MEMBERS,
};

struct agent_member_row {
	const char *name;
	struct option_rule rule;
	const char *help;
};
extern const struct agent_member_row agent_members[AGENT_MEMBERS];

/* What the secrets of an agent are kept in. */
struct agent_values {
	struct value values[AGENT_MEMBERS];
};

/* Read them all into the arenas; problems go to the report.  False: out of memory. */
bool agents_read(const struct source *source, struct config_agent **ret,
	struct agent_values **ret_values, size_t *ret_count);
void agents_finish(struct agent_values *values, size_t count);
bool agents_equal(const struct config *a, const struct config *b);

#endif
