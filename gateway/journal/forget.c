/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/forget.h"

#include "gateway/journal/operation.h"
#include "gateway/journal/outbox.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <unistd.h>

enum kind {
	CONVERSATION, /* ?1 instance, ?2 chat, ?3 thread */
	PERSON, /* ?1 instance, ?2 sender */
};

struct forget_operation {
	struct operation operation;
	enum kind kind;
	int64_t now_ms;
	const char *instance, *subject, *thread_id, *keep_binding; /* in room */
	char room[];
};

#define CHATS \
	"(SELECT chat_id FROM inbox WHERE instance = ?1 AND sender_id = ?2 AND " \
	"is_direct" \
	" UNION SELECT chat_id FROM cursor WHERE instance = ?1 AND user_id = ?2" \
	" AND is_direct)"
#define IN_THREAD "instance = ?1 AND chat_id = ?2 AND thread_id IS ?3"
#define IN_CHATS "instance = ?1 AND chat_id IN " CHATS
#define FROM_PERSON "instance = ?1 AND sender_id = ?2"

#define WIPE_INBOX \
	"UPDATE inbox SET reason = 'forgotten', message_id = NULL, chat_id = ''," \
	" thread_id = NULL, user_id = NULL, context = NULL, sender_id = ''," \
	" sender_username = NULL, sender_name = NULL, interaction_id = NULL," \
	" interaction_token = NULL, command = NULL, command_args = NULL, text = NULL," \
	" attachments = NULL, reply_to = NULL, mark = 0, mark_binding_id = NULL," \
	" mark_command_id = NULL, mark_answer_id = NULL WHERE state <> 0 AND "
#define WIPE_OUTBOX \
	"UPDATE outbox SET reason = 'forgotten', detail = NULL, chat_id = ''," \
	" thread_id = NULL, user_id = NULL, context = NULL, message_id = NULL," \
	" file_name = NULL, file_mime = NULL, file_path = NULL, buttons = NULL," \
	" source = NULL WHERE "

/*
 * In this order: the chats of a person are known by messages and cursors, so those come last.  "?9"
 * is the time, "?8" the binding that stays.
 */
static const struct {
	const char *of[2]; /* for either kind; NULL: nothing to do */
} changes[] = {
	{{"UPDATE outbox SET state = 5, head = 0, updated_ms = ?9, finished_ms = ?9"
	  " WHERE finished_ms IS NULL AND " IN_THREAD,
		"UPDATE outbox SET state = 5, head = 0, updated_ms = ?9, finished_ms = ?9"
		" WHERE finished_ms IS NULL AND " IN_CHATS}},
	{{WIPE_OUTBOX IN_THREAD, WIPE_OUTBOX IN_CHATS}},
	{{"DELETE FROM inquiry WHERE " IN_THREAD, "DELETE FROM inquiry WHERE " IN_CHATS}},
	{{"DELETE FROM cursor WHERE " IN_THREAD " AND binding_id IS NOT ?8",
		"DELETE FROM cursor WHERE is_direct AND " IN_CHATS}},
	{{NULL, "UPDATE cursor SET user_id = NULL, context = NULL"
		" WHERE instance = ?1 AND user_id = ?2"}},
	{{NULL, "UPDATE inbox SET state = 2, closed_ms = ?9 WHERE state = 0 "
		"AND " FROM_PERSON}},
	{{WIPE_INBOX IN_THREAD, WIPE_INBOX FROM_PERSON}},
};

/* How the figures change; the same conditions as above. */
static const char *const unfinished[] = {
	"SELECT state, count(*) FROM outbox WHERE finished_ms IS NULL AND " IN_THREAD
	" GROUP BY state",
	"SELECT state, count(*) FROM outbox WHERE finished_ms IS NULL AND " IN_CHATS
	" GROUP BY state",
};
static const char *const open_inquiries[] = {
	"SELECT count(*) FROM inquiry WHERE closed_ms IS NULL AND " IN_THREAD,
	"SELECT count(*) FROM inquiry WHERE closed_ms IS NULL AND " IN_CHATS,
};
static const char pending_messages[] = "SELECT count(*), coalesce(sum(bytes), 0) FROM "
				       "inbox WHERE state = 0 AND " FROM_PERSON;
static const char *const attachments[] = {
	"SELECT attachments FROM inbox WHERE attachments IS NOT NULL AND state <> 0 "
	"AND " IN_THREAD,
	"SELECT attachments FROM inbox WHERE attachments IS NOT NULL AND " FROM_PERSON,
};

/* @sql with the parameters that it has. */
static enum cg_status prepare(const struct forget_operation *self, const char *sql,
	struct transaction *tx, struct statement **ret, struct cg_error *err)
{
	enum cg_status status = transaction_prepare(tx, sql, ret, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(*ret, 1, self->instance);
	statement_bind_text(*ret, 2, self->subject);
	if (strstr(sql, "?3") != NULL)
		statement_bind_text(*ret, 3, self->thread_id);
	if (strstr(sql, "?8") != NULL)
		statement_bind_text(*ret, 8, self->keep_binding);
	if (strstr(sql, "?9") != NULL)
		statement_bind_int(*ret, 9, self->now_ms);
	return CG_OK;
}

/* BUSY while one of them is being sent: its receipt has to find it. */
static enum cg_status count_outbox(
	struct forget_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct journal_change *change = &self->operation.change;
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status =
		prepare(self, unfinished[self->kind], tx, &statement, err);

	while (status == CG_OK &&
		(status = statement_step(statement, &row, err)) == CG_OK && row) {
		int64_t state = statement_int(statement, 0);

		change->outbox_pending -= statement_int(statement, 1);
		if (state == OUTBOX_UNKNOWN)
			change->outbox_unknown -= statement_int(statement, 1);
		if (state == OUTBOX_SENDING)
			status = cg_error_set(
				err, CG_BUSY, "a message of it is being sent");
	}
	statement_finish(statement);
	return status;
}

static enum cg_status count_rest(
	struct forget_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct journal_change *change = &self->operation.change;
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status =
		prepare(self, open_inquiries[self->kind], tx, &statement, err);

	if (status == CG_OK)
		status = statement_step(statement, &row, err);
	if (status == CG_OK && row)
		change->inquiries = -statement_int(statement, 0);
	statement_finish(statement);
	statement = NULL;
	if (status != CG_OK || self->kind != PERSON)
		return status;
	status = prepare(self, pending_messages, tx, &statement, err);
	if (status == CG_OK)
		status = statement_step(statement, &row, err);
	if (status == CG_OK && row) {
		change->inbox_pending = -statement_int(statement, 0);
		change->inbox_pending_bytes = -statement_int(statement, 1);
		change->inbox_dead = statement_int(statement, 0);
	}
	statement_finish(statement);
	return status;
}

static void remove_spooled(const char *text, size_t length)
{
	struct json_object *files = NULL;

	(void)cg_json_parse(text, length, &files, NULL);
	for (size_t i = 0; i < cg_json_count(files); i++) {
		const char *path = cg_json_string(cg_json_at(files, i), "spoolPath");

		if (path != NULL)
			unlink(path);
	}
	cg_json_free(files);
}

/* Nobody needs them: their messages are handed over, or will never be. */
static enum cg_status remove_files(
	struct forget_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status =
		prepare(self, attachments[self->kind], tx, &statement, err);

	while (status == CG_OK &&
		(status = statement_step(statement, &row, err)) == CG_OK && row)
		remove_spooled(
			statement_text(statement, 0), statement_bytes(statement, 0));
	statement_finish(statement);
	return status;
}

static enum cg_status forget_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct forget_operation *self = arg;
	enum cg_status status = count_outbox(self, tx, err);

	if (status == CG_OK)
		status = count_rest(self, tx, err);
	if (status == CG_OK)
		status = remove_files(self, tx, err);
	for (size_t i = 0; status == CG_OK && i < sizeof(changes) / sizeof(changes[0]);
		i++) {
		const char *sql = changes[i].of[self->kind];
		struct statement *statement = NULL;

		if (sql == NULL)
			continue;
		status = prepare(self, sql, tx, &statement, err);
		if (status == CG_OK)
			status = statement_execute(statement, err);
	}
	self->operation.outbox_ready = true; /* there may be room for other streams */
	return status;
}

/* The second half: a job that only makes the file forget too.  It is one of its own, so that what the
 * first half has changed counts whatever becomes of this. */

static enum cg_status erase_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	(void)tx;
	(void)arg;
	(void)err;
	return CG_OK;
}

static void forget_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct operation *erase;

	if (status != CG_OK) {
		operation_tell(operation, status, err);
		return;
	}
	erase = operation_create(
		operation->journal, sizeof(*erase), erase_work, operation_tell);
	erase->done = operation->done;
	erase->arg = operation->arg;
	erase->job.flags = DATABASE_ERASE;
	operation_submit(erase);
}

void journal_forget(struct journal *journal, const struct journal_forget *what,
	journal_done done, void *arg)
{
	const char *subject = what->chat_id != NULL ? what->chat_id : what->sender_id;
	size_t room = text_room(what->instance) + text_room(subject) +
		      text_room(what->thread_id) + text_room(what->keep_binding);
	struct forget_operation *self =
		operation_create(journal, sizeof(*self) + room, forget_work, forget_done);
	char *at = self->room;

	self->operation.done = done;
	self->operation.arg = arg;
	self->kind = what->chat_id != NULL ? CONVERSATION : PERSON;
	self->now_ms = journal_now(journal);
	self->instance = text_place(&at, what->instance);
	self->subject = text_place(&at, subject);
	self->thread_id = text_place(&at, what->thread_id);
	self->keep_binding = text_place(&at, what->keep_binding);
	if (self->instance == NULL || self->subject == NULL || self->subject[0] == '\0')
		operation_refuse(&self->operation, CG_INVALID);
	else
		operation_submit(&self->operation);
}
