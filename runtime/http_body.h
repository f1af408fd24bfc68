/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an outgoing request: bytes, then the bytes of a file, then bytes again.  The
 * file is read piece by piece as the connection takes it, on the loop's thread: a piece is
 * small, and the file lies on a local disk.  Private to the HTTP client.
 */
#ifndef COWGATE_RUNTIME_HTTP_BODY_H
#define COWGATE_RUNTIME_HTTP_BODY_H

#include <cowgate/http.h>
#include <cowgate/status.h>
#include <sys/types.h>

struct http_body {
	/* owned: what comes before the file, then what comes after */
	unsigned char *bytes;
	uint64_t head_length, file_length, tail_length;
	uint64_t position;
	int fd; /* owned; -1: no file */
	int64_t changed_ns; /* of the file, when it was opened */
	bool broken; /* the file is not what it was: the body cannot be sent whole */
};

/*
 * Copy the bytes of @request and open its file, whose length now is the length that is sent.
 * NOT_FOUND or IO: the file cannot be opened.  INVALID: it is none.  After a failure @ret may
 * be finished, too.
 */
enum cg_status http_body_init(struct http_body *ret,
	const struct cg_http_request *request, struct cg_error *err);
/* Accepts a body of zeros but for fd -1. */
void http_body_finish(struct http_body *body);

uint64_t http_body_length(const struct http_body *body);

/*
 * Take the next bytes, at most @size; 0: the end.  -1: the file has become shorter, has been
 * written to or cannot be read; then and from now on @body is broken.  This is found out
 * before the file's last byte is given out.
 */
ssize_t http_body_read(struct http_body *body, void *ret, size_t size);

/* Go on from @offset.  False: there is no such byte. */
bool http_body_seek(struct http_body *body, uint64_t offset);

#endif
