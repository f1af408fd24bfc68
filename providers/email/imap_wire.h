/* SPDX-License-Identifier: Apache-2.0 */
/* What an IMAP server says, one response at a time.  Pure. */
#ifndef PROVIDERS_EMAIL_IMAP_WIRE_H
#define PROVIDERS_EMAIL_IMAP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAP_LINE_MAX (256u << 10) /* bytes of a line; a SEARCH may be long */
#define IMAP_LITERALS 16 /* in one response */

enum imap_kind {
	IMAP_MORE, /* incomplete */
	IMAP_BROKEN, /* this is no IMAP, or beyond the caps */
	IMAP_UNTAGGED, /* "* …" */
	IMAP_CONTINUE, /* "+ …" */
	IMAP_TAGGED,
};

/* A piece of the server's bytes. */
struct imap_text {
	const char *bytes;
	size_t length;
};

struct imap_response {
	enum imap_kind kind;
	size_t consumed; /* bytes that it takes */
	struct imap_text line; /* up to the first literal, or whole; no line end */
	struct imap_text tail; /* behind the last literal; empty without one */
	struct imap_text literal; /* the longest; bytes NULL without one */
	unsigned tag; /* TAGGED: the number in "c12" */
	bool ok; /* TAGGED: OK */
};

/* The first response in @bytes, which it borrows from. @literal_max is the longest literal. */
enum imap_kind imap_wire_read(
	const char *bytes, size_t length, size_t literal_max, struct imap_response *ret);

/* Is @word in it, as a word, in any case? */
bool imap_response_has(const struct imap_response *response, const char *word);
/* The number behind the word @name: "[UIDNEXT 5]", "UID 7". */
bool imap_response_number(
	const struct imap_response *response, const char *name, uint32_t *ret);
/* "* 5 EXISTS" and the like: a number, then @word. */
bool imap_response_counts(const struct imap_response *response, const char *word);

/*
 * Merge the numbers of "* SEARCH 4 9 …" above @above into @uids, ascending and each once, keeping
 * the smallest @room.  Returns how many there are then, of @count before.
 */
size_t imap_response_uids(const struct imap_response *response, uint32_t above,
	uint32_t *uids, size_t count, size_t room);

#endif
