/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card that asks in a chat: an approval with what will run, or a question with its options;
 * and what its buttons carry.  Pure but for the token, which is random.
 *
 * A button carries "<choice>.<token>": y allow, a always, n deny, r reject, or the number of an
 * option from 0.  Where there are no buttons, the card tells the commands, with its code.
 */
#ifndef COWGATE_GATEWAY_CARD_H
#define COWGATE_GATEWAY_CARD_H

#include "gateway/journal/inquiry.h"

#include <cowgate/capability.h>
#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>

#define CARD_BUTTONS 32
#define CARD_LABEL 121 /* bytes of a label with its NUL */
#define CARD_TOKEN 40 /* bytes of what a button carries, at most */
#define CARD_LIFE_MS (INT64_C(24) * 60 * 60 * 1000)

struct card {
	enum inquiry_kind kind;
	char target_id[257];
	char token[INQUIRY_TOKEN_MAX + 1];
	char code[INQUIRY_CODE_MAX + 1];
	struct cg_buffer text; /* Markdown: what is asked */
	struct cg_buffer hint; /* how to answer by typing; empty where buttons do */
	/* {"options":[label, …],"custom":true,"questions":1} of a question; empty else */
	struct cg_buffer options;
	struct cg_button buttons[CARD_BUTTONS]; /* labels and tokens are below */
	size_t button_count;
	char labels[CARD_BUTTONS][CARD_LABEL];
	char tokens[CARD_BUTTONS][CARD_TOKEN + 1];
};

struct card_request {
	enum inquiry_kind kind;
	struct json_object *payload; /* of permission.requested or question.asked */
	const struct cg_capabilities *capabilities;
	bool always; /* the other side takes "always" */
};

/* INVALID: the payload does not say what is asked.  Finish it in any case. */
enum cg_status card_make(const struct card_request *request, struct card *ret);
void card_finish(struct card *card);

/* The agent's id of what is asked or resolved, NULL: none. */
const char *card_target(enum inquiry_kind kind, struct json_object *payload);

/* What a pressed button says. */
enum card_choice {
	CARD_ALLOW,
	CARD_ALWAYS,
	CARD_DENY,
	CARD_REJECT,
	CARD_OPTION,
};
struct card_press {
	enum card_choice choice;
	unsigned option; /* of CARD_OPTION, from 0 */
	const char *token; /* into the text */
};
bool card_read_press(const char *text, struct card_press *ret);

/* @text in a form that no Markdown changes and no line ends; at most @limit code points. */
void card_add_plain(struct cg_buffer *buffer, const char *text, size_t limit);

#endif
