/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared statements, kept by their connection under the address of their SQL.  Hashing
 * an address costs a few nanoseconds where comparing the text of a statement would cost
 * more than stepping it.
 */
#include "runtime/transaction.h"

#include <assert.h>
#include <cowgate/sdk/error.h>
#include <stdlib.h>
#include <string.h>

static struct statement *slot_of(struct transaction *tx, const char *sql)
{
	size_t slot =
		(size_t)(((uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15)) >> 40);

	/* Ends: the cache holds fewer statements than there are slots. */
	for (slot %= STATEMENT_SLOTS;; slot = (slot + 1) % STATEMENT_SLOTS) {
		if (tx->statements[slot].sql == sql || tx->statements[slot].sql == NULL)
			return &tx->statements[slot];
	}
}

static enum cg_status statement_load(struct transaction *tx, const char *sql,
	struct statement *statement, struct cg_error *err)
{
	sqlite3_stmt *handle = NULL;
	const char *tail = NULL;

	if (tx->statement_count == STATEMENT_CACHE)
		return cg_error_set(err, CG_LIMIT,
			"more than %d different statements on one connection",
			STATEMENT_CACHE);
	if (sqlite3_prepare_v3(tx->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle,
		    &tail) != SQLITE_OK)
		return transaction_error(tx, err);
	if (handle == NULL || tail[strspn(tail, " \t\n;")] != '\0') {
		sqlite3_finalize(handle);
		return cg_error_set(
			err, CG_INTERNAL, "not one SQL statement: %.80s", sql);
	}
	statement->tx = tx;
	statement->sql = sql;
	statement->handle = handle;
	statement->readonly = sqlite3_stmt_readonly(handle) != 0;
	tx->statement_count++;
	return CG_OK;
}

#ifndef NDEBUG
/* False for a buffer passed off as a literal.  SQLite keeps no trailing space. */
static bool is_text_of(const struct statement *statement, const char *sql)
{
	const char *kept = sqlite3_sql(statement->handle);

	return strncmp(kept, sql, strlen(kept)) == 0;
}
#endif

enum cg_status transaction_prepare(struct transaction *tx, const char *sql,
	struct statement **ret, struct cg_error *err)
{
	struct statement *statement = slot_of(tx, sql);

	if (statement->sql == NULL) {
		enum cg_status status = statement_load(tx, sql, statement, err);

		if (status != CG_OK)
			return status;
	}
	assert(is_text_of(statement, sql));
	if (statement->used)
		return cg_error_set(
			err, CG_INTERNAL, "statement used inside itself: %.80s", sql);
	statement->used = true;
	statement->bind_error = SQLITE_OK;
	statement->next = tx->used;
	tx->used = statement;
	*ret = statement;
	return CG_OK;
}

void statement_finish(struct statement *statement)
{
	struct statement **link;

	if (statement == NULL || !statement->used)
		return;
	for (link = &statement->tx->used; *link != statement;)
		link = &(*link)->next;
	*link = statement->next;
	statement->used = false;
	/* The result repeats what the last step has already reported. */
	(void)sqlite3_reset(statement->handle);
	(void)sqlite3_clear_bindings(statement->handle);
}

void statement_finish_all(struct transaction *tx)
{
	while (tx->used != NULL)
		statement_finish(tx->used);
}

void statement_destroy_all(struct transaction *tx)
{
	if (tx->statements == NULL)
		return;
	for (size_t i = 0; i < STATEMENT_SLOTS; i++)
		sqlite3_finalize(tx->statements[i].handle);
	free(tx->statements);
	tx->statements = NULL;
	tx->statement_count = 0;
	tx->used = NULL;
}

static void note_binding(struct statement *statement, int code)
{
	if (statement->bind_error == SQLITE_OK)
		statement->bind_error = code;
}

void statement_bind_int(struct statement *statement, int index, int64_t value)
{
	note_binding(statement, sqlite3_bind_int64(statement->handle, index, value));
}

void statement_bind_null(struct statement *statement, int index)
{
	note_binding(statement, sqlite3_bind_null(statement->handle, index));
}

void statement_bind_text(struct statement *statement, int index, const char *text)
{
	statement_bind_text_length(
		statement, index, text, text == NULL ? 0 : strlen(text));
}

void statement_bind_text_length(
	struct statement *statement, int index, const char *text, size_t length)
{
	/* A NULL text binds NULL. */
	note_binding(
		statement, sqlite3_bind_text64(statement->handle, index, text,
				   (sqlite3_uint64)length, SQLITE_STATIC, SQLITE_UTF8));
}

void statement_bind_blob(
	struct statement *statement, int index, const void *bytes, size_t length)
{
	/* Without bytes the address may be NULL, which would bind NULL. */
	note_binding(statement,
		length == 0 ? sqlite3_bind_zeroblob(statement->handle, index, 0)
			    : sqlite3_bind_blob64(statement->handle, index, bytes,
				      (sqlite3_uint64)length, SQLITE_STATIC));
}

enum cg_status statement_step(
	struct statement *statement, bool *ret_row, struct cg_error *err)
{
	struct transaction *tx = statement->tx;
	int code;

	if (statement->bind_error != SQLITE_OK) {
		if (statement->bind_error == SQLITE_NOMEM)
			return cg_error_nomem(err);
		return cg_error_set(err,
			statement->bind_error == SQLITE_TOOBIG ? CG_LIMIT : CG_INTERNAL,
			"cannot bind a parameter (%s): %.80s",
			sqlite3_errstr(statement->bind_error), statement->sql);
	}
	if (!statement->readonly && !tx->savepoint) {
		enum cg_status status = transaction_guard(tx, err);

		if (status != CG_OK)
			return status;
	}
	code = sqlite3_step(statement->handle);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return transaction_error(tx, err);
	*ret_row = code == SQLITE_ROW;
	return CG_OK;
}

enum cg_status statement_execute(struct statement *statement, struct cg_error *err)
{
	bool row = false;
	enum cg_status status = statement_step(statement, &row, err);

	statement_finish(statement);
	return status;
}

int64_t statement_int(struct statement *statement, int column)
{
	return sqlite3_column_int64(statement->handle, column);
}

const char *statement_text(struct statement *statement, int column)
{
	return (const char *)sqlite3_column_text(statement->handle, column);
}

size_t statement_bytes(struct statement *statement, int column)
{
	return (size_t)sqlite3_column_bytes(statement->handle, column);
}

const void *statement_blob(struct statement *statement, int column)
{
	return sqlite3_column_blob(statement->handle, column);
}

bool statement_is_null(struct statement *statement, int column)
{
	return sqlite3_column_type(statement->handle, column) == SQLITE_NULL;
}

int64_t transaction_changes(struct transaction *tx)
{
	return sqlite3_changes64(tx->sqlite);
}

int64_t transaction_rowid(struct transaction *tx)
{
	return sqlite3_last_insert_rowid(tx->sqlite);
}
