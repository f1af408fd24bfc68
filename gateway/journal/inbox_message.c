/* SPDX-License-Identifier: Apache-2.0 */
/* Reading pending messages back. */
#include "gateway/journal/inbox.h"
#include "gateway/journal/operation.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>

/* Columns of the page, texts first. */
enum {
#define INBOX_TEXT(column, value, limit) COLUMN_##column,
#include "gateway/journal/inbox.def"
#undef INBOX_TEXT
	COLUMN_id,
	COLUMN_received_ms,
	COLUMN_type,
	COLUMN_is_direct,
	COLUMN_sender_is_bot,
	COLUMN_interaction_is_command,
	COLUMN_mark,
};

static const char page_sql[] =
	"SELECT "
#define INBOX_TEXT(column, value, limit) #column ", "
#include "gateway/journal/inbox.def"
#undef INBOX_TEXT
	"id, received_ms, type, is_direct, sender_is_bot, interaction_is_command, mark"
	" FROM inbox INDEXED BY inbox_pending WHERE state = 0 AND id > ?1 ORDER BY id "
	"LIMIT ?2";

void inbox_message_destroy(struct inbox_message *message)
{
	if (message == NULL)
		return;
	cg_json_free(message->attachments);
	free(message);
}

static void read_texts(struct statement *statement, struct inbox_message *message)
{
	char *at = (char *)(message + 1);

	message->instance = text_of_column(&at, statement, COLUMN_instance);
	message->event_id = text_of_column(&at, statement, COLUMN_event_id);
	message->message_id = text_of_column(&at, statement, COLUMN_message_id);
	message->reply_to = text_of_column(&at, statement, COLUMN_reply_to);
	message->chat_id = text_of_column(&at, statement, COLUMN_chat_id);
	message->thread_id = text_of_column(&at, statement, COLUMN_thread_id);
	message->user_id = text_of_column(&at, statement, COLUMN_user_id);
	message->context = text_of_column(&at, statement, COLUMN_context);
	message->sender_id = text_of_column(&at, statement, COLUMN_sender_id);
	message->sender_username = text_of_column(&at, statement, COLUMN_sender_username);
	message->sender_name = text_of_column(&at, statement, COLUMN_sender_name);
	message->interaction_id = text_of_column(&at, statement, COLUMN_interaction_id);
	message->interaction_token =
		text_of_column(&at, statement, COLUMN_interaction_token);
	message->command = text_of_column(&at, statement, COLUMN_command);
	message->command_args = text_of_column(&at, statement, COLUMN_command_args);
	message->text = text_of_column(&at, statement, COLUMN_text);
}

/* The message and its texts are one allocation. */
static enum cg_status read_message(struct statement *statement,
	struct inbox_message **ret, size_t *ret_bytes, struct cg_error *err)
{
	struct inbox_message *message;
	enum cg_status status = CG_OK;
	size_t bytes = 0;

	for (int column = 0; column < COLUMN_attachments; column++)
		bytes += statement_bytes(statement, column) + 1;
	message = calloc(1, sizeof(*message) + bytes);
	if (message == NULL)
		return cg_error_nomem(err);
	read_texts(statement, message);
	message->id = statement_int(statement, COLUMN_id);
	message->received_ms = statement_int(statement, COLUMN_received_ms);
	message->type = (enum cg_event_type)statement_int(statement, COLUMN_type);
	message->mark = (enum inbox_mark_state)statement_int(statement, COLUMN_mark);
	message->is_direct = statement_int(statement, COLUMN_is_direct) != 0;
	message->sender_is_bot = statement_int(statement, COLUMN_sender_is_bot) != 0;
	message->interaction_is_command =
		statement_int(statement, COLUMN_interaction_is_command) != 0;
	if (!statement_is_null(statement, COLUMN_attachments))
		status = cg_json_parse(statement_text(statement, COLUMN_attachments),
			statement_bytes(statement, COLUMN_attachments),
			&message->attachments, err);
	if (status != CG_OK) {
		inbox_message_destroy(message);
		return status;
	}
	message->attachment_count = cg_json_count(message->attachments);
	*ret_bytes = bytes + statement_bytes(statement, COLUMN_attachments);
	*ret = message;
	return CG_OK;
}

struct inbox_page_operation {
	struct operation operation;
	void (*page)(void *arg, enum cg_status status, struct inbox_message **messages,
		size_t count);
	void *arg;
	int64_t after;
	struct inbox_message **messages; /* owned until told */
	size_t count;
};

static enum cg_status page_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct inbox_page_operation *self = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, page_sql, &statement, err);
	size_t bytes = 0;
	bool row = false;

	if (status != CG_OK)
		return status;
	self->messages = calloc(INBOX_PAGE, sizeof(struct inbox_message *));
	if (self->messages == NULL)
		return cg_error_nomem(err);
	statement_bind_int(statement, 1, self->after);
	statement_bind_int(statement, 2, INBOX_PAGE);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		size_t length = 0;

		if (bytes >= INBOX_PAGE_BYTES) {
			self->operation.inbox_ready = true;
			break;
		}
		status = read_message(
			statement, &self->messages[self->count], &length, err);
		if (status != CG_OK)
			break;
		self->count++;
		bytes += length;
	}
	statement_finish(statement);
	return status;
}

static void page_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct inbox_page_operation *self = (struct inbox_page_operation *)operation;

	(void)err;
	if (status == CG_OK) {
		self->page(self->arg, CG_OK, self->messages, self->count);
		return;
	}
	for (size_t i = 0; i < self->count; i++)
		inbox_message_destroy(self->messages[i]);
	free(self->messages);
	self->page(self->arg, status, NULL, 0);
}

void inbox_read(struct journal *journal, int64_t after,
	void (*page)(void *arg, enum cg_status status, struct inbox_message **messages,
		size_t count),
	void *arg)
{
	struct inbox_page_operation *self =
		operation_create(journal, sizeof(*self), page_work, page_done);

	self->page = page;
	self->arg = arg;
	self->after = after;
	operation_submit(&self->operation);
}
