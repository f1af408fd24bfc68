/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/imap_private.h"
#include "tests/support/host_fake.h"
#include "tests/unit/unit.h"

#include <string.h>

/* A mailbox as imap_place.c sees it. */
struct place {
	struct host_fake *host;
	struct email email;
	struct imap imap;
};

static void place_init(struct place *place)
{
	static const struct settings_pair none[] = {{NULL, NULL}};

	memset(place, 0, sizeof(*place));
	place->host = host_fake_create("email", email_options, EMAIL_OPTIONS, none);
	place->email.host = &place->host->host;
	place->email.settings.imap_url = "imaps://imap.example.org";
	place->email.settings.imap_username = "agent";
	place->email.settings.imap_folder = "INBOX";
	place->imap.email = &place->email;
	place->imap.validity = 9;
	imap_place_init(&place->imap);
}

static void place_finish(struct place *place)
{
	host_fake_destroy(place->host);
}

static void each_mailbox_has_its_own(void)
{
	struct place one, other;

	place_init(&one);
	place_init(&other);
	CU_ASSERT_STRING_EQUAL(one.imap.key, other.imap.key);
	CU_ASSERT_EQUAL(strncmp(one.imap.key, "imap:", 5), 0);
	CU_ASSERT_PTR_NULL(strstr(one.imap.key, "example"));
	other.email.settings.imap_folder = "Archive";
	imap_place_init(&other.imap);
	CU_ASSERT_STRING_NOT_EQUAL(one.imap.key, other.imap.key);
	other.email.settings.imap_folder = "INBOX";
	other.email.settings.imap_username = "agent2";
	imap_place_init(&other.imap);
	CU_ASSERT_STRING_NOT_EQUAL(one.imap.key, other.imap.key);
	other.email.settings.imap_username = "agent";
	other.email.settings.imap_url = "imaps://imap.example.net";
	imap_place_init(&other.imap);
	CU_ASSERT_STRING_NOT_EQUAL(one.imap.key, other.imap.key);
	place_finish(&one);
	place_finish(&other);
}

static void a_place_is_kept(void)
{
	struct place place;
	uint32_t validity = 0, last = 0;
	char value[IMAP_VALUE];

	place_init(&place);
	CU_ASSERT_FALSE(imap_place_load(&place.imap, &validity, &last));
	place.imap.validity = UINT32_MAX;
	imap_place_write(&place.imap, UINT32_MAX, value);
	CU_ASSERT_STRING_EQUAL(value, "4294967295 4294967295");
	host_fake_keep(place.host, place.imap.key, value);
	CU_ASSERT_TRUE(imap_place_load(&place.imap, &validity, &last));
	CU_ASSERT_EQUAL(validity, UINT32_MAX);
	CU_ASSERT_EQUAL(last, UINT32_MAX);
	host_fake_keep(place.host, place.imap.key, "12");
	CU_ASSERT_FALSE(imap_place_load(&place.imap, &validity, &last));
	host_fake_keep(place.host, place.imap.key, "");
	CU_ASSERT_FALSE(imap_place_load(&place.imap, &validity, &last));
	place_finish(&place);
}

static void a_mail_is_passed_over_without_a_message(void)
{
	struct place place;

	place_init(&place);
	imap_place_pass(&place.imap, 5);
	CU_ASSERT_EQUAL(place.host->checkpoints, 1);
	CU_ASSERT_STRING_EQUAL(host_fake_kept(place.host, place.imap.key), "9 5");
	place_finish(&place);
}

static void what_is_newer_is_searched(void)
{
	struct place place;
	char what[64];

	place_init(&place);
	place.imap.last = 41;
	place.imap.next = 50;
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 42:*");
	CU_ASSERT_FALSE(imap_place_go_on(&place.imap));
	CU_ASSERT_EQUAL(place.imap.last, 41);
	place.imap.next = 0; /* not every server says it */
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 42:*");
	place_finish(&place);
}

/* The answer is one line: of very many numbers so many at a time, and none is left out. */
static void very_many_are_searched_in_windows(void)
{
	struct place place;
	char what[64];

	place_init(&place);
	place.imap.last = 5;
	place.imap.next = 20007;
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 6:10005");
	CU_ASSERT_TRUE(imap_place_go_on(&place.imap));
	CU_ASSERT_EQUAL(place.imap.last, 10005);
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 10006:20005");
	CU_ASSERT_TRUE(imap_place_go_on(&place.imap));
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 20006:*");
	CU_ASSERT_FALSE(imap_place_go_on(&place.imap));
	/* As many as a window and one. */
	place.imap.last = 5;
	place.imap.next = 10006;
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 6:*");
	/* The numbers end: nothing is added beyond. */
	place.imap.last = UINT32_MAX - 3;
	place.imap.next = UINT32_MAX;
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 4294967293:*");
	CU_ASSERT_FALSE(imap_place_go_on(&place.imap));
	place_finish(&place);
}

static void a_new_numbering_is_read_of_the_last_days(void)
{
	struct place place;
	char what[64];

	place_init(&place);
	place.imap.renumbered = true;
	place.imap.next = 3;
	imap_place_search(&place.imap, what); /* it is the 14th of November 2023 */
	CU_ASSERT_STRING_EQUAL(what, "UID 1:* SINCE 11-Nov-2023");
	place.imap.next = 30000;
	place.host->wall_ms = INT64_C(1704153600000); /* the 2nd of January 2024 */
	imap_place_search(&place.imap, what);
	CU_ASSERT_STRING_EQUAL(what, "UID 1:10000 SINCE 30-Dec-2023");
	place_finish(&place);
}

UNIT_SUITE(email_imap_place, UNIT_TEST(each_mailbox_has_its_own),
	UNIT_TEST(a_place_is_kept), UNIT_TEST(a_mail_is_passed_over_without_a_message),
	UNIT_TEST(what_is_newer_is_searched),
	UNIT_TEST(very_many_are_searched_in_windows),
	UNIT_TEST(a_new_numbering_is_read_of_the_last_days));
