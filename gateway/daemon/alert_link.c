/* SPDX-License-Identifier: Apache-2.0 */
/* Where alerts go: the outbox, like everything else that must reach a chat. */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/error.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int64_t now_ms(const struct daemon *daemon)
{
	return clock_mono(loop_clock(daemon->loop));
}

static void letter_stored(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct daemon *daemon = arg;

	(void)err;
	daemon->alert_stored(daemon->alert_stored_arg, status);
}

static void store(void *arg, const char *instance, const char *chat_id, const char *text,
	alert_stored done, void *done_arg)
{
	struct daemon *daemon = arg;
	char id[64];
	const struct obligation letter = {
		.delivery_id = id,
		.instance = instance,
		.target = {.chat_id = chat_id},
		.purpose = OUTBOX_NOTICE,
		.kind = CG_OUTBOUND_TEXT,
		.source = text,
		.part = 1,
		.parts = 1,
	};

	/* A chance of 2^64 that another one has it. */
	snprintf(id, sizeof(id), ALERT_LETTER "%016" PRIx64, daemon_random(NULL));
	daemon->alert_stored = done;
	daemon->alert_stored_arg = done_arg;
	outbox_store(daemon->journal, &letter, 1, NULL, letter_stored, daemon);
}

static bool usable(void *arg, const char *instance)
{
	const struct daemon *daemon = arg;

	return daemon->outlet.capabilities(daemon->outlet.self, instance, NULL) == CG_OK;
}

static void wake(void *arg)
{
	struct daemon *daemon = arg;
	int64_t due = alert_due(daemon->alert), now = now_ms(daemon);

	if (due >= 0 && !daemon->stopping)
		loop_timer_set(&daemon->alert_timer, due > now ? due - now : 0);
	else
		loop_timer_clear(&daemon->alert_timer);
}

static void due(void *arg)
{
	struct daemon *daemon = arg;

	alert_look(daemon->alert, now_ms(daemon));
	wake(daemon);
}

enum cg_status alert_link(struct daemon *daemon, struct cg_error *err)
{
	const struct alert_hooks hooks = {
		.store = store, .usable = usable, .wake = wake, .arg = daemon};
	enum cg_status status =
		loop_timer_init(&daemon->alert_timer, daemon->loop, due, daemon);

	if (status != CG_OK)
		return cg_error_set(err, status, "the alerts' timer cannot be made");
	status = alert_create(&hooks, &daemon->alert, err);
	if (status == CG_OK)
		alert_set_chats(daemon->alert, &daemon->config->operator_chat);
	return status;
}

void alert_begins(struct daemon *daemon, enum alert_kind kind, const char *about,
	const char *detail)
{
	alert_raise(daemon->alert, kind, about, detail, now_ms(daemon));
}

void alert_ends(struct daemon *daemon, enum alert_kind kind, const char *about)
{
	alert_clear(daemon->alert, kind, about, now_ms(daemon));
}

void alert_unlink(struct daemon *daemon)
{
	loop_timer_finish(&daemon->alert_timer);
	alert_destroy(daemon->alert);
}
