/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/http_gate.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct http_gate_limits limits = {
	.body = 100, .headers = 400, .header_count = 8};

#define HOST "Host: h\r\n"

/* Feed in pieces of @step bytes; the gate's final state, and how much it took. */
static struct http_gate feed(
	const char *bytes, size_t length, size_t step, size_t *ret_used)
{
	struct http_gate gate;
	size_t total = 0;

	http_gate_init(&gate, &limits);
	while (total < length) {
		size_t piece = step < length - total ? step : length - total, used;

		http_gate_feed(&gate, bytes + total, piece, &used);
		total += used;
		if (used < piece)
			break;
	}
	*ret_used = total;
	return gate;
}

static void complete(const char *request, size_t body)
{
	size_t length = strlen(request), used;

	for (size_t step = 1; step <= length; step++) {
		struct http_gate gate = feed(request, length, step, &used);

		if (gate.state == HTTP_GATE_REFUSED)
			printf("\nrefused: %s", gate.reason);
		CU_ASSERT_EQUAL(gate.state, HTTP_GATE_COMPLETE);
		CU_ASSERT_EQUAL(gate.body, body);
		CU_ASSERT_EQUAL(used, length);
	}
}

static void refused_bytes(const char *request, size_t length, int status)
{
	size_t used;

	for (size_t step = 1; step <= length; step++) {
		struct http_gate gate = feed(request, length, step, &used);

		if (gate.state != HTTP_GATE_REFUSED || gate.status != status)
			printf("\n%d instead of %d: %s", gate.status, status, request);
		CU_ASSERT_EQUAL(gate.state, HTTP_GATE_REFUSED);
		CU_ASSERT_EQUAL(gate.status, status);
	}
}

static void refused(const char *request, int status)
{
	refused_bytes(request, strlen(request), status);
}

static void gate_takes_ordinary_requests(void)
{
	complete("GET / HTTP/1.1\r\n" HOST "\r\n", 0);
	complete("GET / HTTP/1.0\r\n\r\n", 0);
	complete("HEAD /a?b=%20c HTTP/1.1\r\nhost:\th:80 \r\n\r\n", 0);
	complete("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 3);
	complete("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 0);
	complete("PATCH /x HTTP/1.1\r\n" HOST "Content-Length:  0003 \r\n\r\n\r\n\r", 3);
	complete("DELETE /x HTTP/1.1\r\n" HOST "X: \xc3\xa9 \tz\r\nEmpty:\r\n\r\n", 0);
	complete("OPTIONS /x HTTP/1.1\r\n" HOST "\r\n", 0);
	complete("POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		 "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n",
		13);
	complete("POST / HTTP/1.1\r\n" HOST
		 "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n.",
		1);
	complete("POST / HTTP/1.0\r\nExpect: wonders\r\nContent-Length: 1\r\n\r\n.", 1);
}

static void gate_stops_at_the_next_request(void)
{
	static const char two[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab"
				  "GET / HTTP/1.1\r\n" HOST "\r\n";
	size_t used;
	struct http_gate gate = feed(two, strlen(two), strlen(two), &used);

	CU_ASSERT_EQUAL(gate.state, HTTP_GATE_COMPLETE);
	CU_ASSERT_STRING_EQUAL(two + used, "GET / HTTP/1.1\r\n" HOST "\r\n");
	CU_ASSERT_EQUAL(
		http_gate_feed(&gate, two, strlen(two), &used), HTTP_GATE_COMPLETE);
	CU_ASSERT_EQUAL(used, 0);
	http_gate_reset(&gate);
	CU_ASSERT_EQUAL(gate.state, HTTP_GATE_START);
	CU_ASSERT_EQUAL(http_gate_feed(&gate, "G", 1, &used), HTTP_GATE_HEAD);
}

static void gate_tells_how_far_a_request_is(void)
{
	size_t used;
	static const char start[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r";
	struct http_gate gate = feed(start, strlen(start), strlen(start), &used);

	CU_ASSERT_EQUAL(gate.state, HTTP_GATE_HEAD);
	CU_ASSERT_EQUAL(http_gate_feed(&gate, "\na", 2, &used), HTTP_GATE_BODY);
	CU_ASSERT_EQUAL(http_gate_feed(&gate, "bG", 2, &used), HTTP_GATE_COMPLETE);
	CU_ASSERT_EQUAL(used, 1);
}

static void gate_refuses_request_lines(void)
{
	refused("\r\nGET / HTTP/1.1\r\n", 400);
	refused("GET http://h/ HTTP/1.1\r\n", 400);
	refused("GET //h/ HTTP/1.1\r\n", 400);
	refused("OPTIONS * HTTP/1.1\r\n", 400);
	refused("GET  / HTTP/1.1\r\n", 400);
	refused("GET /  HTTP/1.1\r\n", 400);
	refused("GET / HTTP/1.1 \r\n", 400);
	refused("GET / HTTP/1.1\n", 400);
	refused("GET / HTTP/1.1\r\r\n", 400);
	refused("GET /\r\n", 400);
	refused("GET / ICY/1.0\r\n", 400);
	refused("GET /a#b HTTP/1.1\r\n", 400);
	refused("GET /\x01 HTTP/1.1\r\n", 400);
	refused("GET /\xc3\xa9 HTTP/1.1\r\n", 400);
	refused_bytes("GET /a\0b HTTP/1.1\r\n", 19, 400);
	refused("G@T / HTTP/1.1\r\n", 400);
	refused(" GET / HTTP/1.1\r\n", 400);
	refused("BREW /pot HTTP/1.1\r\n", 501);
	refused("get / HTTP/1.1\r\n", 501);
	refused("CONNECT h:80 HTTP/1.1\r\n", 501);
	refused("TRACE / HTTP/1.1\r\n", 501);
	refused("GETGETGETGETGETGETGETGETGETGET / HTTP/1.1\r\n", 501);
	refused("GET / HTTP/2.0\r\n", 505);
	refused("GET / HTTP/1.2\r\n", 505);
	refused("GET / http/1.1\r\n", 400);
}

static void gate_refuses_headers(void)
{
	refused("GET / HTTP/1.1\r\n\r\n", 400);
	refused("GET / HTTP/1.1\r\nHost:\r\n", 400);
	refused("GET / HTTP/1.1\r\nHost: \t \r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST HOST, 400);
	refused("GET / HTTP/1.1\r\n" HOST "A: b\r\n folded\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "A: b\r\n\tfolded\r\n", 400);
	refused("GET / HTTP/1.1\r\n Host: h\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "A : b\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "A(: b\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST ": b\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "no colon\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "A: b\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n", 400);
	refused("GET / HTTP/1.1\r\n" HOST "\r ", 400);
	refused_bytes("GET / HTTP/1.1\r\nHost: h\0h\r\n", 27, 400);
	refused("GET / HTTP/1.1\r\n" HOST "Expect: wonders\r\n", 417);
}

static void gate_refuses_ambiguous_lengths(void)
{
#define POST "POST / HTTP/1.1\r\n" HOST
	refused(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
	refused(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400);
	refused(POST "Content-Length: 3\r\nContent-Length: 3\r\n", 400);
	refused(POST "Content-Length: 3, 3\r\n", 400);
	refused(POST "Content-Length: +3\r\n", 400);
	refused(POST "Content-Length: -3\r\n", 400);
	refused(POST "Content-Length: 0x3\r\n", 400);
	refused(POST "Content-Length: 3 3\r\n", 400);
	refused(POST "Content-Length:\r\n", 400);
	refused(POST "Content-Length: 0000000000000000000000003\r\n", 400);
	refused(POST "Content-Length : 3\r\n", 400);
	refused(POST "Transfer-Encoding : chunked\r\n", 400);
	refused(POST "Transfer-Encoding: gzip, chunked\r\n", 400);
	refused(POST "Transfer-Encoding: chunked;q=1\r\n", 400);
	refused(POST "Transfer-Encoding: identity\r\n", 400);
	refused(POST "Transfer-Encoding:\r\n", 400);
	refused(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400);
	refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
	refused("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", 400);
	refused("HEAD / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400);
#undef POST
}

static void gate_refuses_chunks(void)
{
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	refused(CHUNKED "\r\n", 400);
	refused(CHUNKED "0x5\r\n", 400);
	refused(CHUNKED "+5\r\n", 400);
	refused(CHUNKED " 5\r\n", 400);
	refused(CHUNKED "5 \r\n", 400);
	refused(CHUNKED "5;a=b\r\n", 400);
	refused(CHUNKED "5\n", 400);
	refused(CHUNKED "5\rx", 400);
	refused(CHUNKED "1\r\nab\r\n", 400);
	refused(CHUNKED "1\r\na\n", 400);
	refused(CHUNKED "1\r\na\r\r", 400);
	refused(CHUNKED "0\r\nTrailer: x\r\n", 400);
	refused(CHUNKED "0\r\n\r\r", 400);
#undef CHUNKED
}

/* The last value inside a limit passes, the next does not. */
static void gate_holds_its_limits(void)
{
	char text[1024];
	int length;

	length = snprintf(text, sizeof(text),
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n%100s", "");
	CU_ASSERT_EQUAL(length, 149);
	complete(text, 100);
	refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n", 413);
	refused("POST / HTTP/1.1\r\n" HOST
		"Content-Length: 99999999999999999999999\r\n\r\n",
		413);

#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	snprintf(text, sizeof(text), CHUNKED "60\r\n%96s\r\n4\r\nabcd\r\n0\r\n\r\n", "");
	complete(text, 100);
	snprintf(text, sizeof(text), CHUNKED "60\r\n%96s\r\n5\r\n", "");
	refused(text, 413);
	refused(CHUNKED "65\r\n", 413);
	refused(CHUNKED "FFFFFFFFFFFFFFFFF", 413);
#undef CHUNKED

	snprintf(text, sizeof(text), "GET /%384s", " ");
	memset(text + 5, 'a', 379);
	memcpy(text + 378, " HTTP/1.0\r\n\r\n", 14);
	CU_ASSERT_EQUAL(strlen(text), 391);
	complete(text, 0);
	memmove(text + 15, text + 5, strlen(text + 5) + 1);
	memset(text + 5, 'b', 10);
	refused(text, 431);

	snprintf(text, sizeof(text),
		"GET / HTTP/1.0\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n");
	complete(text, 0);
	snprintf(text, sizeof(text),
		"GET / "
		"HTTP/1.0\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n");
	refused(text, 431);
}

static void gate_knows_tokens(void)
{
	CU_ASSERT(http_gate_token("X-Cowgate_1"));
	CU_ASSERT(http_gate_token("!#$%&'*+-.^_`|~"));
	CU_ASSERT_FALSE(http_gate_token(""));
	CU_ASSERT_FALSE(http_gate_token("a b"));
	CU_ASSERT_FALSE(http_gate_token("a:"));
	CU_ASSERT_FALSE(http_gate_token("\xc3\xa9"));
	CU_ASSERT_FALSE(http_gate_token("a\r\nb"));
}

UNIT_SUITE(http_gate, UNIT_TEST(gate_takes_ordinary_requests),
	UNIT_TEST(gate_stops_at_the_next_request),
	UNIT_TEST(gate_tells_how_far_a_request_is), UNIT_TEST(gate_refuses_request_lines),
	UNIT_TEST(gate_refuses_headers), UNIT_TEST(gate_refuses_ambiguous_lengths),
	UNIT_TEST(gate_refuses_chunks), UNIT_TEST(gate_holds_its_limits),
	UNIT_TEST(gate_knows_tokens));
