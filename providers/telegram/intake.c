/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include "chats.h"
#include "telegram.h"

#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64u << 10) /* of a message and what is said about its files */

struct telegram_arrival {
	TAILQ_ENTRY(telegram_arrival) link;
	struct telegram_intake *intake;
	enum telegram_kind kind;
	struct json_object *updates[TELEGRAM_ALBUM]; /* owned */
	size_t count;
	size_t lead; /* the one with the text */
	char chat[TELEGRAM_NUMBER];
	int64_t offset; /* rides with the message; 0: none does */
	unsigned waiting; /* verdicts to come; 0: not submitted */
	enum cg_verdict verdict;
	cg_submit_done done;
	void *arg;
	size_t fetch_count;
	struct telegram_fetch fetches[TELEGRAM_ALBUM];
};

void telegram_intake_init(struct telegram_intake *intake, struct telegram *telegram)
{
	*intake = (struct telegram_intake){.telegram = telegram};
	TAILQ_INIT(&intake->open);
}

static void arrival_free(struct telegram_arrival *arrival)
{
	TAILQ_REMOVE(&arrival->intake->open, arrival, link);
	arrival->intake->count--;
	for (size_t i = 0; i < arrival->fetch_count; i++)
		telegram_fetch_finish(&arrival->fetches[i]);
	for (size_t i = 0; i < arrival->count; i++)
		cg_json_free(arrival->updates[i]);
	free(arrival);
}

static void arrival_end(struct telegram_arrival *arrival, enum cg_verdict verdict)
{
	cg_submit_done done = arrival->done;
	void *arg = arrival->arg;

	arrival_free(arrival);
	done(arg, verdict);
}

static void judged(void *arg, enum cg_verdict verdict)
{
	struct telegram_arrival *arrival = arg;
	struct telegram_intake *intake = arrival->intake;

	/* Of several the worst counts: what is unavailable must come again. */
	if (verdict == CG_VERDICT_UNAVAILABLE || arrival->verdict == CG_VERDICT_COMMITTED)
		arrival->verdict = verdict;
	if (--arrival->waiting > 0)
		return;
	if (arrival->verdict == CG_VERDICT_COMMITTED)
		for (size_t i = 0; i < arrival->fetch_count; i++)
			telegram_fetch_keep(&arrival->fetches[i]);
	arrival_end(arrival, arrival->verdict);
	telegram_intake_run(intake);
}

/* ---- Files ---- */

static void file_done(void *arg)
{
	telegram_intake_run(arg);
}

static size_t running(const struct telegram_intake *intake)
{
	const struct telegram_arrival *arrival;
	size_t count = 0;

	TAILQ_FOREACH (arrival, &intake->open, link) {
		for (size_t i = 0; i < arrival->fetch_count; i++)
			count += arrival->fetches[i].state == TELEGRAM_FETCH_RUNNING;
	}
	return count;
}

/* True when none of its files is to be waited for. */
static bool fetch_files(struct telegram_arrival *arrival)
{
	bool settled = true;

	for (size_t i = 0; i < arrival->fetch_count; i++) {
		struct telegram_fetch *fetch = &arrival->fetches[i];

		if (fetch->state == TELEGRAM_FETCH_WAITING &&
			running(arrival->intake) < TELEGRAM_FETCHES)
			telegram_fetch_start(fetch);
		if (fetch->state != TELEGRAM_FETCH_DONE)
			settled = false;
	}
	return settled;
}

/* ---- Submitting ---- */

static void begin_line(struct cg_buffer *text)
{
	if (text->length > 0)
		cg_buffer_char(text, '\n');
}

/* The person's words, then what else there is in words of ours. */
static void write_text(const struct telegram_arrival *arrival,
	const struct telegram_message *message, struct cg_buffer *text)
{
	cg_buffer_text(text, message->inbound.text);
	if (message->named[0] != '\0') {
		begin_line(text);
		cg_buffer_text(text, message->named);
	}
	for (size_t i = 0; i < arrival->fetch_count; i++) {
		const struct telegram_fetch *fetch = &arrival->fetches[i];

		if (fetch->failure == NULL)
			continue;
		begin_line(text);
		cg_buffer_format(
			text, "[The file %s %s.]", fetch->filename, fetch->failure);
	}
}

static size_t list_files(
	const struct telegram_arrival *arrival, struct cg_attachment *ret)
{
	for (size_t i = 0; i < arrival->fetch_count; i++) {
		const struct telegram_fetch *fetch = &arrival->fetches[i];

		ret[i] = (struct cg_attachment){
			.size = sizeof(*ret),
			.file_id = fetch->file_id,
			.filename = fetch->filename,
			.mime_type = fetch->mime_type,
			.spool_path = fetch->path[0] == '\0' ? NULL : fetch->path,
			.bytes = fetch->bytes,
		};
	}
	return arrival->fetch_count;
}

static void submit_message(
	struct telegram_arrival *arrival, struct telegram_message *message)
{
	struct telegram *telegram = arrival->intake->telegram;
	struct cg_inbound *inbound = &message->inbound;
	struct cg_attachment files[TELEGRAM_ALBUM];
	char key[TELEGRAM_NUMBER + 8], value[TELEGRAM_NUMBER];
	char event[TELEGRAM_NUMBER], chat[TELEGRAM_NUMBER];
	const struct cg_checkpoint checkpoint = {.key = key, .value = value};
	const char *known;
	struct cg_buffer text;

	cg_buffer_init(&text, TEXT_MAX);
	if (message->kind == TELEGRAM_MESSAGE || message->kind == TELEGRAM_OVERHEARD) {
		write_text(arrival, message, &text);
		if (cg_buffer_status(&text) == CG_OK)
			inbound->text = cg_buffer_string(&text);
	}
	inbound->attachments = files;
	inbound->attachment_count = list_files(arrival, files);
	/* An album is known by its first message, whichever has the text. */
	if (telegram_wire_read_id(arrival->updates[0], "update_id", event))
		inbound->event_id = event;
	known = telegram_chats_known(telegram->host, message->chat_id, chat);
	if (known != NULL)
		inbound->target.chat_id = known;
	if (arrival->offset != 0) {
		telegram_offset_key(telegram, key, sizeof(key));
		snprintf(value, sizeof(value), "%" PRId64, arrival->offset);
		inbound->checkpoint = &checkpoint;
	}
	arrival->waiting = 1;
	telegram->host->submit(telegram->host, inbound, judged, arrival);
	cg_buffer_finish(&text);
}

static void submit(struct telegram_arrival *arrival)
{
	struct telegram *telegram = arrival->intake->telegram;
	struct telegram_message message;

	telegram_wire_read(&telegram->bot, arrival->updates[arrival->lead], &message);
	if (arrival->kind != TELEGRAM_MOVED) {
		submit_message(arrival, &message);
		return;
	}
	telegram->host->log(telegram->host, CG_LOG_INFO,
		"a group has become a supergroup; its conversation goes on");
	arrival->waiting = 2;
	telegram_chats_move(
		telegram->host, message.moved_from, message.moved_to, judged, arrival);
}

/* Does it have to wait for one that came before? */
static bool is_behind(const struct telegram_arrival *arrival)
{
	const struct telegram_arrival *before;

	TAILQ_FOREACH (before, &arrival->intake->open, link) {
		if (before == arrival)
			return false;
		/* What a group is called from now on is not known yet. */
		if (before->kind == TELEGRAM_MOVED)
			return true;
		if (before->waiting == 0 && strcmp(before->chat, arrival->chat) == 0)
			return true;
	}
	return false;
}

void telegram_intake_run(struct telegram_intake *intake)
{
	struct telegram_arrival *arrival;

	/* Nothing that is called here ends an arrival. */
	TAILQ_FOREACH (arrival, &intake->open, link) {
		if (intake->stopping)
			return;
		if (arrival->waiting == 0 && fetch_files(arrival) && !is_behind(arrival))
			submit(arrival);
	}
}

/* ---- Adding ---- */

/* The press of a button that does nothing still turns a wheel until it is answered. */
static void answered(void *arg, const struct cg_http_response *response)
{
	(void)arg, (void)response;
}

static void answer_press(struct telegram *telegram, const char *id)
{
	struct telegram_call call = {
		.method = "answerCallbackQuery",
		.timeout_ms = 10000,
		.done = answered,
	};
	struct cg_http_call *started;
	struct cg_buffer body;

	cg_buffer_init(&body, 1024);
	telegram_wire_write_one("callback_query_id", id, &body);
	call.body = &body;
	if (cg_buffer_status(&body) == CG_OK)
		telegram_call(telegram, &call, &started, NULL);
	cg_buffer_finish(&body);
}

static void note_update(struct telegram_arrival *arrival,
	const struct telegram_message *message, size_t index)
{
	/* One message of an album that is meant for us brings the others along. */
	if (index == 0 || arrival->kind == TELEGRAM_OVERHEARD)
		arrival->kind = message->kind;
	if (index == 0)
		memcpy(arrival->chat,
			message->kind == TELEGRAM_MOVED ? message->moved_from
							: message->chat_id,
			sizeof(arrival->chat));
	if (arrival->lead == 0 && !cg_text_blank(message->inbound.text))
		arrival->lead = index;
	if (message->attachment.file_id != NULL)
		telegram_fetch_init(&arrival->fetches[arrival->fetch_count++],
			arrival->intake->telegram, message, file_done, arrival->intake);
}

static bool is_ours(enum telegram_kind kind)
{
	return kind == TELEGRAM_MESSAGE || kind == TELEGRAM_PRESS ||
	       kind == TELEGRAM_MOVED;
}

enum telegram_added telegram_intake_add(struct telegram_intake *intake,
	struct json_object *const *updates, size_t count, cg_submit_done done, void *arg)
{
	struct telegram *telegram = intake->telegram;
	struct telegram_message message;
	struct telegram_arrival *arrival;

	intake->stopping = false;
	telegram_wire_read(&telegram->bot, updates[0], &message);
	if (message.kind == TELEGRAM_PRESS_DEAD)
		answer_press(telegram, message.interaction.id);
	if (!is_ours(message.kind) && (count == 1 || message.kind != TELEGRAM_OVERHEARD))
		return TELEGRAM_NOT_OURS;
	if (intake->count == TELEGRAM_ARRIVALS)
		return TELEGRAM_FULL;
	arrival = calloc(1, sizeof(*arrival));
	if (arrival == NULL)
		return TELEGRAM_FULL;
	arrival->intake = intake;
	arrival->done = done;
	arrival->arg = arg;
	TAILQ_INSERT_TAIL(&intake->open, arrival, link);
	intake->count++;
	for (size_t i = 0; i < count && i < TELEGRAM_ALBUM; i++) {
		arrival->updates[arrival->count++] = cg_json_ref(updates[i]);
		telegram_wire_read(&telegram->bot, updates[i], &message);
		note_update(arrival, &message, i);
	}
	if (is_ours(arrival->kind))
		return TELEGRAM_ADDED;
	arrival_free(arrival); /* an album, and no part of it is for us */
	return TELEGRAM_NOT_OURS;
}

bool telegram_intake_ride(struct telegram_intake *intake, int64_t offset)
{
	struct telegram_arrival *arrival = TAILQ_LAST(&intake->open, telegram_arrivals);

	if (arrival == NULL || arrival->kind == TELEGRAM_MOVED || arrival->waiting > 0)
		return false;
	arrival->offset = offset;
	return true;
}

/* ---- The end ---- */

static void give_back(struct telegram_intake *intake, bool submitted)
{
	struct telegram_arrival *arrival = TAILQ_FIRST(&intake->open), *next;

	intake->stopping = true;
	for (; arrival != NULL; arrival = next) {
		next = TAILQ_NEXT(arrival, link);
		if (submitted || arrival->waiting == 0)
			arrival_end(arrival, CG_VERDICT_UNAVAILABLE);
	}
}

void telegram_intake_stop(struct telegram_intake *intake)
{
	give_back(intake, false);
}

void telegram_intake_finish(struct telegram_intake *intake)
{
	/* What the journal has may be committed, and is found to be known when it comes again;
	 * its files are the journal's. */
	for (struct telegram_arrival *arrival = TAILQ_FIRST(&intake->open);
		arrival != NULL; arrival = TAILQ_NEXT(arrival, link)) {
		for (size_t i = 0; i < arrival->fetch_count && arrival->waiting > 0; i++)
			telegram_fetch_keep(&arrival->fetches[i]);
	}
	give_back(intake, true);
}
