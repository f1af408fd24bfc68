/* SPDX-License-Identifier: Apache-2.0 */
/* A stored row as the provider gets it: rendered in its form, addressed, labelled if need be. */
#ifndef COWGATE_GATEWAY_COMPOSE_H
#define COWGATE_GATEWAY_COMPOSE_H

#include "gateway/journal/outbox.h"

#include <cowgate/capability.h>
#include <cowgate/sdk/markdown.h>

/* Stands before a text that is sent a second time because the first may have arrived. */
#define COMPOSE_LABEL "♻ This may be a repeat:\n"
/* Before an answer that is sent whole, when a beginning of it may stand in the chat already. */
#define COMPOSE_LABEL_WHOLE "♻ The whole answer again:\n"
#define COMPOSE_LABEL_UNITS 32 /* room that splitting leaves for one */

struct composed {
	struct cg_outbound outbound; /* borrows from the row and from here */
	struct cg_markdown markdown; /* owned */
	char *source; /* owned; a labelled source */
	struct cg_button *buttons; /* owned array; strings of the row */
	struct cg_file file;
};

struct compose_request {
	const struct outbox_row *row; /* its attempts count this one */
	const struct cg_capabilities *capabilities;
	/* platform id of the message to be edited; NULL: a new one */
	const char *edit_id;
	const char *label; /* one of the above, NULL: none */
	/* of a file that lies in its row; NULL: it is not sent */
	const char *content_path;
	int64_t timeout_ms;
};

enum cg_status compose(const struct compose_request *request, struct composed *ret);
void composed_finish(struct composed *composed);

/* Only a text: what a preview sends. */
enum cg_status compose_text(
	const char *source, size_t length, enum cg_text_form form, struct composed *ret);

#endif
