/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/inquiry_row.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>

static bool text_valid(const char *text, size_t limit)
{
	size_t length = text == NULL ? 0 : strlen(text);

	return length <= limit && cg_utf8_valid(text, length);
}

static bool text_required(const char *text, size_t limit)
{
	return text != NULL && text[0] != '\0' && text_valid(text, limit);
}

bool inquiry_seed_valid(const struct inquiry_seed *seed)
{
	return (unsigned)seed->kind <= INQUIRY_QUESTION &&
	       text_required(seed->token, INQUIRY_TOKEN_MAX) &&
	       text_required(seed->code, INQUIRY_CODE_MAX) &&
	       text_required(seed->target_id, 512) && text_valid(seed->agent_id, 512) &&
	       text_valid(seed->options, INQUIRY_OPTIONS_MAX) &&
	       text_valid(seed->card, INQUIRY_CARD_MAX) && seed->expires_ms > 0;
}

static enum cg_status insert(struct transaction *tx, const struct inquiry_seed *seed,
	const struct inquiry_card *card, int64_t now_ms, struct cg_error *err)
{
	const char *texts[] = {seed->token, seed->code, card->card_id, seed->target_id,
		seed->agent_id, card->instance, card->chat_id, card->thread_id,
		card->user_id, card->context, card->session_id, card->binding_id,
		seed->options, card->card};
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"INSERT INTO inquiry(kind, is_direct, created_ms, expires_ms, token,"
		" code, card_id, target_id, agent_id, instance, chat_id, thread_id, "
		"user_id,"
		" context, session_id, binding_id, options, card)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT(card_id) DO NOTHING",
		&statement, err);
	int at = 1;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, at++, seed->kind);
	statement_bind_int(statement, at++, card->is_direct);
	statement_bind_int(statement, at++, now_ms);
	statement_bind_int(statement, at++, seed->expires_ms);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		statement_bind_text(statement, at++, texts[i]);
	return statement_execute(statement, err);
}

/* The oldest beyond the cap of its chat are gone. */
static enum cg_status make_room(struct transaction *tx, const struct inquiry_card *card,
	int64_t now_ms, struct journal_change *change, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE inquiry SET state = 3, closed_ms = ?3 WHERE id IN"
		" (SELECT id FROM inquiry INDEXED BY inquiry_chat"
		"  WHERE closed_ms IS NULL AND instance = ?1 AND chat_id = ?2"
		"  ORDER BY id DESC LIMIT -1 OFFSET ?4)",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, card->instance);
	statement_bind_text(statement, 2, card->chat_id);
	statement_bind_int(statement, 3, now_ms);
	statement_bind_int(statement, 4, INQUIRY_OPEN);
	status = statement_execute(statement, err);
	if (status == CG_OK)
		change->inquiries -= transaction_changes(tx);
	return status;
}

enum cg_status inquiry_insert(struct transaction *tx, const struct inquiry_seed *seed,
	const struct inquiry_card *card, int64_t now_ms, struct journal_change *change,
	struct cg_error *err)
{
	enum cg_status status = insert(tx, seed, card, now_ms, err);

	if (status != CG_OK)
		return status;
	change->inquiries += transaction_changes(tx);
	return make_room(tx, card, now_ms, change, err);
}

enum cg_status inquiry_close(struct transaction *tx, const char *card_id, int64_t now_ms,
	struct journal_change *change, char **ret_card, char **ret_id,
	struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE inquiry SET state = 3, closed_ms = ?2 WHERE id ="
		" (SELECT id FROM inquiry WHERE (card_id = ?1 OR"
		"  (card_id > ?1 || ':' AND card_id < ?1 || ';'))"
		"  AND (state = 0 OR (state = 1 AND expires_ms <= ?2))"
		"  ORDER BY id DESC LIMIT 1)"
		" RETURNING card, card_id",
		&statement, err);
	bool row = false;

	*ret_card = NULL;
	*ret_id = NULL;
	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, card_id);
	statement_bind_int(statement, 2, now_ms);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && row) {
		*ret_card = strdup(statement_text(statement, 0));
		*ret_id = strdup(statement_text(statement, 1));
		if (*ret_card == NULL || *ret_id == NULL)
			status = cg_error_nomem(err);
		change->inquiries--;
	}
	statement_finish(statement);
	if (status != CG_OK) {
		free(*ret_card);
		free(*ret_id);
		*ret_card = NULL;
		*ret_id = NULL;
	}
	return status;
}

enum cg_status inquiry_abandon(struct transaction *tx, const char *binding_id,
	int64_t now_ms, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE inquiry INDEXED BY inquiry_session SET expires_ms = ?2"
		" WHERE closed_ms IS NULL AND binding_id = ?1 AND expires_ms > ?2",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, binding_id);
	statement_bind_int(statement, 2, now_ms);
	return statement_execute(statement, err);
}
