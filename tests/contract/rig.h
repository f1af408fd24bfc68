/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon in miniature for one provider: a clock that is set by hand, timers that fire when told,
 * HTTP that answers what the test says, a journal that keeps what was submitted.  No sockets.
 *
 * Every text that leaves the provider (log, health, error, outcome) is searched for its secrets.
 */
#ifndef COWGATE_TESTS_CONTRACT_RIG_H
#define COWGATE_TESTS_CONTRACT_RIG_H

#include <cowgate/plugin.h>

#define RIG_SLOTS 160
#define RIG_TEXT 8192
#define RIG_FILES 20
#define RIG_KEPT 16

struct rig_pair {
	const char *name, *value; /* lists are separated by commas */
};

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

struct rig_submission {
	bool open, has_raw;
	enum cg_event_type type;
	char event_id[512], fallback_key[128], chat_id[600], thread_id[600], user_id[600];
	char sender_id[600], username[512], name[600], message_id[600];
	char text[RIG_TEXT], command[64], args[256], token[128], press[600];
	char checkpoint_key[64], checkpoint[64], filename[512];
	int64_t file_bytes;
	bool is_direct, is_bot, pressed_by_command;
	size_t attachments;
	struct rig_file {
		char filename[256], mime_type[128], file_id[128], spool_path[256];
		int64_t bytes;
	} files[RIG_FILES];
	cg_submit_done done; /* a checkpoint alone has none, or its own */
	void *arg;
};

/* One completion of a send. */
struct rig_sent {
	int count;
	bool inside; /* it fired from inside ops->send() */
	struct cg_outcome outcome;
	char message_id[600], detail[RIG_TEXT];
};

struct rig {
	struct cg_host host; /* first: what the provider holds is the rig */
	struct cg_settings settings; /* see rig_settings */
	const struct cg_provider *provider;
	const struct rig_pair *pairs;
	void *self;
	int64_t mono_ms, wall_ms;
	bool refuse_http, refuse_spool, clock_unset, sending;
	struct cg_http_call calls[RIG_SLOTS];
	size_t call_count;
	struct cg_timer timers[RIG_SLOTS];
	size_t timer_count;
	struct rig_submission submissions[RIG_SLOTS];
	size_t submission_count;
	char stored_key[64], stored[64]; /* the last checkpoint, "" when there is none */
	struct {
		char key[64], value[64];
	} kept[RIG_KEPT]; /* all of them */
	size_t kept_count;
	char spool[64]; /* directory of spooled files, "" when there is none */
	size_t checkpoints; /* stored without a message */
	struct cg_health health;
	char health_detail[RIG_TEXT];
	int health_count, log_count, quit_count;
	int watched_fd;
	cg_callback watched;
	void *watched_arg;
};

/* The descriptor of the module that has @kind, whatever the module is called, and its provider. */
const struct cg_plugin *rig_plugin(const char *kind);
const struct cg_provider *rig_provider(const char *kind);

/* A rig for @kind with @pairs (ends with a NULL name) on top of the fallbacks.  Never fails. */
struct rig *rig_new(const char *kind, const struct rig_pair *pairs);
/* Destroys the instance, if any, as the daemon does: all is taken back first. */
void rig_destroy(struct rig *rig);

/* ops->create(); @err may be NULL. */
enum cg_status rig_create(struct rig *rig, struct cg_error *err);
/* Create and start, both of which must succeed. */
void rig_up(struct rig *rig);

/* Let @ms pass and fire what is due, in order. */
void rig_pass(struct rig *rig, int64_t ms);

/* The exchange of a send that is open, which must be the only one; NULL: there is none. */
struct cg_http_call *rig_open_call(struct rig *rig);
/* The same of an exchange with a connection of its own. */
struct cg_http_call *rig_open_poll(struct rig *rig);
const char *rig_header(
	const struct cg_http_call *call, const char *name); /* NULL: absent */
void rig_answer(struct rig *rig, struct cg_http_call *call, int status, const char *body);
void rig_answer_later(
	struct rig *rig, struct cg_http_call *call, int status, int64_t retry_after_ms);
void rig_fault(struct rig *rig, struct cg_http_call *call, enum cg_http_result result);

/* A piece of a streamed body; false: the provider wants no more and was told the end. */
bool rig_stream(
	struct rig *rig, struct cg_http_call *call, const char *data, size_t length);
/* The nth open exchange of sends and files, the oldest first; NULL: there are fewer. */
struct cg_http_call *rig_nth_call(struct rig *rig, size_t n);

/* The value that is kept under a key, NULL: none. */
const char *rig_kept(const struct rig *rig, const char *key);
void rig_keep(struct rig *rig, const char *key, const char *value);

/* The verdict on the oldest open submission. */
void rig_verdict(struct rig *rig, enum cg_verdict verdict);
size_t rig_open_submissions(const struct rig *rig);
struct rig_submission *rig_last(struct rig *rig);

/* Send; the completion fills @sent. */
void rig_send(struct rig *rig, const struct cg_outbound *outbound, struct rig_sent *sent);
/* The daemon waits no longer for the send that fills @sent. */
void rig_cancel(struct rig *rig, const struct rig_sent *sent);
/* A text to chat "1". */
struct cg_outbound rig_text(const char *text);

/* Is any of the secrets in @pairs within @text? */
bool rig_leaks(const struct rig *rig, const char *text);

#endif
