/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Cloud's copy of how far sessions have been rendered.  The journal's is the truth; the copy is
 * for a gateway that has lost its journal, so it is written now and then, and a write that fails
 * is left for the next change.
 */
#ifndef COWGATE_GATEWAY_MIRROR_H
#define COWGATE_GATEWAY_MIRROR_H

#include "gateway/conversation/context.h"

#define MIRROR_SESSIONS \
	512 /* that wait to be written; more are left out until they change */
#define MIRROR_MS 15000 /* changes are collected for so long */

enum cg_status mirror_init(struct conversation *conversation);
void mirror_finish(struct conversation *conversation);

/* The session is rendered and stored up to @sequence. */
void mirror_note(
	struct conversation *conversation, const char *binding_id, int64_t sequence);

#endif
