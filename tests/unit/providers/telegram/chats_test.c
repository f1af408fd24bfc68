/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/chats.h"
#include "tests/support/host_fake.h"
#include "tests/unit/unit.h"

static const struct settings_pair none[] = {{NULL, NULL}};

static void count(void *arg, enum cg_verdict verdict)
{
	int *counts = arg;

	counts[verdict == CG_VERDICT_COMMITTED]++;
}

static void a_move_is_known_both_ways(void)
{
	struct host_fake *host = host_fake_create("telegram", NULL, 0, none);
	char room[TELEGRAM_NUMBER];
	int counts[2] = {0, 0};

	telegram_chats_move(&host->host, "-5", "-1005", count, counts);
	CU_ASSERT_EQUAL(host_fake_open_submissions(host), 2);
	host_fake_verdict(host, CG_VERDICT_COMMITTED);
	host_fake_verdict(host, CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(counts[true], 1);
	CU_ASSERT_EQUAL(counts[false], 1);
	CU_ASSERT_STRING_EQUAL(telegram_chats_now(&host->host, "-5", room), "-1005");
	CU_ASSERT_STRING_EQUAL(telegram_chats_known(&host->host, "-1005", room), "-5");
	CU_ASSERT_PTR_NULL(telegram_chats_now(&host->host, "-1005", room));
	CU_ASSERT_PTR_NULL(telegram_chats_known(&host->host, "-5", room));
	host_fake_destroy(host);
}

static void only_groups_move(void)
{
	struct host_fake *host = host_fake_create("telegram", NULL, 0, none);
	char room[TELEGRAM_NUMBER];

	host_fake_keep(host, "moved-to:5", "6");
	host_fake_keep(host, "moved-to:0", "6");
	host_fake_keep(host, "moved-to:@channel", "6");
	host_fake_keep(host, "moved-to:-5", "6");
	CU_ASSERT_PTR_NULL(telegram_chats_now(&host->host, "5", room));
	CU_ASSERT_PTR_NULL(telegram_chats_now(&host->host, "0", room));
	CU_ASSERT_PTR_NULL(telegram_chats_now(&host->host, "@channel", room));
	CU_ASSERT_STRING_EQUAL(telegram_chats_now(&host->host, "-5", room), "6");
	host_fake_destroy(host);
}

/* The longest number that a chat can have fits into a key. */
static void the_longest_number_has_room(void)
{
	struct host_fake *host = host_fake_create("telegram", NULL, 0, none);
	char room[TELEGRAM_NUMBER];

	telegram_chats_move(
		&host->host, "-9223372036854775808", "-9223372036854775807", NULL, NULL);
	CU_ASSERT_STRING_EQUAL(
		telegram_chats_now(&host->host, "-9223372036854775808", room),
		"-9223372036854775807");
	CU_ASSERT_STRING_EQUAL(
		telegram_chats_known(&host->host, "-9223372036854775807", room),
		"-9223372036854775808");
	host_fake_destroy(host);
}

UNIT_SUITE(telegram_chats, UNIT_TEST(a_move_is_known_both_ways),
	UNIT_TEST(only_groups_move), UNIT_TEST(the_longest_number_has_room));
