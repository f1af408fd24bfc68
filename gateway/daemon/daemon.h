/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: builds every part in order, runs the loop, takes them down in reverse.
 *
 * A stop (SIGTERM, SIGINT, a provider's quit) takes in nothing more, lets sends under way end
 * within the drain deadline, and leaves the rest in the journal.
 */
#ifndef COWGATE_GATEWAY_DAEMON_H
#define COWGATE_GATEWAY_DAEMON_H

#include "config/config.h"
#include "gateway/plugins/loader.h"

struct daemon;

struct daemon_options {
	struct config *config; /* what it begins with */
	const struct config_input *input; /* borrowed: what a reload reads again */
	const struct loader *loader; /* borrowed */
	const char *version;
	const char *keeper; /* program that agents run below; NULL: there is none */
	int64_t built_ms; /* wall clock of the build: no sane clock is earlier */
	/* Said once, when everything listens: "http://127.0.0.1:8790". */
	void (*ready)(void *arg, const char *url);
	/* Other settings are in force: those of the log are the caller's to apply. */
	void (*reloaded)(void *arg, const struct config *config);
	void *arg;
};

/* Build everything and open the data directory.  BUSY: another daemon has it. */
enum cg_status daemon_create(
	const struct daemon_options *options, struct daemon **ret, struct cg_error *err);
/* Run until a stop is asked for and the drain is over. */
enum cg_status daemon_run(struct daemon *daemon, struct cg_error *err);
void daemon_destroy(struct daemon *daemon);

/* Provider and channel binding behind `cowgate chat`: the operator's own, over the socket only. */
#define DAEMON_CHAT "chat"

/* Where the operator's socket lies: $RUNTIME_DIRECTORY, else the data directory. */
enum cg_status daemon_socket_path(const char *data_dir, char *ret, size_t size);

#endif
