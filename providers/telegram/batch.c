/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "telegram.h"

#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STORE_RETRY_MS 2000
#define EMPTY_MS 500 /* before a server that does not wait is asked again */
#define ALBUM_MS 700 /* for the rest of an album */
#define ALBUM_WAITS 3

void telegram_batch_init(struct telegram_batch *batch, struct telegram *telegram)
{
	*batch = (struct telegram_batch){.telegram = telegram, .limit = TELEGRAM_BATCH};
}

void telegram_offset_key(const struct telegram *telegram, char *ret, size_t size)
{
	snprintf(ret, size, "offset:%" PRId64, telegram->bot.id);
}

void telegram_batch_load(struct telegram_batch *batch)
{
	const struct cg_host *host = batch->telegram->host;
	char key[TELEGRAM_NUMBER + 8], value[TELEGRAM_NUMBER];

	telegram_offset_key(batch->telegram, key, sizeof(key));
	batch->offset = 0;
	if (host->checkpoint_load(host, key, value, sizeof(value)) &&
		!cg_parse_int(value, &batch->offset))
		batch->offset = 0;
}

/* ---- The end ---- */

static void store_offset(struct telegram_batch *batch)
{
	const struct cg_host *host = batch->telegram->host;
	char key[TELEGRAM_NUMBER + 8], value[TELEGRAM_NUMBER];
	const struct cg_checkpoint checkpoint = {.key = key, .value = value};

	telegram_offset_key(batch->telegram, key, sizeof(key));
	snprintf(value, sizeof(value), "%" PRId64, batch->offset);
	/* Should it be lost, the batch comes again and is found to be known. */
	host->checkpoint(host, &checkpoint, NULL, NULL);
}

/* All verdicts are in.  Nothing beyond a held update is confirmed, here or at Telegram. */
static void end_batch(struct telegram_batch *batch)
{
	int64_t offset = batch->held != 0 ? batch->held : batch->end;
	bool stored = batch->rode && batch->held == 0;
	int64_t delay_ms = 0;

	if (offset != batch->offset) {
		batch->offset = offset;
		if (!stored)
			store_offset(batch);
	}
	if (batch->held != 0)
		delay_ms = STORE_RETRY_MS;
	else if (batch->waits)
		delay_ms = ALBUM_MS;
	else if (batch->empty && telegram_line_asked(&batch->telegram->line) < EMPTY_MS)
		delay_ms = EMPTY_MS;
	telegram_line_go_on(&batch->telegram->line, delay_ms);
}

static void hold(struct telegram_batch *batch, int64_t update_id)
{
	if (batch->held == 0 || update_id < batch->held)
		batch->held = update_id;
}

static void judged(void *arg, enum cg_verdict verdict)
{
	struct telegram_pending *pending = arg;
	struct telegram_batch *batch = pending->batch;
	const struct cg_host *host = batch->telegram->host;

	if (verdict == CG_VERDICT_UNAVAILABLE)
		hold(batch, pending->update_id);
	if (verdict == CG_VERDICT_INVALID || verdict == CG_VERDICT_CONFLICT)
		host->log(host, CG_LOG_WARN,
			"an update breaks the limits of a message and is passed over");
	batch->open--;
	if (batch->open == 0)
		end_batch(batch);
}

/* ---- The beginning ---- */

static struct json_object *message_of(struct json_object *update)
{
	struct json_object *message = cg_json_object(update, "message");

	return message != NULL ? message : cg_json_object(update, "channel_post");
}

static bool same_album(struct json_object *one, struct json_object *other)
{
	const char *album = cg_json_string(message_of(one), "media_group_id");
	const char *its = cg_json_string(message_of(other), "media_group_id");

	return album != NULL && its != NULL && strcmp(album, its) == 0 &&
	       cg_json_int(cg_json_object(message_of(one), "chat"), "id", 0) ==
		       cg_json_int(cg_json_object(message_of(other), "chat"), "id", 0);
}

/* May the album that ends the batch go on in the next?  Until it stays as it is. */
static bool may_grow(struct telegram_batch *batch, int64_t first, size_t size)
{
	bool known = batch->album == first;
	bool grew = !known || batch->album_size != size;

	batch->album_waits = known ? batch->album_waits + 1 : 1;
	batch->album = first;
	batch->album_size = size;
	return grew && size < TELEGRAM_ALBUM && batch->album_waits <= ALBUM_WAITS;
}

static int64_t id_of(struct json_object *update)
{
	int64_t id = cg_json_int(update, "update_id", -1);

	return id == INT64_MAX ? -1 : id;
}

static void add(struct telegram_batch *batch, struct json_object *const *updates,
	size_t count, int64_t update_id)
{
	struct telegram_pending *pending = &batch->pending[batch->count];

	*pending = (struct telegram_pending){.batch = batch, .update_id = update_id};
	switch (telegram_intake_add(
		&batch->telegram->intake, updates, count, judged, pending)) {
	case TELEGRAM_ADDED:
		batch->count++;
		batch->open++;
		break;
	case TELEGRAM_FULL:
		hold(batch, update_id);
		break;
	case TELEGRAM_NOT_OURS:
		break;
	}
}

/* From @at as many as belong together; 0: they are to be asked for again. */
static size_t take_some(
	struct telegram_batch *batch, struct json_object *updates, size_t at, size_t all)
{
	struct json_object *together[TELEGRAM_ALBUM] = {cg_json_at(updates, at)};
	int64_t first = id_of(together[0]);
	size_t count = 1;

	while (at + count < all && count < TELEGRAM_ALBUM &&
		same_album(together[0], cg_json_at(updates, at + count))) {
		together[count] = cg_json_at(updates, at + count);
		count++;
	}
	if (first < 0)
		return count; /* not an update */
	if (at + count == all && same_album(together[0], together[0]) &&
		may_grow(batch, first, count)) {
		batch->end = first;
		batch->waits = true;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		/* Numbers begin anew after a quiet week: what came counts, not what was. */
		if (id_of(together[i]) >= batch->end)
			batch->end = id_of(together[i]) + 1;
	}
	add(batch, together, count, first);
	return count;
}

void telegram_batch_take(struct telegram_batch *batch, struct json_object *updates)
{
	size_t count = cg_json_count(updates), taken = 1;

	if (count > TELEGRAM_BATCH)
		count = TELEGRAM_BATCH;
	batch->held = 0;
	batch->count = 0;
	batch->waits = false;
	batch->empty = count == 0;
	batch->end = 0;
	for (size_t at = 0; at < count && taken > 0; at += taken)
		taken = take_some(batch, updates, at, count);
	if (batch->end == 0) { /* nothing in it was an update */
		batch->end = batch->offset;
		batch->empty = true;
	}
	/*
	 * The offset rides in the transaction of a message that is alone, which it nearly always is.
	 * Among several it could pass one that fails beside it, so it follows the last verdict.
	 */
	batch->rode = batch->count == 1 && batch->held == 0 &&
		      telegram_intake_ride(&batch->telegram->intake, batch->end);
	if (batch->open == 0)
		end_batch(batch);
	else
		telegram_intake_run(&batch->telegram->intake);
}
