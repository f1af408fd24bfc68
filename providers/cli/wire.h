/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines in and lines out.  Pure: knows no descriptor, so that whatever carries lines can use it.
 *
 * In: a line that begins with '{' is a JSON object, any other is the text itself.  Out: readable
 * text on a terminal, its buttons as numbers; one JSON object a line elsewhere.
 */
#ifndef PROVIDERS_CLI_WIRE_H
#define PROVIDERS_CLI_WIRE_H

#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/message_json.h>

#define CLI_LINE_MAX (1u << 20) /* bytes of one line, either way */
#define CLI_PROMPT "\xE2\x80\xBA "

struct cli_message {
	struct cg_inbound inbound; /* event_id NULL: the line names none */
	struct cg_inbound_parts parts;
	struct json_object *body; /* owned; what the strings borrow from, with the line */
};

/* @line ends with NUL and holds no line end.  INVALID: @err says why.  Finish it either way. */
enum cg_status cli_wire_read(
	const char *line, size_t length, struct cli_message *ret, struct cg_error *err);
void cli_message_finish(struct cli_message *message);

struct cli_sender {
	const char *instance_id;
	const char *kind;
	bool terminal;
	size_t columns; /* of the terminal; 0: lines are not wrapped */
};

#define CLI_CHOICES 9 /* one key each */

/* What the numbers under a question stand for. */
struct cli_choices {
	size_t count;
	char tokens[CLI_CHOICES][CG_INBOUND_TOKEN + 1];
};

void cli_choices_set(struct cli_choices *choices, const struct cg_outbound *outbound);
/* The token that a typed number stands for; NULL: the text is none of them. */
const char *cli_choices_find(const struct cli_choices *choices, const char *text);

/* Append what shows @outbound, line end included.  UNSUPPORTED: it has no form here. */
enum cg_status cli_wire_write(const struct cli_sender *sender,
	const struct cg_outbound *outbound, const char *message_id, int64_t now_ms,
	struct cg_buffer *ret);

/* Append a complaint about a line. */
void cli_wire_error(
	const struct cli_sender *sender, const char *sentence, struct cg_buffer *ret);

#endif
