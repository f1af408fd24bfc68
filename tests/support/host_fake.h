/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon in miniature for one provider: a clock that is set by hand, timers that fire when told,
 * HTTP that answers what the test says, a journal that keeps what was submitted.  No sockets.
 *
 * Both the contract suite, which loads modules, and unit tests, which have a provider's sources
 * compiled in, use it.  Every text that leaves the provider (log, health, error, outcome) is
 * searched for its secrets.
 */
#ifndef COWGATE_TESTS_HOST_FAKE_H
#define COWGATE_TESTS_HOST_FAKE_H

#include "tests/support/settings_fake.h"

#include <cowgate/plugin.h>

#define HOST_FAKE_SLOTS 160
#define HOST_FAKE_TEXT 8192
#define HOST_FAKE_FILES 20
#define HOST_FAKE_KEPT 16

struct cg_http_call {
	bool open, cancelled;
	uint32_t flags;
	enum cg_http_reach reach;
	size_t response_limit, header_count, body_length;
	int64_t timeout_ms;
	char url[1024], pool[128], method[16];
	char names[16][64], values[16][512];
	char proxy[256], ca_file[256];
	char *body; /* owned, NUL-ended: body, file and tail as they leave */
	cg_http_data data;
	cg_http_done done;
	void *arg;
};

struct cg_timer {
	bool open;
	int64_t at_ms;
	cg_callback fire;
	void *arg;
};

struct host_fake_submission {
	bool open, has_raw;
	enum cg_event_type type;
	char event_id[512], fallback_key[128], chat_id[600], thread_id[600], user_id[600];
	char sender_id[600], username[512], name[600], message_id[600];
	char text[HOST_FAKE_TEXT], command[64], args[256], token[128], press[600];
	char checkpoint_key[64], checkpoint[64], filename[512];
	int64_t file_bytes;
	bool is_direct, is_bot, pressed_by_command;
	size_t attachments;
	struct host_fake_file {
		char filename[256], mime_type[128], file_id[128], spool_path[256];
		int64_t bytes;
	} files[HOST_FAKE_FILES];
	cg_submit_done done; /* a checkpoint alone has none, or its own */
	void *arg;
};

struct host_fake {
	struct cg_host host; /* first: what the provider holds is the fake */
	struct settings_fake settings;
	int64_t mono_ms, wall_ms;
	bool refuse_http, refuse_spool, clock_unset;
	bool sending; /* we are inside of a provider's send */
	struct cg_http_call calls[HOST_FAKE_SLOTS];
	size_t call_count;
	struct cg_timer timers[HOST_FAKE_SLOTS];
	size_t timer_count;
	struct host_fake_submission submissions[HOST_FAKE_SLOTS];
	size_t submission_count;
	char stored_key[64], stored[64]; /* the last checkpoint, "" when there is none */
	struct {
		char key[64], value[64];
	} kept[HOST_FAKE_KEPT]; /* all of them */
	size_t kept_count;
	char spool[64]; /* directory of spooled files, "" when there is none */
	size_t checkpoints; /* stored without a message */
	struct cg_health health;
	char health_detail[HOST_FAKE_TEXT];
	int health_count, log_count, quit_count;
	int watched_fd;
	cg_callback watched;
	void *watched_arg;
};

/* A host of an instance of @kind, with settings as of settings_fake_init().  Never fails. */
struct host_fake *host_fake_create(const char *kind, const struct cg_option *options,
	size_t option_count, const struct settings_pair *pairs);
/* The spooled files go with it.  NULL is ignored. */
void host_fake_destroy(struct host_fake *fake);
/* Timers and exchanges are taken back, as the daemon does before it destroys an instance. */
void host_fake_take_back(struct host_fake *fake);

/* Let @ms pass and fire what is due, in order. */
void host_fake_pass(struct host_fake *fake, int64_t ms);

/* The exchange of a send that is open, which must be the only one; NULL: there is none. */
struct cg_http_call *host_fake_open_call(struct host_fake *fake);
/* The same of an exchange with a connection of its own. */
struct cg_http_call *host_fake_open_poll(struct host_fake *fake);
/* The nth open exchange of sends and files, the oldest first; NULL: there are fewer. */
struct cg_http_call *host_fake_nth_call(struct host_fake *fake, size_t n);

/* NULL: absent. */
const char *host_fake_header(const struct cg_http_call *call, const char *name);
void host_fake_answer(struct cg_http_call *call, int status, const char *body);
void host_fake_answer_later(
	struct cg_http_call *call, int status, int64_t retry_after_ms);
void host_fake_fault(struct cg_http_call *call, enum cg_http_result result);
/* A piece of a streamed body; false: the provider wants no more and was told the end. */
bool host_fake_stream(struct cg_http_call *call, const char *data, size_t length);

/* The value that is kept under a key, NULL: none. */
const char *host_fake_kept(const struct host_fake *fake, const char *key);
void host_fake_keep(struct host_fake *fake, const char *key, const char *value);

/* The verdict on the oldest open submission. */
void host_fake_verdict(struct host_fake *fake, enum cg_verdict verdict);
size_t host_fake_open_submissions(const struct host_fake *fake);
struct host_fake_submission *host_fake_last(struct host_fake *fake);

/* One completion of a send. */
struct host_fake_sent {
	struct host_fake *host;
	int count;
	bool inside; /* it fired from inside of the send */
	struct cg_outcome outcome;
	char message_id[600], detail[HOST_FAKE_TEXT];
};

/* A cg_send_done whose argument is a host_fake_sent that knows its host. */
void host_fake_sent_done(void *arg, const struct cg_outcome *outcome);
/* A text to chat "1". */
struct cg_outbound host_fake_text(const char *text);

#endif
