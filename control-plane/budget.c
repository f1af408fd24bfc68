/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/budget.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_MS (24LL * 60 * 60 * 1000)

static int64_t today(const struct change *change)
{
	return change->now / DAY_MS;
}

enum cg_status budget_spend(
	struct change *change, int64_t session, const char *agent, int64_t tokens)
{
	enum cg_status status;

	if (tokens <= 0)
		return CG_OK;
	/* A clock that is set back a day finds what it had counted. */
	status = change_run(
		change, "DELETE FROM spent WHERE day < ?", BIND(INT(today(change) - 1)));
	if (status != CG_OK)
		return status;
	return change_run(change,
		"INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
		" SET tokens = tokens + excluded.tokens",
		BIND(INT(today(change)), TEXT(agent), INT(session), INT(tokens)));
}

/* The chat is what the session's binding names, without its thread. */
static enum cg_status used_by_chat(
	struct change *change, int64_t session, const char *agent, int64_t *ret)
{
	*ret = 0;
	return change_number(change,
		"SELECT sum(tokens) FROM spent WHERE day = ? AND agent = ? AND session "
		"IN"
		" (SELECT other.session FROM session_binding own JOIN session_binding "
		"other"
		"  USING (provider, external_workspace_id, external_chat_id)"
		"  WHERE own.session = ?)",
		BIND(INT(today(change)), TEXT(agent), INT(session)), ret);
}

static enum cg_status used_by_all(struct change *change, const char *agent, int64_t *ret)
{
	*ret = 0;
	return change_number(change,
		"SELECT sum(tokens) FROM spent WHERE day = ? AND agent = ?",
		BIND(INT(today(change)), TEXT(agent)), ret);
}

enum cg_status budget_look(struct change *change, int64_t session,
	const struct seat *seat, char ret[BUDGET_TEXT])
{
	int64_t chat = seat->options.daily_tokens_per_chat;
	int64_t all = seat->options.daily_tokens;
	enum cg_status status = CG_OK;
	int64_t used = 0;

	ret[0] = '\0';
	if (all > 0)
		status = used_by_all(change, seat->name, &used);
	if (status == CG_OK && all > 0 && used >= all) {
		snprintf(ret, BUDGET_TEXT,
			"The agent has used up its %" PRId64
			" tokens of today. It answers again after midnight UTC.",
			all);
		return CG_OK;
	}
	if (status == CG_OK && chat > 0)
		status = used_by_chat(change, session, seat->name, &used);
	if (status == CG_OK && chat > 0 && used >= chat)
		snprintf(ret, BUDGET_TEXT,
			"This chat has used up its %" PRId64
			" tokens of today. The agent answers here again after midnight "
			"UTC.",
			chat);
	return status;
}
