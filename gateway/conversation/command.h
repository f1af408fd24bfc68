/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's own commands.  They are handled here and skip the queue. */
#ifndef COWGATE_GATEWAY_COMMAND_H
#define COWGATE_GATEWAY_COMMAND_H

#include "gateway/conversation/errand.h"

typedef void (*chat_command_run)(struct errand *errand);

/* Is it one of those that decide what the agent asks? */
/* … and waits its turn among what people say, where others skip the queue. */
bool chat_command_waits(const struct inbox_message *message);
bool chat_command_decides(const struct inbox_message *message);

/* NULL: not one of ours, the agent gets it. */
chat_command_run chat_command_find(const struct inbox_message *message);

#endif
