/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens that answer one permission or question, once.
 *
 * A token is short enough for a button, kept as a hash, bound to a session's chat, and
 * good for as long as the turn waits.  Whatever is wrong with one looks the same from outside.  Writer
 * thread.
 */
#ifndef COWGATE_CONTROL_PLANE_INTERACTION_H
#define COWGATE_CONTROL_PLANE_INTERACTION_H

#include "control-plane/change.h"
#include "control-plane/session.h"

#define INTERACTION_LIFE_MS (30 * 60 * 1000) /* as long as a turn waits */
#define INTERACTION_PENDING 64 /* of one session */
#define INTERACTION_TOKEN 256 /* bytes of a token with its NUL; ours have 48 */

struct interaction_seed {
	const struct binding *binding;
	const char *kind; /* permission, question */
	const char *target_id;
	const char *external_id; /* may be NULL */
	/* the caller's own id, so that a repeat gives the same; or NULL */
	const char *seed;
	const char *secret; /* the caller's own secret, or NULL */
	int64_t expires_at; /* 0: INTERACTION_LIFE_MS from now */
};

/*
 * Make one.  On CG_OK *@ret is the caller's record.  EXISTS: the id is used for something
 * else.  LIMIT: too many wait for an answer.
 */
enum cg_status interaction_create(struct change *change,
	const struct interaction_seed *seed, struct json_object **ret,
	char ret_token[INTERACTION_TOKEN]);

struct interaction {
	int64_t id; /* row, 0: not found */
	int64_t session;
	int64_t session_binding;
	bool pending; /* and not expired */
	bool used;
	char used_by[RANDOM_ID]; /* identity */
	char command_id[HASHED_ID];
	bool question;
	char target_id[257]; /* a field of 256 bytes and NUL */
	char interaction_id[HASHED_ID];
};

enum cg_status interaction_find(
	struct change *change, const char *token, struct interaction *ret);
/* Spend it.  CONFLICT when it has been spent meanwhile. */
enum cg_status interaction_use(struct change *change,
	const struct interaction *interaction, const char *identity_id,
	const char *command_id);
enum cg_status interaction_record(
	struct change *change, int64_t id, struct json_object **ret);
/* The session does not ask this any more … */
enum cg_status interaction_expire_target(
	struct change *change, int64_t session, const char *target_id);
/* … or nothing any more. */
enum cg_status interaction_expire(struct change *change, int64_t session);

#endif
