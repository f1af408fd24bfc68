/* SPDX-License-Identifier: Apache-2.0 */
/* /forget: what is stored of a conversation is deleted, and a new one begins. */
#ifndef COWGATE_GATEWAY_FORGETTING_H
#define COWGATE_GATEWAY_FORGETTING_H

struct errand;

/* A chat_command_run.  Without the word that confirms it, it says what would happen. */
void forgetting_run(struct errand *errand);

#endif
