/* SPDX-License-Identifier: Apache-2.0 */
/* What a person said to what the agent asked: read, and turned into an answer.  Pure. */
#ifndef COWGATE_GATEWAY_CHOICE_H
#define COWGATE_GATEWAY_CHOICE_H

#include "cloud-client/channel.h"
#include "gateway/conversation/words.h"
#include "gateway/journal/inquiry.h"

#include <cowgate/sdk/buffer.h>

enum choice_verb {
	CHOICE_APPROVE,
	CHOICE_ALWAYS,
	CHOICE_DENY,
	CHOICE_ANSWER,
	CHOICE_REJECT,
	CHOICE_OPTION, /* a button */
};

struct choice {
	enum choice_verb verb;
	unsigned option;
	char token[INQUIRY_TOKEN_MAX + 1]; /* "": found by chat and code */
	char code[INQUIRY_CODE_MAX + 1]; /* "": the only one */
	const char *text; /* of an answer, or the reason of a denial; borrowed */
	const char *whole; /* the text with what was taken for a code, NULL: none was */
	bool reason; /* a denial gave one */
	bool from_reply; /* an ordinary message */
	bool quotes; /* … that answers the card on the platform */
};

/* False: the token is none of ours. */
bool choice_from_press(struct choice *choice, const char *token);
/* @args may be NULL; borrowed. */
void choice_from_command(struct choice *choice, enum choice_verb verb, const char *args);
/* @quotes: it answers the card on the platform. */
void choice_from_reply(struct choice *choice, const char *text, bool quotes);
/* The word that was taken for a code is part of the answer, or of the reason.  False: it was a
 * code or nothing. */
bool choice_forget_code(struct choice *choice);

/* Could this be meant? */
bool choice_fits(const struct choice *choice, const struct inquiry *inquiry);

struct choice_result {
	enum cloud_answer answer;
	struct json_object *answers; /* the caller's; NULL: none */
	/* gets the decision as people read it; empty: no answer */
	struct cg_buffer *said;
	enum words outcome; /* what the person is told, also when it is no answer */
};
/* What the other side takes beyond a yes or no. */
struct choice_powers {
	bool always, reasons;
};

/* @ret->said is given and empty. */
void choice_apply(const struct choice *choice, const struct inquiry *inquiry,
	const struct choice_powers *powers, struct choice_result *ret);

#endif
