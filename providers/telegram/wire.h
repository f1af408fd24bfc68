/* SPDX-License-Identifier: Apache-2.0 */
/* The Bot API's JSON in both directions.  Pure: no clock, no network, no token. */
#ifndef PROVIDERS_TELEGRAM_WIRE_H
#define PROVIDERS_TELEGRAM_WIRE_H

#include <cowgate/capability.h>
#include <cowgate/http.h>
#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/text.h>

struct json_object;

#define TELEGRAM_NUMBER 24 /* a 64-bit number as text */
#define TELEGRAM_BATCH 100 /* updates in one answer */

extern const struct cg_capabilities telegram_capabilities;

enum telegram_groups {
	TELEGRAM_GROUPS_COMMANDS, /* commands alone */
	TELEGRAM_GROUPS_MENTIONS, /* and what names or answers the bot */
	TELEGRAM_GROUPS_ALL,
};

/* Who we are. */
struct telegram_bot {
	int64_t id; /* 0: not known yet */
	char username[64]; /* without '@' */
	enum telegram_groups groups;
};

/* ---- In ---- */

/* An update's message.  Strings borrow from the update and from this struct: do not copy it. */
struct telegram_message {
	struct cg_inbound inbound;
	struct cg_interaction interaction;
	struct cg_attachment attachment;
	struct cg_command command;
	char event_id[TELEGRAM_NUMBER];
	char message_id[TELEGRAM_NUMBER];
	char chat_id[TELEGRAM_NUMBER];
	char thread_id[TELEGRAM_NUMBER];
	char user_id[TELEGRAM_NUMBER];
	char display_name[512];
	char filename[256];
};

/* False: nothing for us (a bot, a sticker, talk in a group, what is not understood). */
bool telegram_wire_read(const struct telegram_bot *bot, struct json_object *update,
	struct telegram_message *ret);

/* The result of getMe.  False: it names no bot. */
bool telegram_wire_read_me(struct json_object *result, struct telegram_bot *bot);

/* ---- Out ---- */

/*
 * Append the body of the call that sends @outbound and name its method.  With @plain no
 * formatting goes along.  INVALID or UNSUPPORTED: @err says why the platform would not take it.
 */
enum cg_status telegram_wire_write(const struct cg_outbound *outbound, bool plain,
	const char **ret_method, struct cg_buffer *ret, struct cg_error *err);

/* Append the body of getUpdates; an @offset of 0 asks for whatever is not confirmed. */
void telegram_wire_write_poll(int64_t offset, unsigned limit, struct cg_buffer *ret);

/* ---- Answers ---- */

/* What the Bot API said: ok or its error, in its own terms. */
struct telegram_answer {
	/* owned; NULL when it was no JSON object with "ok" */
	struct json_object *document;
	struct json_object *result; /* borrowed from it; set when ok */
	bool ok;
	int code; /* error_code, else the HTTP status */
	const char *description; /* "" when there is none */
	int64_t retry_after_ms; /* -1: not said */
	bool migrated; /* the group has become another chat */
	enum cg_status status; /* of reading: LIMIT when it has too many values */
};
void telegram_answer_init(
	struct telegram_answer *ret, const struct cg_http_response *response);
void telegram_answer_finish(struct telegram_answer *answer);

/* What a whole response to a send means.  @message_id gets the receipt. */
struct telegram_verdict {
	/* strings borrow from the answer and from this struct */
	struct cg_outcome outcome;
	char message_id[TELEGRAM_NUMBER];
	bool formatting; /* definitely refused for its formatting: once more without */
};
void telegram_answer_judge(const struct telegram_answer *answer,
	const struct cg_outbound *outbound, struct telegram_verdict *ret);

#endif
