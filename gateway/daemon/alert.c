/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/alert.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct alert_row {
	bool event;
	int64_t grace_ms;
	const char *begins; /* with one %s: whom it concerns */
	const char *ends; /* the same, of what is no event */
} rows[ALERT_KINDS] = {
	[ALERT_RESTART] = {true, 0, "Cowgate was started again%s.", NULL},
	[ALERT_DEAD] = {true, 0, "A message to %s was given up.", NULL},
	[ALERT_EXPIRED] = {true, 0, "A message from %s did not reach the agent in time.",
		NULL},
	[ALERT_LOOP] = {true, 0,
		"A chat is left alone for a while: two programs seem to answer each "
		"other there%s.",
		NULL},
	[ALERT_DEAF] = {false, ALERT_GRACE_MS, "The channel %s hears nothing.",
		"The channel %s hears again."},
	[ALERT_ACCOUNT] = {false, 0,
		"The platform refuses the credentials of %s; nothing is sent there.",
		"The platform takes the credentials of %s again."},
	[ALERT_TOKEN] = {false, 0, "The Cloud refuses the gateway's token%s.",
		"The Cloud takes the gateway's token again%s."},
	[ALERT_DISK] = {false, 0,
		"The disk does not take what is written%s; no message "
		"is accepted.",
		"The disk takes what is written again%s; for a while no message was "
		"accepted."},
};

struct entry {
	enum alert_kind kind;
	char about[65];
	char detail[256];
	bool used;
	bool lasts; /* begun and not over; of an event: not told yet */
	bool told; /* that it has begun */
	unsigned count; /* beginnings that were not told */
	unsigned saying; /* of them, those that the text at the store tells */
	int64_t due_ms; /* to say the next thing; -1: nothing */
	int64_t said_ms; /* the last beginning; -1: none */
};

struct alert {
	struct alert_hooks hooks;
	struct config_list chats;
	struct entry entries[ALERT_ENTRIES];
	int64_t hour_ms; /* when it began */
	unsigned said; /* in this hour */
	unsigned held; /* back by the limit of an hour */
	struct entry *storing; /* NULL: the store has nothing */
	bool storing_end; /* … or the end of it */
	int64_t now_ms;
};

enum cg_status alert_create(
	const struct alert_hooks *hooks, struct alert **ret, struct cg_error *err)
{
	struct alert *alert = calloc(1, sizeof(*alert));

	if (alert == NULL)
		return cg_error_nomem(err);
	alert->hooks = *hooks;
	alert->hour_ms = -ALERT_HOUR_MS;
	*ret = alert;
	return CG_OK;
}

void alert_destroy(struct alert *alert)
{
	free(alert);
}

void alert_set_chats(struct alert *alert, const struct config_list *chats)
{
	alert->chats = *chats;
}

/* Chats. */

/* "telegram:4711" in two; false: it is none. */
static bool split_chat(const char *chat, char instance[65], const char **ret_chat_id)
{
	size_t length = strcspn(chat, ":");

	if (length == 0 || length > 64 || chat[length] == '\0' ||
		chat[length + 1] == '\0')
		return false;
	memcpy(instance, chat, length);
	instance[length] = '\0';
	*ret_chat_id = chat + length + 1;
	return true;
}

/* The first that is another channel and can send, else the first that is another. */
static bool choose_chat(const struct alert *alert, const char *about, char instance[65],
	const char **ret_chat_id)
{
	bool found = false;

	for (size_t i = 0; i < alert->chats.count; i++) {
		const char *chat_id;
		char candidate[65];

		if (!split_chat(alert->chats.items[i], candidate, &chat_id) ||
			strcmp(candidate, about) == 0)
			continue;
		if (found && !alert->hooks.usable(alert->hooks.arg, candidate))
			continue;
		memcpy(instance, candidate, sizeof(candidate));
		*ret_chat_id = chat_id;
		if (alert->hooks.usable(alert->hooks.arg, candidate))
			return true;
		found = true;
	}
	return found;
}

/* Entries. */

static struct entry *find(struct alert *alert, enum alert_kind kind, const char *about)
{
	for (size_t i = 0; i < ALERT_ENTRIES; i++) {
		struct entry *entry = &alert->entries[i];

		if (entry->used && entry->kind == kind &&
			strcmp(entry->about, about) == 0)
			return entry;
	}
	return NULL;
}

/* A place that is free, or whose matter was settled longest ago. */
static struct entry *take(struct alert *alert, enum alert_kind kind, const char *about)
{
	struct entry *best = NULL;

	for (size_t i = 0; i < ALERT_ENTRIES; i++) {
		struct entry *entry = &alert->entries[i];

		if (!entry->used) {
			best = entry;
			break;
		}
		if (!entry->lasts && entry->due_ms < 0 && entry != alert->storing &&
			(best == NULL || entry->said_ms < best->said_ms))
			best = entry;
	}
	if (best == NULL)
		return NULL;
	*best = (struct entry){.kind = kind, .used = true, .due_ms = -1, .said_ms = -1};
	cg_text_copy(best->about, sizeof(best->about), about);
	return best;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void alert_raise(struct alert *alert, enum alert_kind kind, const char *about,
	const char *detail, int64_t now_ms)
{
	const char *whom = about == NULL ? "" : about;
	struct entry *entry = find(alert, kind, whom);

	if (alert->chats.count == 0)
		return;
	if (entry == NULL)
		entry = take(alert, kind, whom);
	if (entry == NULL || (entry->lasts && !rows[kind].event))
		return;
	cg_text_copy(entry->detail, sizeof(entry->detail), detail == NULL ? "" : detail);
	entry->count++;
	if (entry->lasts)
		return; /* it will be counted when it is said */
	entry->lasts = true;
	entry->due_ms = now_ms + rows[kind].grace_ms;
	if (entry->said_ms >= 0)
		entry->due_ms = later(entry->due_ms, entry->said_ms + ALERT_QUIET_MS);
	alert->hooks.wake(alert->hooks.arg);
}

void alert_clear(
	struct alert *alert, enum alert_kind kind, const char *about, int64_t now_ms)
{
	struct entry *entry = find(alert, kind, about == NULL ? "" : about);

	if (entry == NULL || !entry->lasts)
		return;
	entry->lasts = false;
	/* A full disk could not be told of while it was full. */
	entry->told = entry->told || kind == ALERT_DISK;
	entry->due_ms = entry->told ? now_ms : -1;
	if (!entry->told)
		entry->count = 0; /* it was over before anyone was told */
	alert->hooks.wake(alert->hooks.arg);
}

/* Saying. */

/* @form with whom it concerns; what else there is to say goes behind it. */
static void compose(const struct alert *alert, const struct entry *entry,
	const char *form, bool end, struct cg_buffer *text)
{
	const char *gap = strstr(form, "%s");

	cg_buffer_format(
		text, "%.*s%s%s", (int)(gap - form), form, entry->about, gap + 2);
	if (!end && entry->detail[0] != '\0')
		cg_buffer_format(text, " (%s)", entry->detail);
	if (!end && entry->saying > 1)
		cg_buffer_format(text, " This happened %u times.", entry->saying);
	if (alert->held > 0)
		cg_buffer_format(text,
			" %u other things were not said; the log has them.", alert->held);
}

/* The end of a state, or a beginning, was said, or is not to be said any more. */
static void settled(struct alert *alert, struct entry *entry, bool end)
{
	if (end) {
		entry->told = false;
		return;
	}
	entry->count -= entry->saying;
	if (!rows[entry->kind].event) {
		entry->told = true;
		if (!entry->lasts)
			entry->due_ms = alert->now_ms; /* over meanwhile */
	} else if (entry->count > 0) {
		entry->due_ms = entry->said_ms + ALERT_QUIET_MS;
	} else {
		entry->lasts = false;
	}
}

static void stored(void *arg, enum cg_status status)
{
	struct alert *alert = arg;
	struct entry *entry = alert->storing;

	alert->storing = NULL;
	if (status == CG_OK) {
		alert->said++;
		alert->held = 0;
		settled(alert, entry, alert->storing_end);
	} else if (entry->lasts || entry->told) {
		entry->due_ms = alert->now_ms + ALERT_AGAIN_MS;
	}
	alert->hooks.wake(alert->hooks.arg);
}

static bool is_within_limit(struct alert *alert, int64_t now_ms)
{
	if (now_ms - alert->hour_ms >= ALERT_HOUR_MS) {
		alert->hour_ms = now_ms;
		alert->said = 0;
	}
	return alert->said < ALERT_PER_HOUR;
}

static void say(struct alert *alert, struct entry *entry)
{
	const struct alert_row *row = &rows[entry->kind];
	bool end = !entry->lasts;
	const char *form = end ? row->ends : row->begins, *chat_id;
	struct cg_buffer text;
	char instance[65];

	entry->due_ms = -1;
	entry->saying = entry->count;
	if (!end)
		entry->said_ms = alert->now_ms;
	if (!choose_chat(alert, entry->about, instance, &chat_id) ||
		!is_within_limit(alert, alert->now_ms)) {
		alert->held++;
		settled(alert, entry, end);
		return;
	}
	cg_buffer_init(&text, ALERT_TEXT);
	compose(alert, entry, form, end, &text);
	alert->storing = entry;
	alert->storing_end = end;
	alert->hooks.store(alert->hooks.arg, instance, chat_id, cg_buffer_string(&text),
		stored, alert);
	cg_buffer_finish(&text);
}

static struct entry *next(const struct alert *alert)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < ALERT_ENTRIES; i++) {
		const struct entry *entry = &alert->entries[i];

		if (entry->used && entry->due_ms >= 0 &&
			(best == NULL || entry->due_ms < best->due_ms))
			best = entry;
	}
	return (struct entry *)(uintptr_t)best;
}

int64_t alert_due(const struct alert *alert)
{
	const struct entry *entry = alert->storing != NULL ? NULL : next(alert);

	return entry == NULL ? -1 : entry->due_ms;
}

void alert_look(struct alert *alert, int64_t now_ms)
{
	struct entry *entry;

	alert->now_ms = now_ms;
	while (alert->storing == NULL && (entry = next(alert)) != NULL &&
		entry->due_ms <= now_ms)
		say(alert, entry);
}
