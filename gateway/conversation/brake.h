/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The brake of a loop: two programs that answer each other never end by themselves.
 *
 * A message is quick when it comes within BRAKE_QUICK_MS of what was said last in its chat, and
 * something was said since the message before it.  After BRAKE_TURNS of them in a row the chat is
 * left alone for a while, each time for twice as long.  Pure; what it knows is lost with the
 * process, and a loop that goes on is found again.
 */
#ifndef COWGATE_GATEWAY_BRAKE_H
#define COWGATE_GATEWAY_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

#define BRAKE_TURNS 30
#define BRAKE_QUICK_MS 2000
#define BRAKE_REST_MS (INT64_C(10) * 60 * 1000)
#define BRAKE_REST_MAX_MS (INT64_C(24) * 60 * 60 * 1000)
#define BRAKE_SETS \
	256 /* of lanes, BRAKE_WAYS in each; who was quiet longest makes room */
#define BRAKE_WAYS 4

struct brake {
	struct brake_chat {
		uint64_t lane; /* 0: free */
		int64_t begun_ms, said_ms; /* the last that was said; wall clock */
		int64_t heard_ms; /* monotonic */
		int64_t rests_until_ms,
			rested_ms; /* monotonic; when it last began to rest */
		unsigned turns, rests;
		bool said; /* since the last message */
	} chats[BRAKE_SETS][BRAKE_WAYS];
};

/* Something is being said in this lane (@begins), or has arrived there. */
void brake_said(struct brake *brake, uint64_t lane, int64_t wall_ms, bool begins);

enum brake_verdict {
	BRAKE_FREE,
	BRAKE_BEGINS, /* it was one too many: now the chat rests for *@ret_rest_ms */
	BRAKE_RESTS,
};

/* A message of this lane, received at @received_ms of the wall clock. */
enum brake_verdict brake_heard(struct brake *brake, uint64_t lane, int64_t received_ms,
	int64_t mono_ms, int64_t *ret_rest_ms);

#endif
