/* SPDX-License-Identifier: Apache-2.0 */
/* Slack's JSON in both directions.  Pure: no clock, no network, no token. */
#ifndef PROVIDERS_SLACK_WIRE_H
#define PROVIDERS_SLACK_WIRE_H

#include "mrkdwn.h"

#include <cowgate/capability.h>
#include <cowgate/http.h>
#include <cowgate/outbound.h>
#include <cowgate/sdk/text.h>

struct json_object;

#define SLACK_ID 64 /* bytes of an id of a person, team or app, NUL included */
#define SLACK_FILES 10 /* files of one message, as many as Slack's own client sends */
#define SLACK_TEXT_MAX (1u << 17) /* bytes of a person's text once read */

extern const struct cg_capabilities slack_capabilities;

/* What is answered in channels. */
enum slack_channels {
	SLACK_CHANNELS_COMMANDS, /* commands alone */
	SLACK_CHANNELS_MENTIONS, /* and what mentions us or goes on in a thread of ours */
	SLACK_CHANNELS_ALL,
};

/* Who we are; empty until Slack has told. */
struct slack_bot {
	char user_id[SLACK_ID];
	char bot_id[SLACK_ID];
	char team_id[SLACK_ID];
	char name[128];
};

/* ---- In ---- */

/* What the reading of events depends on. */
struct slack_reader {
	const struct slack_bot *bot;
	enum slack_channels channels;
	slack_name name; /* of a person; may be NULL */
	/* Is this thread one that we take part in?  NULL: none is. */
	bool (*knows)(const void *arg, const char *channel, const char *thread);
	bool (*allows)(const void *arg, const char *channel); /* NULL: every channel */
	const void *arg;
};

/* What came.  Strings borrow from the document that was read and from this struct: it stays
 * where it was filled, and is finished. */
struct slack_message {
	struct cg_inbound inbound;
	struct cg_interaction interaction;
	struct cg_attachment attachments[SLACK_FILES];
	const char *urls[SLACK_FILES]; /* of the attachments; NULL: nothing to fetch */
	struct cg_command command;
	struct cg_buffer text; /* owned */
	/* owned: what follows a mention of us, as a command sees it */
	struct cg_buffer rest;
	struct cg_buffer fields; /* owned: of a form */
	char event_id[257];
	char user_id[2 * SLACK_ID];
	bool continues; /* it begins or goes on with a thread in a channel */
};

void slack_message_finish(struct slack_message *message);

/* Each: OK when @ret is to be submitted; NOT_FOUND when there is nothing for us in it; INVALID when
 * it is not what Slack sends; NOMEM, LIMIT.  @ret is to be finished in any case. */

/* {"type":"event_callback"} */
enum cg_status slack_wire_read_event(const struct slack_reader *reader,
	struct json_object *envelope, struct slack_message *ret);
/* {"type":"block_actions"} */
enum cg_status slack_wire_read_press(const struct slack_reader *reader,
	struct json_object *payload, struct slack_message *ret);
/* The form of a slash command. */
enum cg_status slack_wire_read_command(const struct slack_reader *reader,
	const char *body, size_t length, struct slack_message *ret);

/* The answer to auth.test.  False: it names nobody. */
bool slack_wire_read_auth(struct json_object *answer, struct slack_bot *ret);
/* The name in the answer to users.info, NULL: none. */
const char *slack_wire_read_name(struct json_object *answer);

/* ---- Out ---- */

/* How a text is dressed. */
enum slack_dress {
	SLACK_BLOCKS, /* rich text */
	SLACK_PLAIN, /* the text alone */
};

/*
 * Append the body of the call that sends @outbound and name its method: a text, an edit, buttons
 * or an answer.  INVALID or UNSUPPORTED: @err says why Slack would not take it.
 */
enum cg_status slack_wire_write(const struct cg_outbound *outbound,
	enum slack_dress dress, const char **ret_method, struct cg_buffer *ret,
	struct cg_error *err);

/* Append the blocks of a text and its buttons: a JSON array. */
void slack_blocks_write(
	const struct cg_outbound *outbound, bool spans, struct cg_buffer *ret);

/* The steps of a reaction: the nth call's method and body; false: there is none left. */
bool slack_wire_write_reaction(const struct cg_outbound *outbound, unsigned n,
	const char **ret_method, struct cg_buffer *ret);

/* Forms, for the methods that read no JSON. */
void slack_form_add(struct cg_buffer *form, const char *name, const char *value);

/* The name under which a delivery is found again: 32 hex digits.  */
#define SLACK_MARK 33
void slack_wire_mark(const char *delivery_id, char ret[SLACK_MARK]);
/* ts of the message that carries the mark, among those of an answer; NULL: none does. */
const char *slack_wire_find(struct json_object *messages, const char *mark);

/* ---- Answers ---- */

/* What a method answered. */
struct slack_answer {
	struct json_object *document; /* owned; NULL: no JSON object with "ok" */
	bool ok;
	const char *error; /* its code, "" when it is none that can be shown */
	const char *needed; /* the scope that is missing, "" when not said */
	enum cg_status status; /* of reading */
};
void slack_answer_init(struct slack_answer *ret, const struct cg_http_response *response);
void slack_answer_finish(struct slack_answer *answer);

/* What an exchange means for a send.  Strings borrow from the answer, the response, @outbound and
 * this struct. */
struct slack_verdict {
	struct cg_outcome outcome;
	char detail[192];
	bool undressed; /* refused for its blocks alone: once more without */
};
void slack_answer_judge(const struct slack_answer *answer,
	const struct cg_http_response *response, const struct cg_outbound *outbound,
	struct slack_verdict *ret);

#endif
