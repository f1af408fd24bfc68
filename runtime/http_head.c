/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/http_head.h"

#include <cowgate/sdk/text.h>
#include <curl/curl.h>
#include <string.h>

#define RETRY_AFTER_MAX_MS (INT64_C(86400000) * 365)

void http_head_init(struct http_head *head)
{
	*head = (struct http_head){.retry_after_ms = -1};
	cg_buffer_init(&head->bytes, HTTP_CLIENT_HEAD);
}

void http_head_finish(struct http_head *head)
{
	cg_buffer_finish(&head->bytes);
}

void http_head_clear(struct http_head *head)
{
	cg_buffer_clear(&head->bytes);
	head->count = 0;
	head->retry_after_ms = -1;
}

int64_t http_client_date(const char *value)
{
	time_t date = curl_getdate(value, NULL);

	return date == (time_t)-1 ? -1 : (int64_t)date * 1000;
}

/* Seconds or a date.  A date means nothing to a clock that cannot be believed. */
static int64_t parse_retry_after(const struct clock *clock, const char *value)
{
	int64_t seconds, ms, date_ms;

	if (cg_parse_int(value, &seconds)) {
		if (seconds < 0)
			return -1;
		return seconds < RETRY_AFTER_MAX_MS / 1000 ? seconds * 1000
							   : RETRY_AFTER_MAX_MS;
	}
	date_ms = http_client_date(value);
	if (date_ms < 0 || !clock_sane(clock))
		return -1;
	ms = date_ms - clock_wall(clock);
	if (ms < 0)
		return 0;
	return ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
}

void http_head_add(struct http_head *head, const struct clock *clock, const char *line,
	size_t length)
{
	const char *colon = memchr(line, ':', length), *value;
	size_t name_length, value_length, start = head->bytes.length;

	if (colon == NULL || colon == line)
		return;
	name_length = (size_t)(colon - line);
	value = colon + 1;
	value_length = length - name_length - 1;
	while (value_length > 0 && (*value == ' ' || *value == '\t')) {
		value++;
		value_length--;
	}
	if (head->count == HTTP_CLIENT_HEADERS ||
		name_length + value_length + 2 > HTTP_CLIENT_HEAD - start)
		return;
	if (cg_buffer_add(&head->bytes, line, name_length) != CG_OK ||
		cg_buffer_char(&head->bytes, '\0') != CG_OK ||
		cg_buffer_add(&head->bytes, value, value_length) != CG_OK ||
		cg_buffer_char(&head->bytes, '\0') != CG_OK) {
		cg_buffer_truncate(&head->bytes, start);
		return;
	}
	for (char *at = head->bytes.bytes + start; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	head->count++;
	if (strcmp(head->bytes.bytes + start, "retry-after") == 0)
		head->retry_after_ms = parse_retry_after(
			clock, head->bytes.bytes + start + name_length + 1);
}

void http_head_list(
	const struct http_head *head, struct cg_http_header ret[HTTP_CLIENT_HEADERS])
{
	const char *at = cg_buffer_string(&head->bytes);

	for (size_t i = 0; i < head->count; i++) {
		ret[i].name = at;
		at += strlen(at) + 1;
		ret[i].value = at;
		at += strlen(at) + 1;
	}
}
