/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much may be sent, to an account and to each of its chats, by the rates that the provider
 * names.  Buckets that refill: what they hold may go at once, the rest evenly.  Pure.
 *
 * What must arrive takes from the whole bucket; previews and typing leave a part of the account's
 * for it, so that they never hold it up.
 */
#ifndef COWGATE_GATEWAY_FLOOD_H
#define COWGATE_GATEWAY_FLOOD_H

#include <cowgate/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOOD_ACCOUNTS 64
#define FLOOD_SETS 1024 /* of chats, FLOOD_WAYS in each; the fullest bucket makes room */
#define FLOOD_WAYS 4

struct flood_bucket {
	uint64_t key; /* 0: free */
	int64_t milli; /* thousandths of a send that it holds */
	int64_t since_ms; /* when that was so */
};

struct flood {
	struct flood_bucket accounts[FLOOD_ACCOUNTS];
	struct flood_bucket chats[FLOOD_SETS][FLOOD_WAYS];
};

enum flood_kind {
	FLOOD_OBLIGATION,
	FLOOD_PREVIEW,
	FLOOD_TYPING, /* counts for the account only */
};

struct flood_send {
	const char *instance, *chat_id;
	bool is_direct;
	enum flood_kind kind;
	const struct cg_capabilities *capabilities;
	int64_t now_ms; /* monotonic */
};

/* How long until it may be sent, in milliseconds; 0: now, and it is counted.  *@ret_account: it
 * is the account that has to wait; may be NULL. */
int64_t flood_take(struct flood *flood, const struct flood_send *send, bool *ret_account);

#endif
