/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More sessions with unfinished work than streams: they take turns.  A stream that has had its
 * turn is closed and its session parked; whoever has waited longest comes next.
 */
#ifndef COWGATE_GATEWAY_ROTA_H
#define COWGATE_GATEWAY_ROTA_H

#include "gateway/conversation/context.h"

#define ROTA_PARKED 4096 /* sessions remembered in their order */
#define ROTA_TURN_MS 10000 /* a stream that is younger keeps its place */
#define ROTA_SHARE 4 /* one of so many streams changes in a turn */

enum cg_status rota_init(struct conversation *conversation);
void rota_finish(struct conversation *conversation);

/* There may be more open sessions in the journal than streams. */
void rota_look(struct conversation *conversation);
/* The session waits for its next turn. */
void rota_park(struct conversation *conversation, const char *binding_id);
/* Close the stream that has been quiet the longest and has had its turn; false: there is none. */
bool rota_make_room(struct conversation *conversation);

#endif
