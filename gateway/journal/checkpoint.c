/* SPDX-License-Identifier: Apache-2.0 */
/* How far each provider has come, as it last said.  A few dozen short strings at most. */
#include "gateway/journal/inbox.h"
#include "gateway/journal/operation.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>

#define CHECKPOINT_KEY_MAX 64
#define CHECKPOINT_VALUE_MAX 1024

bool checkpoint_valid(const char *key, const char *value)
{
	size_t key_length = key == NULL ? 0 : strlen(key);
	size_t value_length = value == NULL ? 0 : strlen(value);

	return key_length > 0 && key_length <= CHECKPOINT_KEY_MAX && value != NULL &&
	       value_length <= CHECKPOINT_VALUE_MAX && cg_utf8_valid(key, key_length) &&
	       cg_utf8_valid(value, value_length);
}

static bool find(const struct journal *journal, const char *instance, const char *key,
	size_t *ret_index)
{
	for (size_t i = 0; i < journal->checkpoint_count; i++) {
		const struct checkpoint *entry = &journal->checkpoints[i];

		if (strcmp(entry->key, key) == 0 &&
			strcmp(entry->instance, instance) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

enum cg_status checkpoint_entry(
	struct journal *journal, const char *instance, const char *key, size_t *ret_index)
{
	struct checkpoint *entry;

	if (find(journal, instance, key, ret_index))
		return CG_OK;
	if (journal->checkpoint_count == JOURNAL_CHECKPOINTS)
		return CG_LIMIT;
	if (journal->checkpoints == NULL)
		journal->checkpoints =
			calloc(JOURNAL_CHECKPOINTS, sizeof(*journal->checkpoints));
	if (journal->checkpoints == NULL)
		return CG_NOMEM;
	entry = &journal->checkpoints[journal->checkpoint_count];
	entry->instance = strdup(instance);
	entry->key = strdup(key);
	if (entry->instance == NULL || entry->key == NULL) {
		free(entry->instance);
		free(entry->key);
		*entry = (struct checkpoint){0};
		return CG_NOMEM;
	}
	*ret_index = journal->checkpoint_count++;
	return CG_OK;
}

void checkpoint_set(struct journal *journal, size_t index, const char *value)
{
	struct checkpoint *entry = &journal->checkpoints[index];
	char *copy = strdup(value);

	/* The file is ahead of memory then: what is repeated is a duplicate. */
	if (copy == NULL)
		return;
	free(entry->value);
	entry->value = copy;
}

void checkpoint_finish(struct journal *journal)
{
	for (size_t i = 0; i < journal->checkpoint_count; i++) {
		free(journal->checkpoints[i].instance);
		free(journal->checkpoints[i].key);
		free(journal->checkpoints[i].value);
	}
	free(journal->checkpoints);
	journal->checkpoints = NULL;
	journal->checkpoint_count = 0;
}

enum cg_status checkpoint_write(struct transaction *tx, const char *instance,
	const char *key, const char *value, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"INSERT INTO checkpoint(instance, key, value) VALUES(?1, ?2, ?3)"
		" ON CONFLICT DO UPDATE SET value = excluded.value",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, instance);
	statement_bind_text(statement, 2, key);
	statement_bind_text(statement, 3, value);
	return statement_execute(statement, err);
}

enum cg_status checkpoint_read(
	struct journal *journal, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(
		tx, "SELECT instance, key, value FROM checkpoint", &statement, err);

	if (status != CG_OK)
		return status;
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		size_t index = 0;

		status = checkpoint_entry(journal, statement_text(statement, 0),
			statement_text(statement, 1), &index);
		if (status != CG_OK)
			return cg_error_set(err, status, "cannot load the checkpoints");
		checkpoint_set(journal, index, statement_text(statement, 2));
	}
	statement_finish(statement);
	return status;
}

bool inbox_checkpoint_load(struct journal *journal, const char *instance, const char *key,
	char *ret, size_t size)
{
	const char *value;
	size_t index = 0;

	if (!find(journal, instance, key, &index))
		return false;
	value = journal->checkpoints[index].value;
	/* A value that is cut would be another one. */
	if (value == NULL || strlen(value) >= size)
		return false;
	memcpy(ret, value, strlen(value) + 1);
	return true;
}

struct checkpoint_operation {
	struct operation operation;
	cg_submit_done submitted;
	void *arg;
	size_t index;
	char value[CHECKPOINT_VALUE_MAX + 1];
};

static enum cg_status checkpoint_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct checkpoint_operation *self = arg;
	/* Instance and key of an entry never change while the journal is open. */
	const struct checkpoint *entry =
		&self->operation.journal->checkpoints[self->index];

	return checkpoint_write(tx, entry->instance, entry->key, self->value, err);
}

static void checkpoint_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct checkpoint_operation *self = (struct checkpoint_operation *)operation;
	enum cg_verdict verdict = CG_VERDICT_UNAVAILABLE;

	(void)err;
	if (status == CG_OK) {
		verdict = CG_VERDICT_COMMITTED;
		checkpoint_set(operation->journal, self->index, self->value);
	} else if (status == CG_INVALID) {
		verdict = CG_VERDICT_INVALID;
	}
	if (self->submitted != NULL)
		self->submitted(self->arg, verdict);
}

void inbox_checkpoint(struct journal *journal, const char *instance,
	const struct cg_checkpoint *checkpoint, cg_submit_done done, void *arg)
{
	struct checkpoint_operation *self = operation_create(
		journal, sizeof(*self), checkpoint_work, checkpoint_done);
	enum cg_status status = CG_INVALID;

	self->submitted = done;
	self->arg = arg;
	if (checkpoint_valid(checkpoint->key, checkpoint->value))
		status = checkpoint_entry(
			journal, instance, checkpoint->key, &self->index);
	if (status != CG_OK) {
		operation_refuse(&self->operation, status);
		return;
	}
	memcpy(self->value, checkpoint->value, strlen(checkpoint->value) + 1);
	operation_submit(&self->operation);
}
