/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/acp.h"

#include <stdlib.h>
#include <string.h>

struct acp_session *acp_session_find(struct acp *acp, const char *id)
{
	struct acp_session *session;

	LIST_FOREACH (session, &acp->sessions, entry) {
		if (strcmp(session->id, id) == 0)
			return session;
	}
	return NULL;
}

static void session_free(struct acp_session *session)
{
	if (session == NULL)
		return;
	loop_timer_finish(&session->stuck);
	free(session->id);
	free(session);
}

static void session_remove(struct acp_session *session)
{
	LIST_REMOVE(session, entry);
	session->acp->session_count--;
	session_free(session);
}

/* Newest come first, so the last idle one has been there longest. */
static bool make_room(struct acp *acp)
{
	struct acp_session *session, *oldest = NULL;

	if (acp->session_count < ACP_SESSIONS)
		return true;
	LIST_FOREACH (session, &acp->sessions, entry) {
		if (session->turn == NULL && session->fence == NULL)
			oldest = session;
	}
	if (oldest == NULL)
		return false;
	session_remove(oldest);
	return true;
}

/* It works on something that nobody waits for, and holds up nobody else. */
static void on_stuck(void *arg)
{
	struct acp_session *session = arg;
	struct acp *acp = session->acp;
	const struct acp_session *other;

	LIST_FOREACH (other, &acp->sessions, entry) {
		if (other->turn != NULL) {
			loop_timer_set(&session->stuck, ACP_STUCK_MS);
			return;
		}
	}
	child_restart(&acp->child);
}

struct acp_session *acp_session_add(struct acp *acp, const char *id)
{
	struct acp_session *session;

	if (!make_room(acp))
		return NULL;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return NULL;
	session->acp = acp;
	session->id = strdup(id);
	if (session->id == NULL || loop_timer_init(&session->stuck, acp->host.loop,
					   on_stuck, session) != CG_OK) {
		session_free(session);
		return NULL;
	}
	LIST_INSERT_HEAD(&acp->sessions, session, entry);
	acp->session_count++;
	return session;
}

static void on_fence_answered(
	void *arg, struct json_object *result, struct json_object *error)
{
	struct acp_session *session = arg;

	(void)result;
	(void)error;
	session->fence = NULL;
	loop_timer_clear(&session->stuck);
	acp_turns_go_on(session->acp);
}

void acp_session_fence(struct acp_session *session, struct acp_request *request)
{
	session->fence = request;
	request->done = on_fence_answered;
	request->arg = session;
	loop_timer_set(&session->stuck, ACP_STUCK_MS);
}

void acp_sessions_clear(struct acp *acp)
{
	struct acp_session *session;

	while ((session = LIST_FIRST(&acp->sessions)) != NULL)
		session_remove(session);
}
