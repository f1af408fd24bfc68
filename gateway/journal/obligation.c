/* SPDX-License-Identifier: Apache-2.0 */
/* Checking, copying and storing obligations. */
#include "gateway/journal/obligation.h"

#include "gateway/journal/inquiry_row.h"
#include "gateway/journal/lane.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

#define LIFETIME_MS (INT64_C(24) * 60 * 60 * 1000)

enum outbox_text {
#define OUTBOX_TEXT(column, value, limit) OUTBOX_##column,
#include "gateway/journal/outbox.def"
#undef OUTBOX_TEXT
	OUTBOX_TEXTS,
	/* Of what a card asks; stored in a table of their own. */
	SEED_token = OUTBOX_TEXTS,
	SEED_code,
	SEED_target_id,
	SEED_agent_id,
	SEED_options,
	SEED_card,
	OBLIGATION_TEXTS,
};

/* One obligation as it will be stored. */
struct obligation_row {
	const char *texts[OBLIGATION_TEXTS]; /* in the batch's room */
	int64_t lane;
	enum outbox_purpose purpose;
	enum cg_outbound_kind kind;
	unsigned part, parts;
	bool is_direct, silent;
	int64_t file_bytes;
	int64_t deadline_ms;
	bool closes, asks;
	struct inquiry_seed seed; /* when it asks; texts in the batch's room */
};

struct obligation_batch {
	size_t count;
	int64_t now_ms;
	char *room; /* owned: the texts */
	struct obligation_row rows[];
};

static void write_buttons(struct cg_buffer *json, const struct obligation *o)
{
	for (size_t i = 0; i < o->button_count; i++) {
		const struct cg_button *button = &o->buttons[i];
		const char *label = button->label != NULL ? button->label : "";
		const char *token = button->token != NULL ? button->token : "";

		cg_buffer_text(json, i == 0 ? "[{\"label\":" : ",{\"label\":");
		cg_json_write_string(json, label, strlen(label));
		cg_buffer_text(json, ",\"token\":");
		cg_json_write_string(json, token, strlen(token));
		cg_buffer_format(json, ",\"style\":%d,\"row\":%s}", (int)button->style,
			button->starts_row ? "true" : "false");
	}
	cg_buffer_char(json, ']');
}

static bool plausible(const struct obligation *o)
{
	return o->delivery_id != NULL && o->delivery_id[0] != '\0' &&
	       o->instance != NULL && o->instance[0] != '\0' &&
	       o->target.chat_id != NULL && o->target.chat_id[0] != '\0' &&
	       (o->source != NULL || o->file != NULL) &&
	       (unsigned)o->purpose <= OUTBOX_REDRAW &&
	       (unsigned)o->kind <= CG_OUTBOUND_FILE && o->part >= 1 &&
	       o->part <= o->parts && o->parts <= OUTBOX_PARTS &&
	       o->button_count <= OUTBOX_BUTTONS &&
	       (o->button_count == 0 || o->buttons != NULL) &&
	       (o->file == NULL ||
		       (o->file->bytes <= INT64_MAX &&
			       (o->file->path != NULL ||
				       (o->source != NULL &&
					       o->file->filename != NULL)))) &&
	       (o->asks == NULL || (inquiry_seed_valid(o->asks) && o->source != NULL)) &&
	       (!o->closes || (o->slot_id != NULL && o->source != NULL));
}

/*
 * Append the texts to @room, each with its NUL, and leave their offsets behind: the buffer may
 * still move.  An offset of SIZE_MAX is NULL.
 */
static enum cg_status collect_texts(const struct obligation *o, const char *buttons,
	struct cg_buffer *room, size_t offsets[OBLIGATION_TEXTS])
{
	static const size_t limits[OBLIGATION_TEXTS] = {
#define OUTBOX_TEXT(column, value, limit) limit,
#include "gateway/journal/outbox.def"
#undef OUTBOX_TEXT
		[SEED_token] = INQUIRY_TOKEN_MAX,
		[SEED_code] = INQUIRY_CODE_MAX,
		[SEED_target_id] = OUTBOX_ID_MAX,
		[SEED_agent_id] = OUTBOX_ID_MAX,
		[SEED_options] = INQUIRY_OPTIONS_MAX,
		[SEED_card] = INQUIRY_CARD_MAX,
	};
	const struct inquiry_seed none = {.token = NULL};
	const struct inquiry_seed *seed = o->asks != NULL ? o->asks : &none;
	const char *values[OBLIGATION_TEXTS] = {
#define OUTBOX_TEXT(column, value, limit) value,
#include "gateway/journal/outbox.def"
#undef OUTBOX_TEXT
		[SEED_token] = seed->token,
		[SEED_code] = seed->code,
		[SEED_target_id] = seed->target_id,
		[SEED_agent_id] = seed->agent_id,
		[SEED_options] = seed->options,
		[SEED_card] = seed->card,
	};

	for (size_t i = 0; i < OBLIGATION_TEXTS; i++) {
		size_t length = values[i] == NULL ? 0 : strlen(values[i]);

		if (length > limits[i] || !cg_utf8_valid(values[i], length))
			return CG_INVALID;
		offsets[i] = values[i] == NULL ? SIZE_MAX : room->length;
		if (values[i] != NULL)
			cg_buffer_add(room, values[i], length + 1);
	}
	/* LIMIT would say that the outbox is full. */
	return cg_buffer_status(room) == CG_LIMIT ? CG_INVALID : cg_buffer_status(room);
}

static enum cg_status copy_obligation(const struct obligation *o,
	struct obligation_row *row, struct cg_buffer *room,
	size_t offsets[OBLIGATION_TEXTS])
{
	struct cg_buffer buttons;
	enum cg_status status = CG_INVALID;

	if (!plausible(o))
		return CG_INVALID;
	cg_buffer_init(&buttons, OUTBOX_BUTTONS_MAX);
	if (o->button_count > 0)
		write_buttons(&buttons, o);
	if (cg_buffer_status(&buttons) == CG_OK)
		status = collect_texts(o, buttons.bytes, room, offsets);
	cg_buffer_finish(&buttons);
	row->lane =
		(int64_t)outbox_lane(o->instance, o->target.chat_id, o->target.thread_id);
	row->purpose = o->purpose;
	row->kind = o->kind;
	row->part = o->part;
	row->parts = o->parts;
	row->is_direct = o->target.is_direct;
	row->silent = o->silent;
	row->file_bytes = o->file != NULL ? (int64_t)o->file->bytes : 0;
	row->deadline_ms = o->deadline_ms;
	row->closes = o->closes;
	row->asks = o->asks != NULL;
	if (row->asks)
		row->seed = *o->asks;
	return status;
}

static int64_t default_deadline(
	const struct journal *journal, const char *instance, int64_t now_ms)
{
	const struct journal_hooks *hooks = &journal->hooks;

	return now_ms + (hooks->lifetime_ms == NULL
					? LIFETIME_MS
					: hooks->lifetime_ms(hooks->arg, instance));
}

static enum cg_status fill_batch(const struct journal *journal,
	struct obligation_batch *batch, const struct obligation *obligations,
	size_t count)
{
	size_t offsets[OUTBOX_STORE][OBLIGATION_TEXTS];
	struct cg_buffer room;
	enum cg_status status = CG_OK;

	cg_buffer_init(&room, OUTBOX_STORE_BYTES);
	for (size_t i = 0; i < count && status == CG_OK; i++)
		status = copy_obligation(
			&obligations[i], &batch->rows[i], &room, offsets[i]);
	if (status == CG_OK) {
		batch->room = cg_buffer_take(&room, NULL);
		if (batch->room == NULL)
			status = CG_NOMEM;
	}
	cg_buffer_finish(&room);
	if (status != CG_OK)
		return status;
	batch->count = count;
	for (size_t i = 0; i < count; i++) {
		struct obligation_row *row = &batch->rows[i];

		for (size_t text = 0; text < OBLIGATION_TEXTS; text++) {
			if (offsets[i][text] != SIZE_MAX)
				row->texts[text] = batch->room + offsets[i][text];
		}
		row->seed.token = row->texts[SEED_token];
		row->seed.code = row->texts[SEED_code];
		row->seed.target_id = row->texts[SEED_target_id];
		row->seed.agent_id = row->texts[SEED_agent_id];
		row->seed.options = row->texts[SEED_options];
		row->seed.card = row->texts[SEED_card];
		if (row->deadline_ms == 0)
			row->deadline_ms = default_deadline(
				journal, row->texts[OUTBOX_instance], batch->now_ms);
	}
	return CG_OK;
}

enum cg_status obligation_batch_create(struct journal *journal,
	const struct obligation *obligations, size_t count, struct obligation_batch **ret)
{
	struct obligation_batch *batch;
	enum cg_status status;

	if (count > OUTBOX_STORE)
		return CG_INVALID;
	if (count > 0 && !outbox_has_room(journal))
		return CG_LIMIT;
	batch = calloc(1, sizeof(*batch) + count * sizeof(batch->rows[0]));
	if (batch == NULL)
		return CG_NOMEM;
	batch->now_ms = journal_now(journal);
	status = fill_batch(journal, batch, obligations, count);
	if (status != CG_OK) {
		free(batch);
		return status;
	}
	journal->outbox_reserved += (int64_t)count;
	*ret = batch;
	return CG_OK;
}

void obligation_batch_release(struct obligation_batch *batch, struct journal *journal)
{
	if (batch == NULL)
		return;
	journal->outbox_reserved -= (int64_t)batch->count;
	free(batch->room);
	free(batch);
}

static const char insert_sql[] =
	"INSERT INTO outbox(lane, head, rank, purpose, kind, part, parts, is_direct, "
	"silent,"
	" file_bytes, created_ms, updated_ms, not_before_ms, deadline_ms"
#define OUTBOX_TEXT(column, value, limit) ", " #column
#include "gateway/journal/outbox.def"
#undef OUTBOX_TEXT
	") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define OUTBOX_TEXT(column, value, limit) ", ?"
#include "gateway/journal/outbox.def"
#undef OUTBOX_TEXT
	") ON CONFLICT(delivery_id) DO NOTHING";

static enum cg_status insert_row(const struct obligation_row *row,
	const char *const *texts, int64_t now_ms, struct transaction *tx,
	struct cg_error *err)
{
	struct statement *statement = NULL;
	bool empty = false;
	enum cg_status status = lane_is_empty(tx, row->lane, &empty, err);
	int at = 1;

	if (status == CG_OK)
		status = transaction_prepare(tx, insert_sql, &statement, err);
	if (status != CG_OK)
		return status;
	statement_bind_int(statement, at++, row->lane);
	statement_bind_int(statement, at++, empty);
	statement_bind_int(statement, at++, outbox_rank(row->purpose));
	statement_bind_int(statement, at++, row->purpose);
	statement_bind_int(statement, at++, row->kind);
	statement_bind_int(statement, at++, row->part);
	statement_bind_int(statement, at++, row->parts);
	statement_bind_int(statement, at++, row->is_direct);
	statement_bind_int(statement, at++, row->silent);
	statement_bind_int(statement, at++, row->file_bytes);
	statement_bind_int(statement, at++, now_ms);
	statement_bind_int(statement, at++, now_ms);
	statement_bind_int(statement, at++, now_ms);
	statement_bind_int(statement, at++, row->deadline_ms);
	for (size_t i = 0; i < OUTBOX_TEXTS; i++)
		statement_bind_text(statement, at++, texts[i]);
	return statement_execute(statement, err);
}

/* The slot that this final replaces need not be sent any more if it has never been tried. */
static enum cg_status supersede_slot(const struct obligation_row *row, int64_t now_ms,
	struct transaction *tx, struct journal_change *change, struct cg_error *err)
{
	static const char sql[] =
		"UPDATE outbox SET state = 5, head = 0, reason = 'superseded',"
		" finished_ms = ?2, updated_ms = ?2"
		" WHERE delivery_id = ?1 AND state = 0 AND attempts = 0 RETURNING lane";
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, sql, &statement, err);
	bool found = false;
	int64_t lane = 0;

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, row->texts[OUTBOX_slot_id]);
	statement_bind_int(statement, 2, now_ms);
	status = statement_step(statement, &found, err);
	if (status == CG_OK && found)
		lane = statement_int(statement, 0);
	statement_finish(statement);
	if (status != CG_OK || !found)
		return status;
	change->outbox_pending--;
	return lane_promote(tx, lane, err);
}

static enum cg_status insert_question(const struct obligation_row *row, int64_t now_ms,
	struct transaction *tx, struct journal_change *change, struct cg_error *err)
{
	const struct inquiry_card card = {
		.card_id = row->texts[OUTBOX_delivery_id],
		.card = row->seed.card != NULL ? row->seed.card
					       : row->texts[OUTBOX_source],
		.instance = row->texts[OUTBOX_instance],
		.chat_id = row->texts[OUTBOX_chat_id],
		.thread_id = row->texts[OUTBOX_thread_id],
		.user_id = row->texts[OUTBOX_user_id],
		.context = row->texts[OUTBOX_context],
		.session_id = row->texts[OUTBOX_session_id],
		.binding_id = row->texts[OUTBOX_binding_id],
		.is_direct = row->is_direct,
	};

	return inquiry_insert(tx, &row->seed, &card, now_ms, change, err);
}

/* A redraw under construction: what it closes, and its texts. */
struct closing {
	char *card, *card_id; /* owned; NULL: there is nothing to close */
	struct cg_buffer source, delivery_id;
};

static enum cg_status begin_closing(const struct obligation_row *row, int64_t now_ms,
	struct transaction *tx, struct journal_change *change, struct closing *ret,
	struct cg_error *err)
{
	enum cg_status status = inquiry_close(tx, row->texts[OUTBOX_slot_id], now_ms,
		change, &ret->card, &ret->card_id, err);

	cg_buffer_init(&ret->source, OUTBOX_TEXT_MAX);
	cg_buffer_init(&ret->delivery_id, 2 * OUTBOX_ID_MAX);
	if (ret->card == NULL)
		return status;
	cg_buffer_text(&ret->source, ret->card);
	cg_buffer_text(&ret->source, row->texts[OUTBOX_source]);
	cg_buffer_text(&ret->delivery_id, ret->card_id);
	cg_buffer_text(&ret->delivery_id, OUTBOX_CLOSED);
	return cg_buffer_status(&ret->source) == CG_OK
		       ? cg_buffer_status(&ret->delivery_id)
		       : cg_buffer_status(&ret->source);
}

static void closing_finish(struct closing *closing)
{
	free(closing->card);
	free(closing->card_id);
	cg_buffer_finish(&closing->source);
	cg_buffer_finish(&closing->delivery_id);
}

static enum cg_status insert_closing(const struct obligation_row *row, int64_t now_ms,
	struct transaction *tx, struct journal_change *change, bool *ret_stored,
	struct cg_error *err)
{
	const char *texts[OUTBOX_TEXTS];
	struct closing closing;
	enum cg_status status = begin_closing(row, now_ms, tx, change, &closing, err);

	if (status == CG_OK && closing.card != NULL) {
		memcpy(texts, row->texts, sizeof(texts));
		texts[OUTBOX_source] = cg_buffer_string(&closing.source);
		texts[OUTBOX_slot_id] = closing.card_id;
		texts[OUTBOX_delivery_id] = cg_buffer_string(&closing.delivery_id);
		status = insert_row(row, texts, now_ms, tx, err);
		*ret_stored = status == CG_OK && transaction_changes(tx) > 0;
	}
	closing_finish(&closing);
	return status;
}

static enum cg_status insert_one(const struct obligation_row *row, int64_t now_ms,
	struct transaction *tx, struct operation *operation, struct cg_error *err)
{
	struct journal_change *change = &operation->change;
	enum cg_status status;
	bool stored = false;

	if (row->closes) {
		status = insert_closing(row, now_ms, tx, change, &stored, err);
	} else {
		status = insert_row(row, row->texts, now_ms, tx, err);
		stored = status == CG_OK && transaction_changes(tx) > 0;
	}
	if (!stored)
		return status;
	change->outbox_pending++;
	change->newest_ms = now_ms;
	operation->outbox_ready = true;
	if (row->purpose == OUTBOX_FINAL && row->texts[OUTBOX_slot_id] != NULL)
		status = supersede_slot(row, now_ms, tx, change, err);
	if (status == CG_OK && row->asks)
		status = insert_question(row, now_ms, tx, change, err);
	return status;
}

enum cg_status obligation_batch_insert(const struct obligation_batch *batch,
	struct transaction *tx, struct operation *operation, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; i < batch->count && status == CG_OK; i++)
		status = insert_one(&batch->rows[i], batch->now_ms, tx, operation, err);
	return status;
}
