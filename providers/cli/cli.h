/* SPDX-License-Identifier: Apache-2.0 */
/* One conversation over this process's own standard input and output. */
#ifndef PROVIDERS_CLI_H
#define PROVIDERS_CLI_H

#include "editor.h"
#include "terminal.h"
#include "wire.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/send.h>
#include <cowgate/sdk/spool.h>

#define CLI_INPUT_MAX \
	(2 * CLI_LINE_MAX) /* bytes: a line that is too long is found out before */
#define CLI_OUTPUT_MAX (4 * CLI_LINE_MAX) /* bytes that nobody has read */
#define CLI_PREFIX_BYTES 9 /* of randomness, so that ids differ from run to run */

struct cli {
	const struct cg_host *host; /* borrowed: outlives the instance */
	struct cli_sender sender;
	struct cg_capabilities capabilities;
	char prefix[CG_RANDOM_ID_SIZE(CLI_PREFIX_BYTES)];
	bool started;

	/* A person at a terminal: what they type is in the editor until it is a message. */
	struct terminal terminal; /* open while it is ours */
	struct editor editor;
	struct cli_choices choices; /* of the last buttons that were shown */

	/* Input: one line at a time is at the journal, the rest waits where it came from.  Lines
	 * end with a line feed, messages from the editor with NUL. */
	int in;
	struct cg_buffer input; /* at most CLI_INPUT_MAX */
	size_t line; /* bytes of the line that is at the journal, its end included; 0: none */
	uint64_t lines; /* counted for event ids */
	bool submitting; /* and its verdict is still to come */
	struct cli_message message; /* of that line */
	size_t message_length; /* of that line without its end */
	struct cg_spool_inline *files; /* owned: what came with it; NULL: nothing did */
	bool watching, skipping, ended;
	/* reads on where nothing can be watched, and repeats */
	struct cg_timer *input_timer;

	/* Output: sends end when their bytes have been written. */
	int out;
	struct cg_buffer output; /* not yet written */
	uint64_t written; /* bytes since the start */
	uint64_t messages; /* counted for receipts */
	struct cg_sends sends;
	struct cg_timer *output_timer;
	bool prompt_shown, broken;

	/* The end: nobody is left to talk to. */
	uint64_t awaited; /* messages that had no answer yet */
	struct cg_timer *end_timer;
};

/* input.c.  Begin and end reading; release what a line under way holds. */
enum cg_status cli_input_start(struct cli *cli, struct cg_error *err);
void cli_input_stop(struct cli *cli);
void cli_input_finish(struct cli *cli);

/* output.c */
void cli_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg);
/* Show a complaint about a line. */
void cli_output_error(struct cli *cli, const char *sentence);
/* Where a person types, say that it is their turn, and what they have typed. */
void cli_output_prompt(struct cli *cli);
/* What was typed is a message now: let it stand on the screen. */
void cli_output_typed(struct cli *cli);
/* Something else is written to the screen, by the log for one. */
void cli_output_aside(struct cli *cli, const char *text, size_t length);
/* Write what waits, as far as it goes at once. */
void cli_output_flush(struct cli *cli);

/* plugin.c.  Something happened: end soon when the input has ended and no answer is due. */
void cli_consider_end(struct cli *cli);

#endif
