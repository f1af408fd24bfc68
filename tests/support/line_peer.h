/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of a protocol of lines (SMTP, IMAP) on loopback, on a thread of its own, that answers
 * as its rules say.  One client after the other.
 *
 * Fields that a test sets are set before the start; what was heard is read after the stop.
 */
#ifndef COWGATE_TESTS_LINE_PEER_H
#define COWGATE_TESTS_LINE_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define LINE_PEER_HEARD 65536 /* bytes that are kept of what clients say */
#define LINE_PEER_ONCE 16 /* rules that may be told to hold once */

enum line_peer_flag {
	LINE_PEER_HANG_UP = 1u << 0, /* behind the reply */
	LINE_PEER_PIECES = 1u << 1, /* the reply leaves byte for byte */
	LINE_PEER_BEGIN_TLS = 1u << 2, /* behind the reply */
	LINE_PEER_CONTENT = 1u << 3, /* what follows is a mail, up to its final dot */
	LINE_PEER_FIRST = 1u << 4, /* only the first time: among the first rules */
};

/* To a line that begins with @verb (in any case) @reply is said.  "" is the greeting, "." the end
 * of a mail.  A '$' in the reply stands for the tag of the command. */
struct line_peer_rule {
	const char *verb, *reply; /* ends with a NULL verb */
	unsigned flags;
	void (*then)(void *arg); /* before the reply, on the peer's thread; may be NULL */
};

struct line_peer {
	const struct line_peer_rule *rules,
		*others; /* the first that fits; either may be NULL */
	void *arg; /* of their callbacks */
	bool tagged; /* commands begin with a tag, as in IMAP */
	bool tls; /* from the first byte */
	size_t content_max; /* bytes of a mail, then it hangs up; 0: any number */

	int port;
	char ca_file[64]; /* to be trusted for 127.0.0.1 */
	atomic_uint clients; /* may be read at any time */
	char heard[LINE_PEER_HEARD]; /* all lines and mails, cut */
	size_t heard_length;

	int listener, stopping[2];
	pthread_t thread;
	void *tls_context;
	unsigned used; /* rules that held once, as bits */
};

void line_peer_start(struct line_peer *peer);
/* Whoever is connected is heard out and hung up on. */
void line_peer_stop(struct line_peer *peer);

#endif
