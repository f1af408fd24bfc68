/* SPDX-License-Identifier: Apache-2.0 */
/* Which files of the spool are still needed. */
#include "gateway/journal/inbox.h"
#include "gateway/journal/operation.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>

struct spool_operation {
	struct operation operation;
	void (*done)(
		void *arg, enum cg_status status, const char *const *paths, size_t count);
	void *arg;
	char **paths; /* owned, and each of them */
	size_t count, room;
};

static enum cg_status add_path(
	struct spool_operation *self, const char *path, struct cg_error *err)
{
	if (self->count == INBOX_SPOOLED)
		return cg_error_set(err, CG_LIMIT,
			"more than %d files wait with their messages", INBOX_SPOOLED);
	if (self->count == self->room) {
		size_t room = self->room == 0 ? 64 : 2 * self->room;
		char **paths = realloc(self->paths, room * sizeof(*paths));

		if (paths == NULL)
			return cg_error_nomem(err);
		self->paths = paths;
		self->room = room;
	}
	self->paths[self->count] = strdup(path);
	if (self->paths[self->count] == NULL)
		return cg_error_nomem(err);
	self->count++;
	return CG_OK;
}

static enum cg_status add_message(
	struct spool_operation *self, struct statement *statement, struct cg_error *err)
{
	struct json_object *files = NULL;
	enum cg_status status = cg_json_parse(
		statement_text(statement, 0), statement_bytes(statement, 0), &files, err);

	for (size_t i = 0; i < cg_json_count(files) && status == CG_OK; i++) {
		const char *path = cg_json_string(cg_json_at(files, i), "spoolPath");

		if (path != NULL)
			status = add_path(self, path, err);
	}
	cg_json_free(files);
	return status;
}

/* Files on their way out; also those of dead parts, which may be tried again. */
static enum cg_status add_outgoing(
	struct spool_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx,
		"SELECT file_path FROM outbox INDEXED BY outbox_lane"
		" WHERE finished_ms IS NULL AND file_path IS NOT NULL"
		" UNION ALL SELECT file_path FROM outbox INDEXED BY outbox_finished"
		" WHERE finished_ms IS NOT NULL AND state = 4 AND file_path IS NOT NULL",
		&statement, err);

	if (status != CG_OK)
		return status;
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		status = add_path(self, statement_text(statement, 0), err);
		if (status != CG_OK)
			break;
	}
	statement_finish(statement);
	return status;
}

static enum cg_status spool_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct spool_operation *self = arg;
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx,
		"SELECT attachments FROM inbox INDEXED BY inbox_spooled"
		" WHERE state = 0 AND attachments IS NOT NULL",
		&statement, err);

	if (status != CG_OK)
		return status;
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		status = add_message(self, statement, err);
		if (status != CG_OK)
			break;
	}
	statement_finish(statement);
	return status == CG_OK ? add_outgoing(self, tx, err) : status;
}

static void spool_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct spool_operation *self = (struct spool_operation *)operation;

	(void)err;
	self->done(self->arg, status, (const char *const *)self->paths,
		status == CG_OK ? self->count : 0);
	for (size_t i = 0; i < self->count; i++)
		free(self->paths[i]);
	free(self->paths);
}

void inbox_list_spooled(struct journal *journal,
	void (*done)(
		void *arg, enum cg_status status, const char *const *paths, size_t count),
	void *arg)
{
	struct spool_operation *self =
		operation_create(journal, sizeof(*self), spool_work, spool_done);

	self->done = done;
	self->arg = arg;
	operation_submit(&self->operation);
}
