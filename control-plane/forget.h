/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting what the plane keeps of a chat thread or of a person: sessions with all that hangs on
 * them, the files' bytes included.  Of both, only ids remain that tell repeats.  Repeating it is
 * harmless.  Writer thread, in a job with DATABASE_ERASE.
 */
#ifndef COWGATE_CONTROL_PLANE_FORGET_H
#define COWGATE_CONTROL_PLANE_FORGET_H

#include "control-plane/roster.h"
#include "control-plane/session.h"

struct forgetting {
	struct change *change;
	const struct roster *roster;
	const struct channel_list *channels;
	int64_t sessions; /* out: deleted */
	bool agent_keeps; /* out: an agent has a record of its own of one of them */
	/* out: an agent works in one of them and is being stopped; nothing has been deleted since.
	 * To be repeated in a moment. */
	bool busy;
};

/* The session that the thread is bound to, if there is one. */
enum cg_status forget_thread(struct forgetting *self, const struct thread_key *key);

/*
 * What a person has said.  Sessions in which nobody else spoke go whole; of others, what the person
 * wrote and sent, and the title.  What an agent has answered there stays.
 */
enum cg_status forget_person(struct forgetting *self, const char *identity_id);

#endif
