/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/download.h>
#include <cowgate/sdk/text.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A host with one exchange and one job. */
static struct {
	struct cg_http_request request;
	cg_callback job_done;
	void *job_arg;
	bool refuse_http, refuse_job, refuse_spool;
	int cancelled;
	char path[128];
	struct cg_download_result result;
	char result_path[128];
	int told;
} state;

static char call_storage;

static enum cg_status start_call(const struct cg_host *host,
	const struct cg_http_request *request, struct cg_http_call **ret_call,
	struct cg_error *err)
{
	(void)host, (void)err;
	if (state.refuse_http)
		return CG_LIMIT;
	state.request = *request;
	*ret_call = (struct cg_http_call *)(void *)&call_storage;
	return CG_OK;
}

static void cancel_call(const struct cg_host *host, struct cg_http_call *call)
{
	(void)host, (void)call;
	state.cancelled++;
}

static enum cg_status offload(
	const struct cg_host *host, cg_callback work, cg_callback done, void *arg)
{
	(void)host;
	if (state.refuse_job)
		return CG_LIMIT;
	work(arg);
	state.job_done = done;
	state.job_arg = arg;
	return CG_OK;
}

static enum cg_status create_spool(const struct cg_host *host, uint64_t limit,
	int *ret_fd, char *ret_path, size_t path_size, struct cg_error *err)
{
	(void)host, (void)limit, (void)err;
	if (state.refuse_spool)
		return CG_FULL;
	cg_text_copy(state.path, sizeof(state.path), "/tmp/cowgate-download-XXXXXX");
	*ret_fd = mkstemp(state.path);
	CU_ASSERT_TRUE_FATAL(*ret_fd >= 0);
	cg_text_copy(ret_path, path_size, state.path);
	return CG_OK;
}

static const struct cg_host host = {.size = sizeof(host),
	.http_start = start_call,
	.http_cancel = cancel_call,
	.offload = offload,
	.spool_create = create_spool};

static struct cg_downloads downloads;

static void done(void *arg, const struct cg_download_result *result)
{
	CU_ASSERT_PTR_EQUAL(arg, &state);
	state.told++;
	state.result = *result;
	cg_text_copy(state.result_path, sizeof(state.result_path),
		result->path == NULL ? "" : result->path);
}

static struct cg_download *begin(uint64_t limit)
{
	struct cg_http_request request = {.size = sizeof(request),
		.method = "GET",
		.url = "https://files.example.org/a",
		.timeout_ms = 1000};
	struct cg_download *download = NULL;
	bool http = state.refuse_http, spool = state.refuse_spool, job = state.refuse_job;

	memset(&state, 0, sizeof(state));
	state.refuse_http = http;
	state.refuse_spool = spool;
	state.refuse_job = job;
	cg_downloads_init(&downloads, &host);
	if (cg_download_start(
		    &downloads, &request, limit, done, &state, &download, NULL) != CG_OK)
		return NULL;
	CU_ASSERT_STRING_EQUAL(state.request.url, request.url);
	return download;
}

static void end(enum cg_http_result result, int status)
{
	const struct cg_http_response response = {
		.size = sizeof(response), .result = result, .status = status};

	state.request.on_done(state.request.arg, &response);
}

static void turn(void)
{
	cg_callback fire = state.job_done;

	state.job_done = NULL;
	if (fire != NULL)
		fire(state.job_arg);
}

static bool exists(void)
{
	return access(state.path, F_OK) == 0;
}

static void a_file_arrives_whole(void)
{
	char bytes[64] = "";
	int fd;

	CU_ASSERT_PTR_NOT_NULL(begin(11));
	CU_ASSERT_TRUE(state.request.on_data(state.request.arg, "hello ", 6));
	CU_ASSERT_TRUE(state.request.on_data(state.request.arg, "world", 5));
	end(CG_HTTP_DONE, 200);
	CU_ASSERT_EQUAL(state.told, 0); /* not before it is on the disk */
	turn();
	CU_ASSERT_EQUAL(state.told, 1);
	CU_ASSERT_EQUAL(state.result.status, CG_OK);
	CU_ASSERT_EQUAL(state.result.bytes, 11);
	CU_ASSERT_EQUAL(memcmp(state.result.head, "hello world\0\0\0\0\0", 16), 0);
	CU_ASSERT_STRING_EQUAL(state.result_path, state.path);
	fd = open(state.path, O_RDONLY);
	CU_ASSERT_EQUAL(read(fd, bytes, sizeof(bytes)), 11);
	CU_ASSERT_STRING_EQUAL(bytes, "hello world");
	close(fd);
	cg_downloads_finish(&downloads);
	CU_ASSERT_TRUE(exists());
	unlink(state.path);
}

static void one_byte_too_many_ends_it(void)
{
	CU_ASSERT_PTR_NOT_NULL(begin(11));
	CU_ASSERT_TRUE(state.request.on_data(state.request.arg, "hello ", 6));
	CU_ASSERT_FALSE(state.request.on_data(state.request.arg, "worlds", 6));
	end(CG_HTTP_CANCELLED, 200);
	CU_ASSERT_EQUAL(state.result.status, CG_LIMIT);
	CU_ASSERT_STRING_EQUAL(state.result_path, "");
	CU_ASSERT_FALSE(exists());
	cg_downloads_finish(&downloads);
}

static void every_end_has_its_status(void)
{
	static const struct {
		enum cg_http_result result;
		int status;
		enum cg_status expected;
	} ends[] = {
		{CG_HTTP_DONE, 404, CG_PROTOCOL},
		{CG_HTTP_DONE, 302, CG_PROTOCOL},
		{CG_HTTP_TOO_LARGE, 500, CG_PROTOCOL},
		{CG_HTTP_TIMED_OUT, 0, CG_TIMEOUT},
		{CG_HTTP_POLICY, 0, CG_DENIED},
		{CG_HTTP_NOT_DISPATCHED, 0, CG_NETWORK},
		{CG_HTTP_NO_ANSWER, 200, CG_NETWORK},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		CU_ASSERT_PTR_NOT_NULL(begin(10));
		end(ends[i].result, ends[i].status);
		CU_ASSERT_EQUAL(state.told, 1);
		CU_ASSERT_EQUAL(state.result.status, ends[i].expected);
		CU_ASSERT_EQUAL(state.result.http_status, ends[i].status);
		CU_ASSERT_FALSE(exists());
		cg_downloads_finish(&downloads);
	}
}

static void what_cannot_start_leaves_nothing(void)
{
	state.refuse_http = true;
	CU_ASSERT_PTR_NULL(begin(10));
	CU_ASSERT_FALSE(exists());
	state.refuse_http = false;
	state.refuse_spool = true;
	CU_ASSERT_PTR_NULL(begin(10));
	state.refuse_spool = false;
	CU_ASSERT_TRUE(LIST_EMPTY(&downloads.open));
	state.refuse_job = true;
	CU_ASSERT_PTR_NOT_NULL(begin(10));
	end(CG_HTTP_DONE, 200);
	CU_ASSERT_EQUAL(state.result.status, CG_LIMIT);
	CU_ASSERT_FALSE(exists());
	state.refuse_job = false;
	cg_downloads_finish(&downloads);
}

static void cancelled_at_any_time_it_is_gone(void)
{
	struct cg_download *download = begin(10);

	cg_download_cancel(NULL);
	cg_download_cancel(download);
	CU_ASSERT_EQUAL(state.cancelled, 1);
	CU_ASSERT_FALSE(exists());

	download = begin(10);
	end(CG_HTTP_DONE, 200);
	cg_download_cancel(download); /* the pool syncs it */
	turn();
	CU_ASSERT_EQUAL(state.told, 0);
	CU_ASSERT_FALSE(exists());

	CU_ASSERT_PTR_NOT_NULL(begin(10));
	end(CG_HTTP_DONE, 200);
	cg_downloads_finish(&downloads); /* its instance has gone meanwhile */
	CU_ASSERT_FALSE(exists());
}

UNIT_SUITE(download, UNIT_TEST(a_file_arrives_whole),
	UNIT_TEST(one_byte_too_many_ends_it), UNIT_TEST(every_end_has_its_status),
	UNIT_TEST(what_cannot_start_leaves_nothing),
	UNIT_TEST(cancelled_at_any_time_it_is_gone));
