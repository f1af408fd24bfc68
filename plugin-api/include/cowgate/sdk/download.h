/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person's file on its way from the platform into the spool, for providers.
 *
 * Streamed to a file of host->spool_create(), counted against a cap, and on the disk before it
 * is told, so that a message that names it may be committed.  Loop thread only.
 */
#ifndef COWGATE_SDK_DOWNLOAD_H
#define COWGATE_SDK_DOWNLOAD_H

#include <cowgate/host.h>
#include <sys/queue.h>

#define CG_DOWNLOAD_HEAD 16 /* first bytes that are kept, to tell a file's type by */

/* How it ended; borrowed during the call. */
struct cg_download_result {
	/* OK; LIMIT: beyond the cap; FULL, IO: not stored; NETWORK, TIMEOUT, DENIED: not fetched;
	 * PROTOCOL: refused with @http_status */
	enum cg_status status;
	int http_status; /* 0: there was none */
	const char *path; /* with OK, the file is whoever's the message is; else NULL */
	uint64_t bytes;
	unsigned char head[CG_DOWNLOAD_HEAD]; /* as far as @bytes go */
};
/* Called once on the loop thread, never from inside cg_download_start(). */
typedef void (*cg_download_done)(void *arg, const struct cg_download_result *result);

/* Opaque. */
struct cg_download;

struct cg_downloads {
	const struct cg_host *host;
	LIST_HEAD(cg_download_list, cg_download) open; /* bounded by who starts them */
};

void cg_downloads_init(struct cg_downloads *downloads, const struct cg_host *host);
/* For ops->destroy(): forget what is open.  The host has taken exchanges and jobs back. */
void cg_downloads_finish(struct cg_downloads *downloads);

/*
 * Start @request, whose callbacks and argument are replaced and which needs a deadline; at most
 * @limit bytes are taken.  On failure @done is not called and nothing is left behind.
 */
enum cg_status cg_download_start(struct cg_downloads *downloads,
	const struct cg_http_request *request, uint64_t limit, cg_download_done done,
	void *arg, struct cg_download **ret, struct cg_error *err);

/* @done does not fire and the file goes.  Accepts NULL. */
void cg_download_cancel(struct cg_download *download);

#endif
