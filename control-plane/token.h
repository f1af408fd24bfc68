/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API tokens: what a gateway elsewhere shows to use this plane's routes over HTTP.
 *
 * A token reads occ_<id>_<secret>.  The secret has 256 random bits, so its SHA-256 is kept and
 * no slow hash is needed: there is nothing to guess.  Each token may use the channels that were
 * granted to it, and no others.  Writer thread.
 */
#ifndef COWGATE_CONTROL_PLANE_TOKEN_H
#define COWGATE_CONTROL_PLANE_TOKEN_H

#include "control-plane/change.h"

#include <cowgate/sdk/crypto.h>

#define TOKEN_ID 21 /* "tok_", 16 characters, NUL */
#define TOKEN_TEXT 69 /* occ_<id>_<43 characters>, NUL */
#define TOKEN_NAME 96 /* bytes of a name */
#define TOKEN_GRANTS 64 /* channels of one token */
#define TOKENS 256 /* kept; more are refused until one is revoked and forgotten */
#define TOKEN_LIFE_MS (INT64_C(90) * 24 * 60 * 60 * 1000)
#define TOKEN_LIFE_MOST_MS (INT64_C(365) * 24 * 60 * 60 * 1000)

/* What a caller has shown.  The secret is not kept. */
struct token_proof {
	char id[TOKEN_ID];
	uint8_t hash[CG_SHA256];
};

/* False: @text has not the shape of a token.  @ret_proof is then wiped and admits nobody. */
bool token_read(const char *text, struct token_proof *ret_proof);

/* OK, or DENIED: unknown, wrong, expired or revoked, all alike.  @ret_end: when it expires. */
enum cg_status token_admit(
	struct change *change, const struct token_proof *proof, int64_t *ret_end);
/* The token was used; written at most once an hour. */
enum cg_status token_touch(struct change *change, const char *id);
/* OK, or DENIED: the channel was not granted. */
enum cg_status token_grants(
	struct change *change, const char *id, const char *binding_id);

struct token_seed {
	const char *name;
	int64_t life_ms;
	const char *const *bindings; /* granted */
	size_t binding_count; /* 1 .. TOKEN_GRANTS */
};

/* @ret_text is told once and cannot be found out again.  LIMIT: there are TOKENS. */
enum cg_status token_create(struct change *change, const struct token_seed *seed,
	char ret_text[TOKEN_TEXT], struct json_object **ret);
enum cg_status token_list(struct change *change, struct json_object *array);
/* *@ret is NULL when there is no such token.  A second time changes nothing. */
enum cg_status token_revoke(
	struct change *change, const char *id, struct json_object **ret);

#endif
