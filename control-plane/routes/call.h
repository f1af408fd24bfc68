/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, as a route sees it: on the writer thread, inside a transaction.
 *
 * A route reads fields, and either answers or refuses.  A field that is missing or of
 * the wrong kind refuses by itself, once; a route checks call_refused() after reading
 * its fields.  A route that returns anything but CG_OK has its writes undone; the
 * refusal stands.
 */
#ifndef COWGATE_CONTROL_PLANE_ROUTES_CALL_H
#define COWGATE_CONTROL_PLANE_ROUTES_CALL_H

#include "control-plane/change.h"
#include "control-plane/channel.h"
#include "control-plane/history.h"
#include "control-plane/identity.h"
#include "control-plane/roster.h"
#include "control-plane/session.h"
#include "control-plane/token.h"
#include "control-plane/transport.h"

#define CALL_FIELD 256 /* bytes of an id or a name */
#define CALL_TEXT (256 * 1024) /* bytes of a prompt */
#define CALL_DOCUMENT (16 * 1024) /* bytes of metadata, target, payload */
#define CALL_RETRY_MS 2000 /* after which a busy store may be asked again */
#define CALL_AUDIT 100000 /* newest records kept of who did what */
#define CALL_NAME 64 /* bytes kept of a principal's name */

struct call {
	struct change change;
	enum plane_principal_kind principal;
	struct token_proof token; /* of PLANE_TOKEN */
	int64_t token_end; /* of PLANE_TOKEN once it is admitted: when it expires */
	char actor[CALL_NAME]; /* for the audit and as claimant */
	char id[2][CALL_FIELD + 1]; /* decoded path parameters */
	char *query; /* owned, may be NULL */
	struct json_object *body; /* owned, may be NULL */
	const uint8_t *pairing_key; /* borrowed: the plane's, as the next two */
	const struct channel_list *channels;
	const struct roster *roster;

	int status; /* HTTP, 0: not answered yet */
	struct json_object *reply; /* owned */
	int64_t retry_after_ms;
	/* An early answer has to wait for the commit after all: it made what others will
	 * build on.  The route is called again and finds it. */
	bool settle;
	/* A prompt of an idle chat begins in the transaction that stores it. */
	bool may_begin;
	size_t history_bytes;
	struct taken_prompt taken; /* owned; text NULL: it waits for its turn */
	int64_t taken_session;
	bool again; /* this is that second call */
	/* Streams. */
	int64_t session;
	char session_id[HASHED_ID];
	int64_t after; /* sequence that the reader has */
	int64_t head; /* last sequence of the session */
};

void call_finish(struct call *call);

/* Answer; adopts @reply. */
enum cg_status call_answer(struct call *call, int status, struct json_object *reply);
/* Answer with one member; adopts @value. */
enum cg_status call_answer_one(
	struct call *call, int status, const char *key, struct json_object *value);
/* Refuse.  Keeps the first refusal.  Never returns CG_OK. */
enum cg_status call_refuse(struct call *call, int status, const char *policy,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
enum cg_status call_refuse_later(
	struct call *call, int64_t retry_after_ms, const char *policy, const char *text);

/* 503: the store cannot work, so try again. */
enum cg_status call_refuse_unavailable(struct call *call, const char *text);

static inline bool call_refused(const struct call *call)
{
	return call->status >= 400;
}

enum call_need {
	CALL_OPTIONAL, /* NULL when missing, null or blank */
	CALL_REQUIRED,
};

/* A text member of the body, at most @limit bytes. */
const char *call_text(
	struct call *call, const char *key, enum call_need need, size_t limit);
/* An id or name. */
const char *call_field(struct call *call, const char *key, enum call_need need);
/* One of @choices (ends with NULL). */
const char *call_choice(struct call *call, const char *key, enum call_need need,
	const char *const *choices);
/* An integer from 0. */
int64_t call_number(
	struct call *call, const char *key, enum call_need need, int64_t fallback);
/* An object whose text fits CALL_DOCUMENT. */
struct json_object *call_document(
	struct call *call, const char *key, enum call_need need);
/* ISO time; 0 when missing. */
int64_t call_time(struct call *call, const char *key);

/* The @index-th query parameter of this name, decoded; false when there is none. */
bool call_query(
	struct call *call, const char *key, size_t index, char ret[CALL_FIELD + 1]);
/* A number from the query, @fallback when missing or malformed, clamped. */
int64_t call_query_number(struct call *call, const char *key, int64_t fallback,
	int64_t least, int64_t most);

/* PLANE_TOKEN: refused with 401 unless the token that was shown is valid.  @read: nothing can
 * be written. */
enum cg_status call_admit(struct call *call, bool read);
/* Refused with 403 unless the principal may use the channel. */
enum cg_status call_granted(struct call *call, const char *binding_id);
/* The named channel if it is active and granted, else refused with 403. */
enum cg_status call_channel(
	struct call *call, const char *binding_id, const struct channel **ret);
/* A token has to say which channel it means, and may then be refused; others need not. */
enum cg_status call_named_channel(struct call *call, const char *binding_id);
/* The session binding of the path or body whose channel is active; 404 or 403. */
enum cg_status call_binding(
	struct call *call, const char *binding_id, struct binding *ret);
/* The workspace a body names, or the channel's when it names none; 400 when they
 * differ. */
enum cg_status call_workspace(struct call *call, const struct channel *channel);
/* The rights of the person a body names by identityId, or provider and
 * externalUserId.  Not refused when nobody is found: then there are none. */
enum cg_status call_actor(struct call *call, const char *provider, const char *workspace,
	struct identity_rights *ret);

/* Denied when the person whom the body names may not prompt here; else who it is. */
enum cg_status call_prompter(struct call *call, const char *provider,
	const char *workspace, struct identity_rights *ret);

/* An agent works where something is to be forgotten: refused for now, and what the route has done
 * so far is kept. */
enum cg_status call_busy_forgetting(struct call *call);

/* Note who did what. */
enum cg_status call_audit(struct call *call, const char *event, const char *target);

/* The percent-decoded text of @length bytes; false when malformed, too long or with
 * NUL. */
bool call_decode(const char *text, size_t length, bool plus, char ret[CALL_FIELD + 1]);

#endif
