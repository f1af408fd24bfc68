/* SPDX-License-Identifier: Apache-2.0 */
/* The commands about who answers in a chat and how far they are. */
#ifndef COWGATE_GATEWAY_STANDING_H
#define COWGATE_GATEWAY_STANDING_H

#include "gateway/conversation/errand.h"

/* /status */
void standing_tell(struct errand *errand);
/* /agent: who there is; /agent NAME: they answer from the next message on */
void standing_agent(struct errand *errand);
/* The message became a prompt while the agent was busy: how many come before it, said once and
 * without a sound, where nothing else shows that it was heard.  Ends the errand. */
void standing_tell_queue(struct errand *errand);

#endif
