/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/flood.h"

#include <cowgate/sdk/crypto.h>
#include <string.h>

#define FLOOD_SEND 1000 /* thousandths */
#define FLOOD_MINUTE_MS 60000

static uint64_t key_of(const char *instance, const char *chat_id)
{
	const char *parts[] = {instance, chat_id};
	uint8_t hash[CG_SHA256];
	uint64_t key;

	cg_sha256_joined(parts, chat_id == NULL ? 1 : 2, hash);
	memcpy(&key, hash, sizeof(key));
	return key == 0 ? 1 : key;
}

static int64_t capacity(const struct cg_rate *rate)
{
	return (int64_t)(rate->burst == 0 ? 1 : rate->burst) * FLOOD_SEND;
}

static void refill(
	struct flood_bucket *bucket, const struct cg_rate *rate, int64_t now_ms)
{
	int64_t passed = now_ms - bucket->since_ms;
	int64_t most = capacity(rate);

	/* Longer than it takes to fill it; also keeps the product small. */
	if (passed > FLOOD_MINUTE_MS * (most / FLOOD_SEND + 1)) {
		bucket->milli = most;
		bucket->since_ms = now_ms;
		return;
	}
	if (passed > 0) {
		int64_t more = passed * rate->per_minute * FLOOD_SEND / FLOOD_MINUTE_MS;

		if (more == 0)
			return;
		/* What a whole division leaves over is not lost. */
		bucket->since_ms +=
			more * FLOOD_MINUTE_MS / ((int64_t)rate->per_minute * FLOOD_SEND);
		bucket->milli += more;
	}
	if (bucket->milli >= most) {
		bucket->milli = most;
		bucket->since_ms = now_ms;
	}
}

/* The bucket of @key among @count; a new one is full. */
static struct flood_bucket *find(struct flood_bucket *buckets, size_t count, uint64_t key,
	const struct cg_rate *rate, int64_t now_ms)
{
	struct flood_bucket *best = &buckets[0];

	for (size_t i = 0; i < count; i++) {
		struct flood_bucket *bucket = &buckets[i];

		if (bucket->key == key) {
			refill(bucket, rate, now_ms);
			return bucket;
		}
		if (best->key != 0 &&
			(bucket->key == 0 || bucket->since_ms < best->since_ms))
			best = bucket;
	}
	*best = (struct flood_bucket){
		.key = key, .milli = capacity(rate), .since_ms = now_ms};
	return best;
}

/* Until the bucket holds @least and one send. */
static int64_t wait_for(
	const struct flood_bucket *bucket, const struct cg_rate *rate, int64_t least)
{
	int64_t missing = least + FLOOD_SEND - bucket->milli;
	int64_t per_minute = (int64_t)rate->per_minute * FLOOD_SEND;

	return missing <= 0 ? 0
			    : (missing * FLOOD_MINUTE_MS + per_minute - 1) / per_minute;
}

/* What is left for more important things. */
static int64_t reserve(const struct cg_rate *rate, enum flood_kind kind)
{
	int64_t most = capacity(rate);

	switch (kind) {
	case FLOOD_OBLIGATION:
		return 0;
	case FLOOD_PREVIEW:
		return most > FLOOD_SEND ? most / 4 : 0;
	case FLOOD_TYPING:
		break;
	}
	return most > FLOOD_SEND ? most / 2 : 0;
}

int64_t flood_take(struct flood *flood, const struct flood_send *send, bool *ret_account)
{
	const struct cg_capabilities *capabilities = send->capabilities;
	const struct cg_rate *account_rate = &capabilities->account_rate;
	const struct cg_rate *chat_rate =
		!send->is_direct && capabilities->group_rate.per_minute > 0
			? &capabilities->group_rate
			: &capabilities->chat_rate;
	struct flood_bucket *account = NULL, *chat = NULL;
	int64_t account_wait = 0, chat_wait = 0;

	if (account_rate->per_minute > 0) {
		account = find(flood->accounts, FLOOD_ACCOUNTS,
			key_of(send->instance, NULL), account_rate, send->now_ms);
		account_wait = wait_for(
			account, account_rate, reserve(account_rate, send->kind));
	}
	if (chat_rate->per_minute > 0 && send->kind != FLOOD_TYPING) {
		uint64_t key = key_of(send->instance, send->chat_id);

		chat = find(flood->chats[key % FLOOD_SETS], FLOOD_WAYS, key, chat_rate,
			send->now_ms);
		chat_wait = wait_for(chat, chat_rate, reserve(chat_rate, send->kind));
	}
	if (ret_account != NULL)
		*ret_account = account_wait > chat_wait;
	if (account_wait > 0 || chat_wait > 0)
		return account_wait > chat_wait ? account_wait : chat_wait;
	if (account != NULL)
		account->milli -= FLOOD_SEND;
	if (chat != NULL)
		chat->milli -= FLOOD_SEND;
	return 0;
}
