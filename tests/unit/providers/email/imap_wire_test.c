/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/imap_wire.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct imap_response read_all(const char *bytes)
{
	struct imap_response response;

	imap_wire_read(bytes, strlen(bytes), 1000, &response);
	return response;
}

static void lines_have_kinds(void)
{
	CU_ASSERT_EQUAL(read_all("* OK ready\r\n").kind, IMAP_UNTAGGED);
	CU_ASSERT_EQUAL(read_all("+ idling\r\n").kind, IMAP_CONTINUE);
	CU_ASSERT_EQUAL(read_all("c12 OK done\r\n").kind, IMAP_TAGGED);
	CU_ASSERT_EQUAL(read_all("c12 OK done\r\n").tag, 12);
	CU_ASSERT_TRUE(read_all("c12 ok done\r\n").ok);
	CU_ASSERT_FALSE(read_all("c12 NO done\r\n").ok);
	CU_ASSERT_EQUAL(read_all("* OK rea").kind, IMAP_MORE);
	CU_ASSERT_EQUAL(read_all("").kind, IMAP_MORE);
	CU_ASSERT_EQUAL(read_all("HTTP/1.1 200 OK\r\n").kind, IMAP_BROKEN);
	CU_ASSERT_EQUAL(read_all("c OK\r\n").kind, IMAP_BROKEN);
}

static void literals_are_bytes(void)
{
	const char text[] =
		"* 4 FETCH (RFC822.SIZE 12 BODY[]<0> {12}\r\nc1 OK no\r\n{5 UID 7)\r\n"
		"* 5 EXISTS\r\n";
	struct imap_response response = read_all(text);
	uint32_t number = 0;

	CU_ASSERT_EQUAL(response.kind, IMAP_UNTAGGED);
	CU_ASSERT_EQUAL(response.literal.length, 12);
	CU_ASSERT_EQUAL(strncmp(response.literal.bytes, "c1 OK no\r\n{5", 12), 0);
	CU_ASSERT_TRUE(imap_response_number(&response, "UID", &number));
	CU_ASSERT_EQUAL(number, 7);
	CU_ASSERT_TRUE(imap_response_number(&response, "RFC822.SIZE", &number));
	CU_ASSERT_EQUAL(number, 12);
	CU_ASSERT_TRUE(imap_response_has(&response, "FETCH"));
	CU_ASSERT_EQUAL(response.consumed, strlen(text) - strlen("* 5 EXISTS\r\n"));
	CU_ASSERT_EQUAL(read_all("* X {1001}\r\n").kind, IMAP_BROKEN);
	CU_ASSERT_EQUAL(read_all("* X {1000}\r\nabc").kind, IMAP_MORE);
	CU_ASSERT_EQUAL(read_all("* X {99999999999}\r\n").kind, IMAP_UNTAGGED);
}

static void a_line_has_an_end(void)
{
	char *bytes = malloc(IMAP_LINE_MAX + 2);
	struct imap_response response;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	memset(bytes, 'x', IMAP_LINE_MAX + 2);
	CU_ASSERT_EQUAL(imap_wire_read(bytes, IMAP_LINE_MAX, 10, &response), IMAP_MORE);
	CU_ASSERT_EQUAL(
		imap_wire_read(bytes, IMAP_LINE_MAX + 1, 10, &response), IMAP_BROKEN);
	free(bytes);
}

static void numbers_and_words(void)
{
	struct imap_response response =
		read_all("* OK [UIDVALIDITY 4294967295] UIDs valid\r\n");
	uint32_t number = 1;

	CU_ASSERT_TRUE(imap_response_number(&response, "uidvalidity", &number));
	CU_ASSERT_EQUAL(number, UINT32_MAX);
	CU_ASSERT_FALSE(imap_response_number(&response, "UID", &number));
	response = read_all("* OK [UIDNEXT 4294967296]\r\n");
	CU_ASSERT_FALSE(imap_response_number(&response, "UIDNEXT", &number));
	response = read_all("* 5 EXISTS\r\n");
	CU_ASSERT_TRUE(imap_response_counts(&response, "EXISTS"));
	CU_ASSERT_FALSE(imap_response_counts(&response, "EXIST"));
	response = read_all("* OK 5 EXISTS\r\n");
	CU_ASSERT_FALSE(imap_response_counts(&response, "EXISTS"));
	response = read_all("* CAPABILITY IMAP4rev1 IDLE\r\n");
	CU_ASSERT_TRUE(imap_response_has(&response, "IDLE"));
	CU_ASSERT_FALSE(imap_response_has(&response, "IDL"));
}

static void searches_are_sorted_and_capped(void)
{
	struct imap_response response = read_all("* SEARCH 9 3 7 3 12 5\r\n");
	uint32_t uids[3];
	size_t count = imap_response_uids(&response, 4, uids, 0, 3);

	CU_ASSERT_EQUAL(count, 3);
	CU_ASSERT_TRUE(uids[0] == 5 && uids[1] == 7 && uids[2] == 9);
	response = read_all("* SEARCH 6 99999999999 8\r\n");
	count = imap_response_uids(&response, 4, uids, count, 3);
	CU_ASSERT_TRUE(count == 3 && uids[1] == 6 && uids[2] == 7);
	response = read_all("* SEARCH\r\n");
	CU_ASSERT_EQUAL(imap_response_uids(&response, 4, uids, 0, 3), 0);
	response = read_all("* 5 EXISTS\r\n");
	CU_ASSERT_EQUAL(imap_response_uids(&response, 4, uids, 0, 3), 0);
}

UNIT_SUITE(email_imap_wire, UNIT_TEST(lines_have_kinds), UNIT_TEST(literals_are_bytes),
	UNIT_TEST(a_line_has_an_end), UNIT_TEST(numbers_and_words),
	UNIT_TEST(searches_are_sorted_and_capped));
