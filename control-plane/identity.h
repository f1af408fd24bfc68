/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People: who writes to the agent, what they may do, and how a stranger becomes a
 * member.
 *
 * A stranger is pending and gets a pairing code that an owner or the operator
 * approves.  The code is kept as a hash.  It is derived from a key of this process, so
 * the same code can be told again while it lives.  Writer thread.
 */
#ifndef COWGATE_CONTROL_PLANE_IDENTITY_H
#define COWGATE_CONTROL_PLANE_IDENTITY_H

#include "control-plane/change.h"
#include "control-plane/channel.h"

#define IDENTITY_PENDING 256 /* strangers kept; the oldest goes */
#define PAIRING_OPEN 32 /* codes alive at once */
#define PAIRING_LIFE_MS (10 * 60 * 1000)
#define PAIRING_FAILURES 5 /* wrong codes in one window of PAIRING_LIFE_MS */
#define PAIRING_NOTICE_MS (24 * 60 * 60 * 1000)
#define PAIRING_CODE 9 /* eight characters and NUL */
#define PAIRING_KEY 32

struct identity {
	int64_t id;
	struct json_object *record; /* owned, as the API shows it */
	bool admitted; /* by this very call: the person was not a member before */
};

void identity_finish(struct identity *identity);

/* Names a person; an empty workspace is its own workspace. */
struct identity_key {
	const char *provider;
	const char *workspace; /* "" for none */
	const char *user;
};

/* By key or by public id; id 0 when there is none. */
enum cg_status identity_find(
	struct change *change, const struct identity_key *key, struct identity *ret);
enum cg_status identity_by_id(
	struct change *change, const char *identity_id, struct identity *ret);

/* Find or make the person, and keep what the platform says of them up to date.  @local:
 * the person sits at this machine and owns it. */
enum cg_status identity_resolve(struct change *change, const struct identity_key *key,
	const struct channel *channel, struct json_object *metadata, bool local,
	struct identity *ret);

/* What a person may do, without the rest. */
struct identity_rights {
	char identity_id[RANDOM_ID]; /* "" when there is no such person */
	char role[12];
	bool active;
};

/* By @identity_id, or by @key when that is NULL.  With both, they must agree; the user
 * of the key may then be NULL. */
enum cg_status identity_rights(struct change *change, const struct identity_key *key,
	const char *identity_id, struct identity_rights *ret);

bool identity_may_prompt(const struct identity_rights *rights);
bool identity_may_approve(const struct identity_rights *rights);
/* Owner or admin. */
bool identity_may_manage(const struct identity_rights *rights);

/* Set role or status (NULL: keep) in the operator's name.  CONFLICT: nobody would be
 * owner. */
enum cg_status identity_update(struct change *change, struct identity *identity,
	const char *role, const char *person_status, const char *origin);
enum cg_status identity_delete(struct change *change, const struct identity *identity);
/* All people, newest first, at most @limit, appended to @array. */
enum cg_status identity_list(struct change *change, const char *person_status,
	int64_t limit, struct json_object *array);

/* The configuration names this person. */
enum cg_status identity_allow(struct change *change, const char *provider,
	const char *workspace, const char *user, const char *role);
/* Whoever was let in by the configuration is pending until it names them again.  Who came through a
 * channel that lets everyone in stays as long as it does. */
enum cg_status identity_forget_configuration(struct change *change);

/* What a pending person is told. */
struct pairing {
	char code[PAIRING_CODE]; /* "" when there is none */
	int64_t expires_at;
	bool notify; /* tell them now: at most once in 24 hours */
};

/* Give a pending person a code, or the one that is still good. */
enum cg_status pairing_offer(struct change *change, const struct identity *identity,
	const uint8_t key[PAIRING_KEY], struct pairing *ret);
/*
 * Whose code is this?  NOT_FOUND counts against the window; the caller commits in
 * either case.  LIMIT: too many wrong ones, *@ret_retry_ms says when the window ends.
 */
enum cg_status pairing_redeem(struct change *change, const char *code,
	struct identity *ret, int64_t *ret_retry_ms);

#endif
