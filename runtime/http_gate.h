/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate in front of libevent's HTTP parser.
 *
 * It reads every raw byte of a connection before evhttp does and follows the framing of
 * HTTP/1.x strictly: where a request ends is decided here, and what two parsers could
 * understand differently (request smuggling) is refused before anything acts on it.  evhttp
 * keeps only what is left of a header after lenient parsing, so a gate behind it would be blind
 * to folded lines, NUL bytes, bare line feeds, and to a name with a blank before its colon.
 *
 * Pure and incremental: no allocation, no clock, the same verdict however the bytes are cut.
 */
#ifndef COWGATE_RUNTIME_HTTP_GATE_H
#define COWGATE_RUNTIME_HTTP_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_gate_limits {
	size_t body; /* bytes, chunked framing not counted; 413 beyond */
	size_t headers; /* bytes of request line and header lines; 431 beyond */
	size_t header_count; /* header lines; 431 beyond */
};

enum http_gate_state {
	HTTP_GATE_START, /* no byte of a request yet */
	HTTP_GATE_HEAD, /* inside request line or headers */
	HTTP_GATE_BODY, /* headers are good, the body is not complete */
	HTTP_GATE_COMPLETE, /* one whole request; what follows belongs to the next */
	HTTP_GATE_REFUSED, /* status and reason say why; nothing of it may be acted on */
};

/* Longest word that has to be recognised: method, version, header name, short value. */
#define HTTP_GATE_WORD 24

struct http_gate {
	struct http_gate_limits limits;
	enum http_gate_state state;
	int status; /* of the refusal */
	/* of the refusal: static text, printable ASCII without quotes */
	const char *reason;
	bool is_head; /* method HEAD: has no body whatever its headers say */
	bool is_1_1; /* version, once known */
	size_t body; /* bytes of body that were announced so far */

	/* The rest is the parser's own. */
	uint8_t step;
	uint8_t field; /* which header the current line is */
	uint8_t hosts; /* how often the header came */
	uint8_t lengths;
	uint8_t codings;
	bool blank; /* the value has only blanks so far */
	uint8_t word_length; /* HTTP_GATE_WORD + 1: longer than any known word */
	char word[HTTP_GATE_WORD];
	size_t head; /* bytes of the head so far */
	size_t count; /* header lines so far */
	size_t remaining; /* bytes of the body or of the chunk to come */
};

void http_gate_init(struct http_gate *gate, const struct http_gate_limits *limits);

/* Ready for the next request of the connection. */
void http_gate_reset(struct http_gate *gate);

/*
 * Feed the next @length bytes; *@ret_used says how many were taken, fewer than @length only
 * when the state is COMPLETE or REFUSED afterwards.  In these two states nothing is taken.
 */
enum http_gate_state http_gate_feed(
	struct http_gate *gate, const void *bytes, size_t length, size_t *ret_used);

/* A header name that may be sent: one or more token characters. */
bool http_gate_token(const char *text);

#endif
