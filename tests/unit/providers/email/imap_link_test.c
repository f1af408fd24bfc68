/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/imap_link.h"
#include "tests/support/line_peer.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static const struct line_peer_rule good[] = {
	{.verb = "", .reply = "* OK ready\r\n"},
	{.verb = "CAPABILITY", .reply = "* CAPABILITY IMAP4rev1 STARTTLS\r\n$ OK\r\n"},
	{.verb = "STARTTLS", .reply = "$ OK\r\n", .flags = LINE_PEER_BEGIN_TLS},
	{.verb = "LOGIN", .reply = "$ OK\r\n"},
	{.verb = "NOOP", .reply = "$ OK\r\n"},
	{.verb = "BYE", .reply = "* BYE\r\n", .flags = LINE_PEER_HANG_UP},
	{.verb = NULL},
};

struct mailbox {
	struct line_peer peer;
	struct email_settings settings;
	struct imap_link *link;
	enum imap_link_result result;
};

/* A server as @rules say; @scheme is imap or imaps. */
static void mailbox_open(struct mailbox *mailbox, const char *scheme,
	const struct line_peer_rule *rules, bool distrust)
{
	static char url[64];

	*mailbox = (struct mailbox){.peer = {.rules = rules,
					    .others = good,
					    .tagged = true,
					    .tls = strcmp(scheme, "imaps") == 0}};
	line_peer_start(&mailbox->peer);
	snprintf(url, sizeof(url), "%s://127.0.0.1:%d", scheme, mailbox->peer.port);
	mailbox->settings.imap_url = url;
	mailbox->settings.imap_username = "agent";
	mailbox->settings.ca_file = distrust ? NULL : mailbox->peer.ca_file;
	CU_ASSERT_EQUAL_FATAL(
		cg_secret_set(&mailbox->settings.imap_password, "open sesame", 11),
		CG_OK);
	mailbox->result = imap_link_open(&mailbox->settings, &mailbox->link);
}

static void mailbox_close(struct mailbox *mailbox)
{
	imap_link_close(mailbox->link);
	line_peer_stop(&mailbox->peer);
	cg_secret_wipe(&mailbox->settings.imap_password);
}

/* What comes next, at most @size bytes of it; "" when the connection ended. */
static const char *receive(struct mailbox *mailbox, char *room, size_t size)
{
	struct pollfd wanted = {.fd = imap_link_fd(mailbox->link), .events = POLLIN};
	enum imap_link_result result;
	size_t length = 0;

	do {
		result = imap_link_receive(mailbox->link, room, size - 1, &length);
	} while (result == IMAP_LINK_WAIT && poll(&wanted, 1, 10000) == 1);
	room[result == IMAP_LINK_OK ? length : 0] = '\0';
	return room;
}

static void check_a_conversation(const char *scheme)
{
	struct mailbox mailbox;
	char room[64];
	size_t length = 0;

	mailbox_open(&mailbox, scheme, NULL, false);
	CU_ASSERT_EQUAL_FATAL(mailbox.result, IMAP_LINK_OK);
	CU_ASSERT_EQUAL(imap_link_send(mailbox.link, "c1 NOOP\r\n", 9), IMAP_LINK_OK);
	CU_ASSERT_STRING_EQUAL(receive(&mailbox, room, sizeof(room)), "c1 OK\r\n");
	/* Nothing was asked: nobody waits for it. */
	CU_ASSERT_EQUAL(imap_link_receive(mailbox.link, room, sizeof(room), &length),
		IMAP_LINK_WAIT);
	/* A room that is too small gets it piece by piece. */
	CU_ASSERT_EQUAL(imap_link_send(mailbox.link, "c2 NOOP\r\n", 9), IMAP_LINK_OK);
	CU_ASSERT_STRING_EQUAL(receive(&mailbox, room, 4), "c2 ");
	CU_ASSERT_STRING_EQUAL(receive(&mailbox, room, 4), "OK\r");
	CU_ASSERT_STRING_EQUAL(receive(&mailbox, room, 4), "\n");
	CU_ASSERT_EQUAL(imap_link_send(mailbox.link, "c3 BYE\r\n", 8), IMAP_LINK_OK);
	CU_ASSERT_STRING_EQUAL(receive(&mailbox, room, sizeof(room)), "* BYE\r\n");
	CU_ASSERT_STRING_EQUAL(receive(&mailbox, room, sizeof(room)), "");
	CU_ASSERT_EQUAL(imap_link_receive(mailbox.link, room, sizeof(room), &length),
		IMAP_LINK_GONE);
	mailbox_close(&mailbox);
	CU_ASSERT_PTR_NOT_NULL(strstr(mailbox.peer.heard, "open sesame"));
}

static void a_mailbox_is_reached_over_tls(void)
{
	check_a_conversation("imaps");
	check_a_conversation("imap");
}

static void check_refused(const char *scheme, const struct line_peer_rule *rules,
	bool distrust, enum imap_link_result result)
{
	struct mailbox mailbox;

	mailbox_open(&mailbox, scheme, rules, distrust);
	CU_ASSERT_EQUAL(mailbox.result, result);
	CU_ASSERT_PTR_NULL(mailbox.link);
	mailbox_close(&mailbox);
	CU_ASSERT_EQUAL(strstr(mailbox.peer.heard, "open sesame") != NULL,
		result == IMAP_LINK_REFUSED);
}

/* The password goes to a server that is known, over TLS, and nowhere else. */
static void why_it_is_not_reached_is_told(void)
{
	static const struct line_peer_rule wrong[] = {
		{.verb = "LOGIN", .reply = "$ NO wrong\r\n"}, {.verb = NULL}};
	static const struct line_peer_rule clear[] = {
		{.verb = "CAPABILITY", .reply = "* CAPABILITY IMAP4rev1\r\n$ OK\r\n"},
		{.verb = "STARTTLS", .reply = "$ BAD what\r\n"}, {.verb = NULL}};
	static const struct line_peer_rule gone[] = {
		{.verb = "", .reply = "* OK", .flags = LINE_PEER_HANG_UP},
		{.verb = NULL}};

	check_refused("imaps", wrong, false, IMAP_LINK_REFUSED);
	check_refused("imap", wrong, false, IMAP_LINK_REFUSED);
	check_refused("imaps", NULL, true, IMAP_LINK_BAD_TLS);
	check_refused("imap", NULL, true, IMAP_LINK_BAD_TLS);
	check_refused("imap", clear, false, IMAP_LINK_BAD_TLS);
	check_refused("imaps", gone, false, IMAP_LINK_UNREACHABLE);
}

/* Nobody listens at the port that was just given back. */
static void nobody_is_there(void)
{
	struct mailbox mailbox;
	struct imap_link *link = NULL;

	mailbox_open(&mailbox, "imaps", NULL, false);
	imap_link_close(mailbox.link);
	line_peer_stop(&mailbox.peer);
	mailbox.settings.ca_file = NULL;
	CU_ASSERT_EQUAL(imap_link_open(&mailbox.settings, &link), IMAP_LINK_UNREACHABLE);
	CU_ASSERT_PTR_NULL(link);
	imap_link_close(NULL);
	cg_secret_wipe(&mailbox.settings.imap_password);
}

UNIT_SUITE(email_imap_link, UNIT_TEST(a_mailbox_is_reached_over_tls),
	UNIT_TEST(why_it_is_not_reached_is_told), UNIT_TEST(nobody_is_there));
