/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what an IMAP server says: each piece lies within, and a prefix never says other. */
#include "providers/email/imap_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define LITERAL_MAX 4096
#define ROOM 8

static void check_within(struct imap_text text, const char *begin, size_t length)
{
	if (text.bytes == NULL && text.length == 0)
		return;
	if (text.bytes < begin || text.bytes + text.length > begin + length)
		abort();
}

static void look(const struct imap_response *response)
{
	uint32_t uids[ROOM], number;
	size_t count = imap_response_uids(response, 3, uids, 0, ROOM);

	if (count > ROOM)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (uids[i] <= 3 || (i > 0 && uids[i] <= uids[i - 1]))
			abort();
	}
	imap_response_has(response, "FETCH");
	imap_response_counts(response, "EXISTS");
	imap_response_number(response, "UID", &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *copy = malloc(length + 1);
	size_t at = 0;

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, length);
	while (at < length) {
		struct imap_response whole, part;

		if (imap_wire_read(copy + at, length - at, LITERAL_MAX, &whole) <=
			IMAP_BROKEN)
			break;
		if (whole.consumed == 0 || whole.consumed > length - at)
			abort();
		check_within(whole.line, copy + at, whole.consumed);
		check_within(whole.tail, copy + at, whole.consumed);
		check_within(whole.literal, copy + at, whole.consumed);
		look(&whole);
		if (imap_wire_read(copy + at, whole.consumed - 1, LITERAL_MAX, &part) !=
			IMAP_MORE)
			abort();
		at += whole.consumed;
	}
	free(copy);
	return 0;
}
