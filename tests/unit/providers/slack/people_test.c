/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/people.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct slack_people people;

static void names_are_kept_for_some_hours(void)
{
	people = (struct slack_people){.next = 0};
	CU_ASSERT_TRUE(slack_people_wants(&people, "U1", 0));
	CU_ASSERT_PTR_NULL(slack_people_name(&people, "U1"));
	slack_people_put(&people, "U1", "Ann", 0);
	CU_ASSERT_STRING_EQUAL(slack_people_name(&people, "U1"), "Ann");
	CU_ASSERT_FALSE(slack_people_wants(&people, "U1", SLACK_PEOPLE_MS - 1));
	CU_ASSERT_TRUE(slack_people_wants(&people, "U1", SLACK_PEOPLE_MS));
	/* A name that cannot be had any more is better than none. */
	slack_people_put(&people, "U1", NULL, SLACK_PEOPLE_MS);
	CU_ASSERT_STRING_EQUAL(slack_people_name(&people, "U1"), "Ann");
	CU_ASSERT_FALSE(slack_people_wants(&people, "U1", SLACK_PEOPLE_MS));
}

static void who_has_no_name_is_not_asked_for_again(void)
{
	people = (struct slack_people){.next = 0};
	slack_people_put(&people, "U1", NULL, 0);
	CU_ASSERT_PTR_NULL(slack_people_name(&people, "U1"));
	CU_ASSERT_FALSE(slack_people_wants(&people, "U1", 1));
	CU_ASSERT_FALSE(slack_people_wants(&people, "", 1));
	CU_ASSERT_FALSE(slack_people_wants(
		&people, "U01234567890123456789012345678901234567890", 1));
}

static void the_oldest_makes_room(void)
{
	char id[16];

	people = (struct slack_people){.next = 0};
	for (int i = 0; i <= SLACK_PEOPLE; i++) {
		snprintf(id, sizeof(id), "U%d", i);
		slack_people_put(&people, id, id, 0);
	}
	CU_ASSERT_PTR_NULL(slack_people_name(&people, "U0"));
	CU_ASSERT_STRING_EQUAL(slack_people_name(&people, "U1"), "U1");
	CU_ASSERT_STRING_EQUAL(slack_people_name(&people, id), id);
}

UNIT_SUITE(slack_people, UNIT_TEST(names_are_kept_for_some_hours),
	UNIT_TEST(who_has_no_name_is_not_asked_for_again),
	UNIT_TEST(the_oldest_makes_room));
