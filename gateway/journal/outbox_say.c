/* SPDX-License-Identifier: Apache-2.0 */
/* Obligations that an operator's program asks for by a key of its own, which it may repeat. */
#include "gateway/journal/obligation.h"
#include "gateway/journal/operation.h"
#include "gateway/journal/outbox.h"

#include <cowgate/sdk/error.h>

struct say_operation {
	struct operation operation;
	struct obligation_batch *batch; /* owned */
	/* What is compared with a row that is there; in room. */
	size_t count;
	struct say_part {
		const char *delivery_id, *instance, *chat_id, *thread_id, *source;
	} parts[OUTBOX_PARTS];
	char room[];
};

/* What has been forgotten is believed to be the same. */
static const char compare_sql[] =
	"SELECT instance = ?2 AND chat_id = ?3 AND coalesce(thread_id, '') = ?4"
	" AND source = ?5 OR reason IS 'forgotten' FROM outbox WHERE delivery_id = ?1";

/* NOT_FOUND; EXISTS: it is there and the same; CONFLICT: it is there and another. */
static enum cg_status compare(
	const struct say_part *part, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false, same;
	enum cg_status status = transaction_prepare(tx, compare_sql, &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, part->delivery_id);
	statement_bind_text(statement, 2, part->instance);
	statement_bind_text(statement, 3, part->chat_id);
	statement_bind_text(statement, 4, part->thread_id == NULL ? "" : part->thread_id);
	statement_bind_text(statement, 5, part->source);
	status = statement_step(statement, &row, err);
	same = status == CG_OK && row && statement_int(statement, 0) != 0;
	statement_finish(statement);
	if (status != CG_OK)
		return status;
	return !row ? CG_NOT_FOUND : same ? CG_EXISTS : CG_CONFLICT;
}

static enum cg_status say_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct say_operation *self = arg;
	size_t found = 0;

	for (size_t i = 0; i < self->count; i++) {
		enum cg_status status = compare(&self->parts[i], tx, err);

		if (status != CG_NOT_FOUND && status != CG_EXISTS)
			return status == CG_CONFLICT ? cg_error_set(err, CG_CONFLICT,
							       "the key has been used "
							       "for another message")
						     : status;
		found += status == CG_EXISTS;
	}
	if (found == self->count)
		return cg_error_set(err, CG_EXISTS, "it has been said before");
	if (found > 0)
		return cg_error_set(
			err, CG_CONFLICT, "the key has been used for another message");
	return obligation_batch_insert(self->batch, tx, &self->operation, err);
}

static void say_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct say_operation *self = (struct say_operation *)operation;

	obligation_batch_release(self->batch, operation->journal);
	operation_tell(operation, status, err);
}

void outbox_say(struct journal *journal, const struct obligation *obligations,
	size_t count, journal_done done, void *arg)
{
	struct say_operation *self;
	enum cg_status status = CG_INVALID;
	size_t room = 0;
	char *at;

	for (size_t i = 0; i < count; i++)
		room += text_room(obligations[i].delivery_id) +
			text_room(obligations[i].instance) +
			text_room(obligations[i].target.chat_id) +
			text_room(obligations[i].target.thread_id) +
			text_room(obligations[i].source);
	self = operation_create(journal, sizeof(*self) + room, say_work, say_done);
	self->operation.done = done;
	self->operation.arg = arg;
	at = self->room;
	for (size_t i = 0; i < count && i < OUTBOX_PARTS; i++)
		self->parts[i] = (struct say_part){
			.delivery_id = text_place(&at, obligations[i].delivery_id),
			.instance = text_place(&at, obligations[i].instance),
			.chat_id = text_place(&at, obligations[i].target.chat_id),
			.thread_id = text_place(&at, obligations[i].target.thread_id),
			.source = text_place(&at, obligations[i].source),
		};
	self->count = count;
	if (count >= 1 && count <= OUTBOX_PARTS)
		status = obligation_batch_create(
			journal, obligations, count, &self->batch);
	if (status != CG_OK)
		operation_refuse(&self->operation, status);
	else
		operation_submit(&self->operation);
}
