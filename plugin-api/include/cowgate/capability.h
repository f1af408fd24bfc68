/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a provider's platform can do, with every limit in its own unit.
 * A limit of 0 means "not at all"; the daemon then uses the next plainer form.
 */
#ifndef COWGATE_CAPABILITY_H
#define COWGATE_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

/* In what a platform counts the length of a text. */
enum cg_text_unit {
	CG_UNIT_BYTES,
	CG_UNIT_UTF16,
	CG_UNIT_CODE_POINTS,
};

/*
 * How an ambiguous send is settled: by what the platform lets us do, best first.  An edit of a message
 * whose id is known is none of these: it is repeated whatever stands here, for twice is as once.
 */
enum cg_reconcile {
	CG_RECONCILE_NONE, /* one more send that says it may be a duplicate */
	CG_RECONCILE_IDEMPOTENCY_KEY, /* repeat with the same delivery id: the receiver drops twins */
	CG_RECONCILE_QUERY, /* ops->query() can tell whether it arrived */
	CG_RECONCILE_REPEAT_ONCE, /* repeat once with the same message identity (email) */
};

/* In which form the daemon hands over a text. */
enum cg_text_form {
	CG_FORM_SOURCE, /* the Markdown as the agent wrote it, byte-exact */
	CG_FORM_RENDERED, /* readable text with spans (see struct cg_span) */
	CG_FORM_PLAIN, /* readable text, no spans */
};

/* How patiently what must arrive is tried again, until it is too old. */
enum cg_retry_plan {
	CG_RETRY_CHAT, /* people wait for it: soon and often, for a day */
	CG_RETRY_WEBHOOK, /* a program takes it: seldom, for 28 hours */
};

/* How much a platform takes: @burst at once, and then @per_minute evenly.  0: no limit. */
struct cg_rate {
	uint32_t per_minute;
	uint32_t burst;
};

struct cg_capabilities {
	uint32_t size;
	enum cg_text_unit text_unit;
	enum cg_text_form text_form;
	enum cg_reconcile reconcile;
	uint32_t max_text; /* per message, in text_unit */
	uint32_t max_buttons; /* per message */
	uint32_t max_button_rows; /* per message */
	uint32_t max_button_token; /* bytes */
	uint32_t max_button_label; /* code points */
	/* at most one preview edit per chat in this time; 0: no pacing */
	uint32_t edit_interval_ms;
	uint64_t max_file; /* bytes, outgoing */
	bool edit; /* a sent text can be changed */
	bool typing;
	bool threads;
	bool answer; /* a button press can be answered */
	bool reactions; /* a person's message can carry a mark of ours */
	bool inbound; /* it has a way in; false: outbound only */
	/* The daemon keeps to these for everything that it sends, edits and typing included. */
	struct cg_rate account_rate; /* of the whole account */
	struct cg_rate chat_rate; /* of one chat; typing does not count here */
	struct cg_rate group_rate; /* of one chat that is not direct; 0: as chat_rate */
	enum cg_retry_plan retry;
	/* People talk there in short messages, and programs of others may be among them: code that
	 * would fill more than two messages is sent as a file (not with CG_FORM_SOURCE), and who
	 * answers every answer at once is taken for a program. */
	bool chat;
	/* It hears by asking: while it is up, an exchange, a timer, a watch, a submission or work of its
	 * own is always under way.  One without any has fallen asleep, and the daemon will say so. */
	bool polls;
};

#endif
