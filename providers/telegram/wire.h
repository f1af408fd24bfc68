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
#define TELEGRAM_ALBUM 10 /* messages of one album */
#define TELEGRAM_ENTITIES 100 /* the platform drops the rest */
#define TELEGRAM_CAPTION 1024 /* UTF-16 units below a file */
#define TELEGRAM_FILE_IN (20u << 20) /* bytes that a bot may fetch */
#define TELEGRAM_FILE_OUT 50000000u /* bytes that a bot may send */
#define TELEGRAM_PHOTO_OUT 5000000u /* beyond that an image goes as it is */

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

/* What an update is to us. */
enum telegram_kind {
	TELEGRAM_NOTHING, /* a bot, an edit, a service message, what is not understood */
	TELEGRAM_OVERHEARD, /* talk in a group that is not meant for us */
	TELEGRAM_MESSAGE,
	TELEGRAM_PRESS,
	TELEGRAM_PRESS_DEAD, /* of a button that carries nothing: only answered */
	TELEGRAM_MOVED, /* a group has become a supergroup */
};

/* An update's message.  Strings borrow from the update and from this struct: do not copy it. */
struct telegram_message {
	enum telegram_kind kind;
	struct cg_inbound inbound;
	struct cg_interaction interaction; /* its id alone for PRESS_DEAD */
	struct cg_attachment attachment; /* without a file_id: none */
	struct cg_command command;
	const char *album; /* NULL: it stands alone */
	char event_id[TELEGRAM_NUMBER];
	char message_id[TELEGRAM_NUMBER], reply_to[TELEGRAM_NUMBER];
	char chat_id[TELEGRAM_NUMBER];
	char thread_id[TELEGRAM_NUMBER];
	char user_id[TELEGRAM_NUMBER];
	char moved_from[TELEGRAM_NUMBER], moved_to[TELEGRAM_NUMBER]; /* MOVED */
	char display_name[512];
	char filename[256];
	/* a sticker, a place, a poll: what there is beside the text, in words; "": nothing */
	char named[1024];
};

/* The same as it returns is in @ret->kind. */
enum telegram_kind telegram_wire_read(const struct telegram_bot *bot,
	struct json_object *update, struct telegram_message *ret);

/* The content of a message that is no text, into attachment, filename and named. */
void telegram_content_read(struct json_object *message, struct telegram_message *ret);

/* A number as text; false: there is none. */
bool telegram_wire_read_id(
	struct json_object *object, const char *key, char ret[TELEGRAM_NUMBER]);

/* The result of getMe.  False: it names no bot. */
bool telegram_wire_read_me(struct json_object *result, struct telegram_bot *bot);

/* ---- Out ---- */

/* How a send is written. */
struct telegram_form {
	/* the chat as the platform knows it now; NULL: the outbound's own */
	const char *chat_id;
	bool plain; /* without formatting, an image as a document */
	const char *boundary; /* between the parts of a file's call */
};

/* A call.  @body and @tail are the caller's, with their caps. */
struct telegram_written {
	const char *method;
	struct cg_buffer body;
	struct cg_buffer tail; /* what follows the file; empty: it is JSON */
};

/*
 * Append the body of the call that sends @outbound and name its method.  INVALID or UNSUPPORTED:
 * @err says why the platform would not take it.
 */
enum cg_status telegram_wire_write(const struct cg_outbound *outbound,
	const struct telegram_form *form, struct telegram_written *ret,
	struct cg_error *err);

/* The parts of a file's call, for telegram_wire_write(). */
void telegram_file_write(const struct cg_outbound *outbound,
	const struct telegram_form *form, struct telegram_written *ret);
enum cg_status telegram_file_check(
	const struct cg_outbound *outbound, struct cg_error *err);

/* An entity while it is made: @offset and @length end up in UTF-16 units. */
struct telegram_entity {
	const struct cg_span *span;
	size_t offset, length;
};
struct telegram_entities {
	size_t count;
	struct telegram_entity items[TELEGRAM_ENTITIES];
};
void telegram_entities_make(
	const struct cg_outbound *outbound, struct telegram_entities *ret);
/* As a JSON array; false, and nothing is written, when there are none. */
bool telegram_entities_write(
	const struct cg_outbound *outbound, const char *before, struct cg_buffer *json);

/* A topic that can be written to; false: there is none to name. */
bool telegram_wire_thread(const struct cg_target *target, int64_t *ret);
/* Is this an answer in a group, and to which message? */
bool telegram_wire_answers(const struct cg_outbound *outbound,
	const struct telegram_form *form, int64_t *ret);

/* Append the body of getUpdates; an @offset of 0 asks for whatever is not confirmed.  When there is
 * nothing, the platform waits for @wait_s seconds. */
void telegram_wire_write_poll(
	int64_t offset, unsigned limit, unsigned wait_s, struct cg_buffer *ret);
/* Append the body of setWebhook. */
void telegram_wire_write_hook(const char *url, const char *secret, struct cg_buffer *ret);
/* Append the body of setMyCommands. */
void telegram_wire_write_commands(struct cg_buffer *ret);
/* Append {"@key":"@value"}. */
void telegram_wire_write_one(const char *key, const char *value, struct cg_buffer *ret);

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
	char moved_to[TELEGRAM_NUMBER]; /* the group has become this chat; "": no */
	enum cg_status status; /* of reading: LIMIT when it has too many values */
};
void telegram_answer_init(
	struct telegram_answer *ret, const struct cg_http_response *response);
void telegram_answer_finish(struct telegram_answer *answer);
/* Is @words somewhere in the description, in any case of letters? */
bool telegram_answer_says(const struct telegram_answer *answer, const char *words);

/* What a whole response to a send means.  @message_id gets the receipt. */
struct telegram_verdict {
	/* strings borrow from the answer and from this struct */
	struct cg_outcome outcome;
	char message_id[TELEGRAM_NUMBER];
	bool plainer; /* definitely refused for its form: once more without */
};
void telegram_answer_judge(const struct telegram_answer *answer,
	const struct cg_outbound *outbound, struct telegram_verdict *ret);

#endif
