/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/http_gate.h"

#include <string.h>
#include <strings.h>

enum step {
	STEP_METHOD,
	STEP_TARGET_FIRST,
	STEP_TARGET_SECOND,
	STEP_TARGET,
	STEP_VERSION,
	STEP_VERSION_LF,
	STEP_LINE, /* first byte of a header line */
	STEP_NAME,
	STEP_VALUE,
	STEP_VALUE_LF,
	STEP_HEAD_LF,
	STEP_BODY,
	STEP_SIZE_FIRST, /* first digit of a chunk's size */
	STEP_SIZE,
	STEP_SIZE_LF,
	STEP_CHUNK,
	STEP_CHUNK_CR,
	STEP_CHUNK_LF,
	STEP_LAST_CR, /* the empty line after the last chunk */
	STEP_LAST_LF,
	STEP_COUNT,
};

/* Header names that decide about framing, or that evhttp acts on. */
enum field {
	FIELD_OTHER,
	FIELD_HOST,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_EXPECT,
};

static const struct {
	const char *name;
	enum field field;
} known_fields[] = {
	{"host", FIELD_HOST},
	{"content-length", FIELD_CONTENT_LENGTH},
	{"transfer-encoding", FIELD_TRANSFER_ENCODING},
	{"expect", FIELD_EXPECT},
};

static const char *const known_methods[] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static bool is_token(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-')
		return true;
	return c != '\0' && strchr("!#$%&'*+.^_`|~", c) != NULL;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

bool http_gate_token(const char *text)
{
	if (*text == '\0')
		return false;
	while (*text != '\0') {
		if (!is_token((unsigned char)*text++))
			return false;
	}
	return true;
}

static void refuse(struct http_gate *gate, int status, const char *reason)
{
	gate->state = HTTP_GATE_REFUSED;
	gate->status = status;
	gate->reason = reason;
}

static void word_start(struct http_gate *gate)
{
	gate->word_length = 0;
}

static void word_add(struct http_gate *gate, unsigned char c)
{
	if (gate->word_length < HTTP_GATE_WORD)
		gate->word[gate->word_length++] = (char)c;
	else
		gate->word_length = HTTP_GATE_WORD + 1;
}

static bool word_is(const struct http_gate *gate, const char *text)
{
	return gate->word_length == strlen(text) &&
	       strncasecmp(gate->word, text, gate->word_length) == 0;
}

/* Methods and versions, unlike names and codings, are case-sensitive. */
static bool word_is_exactly(const struct http_gate *gate, const char *text)
{
	return gate->word_length == strlen(text) &&
	       memcmp(gate->word, text, gate->word_length) == 0;
}

/* Request line. */

static void step_method(struct http_gate *gate, unsigned char c)
{
	if (c != ' ') {
		if (!is_token(c))
			refuse(gate, 400, "malformed request line");
		else
			word_add(gate, c);
		return;
	}
	for (size_t i = 0; i < sizeof(known_methods) / sizeof(*known_methods); i++) {
		if (!word_is_exactly(gate, known_methods[i]))
			continue;
		gate->is_head = strcmp(known_methods[i], "HEAD") == 0;
		gate->step = STEP_TARGET_FIRST;
		return;
	}
	if (gate->word_length == 0)
		refuse(gate, 400, "malformed request line");
	else
		refuse(gate, 501, "method not implemented");
}

static void step_target_first(struct http_gate *gate, unsigned char c)
{
	/* Neither the absolute form of proxies nor the asterisk of OPTIONS. */
	if (c != '/')
		refuse(gate, 400, "request target must begin with one slash");
	else
		gate->step = STEP_TARGET_SECOND;
}

static void step_target(struct http_gate *gate, unsigned char c)
{
	if (c == ' ') {
		word_start(gate);
		gate->step = STEP_VERSION;
	} else if (c <= 0x20 || c >= 0x7f || c == '#') {
		refuse(gate, 400, "invalid character in request target");
	} else {
		gate->step = STEP_TARGET;
	}
}

/* evhttp would take "//x/y" as host x with path /y. */
static void step_target_second(struct http_gate *gate, unsigned char c)
{
	if (c == '/')
		refuse(gate, 400, "request target must begin with one slash");
	else
		step_target(gate, c);
}

static void step_version(struct http_gate *gate, unsigned char c)
{
	if (c != '\r') {
		if (c <= 0x20 || c >= 0x7f)
			refuse(gate, 400, "malformed request line");
		else
			word_add(gate, c);
		return;
	}
	gate->step = STEP_VERSION_LF;
	if (word_is_exactly(gate, "HTTP/1.1"))
		gate->is_1_1 = true;
	else if (gate->word_length == 8 && memcmp(gate->word, "HTTP/", 5) == 0 &&
		 !word_is_exactly(gate, "HTTP/1.0"))
		refuse(gate, 505, "HTTP version not supported");
	else if (!word_is_exactly(gate, "HTTP/1.0"))
		refuse(gate, 400, "malformed request line");
}

/* Any of the line ends inside the head. */
static void step_head_lf(struct http_gate *gate, unsigned char c)
{
	if (c != '\n')
		refuse(gate, 400, "carriage return without line feed");
	else
		gate->step = STEP_LINE;
}

/* Headers. */

static void step_name(struct http_gate *gate, unsigned char c)
{
	if (c != ':') {
		if (!is_token(c))
			refuse(gate, 400, "invalid character in header name");
		else
			word_add(gate, c);
		return;
	}
	if (gate->word_length == 0) {
		refuse(gate, 400, "empty header name");
		return;
	}
	gate->field = FIELD_OTHER;
	for (size_t i = 0; i < sizeof(known_fields) / sizeof(*known_fields); i++) {
		if (word_is(gate, known_fields[i].name))
			gate->field = (uint8_t)known_fields[i].field;
	}
	word_start(gate);
	gate->blank = true;
	gate->step = STEP_VALUE;
}

static void step_line(struct http_gate *gate, unsigned char c)
{
	if (c == '\r') {
		gate->step = STEP_HEAD_LF;
		return;
	}
	if (c == ' ' || c == '\t') {
		refuse(gate, 400, "folded header line");
		return;
	}
	if (++gate->count > gate->limits.header_count) {
		refuse(gate, 431, "too many request headers");
		return;
	}
	word_start(gate);
	gate->step = STEP_NAME;
	step_name(gate, c);
}

static void end_content_length(struct http_gate *gate)
{
	size_t length = 0;

	if (gate->lengths++ > 0) {
		refuse(gate, 400, "more than one Content-Length");
		return;
	}
	if (gate->word_length == 0 || gate->word_length > HTTP_GATE_WORD) {
		refuse(gate, 400, "invalid Content-Length");
		return;
	}
	for (size_t i = 0; i < gate->word_length; i++) {
		if (!is_digit((unsigned char)gate->word[i])) {
			refuse(gate, 400, "invalid Content-Length");
			return;
		}
		/* Past the limit the exact number no longer matters, but the digits do. */
		if (length <= gate->limits.body)
			length = length * 10 + (size_t)(gate->word[i] - '0');
	}
	gate->remaining = length;
}

static void end_value(struct http_gate *gate)
{
	while (gate->word_length > 0 && gate->word_length <= HTTP_GATE_WORD &&
		(gate->word[gate->word_length - 1] == ' ' ||
			gate->word[gate->word_length - 1] == '\t'))
		gate->word_length--;

	switch ((enum field)gate->field) {
	case FIELD_HOST:
		if (gate->hosts++ > 0)
			refuse(gate, 400, "more than one Host");
		else if (gate->blank)
			refuse(gate, 400, "empty Host");
		break;
	case FIELD_CONTENT_LENGTH:
		end_content_length(gate);
		break;
	case FIELD_TRANSFER_ENCODING:
		if (gate->codings++ > 0 || !word_is(gate, "chunked"))
			refuse(gate, 400, "Transfer-Encoding must be chunked");
		break;
	case FIELD_EXPECT:
		if (gate->is_1_1 && !word_is(gate, "100-continue"))
			refuse(gate, 417, "unknown expectation");
		break;
	case FIELD_OTHER:
		break;
	}
}

static void step_value(struct http_gate *gate, unsigned char c)
{
	if (c == '\r') {
		gate->step = STEP_VALUE_LF;
		end_value(gate);
	} else if (c == ' ' || c == '\t') {
		if (!gate->blank)
			word_add(gate, c);
	} else if (c < 0x20 || c == 0x7f) {
		refuse(gate, 400, "control character in header value");
	} else {
		gate->blank = false;
		word_add(gate, c);
	}
}

/* The empty line: judge what only the whole head can tell, and start the body. */
static void step_end_of_head(struct http_gate *gate, unsigned char c)
{
	if (c != '\n') {
		refuse(gate, 400, "carriage return without line feed");
	} else if (gate->is_1_1 && gate->hosts == 0) {
		refuse(gate, 400, "missing Host");
	} else if (gate->codings > 0 && gate->lengths > 0) {
		refuse(gate, 400, "Transfer-Encoding together with Content-Length");
	} else if (gate->codings > 0 && !gate->is_1_1) {
		refuse(gate, 400, "Transfer-Encoding needs HTTP/1.1");
	} else if (gate->is_head && (gate->codings > 0 || gate->remaining > 0)) {
		/* evhttp would read such a body as the next request. */
		refuse(gate, 400, "HEAD with a body");
	} else if (gate->codings > 0) {
		gate->state = HTTP_GATE_BODY;
		gate->step = STEP_SIZE_FIRST;
	} else if (gate->remaining > gate->limits.body) {
		refuse(gate, 413, "request body too large");
	} else {
		gate->body = gate->remaining;
		gate->state = gate->remaining > 0 ? HTTP_GATE_BODY : HTTP_GATE_COMPLETE;
		gate->step = STEP_BODY;
	}
}

/* Chunks: no extensions and no trailers; nobody sends them, and parsers differ over them. */

static int hex_digit(unsigned char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static void step_size(struct http_gate *gate, unsigned char c)
{
	int digit = hex_digit(c);

	if (c == '\r' && gate->step == STEP_SIZE) {
		gate->step = STEP_SIZE_LF;
		return;
	}
	if (digit < 0) {
		refuse(gate, 400, "malformed chunk");
		return;
	}
	if (gate->step == STEP_SIZE_FIRST)
		gate->remaining = 0;
	gate->step = STEP_SIZE;
	/* The sum stays at most the limit, so that nothing below can overflow. */
	if (gate->remaining > (gate->limits.body - gate->body) / 16) {
		refuse(gate, 413, "request body too large");
		return;
	}
	gate->remaining = gate->remaining * 16 + (size_t)digit;
	if (gate->remaining > gate->limits.body - gate->body)
		refuse(gate, 413, "request body too large");
}

static void step_size_lf(struct http_gate *gate, unsigned char c)
{
	if (c != '\n') {
		refuse(gate, 400, "malformed chunk");
		return;
	}
	gate->body += gate->remaining;
	gate->step = gate->remaining > 0 ? STEP_CHUNK : STEP_LAST_CR;
}

static void step_chunk_end(struct http_gate *gate, unsigned char c)
{
	bool is_cr = gate->step == STEP_CHUNK_CR || gate->step == STEP_LAST_CR;

	if (c != (is_cr ? '\r' : '\n'))
		refuse(gate, 400, "malformed chunk");
	else if (gate->step == STEP_LAST_LF)
		gate->state = HTTP_GATE_COMPLETE;
	else if (gate->step == STEP_CHUNK_LF)
		gate->step = STEP_SIZE_FIRST;
	else
		gate->step++;
}

static void (*const steps[STEP_COUNT])(struct http_gate *gate, unsigned char c) = {
	[STEP_METHOD] = step_method,
	[STEP_TARGET_FIRST] = step_target_first,
	[STEP_TARGET_SECOND] = step_target_second,
	[STEP_TARGET] = step_target,
	[STEP_VERSION] = step_version,
	[STEP_VERSION_LF] = step_head_lf,
	[STEP_LINE] = step_line,
	[STEP_NAME] = step_name,
	[STEP_VALUE] = step_value,
	[STEP_VALUE_LF] = step_head_lf,
	[STEP_HEAD_LF] = step_end_of_head,
	[STEP_SIZE_FIRST] = step_size,
	[STEP_SIZE] = step_size,
	[STEP_SIZE_LF] = step_size_lf,
	[STEP_CHUNK_CR] = step_chunk_end,
	[STEP_CHUNK_LF] = step_chunk_end,
	[STEP_LAST_CR] = step_chunk_end,
	[STEP_LAST_LF] = step_chunk_end,
};

void http_gate_init(struct http_gate *gate, const struct http_gate_limits *limits)
{
	memset(gate, 0, sizeof(*gate));
	gate->limits = *limits;
}

void http_gate_reset(struct http_gate *gate)
{
	struct http_gate_limits limits = gate->limits;

	http_gate_init(gate, &limits);
}

/* Skip content of known length; returns the bytes taken. */
static size_t skip_content(struct http_gate *gate, size_t length)
{
	size_t used = length < gate->remaining ? length : gate->remaining;

	gate->remaining -= used;
	if (gate->remaining > 0)
		return used;
	if (gate->step == STEP_BODY)
		gate->state = HTTP_GATE_COMPLETE;
	else
		gate->step = STEP_CHUNK_CR;
	return used;
}

enum http_gate_state http_gate_feed(
	struct http_gate *gate, const void *bytes, size_t length, size_t *ret_used)
{
	const unsigned char *data = bytes;
	size_t used = 0;

	while (used < length && gate->state < HTTP_GATE_COMPLETE) {
		if (gate->step == STEP_BODY || gate->step == STEP_CHUNK) {
			used += skip_content(gate, length - used);
			continue;
		}
		if (gate->state != HTTP_GATE_BODY) {
			gate->state = HTTP_GATE_HEAD;
			if (++gate->head > gate->limits.headers) {
				refuse(gate, 431, "request headers too large");
				break;
			}
		}
		steps[gate->step](gate, data[used++]);
	}
	*ret_used = used;
	return gate->state;
}
