/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked and nobody decides: its card says so when its time is over. */
#ifndef COWGATE_GATEWAY_EXPIRY_H
#define COWGATE_GATEWAY_EXPIRY_H

#include "gateway/conversation/context.h"

enum cg_status expiry_init(struct conversation *conversation);
void expiry_finish(struct conversation *conversation);

/* Look now. */
void expiry_look(struct conversation *conversation);
/* Look every minute while anything is asked. */
void expiry_watch(struct conversation *conversation);

#endif
