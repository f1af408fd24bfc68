/* SPDX-License-Identifier: Apache-2.0 */
#include "chats.h"

#include <stdio.h>

#define KEY_MAX 48

static void make_key(char key[KEY_MAX], const char *what, const char *chat_id)
{
	snprintf(key, KEY_MAX, "%s:%s", what, chat_id);
}

static const char *look_up(const struct cg_host *host, const char *what,
	const char *chat_id, char room[TELEGRAM_NUMBER])
{
	char key[KEY_MAX];
	int64_t number;

	/* Groups have negative numbers; only they move. */
	if (!cg_parse_int(chat_id, &number) || number >= 0)
		return NULL;
	make_key(key, what, chat_id);
	return host->checkpoint_load(host, key, room, TELEGRAM_NUMBER) ? room : NULL;
}

const char *telegram_chats_now(
	const struct cg_host *host, const char *chat_id, char room[TELEGRAM_NUMBER])
{
	return look_up(host, "moved-to", chat_id, room);
}

const char *telegram_chats_known(
	const struct cg_host *host, const char *chat_id, char room[TELEGRAM_NUMBER])
{
	return look_up(host, "moved-from", chat_id, room);
}

static void keep(const struct cg_host *host, const char *what, const char *chat_id,
	const char *value, cg_submit_done done, void *arg)
{
	char key[KEY_MAX];
	const struct cg_checkpoint checkpoint = {.key = key, .value = value};

	make_key(key, what, chat_id);
	host->checkpoint(host, &checkpoint, done, arg);
}

void telegram_chats_move(const struct cg_host *host, const char *from, const char *to,
	cg_submit_done done, void *arg)
{
	keep(host, "moved-to", from, to, done, arg);
	keep(host, "moved-from", to, from, done, arg);
}
