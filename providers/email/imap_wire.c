/* SPDX-License-Identifier: Apache-2.0 */
#include "imap_wire.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Does the line end with "{n}"?  The length of the literal then. */
static bool announces(struct imap_text line, size_t *ret)
{
	size_t at = line.length, digits = 0, number = 0;

	if (at == 0 || line.bytes[at - 1] != '}')
		return false;
	at--;
	if (at > 0 && line.bytes[at - 1] == '+')
		at--;
	while (at > 0 && is_digit(line.bytes[at - 1]) && digits < 10)
		at--, digits++;
	if (digits == 0 || digits == 10 || at == 0 || line.bytes[at - 1] != '{')
		return false;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (size_t)(line.bytes[at + i] - '0');
	*ret = number;
	return true;
}

/* The line at @at without its end; false: it is not complete. */
static bool line_at(const char *bytes, size_t length, size_t at, struct imap_text *ret,
	size_t *ret_next)
{
	const char *end = memchr(bytes + at, '\n', length - at);

	if (end == NULL)
		return false;
	*ret_next = (size_t)(end - bytes) + 1;
	*ret = (struct imap_text){bytes + at, (size_t)(end - bytes) - at};
	if (ret->length > 0 && ret->bytes[ret->length - 1] == '\r')
		ret->length--;
	return true;
}

/* "c12 OK …" */
static enum imap_kind read_tag(struct imap_response *response)
{
	struct imap_text line = response->line;
	size_t at = 1;

	if (line.length < 4 || line.bytes[0] != 'c')
		return IMAP_BROKEN;
	for (; at < line.length && at < 10 && is_digit(line.bytes[at]); at++)
		response->tag = response->tag * 10 + (unsigned)(line.bytes[at] - '0');
	if (at == 1 || at >= line.length || line.bytes[at] != ' ')
		return IMAP_BROKEN;
	response->ok =
		line.length - at >= 3 && strncasecmp(line.bytes + at + 1, "OK", 2) == 0;
	return IMAP_TAGGED;
}

enum imap_kind imap_wire_read(
	const char *bytes, size_t length, size_t literal_max, struct imap_response *ret)
{
	size_t at = 0, literal, literals = 0;
	struct imap_text line;

	*ret = (struct imap_response){.kind = IMAP_MORE};
	for (;;) {
		size_t next;

		if (!line_at(bytes, length, at, &line, &next)) {
			if (length - at > IMAP_LINE_MAX)
				ret->kind = IMAP_BROKEN;
			return ret->kind;
		}
		if (at == 0)
			ret->line = line;
		else
			ret->tail = line;
		at = next;
		if (!announces(line, &literal))
			break;
		if (literal > literal_max || ++literals > IMAP_LITERALS)
			return ret->kind = IMAP_BROKEN;
		if (length - at < literal)
			return ret->kind;
		if (ret->literal.bytes == NULL || literal > ret->literal.length)
			ret->literal = (struct imap_text){bytes + at, literal};
		at += literal;
	}
	ret->consumed = at;
	if (ret->line.length > 0 && ret->line.bytes[0] == '+')
		return ret->kind = IMAP_CONTINUE;
	if (ret->line.length >= 2 && memcmp(ret->line.bytes, "* ", 2) == 0)
		return ret->kind = IMAP_UNTAGGED;
	return ret->kind = read_tag(ret);
}

static bool ends_word(struct imap_text text, size_t at)
{
	return at >= text.length || strchr(" []()", text.bytes[at]) != NULL;
}

/* Where the word begins; its length: it is not there. */
static size_t find_word(struct imap_text text, const char *word)
{
	size_t size = strlen(word);

	for (size_t i = 0; i + size <= text.length; i++) {
		if (strncasecmp(text.bytes + i, word, size) == 0 &&
			(i == 0 || strchr(" []()", text.bytes[i - 1]) != NULL) &&
			ends_word(text, i + size))
			return i;
	}
	return text.length;
}

bool imap_response_has(const struct imap_response *response, const char *word)
{
	return find_word(response->line, word) < response->line.length ||
	       find_word(response->tail, word) < response->tail.length;
}

static bool number_at(struct imap_text text, size_t at, uint32_t *ret, size_t *ret_next)
{
	uint64_t number = 0;
	size_t begin = at;

	while (at < text.length && is_digit(text.bytes[at]) && number <= UINT32_MAX)
		number = number * 10 + (uint64_t)(text.bytes[at++] - '0');
	if (at == begin || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	*ret_next = at;
	return true;
}

bool imap_response_number(
	const struct imap_response *response, const char *name, uint32_t *ret)
{
	const struct imap_text texts[] = {response->line, response->tail};

	for (size_t i = 0; i < 2; i++) {
		size_t at = find_word(texts[i], name), next;

		if (at < texts[i].length &&
			number_at(texts[i], at + strlen(name) + 1, ret, &next))
			return true;
	}
	return false;
}

bool imap_response_counts(const struct imap_response *response, const char *word)
{
	struct imap_text line = response->line;
	uint32_t number;
	size_t next;

	return response->kind == IMAP_UNTAGGED && number_at(line, 2, &number, &next) &&
	       line.length - next == strlen(word) + 1 && line.bytes[next] == ' ' &&
	       strncasecmp(line.bytes + next + 1, word, strlen(word)) == 0;
}

/* Insert where it belongs, dropping the largest when there is no room. */
static size_t insert(uint32_t uid, uint32_t *uids, size_t count, size_t room)
{
	size_t at = count;

	while (at > 0 && uids[at - 1] > uid)
		at--;
	if ((at > 0 && uids[at - 1] == uid) || at == room)
		return count;
	if (count < room)
		count++;
	memmove(uids + at + 1, uids + at, (count - at - 1) * sizeof(*uids));
	uids[at] = uid;
	return count;
}

size_t imap_response_uids(const struct imap_response *response, uint32_t above,
	uint32_t *uids, size_t count, size_t room)
{
	static const char head[] = "* SEARCH";
	struct imap_text line = response->line;
	size_t at = sizeof(head) - 1;

	if (line.length < at || strncasecmp(line.bytes, head, at) != 0)
		return count;
	while (at < line.length) {
		uint32_t uid;

		if (line.bytes[at] == ' ') {
			at++;
			continue;
		}
		if (!number_at(line, at, &uid, &at))
			break;
		if (uid > above)
			count = insert(uid, uids, count, room);
	}
	return count;
}
