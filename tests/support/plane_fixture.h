/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plane on a fresh file with a scripted agent and a clock that only moves when told to.
 * Requests are made as JSON text and answered when fixture_call() returns.
 */
#ifndef COWGATE_TESTS_CONTROL_PLANE_FIXTURE_H
#define COWGATE_TESTS_CONTROL_PLANE_FIXTURE_H

#include "control-plane/plane.h"

#define FIXTURE_TURNS 64
#define FIXTURE_EVENTS 4096
#define FIXTURE_FILE (16 * 1024 * 1024) /* a test store is smaller */

/* What the scripted agent was asked, and its side of a turn. */
struct agent_turn {
	bool live;
	bool cancelled;
	struct agent_sink sink;
	void *arg;
	char text[256];
	char command_id[96];
	char session_id[96];
	char runtime_session_id[64];
	unsigned attempt;
	char history[1024]; /* "u:hello|a:hi|" */
	char files[256]; /* "a.txt:text/plain:5:hello|" */
	char steered[128];
	char agent[64]; /* as the prompt says */
	bool other; /* it is the agent called "other" */
	bool settled; /* picked up after a restart */
	char permission[256]; /* "per_1=once", "per_1=reject: why" */
	char question[256];
};

struct fixture {
	struct clock clock; /* first: the virtual clock */
	int64_t now;
	struct loop *loop;
	struct plane *plane;
	char path[64];
	bool faulty; /* on the disk that fails and forgets */
	struct plane_channel channels[3];
	size_t channel_count;
	/* The agent's script. */
	bool repeatable;
	bool steers;
	int64_t ask_ms;
	int64_t daily_tokens_per_chat; /* of the default agent, as the next; 0: no limit */
	int64_t daily_tokens;
	enum cg_status settles; /* what picking up a turn gives */
	bool refuse_start;
	struct agent_turn turns[FIXTURE_TURNS];
	size_t turn_count;
	const char *token; /* shown by PLANE_TOKEN; NULL: none */
	/* The last reply. */
	int status;
	int64_t retry_after_ms;
	struct json_object *reply; /* owned */
	char notices[512];
};

/* A store with the channels telegram (owner 1, member 2), webhook (everyone) and cli. */
void fixture_start(struct fixture *fixture);
void fixture_start_faulty(struct fixture *fixture);
void fixture_finish(struct fixture *fixture);
/* Close the plane as it is and open it again on the same file. */
void fixture_restart(struct fixture *fixture);
/* The same, but the disk may fail: false when the plane cannot be made. */
bool fixture_try_restart(struct fixture *fixture);
/* The power goes: what was not committed is lost.  Needs fixture_start_faulty(). */
void fixture_crash(struct fixture *fixture);

/* Make a request; the reply is in fixture->status and ->reply.  @body NULL: none. */
void fixture_call(
	struct fixture *fixture, const char *method, const char *path, const char *body);
void fixture_call_as(struct fixture *fixture, enum plane_principal_kind kind,
	const char *method, const char *path, const char *body);
/* A text of the reply by path, "a.b.0.c"; "" when missing, "null" for null. */
const char *fixture_text(struct fixture *fixture, const char *path);
const char *json_at(struct json_object *value, const char *path);
/* The member names of an object of the reply, in their order, joined by spaces. */
const char *fixture_keys(struct fixture *fixture, const char *path);

/* Run a statement on the store as it is; the number of its first row, or 0. */
int64_t fixture_sql(struct fixture *fixture, const char *literal);

/* Whether the bytes of @text are anywhere in the store's files. */
bool fixture_stored(struct fixture *fixture, const char *text);

/* Let the loop and the writer work until nothing is left to do. */
void fixture_settle(struct fixture *fixture);
/* Bind a chat of the telegram owner; returns the binding's id. */
const char *fixture_bind(struct fixture *fixture, const char *chat);
/* Prompt it; the key may be NULL. */
void fixture_prompt(
	struct fixture *fixture, const char *binding, const char *text, const char *key);

/* "/api/channels/sessions/<binding><what>"; the next call takes its place. */
const char *fixture_path(const char *binding, const char *what);

/* What the scripted agent reports: a delta; an event with a payload in JSON; a file, from
 * memory or at a path; its last words; and that it is done, which is waited for. */
void agent_say(struct agent_turn *turn, const char *message_id, const char *text);
void agent_tell(struct agent_turn *turn, const char *type, const char *payload);
void agent_make(struct agent_turn *turn, const char *id, const char *name,
	const char *bytes, const char *path);
void agent_finish(struct agent_turn *turn, const char *message_id, const char *text);
void agent_end(struct fixture *fixture, struct agent_turn *turn);

/* A stream that collects. */
struct fixture_stream {
	struct fixture *fixture;
	struct plane_exchange *exchange;
	bool by_token; /* in the right of fixture->token, else of the gateway */
	bool opened;
	bool ended;
	int end_status;
	size_t pause_after; /* pause when so many have come; 0: never */
	size_t count;
	int64_t ids[FIXTURE_EVENTS];
	char types[FIXTURE_EVENTS][24];
	struct json_object *last; /* owned: data of the last event */
	struct cg_error error;
};
void fixture_open(struct fixture *fixture, struct fixture_stream *stream,
	const char *path, const char *query);
void fixture_close(struct fixture_stream *stream);
/* The types that came, joined by spaces. */
const char *fixture_types(const struct fixture_stream *stream);

#endif
