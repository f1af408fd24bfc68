/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies from a file: the bytes, the faults of the file, and the faults of the peer. */
#include "runtime/http_body.h"

#include "tests/unit/runtime/http_peer.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FILE_BYTES (3u << 20) /* more than the kernel takes at once */

static struct peer peer;
static struct bench bench;
static char path[64];

/* Byte @at of every test file. */
static unsigned char pattern(size_t at)
{
	return (unsigned char)(at * 31 + at / 251);
}

static void write_file(size_t length)
{
	int fd;
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/cowgate-body-XXXXXX");
	fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	file = fdopen(fd, "w");
	for (size_t i = 0; i < length; i++)
		putc(pattern(i), file);
	CU_ASSERT(fclose(file) == 0);
}

static struct cg_http_request request_of(const char *head, const char *tail)
{
	return (struct cg_http_request){.size = sizeof(struct cg_http_request),
		.body = head,
		.body_length = strlen(head),
		.body_file = path,
		.body_tail = tail,
		.body_tail_length = strlen(tail)};
}

/* ---- the body alone ---- */

static void pieces_join_whatever_their_size(void)
{
	static const size_t sizes[] = {1, 2, 3, 7, 4096};
	static const size_t lengths[] = {0, 1, 300};
	const struct cg_http_request request = request_of("head", "tail");

	for (size_t i = 0; i < 15; i++) {
		size_t length = lengths[i / 5], taken = 0;
		struct http_body body;
		char all[512];
		ssize_t count;

		write_file(length);
		CU_ASSERT_FATAL(http_body_init(&body, &request, NULL) == CG_OK);
		CU_ASSERT(http_body_length(&body) == length + 8);
		while ((count = http_body_read(&body, all + taken, sizes[i % 5])) > 0)
			taken += (size_t)count;
		CU_ASSERT(count == 0 && taken == length + 8 && !body.broken);
		CU_ASSERT(memcmp(all, "head", 4) == 0);
		CU_ASSERT(memcmp(all + 4 + length, "tail", 4) == 0);
		for (size_t at = 0; at < length; at++)
			CU_ASSERT((unsigned char)all[4 + at] == pattern(at));
		CU_ASSERT(http_body_seek(&body, length + 6));
		CU_ASSERT(http_body_read(&body, all, 9) == 2 && all[0] == 'i');
		CU_ASSERT(!http_body_seek(&body, length + 9));
		http_body_finish(&body);
		unlink(path);
	}
}

/* Shorter, longer, or written to: none of these is the file that was to be sent. */
static void a_changed_file_breaks_the_body(void)
{
	const struct cg_http_request request = request_of("", "tail");
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000}};

	for (int change = 0; change < 3; change++) {
		struct http_body body;
		char all[512];

		write_file(300);
		CU_ASSERT_FATAL(http_body_init(&body, &request, NULL) == CG_OK);
		CU_ASSERT(http_body_read(&body, all, 200) == 200);
		CU_ASSERT((change < 2 ? truncate(path, change == 0 ? 200 : 400)
				      : utimensat(AT_FDCWD, path, times, 0)) == 0);
		CU_ASSERT(http_body_read(&body, all, 200) == -1 && body.broken);
		CU_ASSERT(http_body_read(&body, all, 200) == -1);
		http_body_finish(&body);
		unlink(path);
	}
}

static void what_is_no_file_is_refused(void)
{
	struct cg_http_request request = request_of("", "");
	struct http_body body;

	request.body_file = "/nonexistent/file";
	CU_ASSERT(http_body_init(&body, &request, NULL) == CG_NOT_FOUND);
	http_body_finish(&body);
	request.body_file = "/tmp";
	CU_ASSERT(http_body_init(&body, &request, NULL) == CG_INVALID);
	http_body_finish(&body);
	write_file(0);
	unlink(path);
	CU_ASSERT(mkfifo(path, 0600) == 0);
	request.body_file = path;
	CU_ASSERT(http_body_init(&body, &request, NULL) == CG_INVALID);
	http_body_finish(&body);
	unlink(path);
}

/* ---- on the wire ---- */

static void begin(peer_script script)
{
	peer_start(&peer, script, NULL);
	bench_init(&bench);
}

static void end(void)
{
	bench_finish(&bench);
	peer_stop(&peer);
	unlink(path);
}

/* Up to the empty line; the length that is announced.  0: the client has left. */
static size_t read_head(struct peer *self, int fd)
{
	char text[4096] = "";
	size_t length = 0;

	while (strstr(text, "\r\n\r\n") == NULL) {
		if (length + 1 >= sizeof(text) || recv(fd, text + length, 1, 0) != 1)
			return 0;
		text[++length] = '\0';
	}
	pthread_mutex_lock(&self->lock);
	memcpy(self->last, text, length + 1);
	self->requests++;
	pthread_mutex_unlock(&self->lock);
	return strtoul(strstr(text, "Content-Length: ") + 16, NULL, 10);
}

/* Take the body and compare it: "<", the file, ">". */
static bool read_upload(int fd, size_t announced)
{
	size_t at = 0;
	bool right = announced == FILE_BYTES + 2;
	unsigned char bytes[8192];

	while (at < announced) {
		ssize_t count = recv(fd, bytes, sizeof(bytes), 0);

		if (count <= 0)
			return false;
		for (ssize_t i = 0; i < count; i++, at++) {
			unsigned char want = at == 0                ? '<'
					     : at == FILE_BYTES + 1 ? '>'
								    : pattern(at - 1);

			right = right && bytes[i] == want;
		}
	}
	return right;
}

static void take_uploads(struct peer *self, int fd, int number)
{
	size_t announced;

	(void)number;
	while ((announced = read_head(self, fd)) > 0)
		peer_send(fd, read_upload(fd, announced)
				      ? PEER_OK
				      : "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
}

/* The first connection answers one request and dies a few bytes into the next body. */
static void die_in_the_upload(struct peer *self, int fd, int number)
{
	char bytes[512];

	if (number > 0) {
		take_uploads(self, fd, number);
		return;
	}
	if (!peer_read(self, fd))
		return;
	peer_send(fd, PEER_OK);
	read_head(self, fd);
	recv(fd, bytes, sizeof(bytes), 0);
	peer_reset(fd);
}

/* Never takes the body until it is told to. */
static void take_late(struct peer *self, int fd, int number)
{
	char bytes[8192];

	(void)number;
	read_head(self, fd);
	peer_wait(self, 1);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		continue;
}

static void upload_init(struct exchange *upload)
{
	exchange_init(upload, &bench, &peer, "POST");
	exchange_body(upload, "<");
	upload->request.body_file = path;
	upload->request.body_tail = ">";
	upload->request.body_tail_length = 1;
}

static void a_file_travels_between_the_bytes(void)
{
	struct exchange upload;

	begin(take_uploads);
	write_file(FILE_BYTES);
	for (int i = 0; i < 2; i++) {
		upload_init(&upload);
		exchange_run(&upload);
		CU_ASSERT(upload.result == CG_HTTP_DONE && upload.status == 200);
	}
	CU_ASSERT(peer_connections(&peer) == 1);
	end();
}

static void a_lost_file_starts_nothing(void)
{
	struct exchange upload;

	begin(take_uploads);
	write_file(0);
	unlink(path);
	upload_init(&upload);
	CU_ASSERT(exchange_start(&upload) == CG_NOT_FOUND);
	CU_ASSERT(http_client_active(bench.client) == 0 && peer_connections(&peer) == 0);
	end();
}

static void a_file_that_shrinks_is_never_sent_whole(void)
{
	struct exchange upload;

	begin(take_late);
	write_file(FILE_BYTES);
	upload_init(&upload);
	CU_ASSERT_FATAL(exchange_start(&upload) == CG_OK);
	while (peer_requests(&peer) == 0)
		loop_turn(bench.loop);
	CU_ASSERT(truncate(path, FILE_BYTES - 1) == 0);
	peer_go(&peer, 1);
	bench_run(&bench);
	CU_ASSERT(upload.result == CG_HTTP_NO_ANSWER);
	CU_ASSERT_STRING_EQUAL(upload.error, "the file changed while it was being sent");
	end();
}

/* Whether libcurl would like to repeat it depends on how far it has come: it must not. */
static void an_upload_cut_on_a_reused_connection_is_not_repeated(void)
{
	struct exchange first, upload;

	begin(die_in_the_upload);
	write_file(FILE_BYTES);
	exchange_init(&first, &bench, &peer, "GET");
	exchange_run(&first);
	CU_ASSERT(first.result == CG_HTTP_DONE);
	upload_init(&upload);
	exchange_run(&upload);
	CU_ASSERT(upload.result == CG_HTTP_NO_ANSWER);
	CU_ASSERT(peer_requests(&peer) == 2);
	end();
}

/* What may be repeated arrives whole, however it comes to an answer. */
static void an_idempotent_upload_begins_anew(void)
{
	struct exchange first, upload;

	begin(die_in_the_upload);
	write_file(FILE_BYTES);
	exchange_init(&first, &bench, &peer, "GET");
	exchange_run(&first);
	upload_init(&upload);
	upload.request.flags = CG_HTTP_IDEMPOTENT;
	exchange_run(&upload);
	CU_ASSERT(upload.result == CG_HTTP_NO_ANSWER ||
		  (upload.result == CG_HTTP_DONE && upload.status == 200));
	end();
}

UNIT_SUITE(http_body, UNIT_TEST(pieces_join_whatever_their_size),
	UNIT_TEST(a_changed_file_breaks_the_body), UNIT_TEST(what_is_no_file_is_refused),
	UNIT_TEST(a_file_travels_between_the_bytes),
	UNIT_TEST(a_lost_file_starts_nothing),
	UNIT_TEST(a_file_that_shrinks_is_never_sent_whole),
	UNIT_TEST(an_upload_cut_on_a_reused_connection_is_not_repeated),
	UNIT_TEST(an_idempotent_upload_begins_anew));
