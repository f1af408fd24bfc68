/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing messages.  This is the way of every accepted webhook, so a message costs one
 * allocation on the loop and one statement on the writer.
 */
#include "gateway/journal/inbox.h"

#include "gateway/journal/obligation.h"
#include "gateway/journal/operation.h"
#include "gateway/journal/schema.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>

#define INBOX_ID_MAX 512
#define INBOX_EVENT_ID_MAX 256
#define INBOX_ATTACHMENTS 64
#define INBOX_KEY 16

enum inbox_text {
#define INBOX_TEXT(column, value, limit) INBOX_##column,
#include "gateway/journal/inbox.def"
#undef INBOX_TEXT
	INBOX_TEXTS,
};

struct inbox_text_value {
	const char *text; /* NULL: NULL */
	size_t length;
};

struct inbox_store_operation {
	struct operation operation;
	cg_submit_done submitted;
	void *arg;
	enum cg_verdict verdict; /* written by work */
	uint8_t key[INBOX_KEY];
	uint8_t digest[INBOX_KEY];
	bool has_digest;
	bool is_direct, sender_is_bot, interaction_is_command;
	enum cg_event_type type;
	int64_t received_ms;
	int64_t bytes; /* of the texts */
	bool reserved;
	const char *checkpoint; /* value; NULL: none */
	size_t checkpoint_index;
	struct inbox_text_value texts[INBOX_TEXTS];
	char room[];
};

/*
 * The number that an id ends with.  Most platforms count their events, and webhook senders
 * tend to.
 */
static bool trailing_number(const char *id, uint32_t *ret)
{
	size_t length = strlen(id);
	size_t first = length;
	uint32_t number = 0;

	while (first > 0 && id[first - 1] >= '0' && id[first - 1] <= '9')
		first--;
	for (size_t i = first; i < length; i++)
		number = number * 10 + (uint32_t)(id[i] - '0'); /* modulo 2^32 */
	*ret = number;
	return first < length;
}

/*
 * 16 bytes for (instance, event type, event id): 12 of a hash, and before them the number that
 * the id ends with.  Keys of consecutive events so lie side by side, and a commit of many
 * messages writes a few pages of the index where a plain hash would write one for each.
 */
static void make_key(struct inbox_store_operation *self, const char *instance,
	const char *event_id, bool fallback)
{
	static const char *const types[] = {"message", "command", "interaction"};
	const char *parts[] = {
		instance, types[self->type], fallback ? "fallback" : "event", event_id};
	uint8_t hash[CG_SHA256];
	uint32_t number = 0;

	cg_sha256_joined(parts, sizeof(parts) / sizeof(*parts), hash);
	memcpy(self->key, hash, INBOX_KEY);
	if (trailing_number(event_id, &number)) {
		self->key[0] = (uint8_t)(number >> 24);
		self->key[1] = (uint8_t)(number >> 16);
		self->key[2] = (uint8_t)(number >> 8);
		self->key[3] = (uint8_t)number;
	}
}

static void write_text(struct cg_buffer *json, const char *name, const char *text)
{
	cg_buffer_text(json, name);
	if (text == NULL)
		cg_buffer_text(json, "null");
	else
		cg_json_write_string(json, text, strlen(text));
}

/* Attachments are rare, so they may cost a buffer. */
static void write_attachments(struct cg_buffer *json, const struct cg_inbound *in)
{
	const char *at = (const char *)in->attachments;

	for (size_t i = 0; i < in->attachment_count; i++) {
		/* A plugin built against a later header has larger ones. */
		const struct cg_attachment *attachment = (const struct cg_attachment *)at;

		at += attachment->size > sizeof(*attachment) ? attachment->size
							     : sizeof(*attachment);
		cg_buffer_char(json, i == 0 ? '[' : ',');
		write_text(json, "{\"fileId\":", attachment->file_id);
		write_text(json, ",\"filename\":", attachment->filename);
		write_text(json, ",\"mimeType\":", attachment->mime_type);
		write_text(json, ",\"spoolPath\":", attachment->spool_path);
		cg_buffer_format(json, ",\"bytes\":%lld}", (long long)attachment->bytes);
	}
	cg_buffer_char(json, ']');
}

static bool present(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool complete_message(const struct cg_inbound *in, const char *event_id)
{
	if (!present(event_id) || !present(in->target.chat_id) ||
		!present(in->sender.user_id))
		return false;
	if (in->attachment_count > INBOX_ATTACHMENTS ||
		(in->attachment_count > 0 && in->attachments == NULL))
		return false;
	if (in->checkpoint != NULL &&
		!checkpoint_valid(in->checkpoint->key, in->checkpoint->value))
		return false;
	switch (in->type) {
	case CG_EVENT_MESSAGE:
		return true;
	case CG_EVENT_COMMAND:
		return present(in->command);
	case CG_EVENT_INTERACTION:
		return in->interaction != NULL && in->interaction->token != NULL;
	}
	return false;
}

/*
 * Collect the texts where they are.  False when one is too long, all are too long together, or
 * one is not UTF-8.
 */
static bool collect_texts(const struct cg_inbound *in, const char *instance,
	const char *event_id, const char *attachments,
	struct inbox_text_value texts[INBOX_TEXTS], size_t *ret_bytes)
{
	static const size_t limits[INBOX_TEXTS] = {
#define INBOX_TEXT(column, value, limit) limit,
#include "gateway/journal/inbox.def"
#undef INBOX_TEXT
	};
	const char *values[INBOX_TEXTS] = {
#define INBOX_TEXT(column, value, limit) value,
#include "gateway/journal/inbox.def"
#undef INBOX_TEXT
	};
	size_t bytes = 0;

	for (size_t i = 0; i < INBOX_TEXTS; i++) {
		size_t length = values[i] == NULL ? 0 : strlen(values[i]);

		if (length > limits[i] || !cg_utf8_valid(values[i], length))
			return false;
		texts[i] = (struct inbox_text_value){values[i], length};
		bytes += length;
	}
	*ret_bytes = bytes;
	return bytes <= INBOX_MESSAGE_MAX;
}

/* Move the texts into the operation's own room. */
static void place_texts(struct inbox_store_operation *self,
	const struct inbox_text_value texts[INBOX_TEXTS], const char *checkpoint)
{
	char *at = self->room;

	for (size_t i = 0; i < INBOX_TEXTS; i++) {
		self->texts[i] = texts[i];
		if (texts[i].text == NULL)
			continue;
		memcpy(at, texts[i].text, texts[i].length);
		self->texts[i].text = at;
		at += texts[i].length;
		*at++ = '\0';
	}
	self->checkpoint = text_place(&at, checkpoint);
}

static const char insert_sql[] = "INSERT INTO inbox(key, digest, bytes, received_ms, "
				 "type, is_direct, sender_is_bot,"
				 " interaction_is_command"
#define INBOX_TEXT(column, value, limit) ", " #column
#include "gateway/journal/inbox.def"
#undef INBOX_TEXT
				 ") VALUES(?, ?, ?, ?, ?, ?, ?, ?"
#define INBOX_TEXT(column, value, limit) ", ?"
#include "gateway/journal/inbox.def"
#undef INBOX_TEXT
				 ") ON CONFLICT(key) DO NOTHING";

/* A repeat has the same bytes.  Rows and messages without any are believed. */
static enum cg_status compare_twin(
	struct inbox_store_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(
		tx, "SELECT digest FROM inbox WHERE key = ?1", &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_blob(statement, 1, self->key, sizeof(self->key));
	status = statement_step(statement, &row, err);
	if (status != CG_OK)
		return status;
	self->verdict = CG_VERDICT_DUPLICATE;
	if (row && self->has_digest && !statement_is_null(statement, 0) &&
		(statement_bytes(statement, 0) != sizeof(self->digest) ||
			memcmp(statement_blob(statement, 0), self->digest,
				sizeof(self->digest)) != 0))
		self->verdict = CG_VERDICT_CONFLICT;
	statement_finish(statement);
	return CG_OK;
}

static enum cg_status insert(
	struct inbox_store_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, insert_sql, &statement, err);
	int at = 1;

	if (status != CG_OK)
		return status;
	statement_bind_blob(statement, at++, self->key, sizeof(self->key));
	if (self->has_digest)
		statement_bind_blob(statement, at, self->digest, sizeof(self->digest));
	at++;
	statement_bind_int(statement, at++, self->bytes);
	statement_bind_int(statement, at++, self->received_ms);
	statement_bind_int(statement, at++, self->type);
	statement_bind_int(statement, at++, self->is_direct);
	statement_bind_int(statement, at++, self->sender_is_bot);
	statement_bind_int(statement, at++, self->interaction_is_command);
	for (size_t i = 0; i < INBOX_TEXTS; i++, at++) {
		if (self->texts[i].text != NULL)
			statement_bind_text_length(statement, at, self->texts[i].text,
				self->texts[i].length);
	}
	return statement_execute(statement, err);
}

static enum cg_status store_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct inbox_store_operation *self = arg;
	struct journal_change *change = &self->operation.change;
	enum cg_status status = insert(self, tx, err);

	if (status != CG_OK)
		return status;
	if (transaction_changes(tx) > 0) {
		self->verdict = CG_VERDICT_COMMITTED;
		self->operation.inbox_ready = true;
		change->inbox_pending = 1;
		change->inbox_pending_bytes = self->bytes;
		change->newest_ms = self->received_ms;
	} else {
		status = compare_twin(self, tx, err);
	}
	if (status != CG_OK || self->checkpoint == NULL ||
		self->verdict == CG_VERDICT_CONFLICT)
		return status;
	return checkpoint_write(tx, self->texts[INBOX_instance].text,
		self->operation.journal->checkpoints[self->checkpoint_index].key,
		self->checkpoint, err);
}

static void store_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct inbox_store_operation *self = (struct inbox_store_operation *)operation;
	struct journal *journal = operation->journal;
	enum cg_verdict verdict = self->verdict;

	(void)err;
	if (self->reserved) {
		journal->inbox_reserved--;
		journal->inbox_reserved_bytes -= self->bytes;
	}
	if (status != CG_OK)
		verdict = status == CG_INVALID ? CG_VERDICT_INVALID
					       : CG_VERDICT_UNAVAILABLE;
	else if (self->checkpoint != NULL && verdict != CG_VERDICT_CONFLICT)
		checkpoint_set(journal, self->checkpoint_index, self->checkpoint);
	if (self->submitted != NULL)
		self->submitted(self->arg, verdict);
}

/* Room in the queue of the writer and in the inbox. */
static bool has_room(const struct journal *journal, size_t bytes)
{
	return journal_pending(journal) < JOURNAL_HIGH &&
	       journal->inbox_reserved_bytes + (int64_t)bytes <= JOURNAL_HIGH_BYTES &&
	       journal->figures.inbox_pending + journal->inbox_reserved <
		       journal->limits.inbox_rows &&
	       journal->figures.inbox_pending_bytes + journal->inbox_reserved_bytes +
			       (int64_t)bytes <=
		       journal->limits.inbox_bytes;
}

/* NULL: *@ret_why says how it is refused. */
static struct inbox_store_operation *store_create(struct journal *journal,
	const char *instance, const struct cg_inbound *in, const char *attachments,
	enum cg_status *ret_why)
{
	bool fallback = in->event_id == NULL;
	const char *event_id = fallback ? in->fallback_key : in->event_id;
	const char *checkpoint = in->checkpoint != NULL ? in->checkpoint->value : NULL;
	struct inbox_text_value texts[INBOX_TEXTS];
	struct inbox_store_operation *self;
	size_t index = 0;
	size_t bytes = 0;

	*ret_why = CG_INVALID;
	if (!complete_message(in, event_id) ||
		(!fallback && strlen(event_id) > INBOX_EVENT_ID_MAX) ||
		!collect_texts(in, instance, event_id, attachments, texts, &bytes))
		return NULL;
	*ret_why = CG_BUSY;
	if (!has_room(journal, bytes))
		return NULL;
	if (checkpoint != NULL) {
		*ret_why =
			checkpoint_entry(journal, instance, in->checkpoint->key, &index);
		if (*ret_why != CG_OK)
			return NULL;
	}
	*ret_why = CG_NOMEM;
	self = operation_try(journal,
		sizeof(*self) + bytes + INBOX_TEXTS + text_room(checkpoint), store_work,
		store_done);
	if (self == NULL)
		return NULL;
	place_texts(self, texts, checkpoint);
	self->type = in->type;
	self->bytes = (int64_t)bytes;
	self->checkpoint_index = index;
	make_key(self, instance, event_id, fallback);
	return self;
}

static void refuse_store(
	struct journal *journal, enum cg_status why, cg_submit_done done, void *arg)
{
	struct inbox_store_operation *self =
		operation_create(journal, sizeof(*self), store_work, store_done);

	self->submitted = done;
	self->arg = arg;
	operation_refuse(&self->operation, why);
}

/* What is not text. */
static void copy_rest(
	struct inbox_store_operation *self, const struct cg_inbound *in, int64_t now_ms)
{
	bool dated = in->received_at_ms > 0 && in->received_at_ms < now_ms;

	self->is_direct = in->target.is_direct;
	self->sender_is_bot = in->sender.is_bot;
	self->interaction_is_command =
		in->interaction != NULL && in->interaction->is_command;
	/* Nothing is received later than now. */
	self->received_ms = dated ? in->received_at_ms : now_ms;
	if (in->raw != NULL) {
		uint8_t hash[CG_SHA256];

		cg_sha256(in->raw, in->raw_length, hash);
		memcpy(self->digest, hash, sizeof(self->digest));
		self->has_digest = true;
	}
}

void inbox_store(struct journal *journal, const char *instance,
	const struct cg_inbound *inbound, int64_t now_ms, cg_submit_done done, void *arg)
{
	struct inbox_store_operation *self = NULL;
	struct cg_buffer attachments;
	enum cg_status why = CG_INVALID;

	cg_buffer_init(&attachments, INBOX_MESSAGE_MAX);
	if (inbound->attachment_count > 0 && inbound->attachments != NULL &&
		inbound->attachment_count <= INBOX_ATTACHMENTS)
		write_attachments(&attachments, inbound);
	if (cg_buffer_status(&attachments) == CG_OK)
		self = store_create(journal, instance, inbound, attachments.bytes, &why);
	cg_buffer_finish(&attachments);
	if (self == NULL) {
		refuse_store(journal, why, done, arg);
		return;
	}
	self->submitted = done;
	self->arg = arg;
	copy_rest(self, inbound, now_ms);
	self->reserved = true;
	journal->inbox_reserved++;
	journal->inbox_reserved_bytes += self->bytes;
	operation_submit(&self->operation);
}
