/* SPDX-License-Identifier: Apache-2.0 */
/* A person's file on its way into the spool. */
#include <cowgate/sdk/download.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/spool.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cg_download {
	LIST_ENTRY(cg_download) link;
	struct cg_downloads *downloads;
	struct cg_http_call *call; /* NULL: the exchange has ended */
	cg_download_done done; /* NULL: cancelled while it was being synced */
	void *arg;
	int fd; /* -1: closed */
	uint64_t limit;
	enum cg_status stored; /* how writing and syncing went */
	struct cg_download_result result;
	char path[CG_SPOOL_PATH];
};

static void download_free(struct cg_download *download, bool keep)
{
	LIST_REMOVE(download, link);
	if (download->fd >= 0)
		close(download->fd);
	if (!keep && download->path[0] != '\0')
		unlink(download->path);
	free(download);
}

void cg_downloads_init(struct cg_downloads *downloads, const struct cg_host *host)
{
	downloads->host = host;
	LIST_INIT(&downloads->open);
}

void cg_downloads_finish(struct cg_downloads *downloads)
{
	while (!LIST_EMPTY(&downloads->open))
		download_free(LIST_FIRST(&downloads->open), false);
}

static void download_end(struct cg_download *download, enum cg_status status)
{
	struct cg_download_result result = download->result;
	cg_download_done done = download->done;
	void *arg = download->arg;
	char path[CG_SPOOL_PATH];

	cg_text_copy(path, sizeof(path), download->path);
	result.status = status;
	result.path = status == CG_OK ? path : NULL;
	/* The callback may start the next one: this one is gone by then. */
	download_free(download, status == CG_OK);
	if (done != NULL)
		done(arg, &result);
}

/* ---- On the disk ---- */

static enum cg_status status_of_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? CG_FULL : CG_IO;
}

/* On a thread of the pool: a card may take a second for it. */
static void sync_work(void *arg)
{
	struct cg_download *download = arg;

	download->stored = cg_spool_sync(download->fd, download->path);
}

static void synced(void *arg)
{
	struct cg_download *download = arg;
	bool wanted = download->done != NULL;

	if (!wanted)
		download_free(download, false);
	else
		download_end(download, download->stored);
}

static bool take_data(void *arg, const char *data, size_t length)
{
	struct cg_download *download = arg;
	struct cg_download_result *result = &download->result;
	size_t room = result->bytes < CG_DOWNLOAD_HEAD
			      ? CG_DOWNLOAD_HEAD - (size_t)result->bytes
			      : 0;

	if (length > download->limit - result->bytes) {
		download->stored = CG_LIMIT;
		return false;
	}
	memcpy(result->head + CG_DOWNLOAD_HEAD - room, data,
		length < room ? length : room);
	result->bytes += length;
	while (length > 0) {
		ssize_t written = write(download->fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			download->stored = status_of_errno();
			return false;
		}
		data += written;
		length -= (size_t)written;
	}
	return true;
}

static enum cg_status status_of(const struct cg_http_response *response)
{
	switch (response->result) {
	case CG_HTTP_DONE:
		return response->status >= 200 && response->status <= 299 ? CG_OK
									  : CG_PROTOCOL;
	case CG_HTTP_TOO_LARGE: /* of a refusal: a body of 2xx is ours to count */
		return CG_PROTOCOL;
	case CG_HTTP_TIMED_OUT:
		return CG_TIMEOUT;
	case CG_HTTP_POLICY:
		return CG_DENIED;
	case CG_HTTP_NOT_DISPATCHED:
	case CG_HTTP_NO_ANSWER:
	case CG_HTTP_CANCELLED:
		break;
	}
	return CG_NETWORK;
}

static void fetched(void *arg, const struct cg_http_response *response)
{
	struct cg_download *download = arg;
	const struct cg_host *host = download->downloads->host;
	enum cg_status status = download->stored;

	download->call = NULL;
	download->result.http_status = response->status;
	if (status == CG_OK)
		status = status_of(response);
	if (status == CG_OK)
		status = host->offload(host, sync_work, synced, download);
	if (status != CG_OK)
		download_end(download, status);
}

/* ---- Start ---- */

enum cg_status cg_download_start(struct cg_downloads *downloads,
	const struct cg_http_request *request, uint64_t limit, cg_download_done done,
	void *arg, struct cg_download **ret, struct cg_error *err)
{
	const struct cg_host *host = downloads->host;
	struct cg_download *download = calloc(1, sizeof(*download));
	struct cg_http_request stream = *request;
	enum cg_status status;

	if (download == NULL)
		return cg_error_nomem(err);
	LIST_INSERT_HEAD(&downloads->open, download, link);
	download->downloads = downloads;
	download->done = done;
	download->arg = arg;
	download->limit = limit;
	download->fd = -1;
	status = host->spool_create(
		host, limit, &download->fd, download->path, sizeof(download->path), err);
	if (status != CG_OK) {
		download->fd = -1;
		download->path[0] = '\0';
		goto fail;
	}
	stream.on_head = NULL;
	stream.on_data = take_data;
	stream.on_done = fetched;
	stream.arg = download;
	status = host->http_start(host, &stream, &download->call, err);
	if (status != CG_OK)
		goto fail;
	*ret = download;
	return CG_OK;

fail:
	download_free(download, false);
	return status;
}

void cg_download_cancel(struct cg_download *download)
{
	const struct cg_host *host;

	if (download == NULL)
		return;
	host = download->downloads->host;
	if (download->call == NULL) {
		/* The pool still holds the descriptor. */
		download->done = NULL;
		return;
	}
	host->http_cancel(host, download->call);
	download_free(download, false);
}
