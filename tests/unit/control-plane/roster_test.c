/* SPDX-License-Identifier: Apache-2.0 */
/* The agents by name. */
#include "control-plane/roster.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <string.h>

static int living, made;
static bool refuses;

static enum cg_status make(const struct agent_host *host,
	const struct agent_options *options, void **ret, struct cg_error *err)
{
	(void)host;
	(void)options;
	if (refuses)
		return cg_error_set(err, CG_INVALID, "it wants a model");
	living++;
	made++;
	*ret = &living;
	return CG_OK;
}

static void destroy(void *self)
{
	CU_ASSERT_PTR_EQUAL(self, &living);
	living--;
}

static const struct agent_ops ops = {.name = "mute", .create = make, .destroy = destroy};

static void names_are_found(void)
{
	const struct plane_agent others[] = {
		{.name = "second", .ops = &ops, .options = {.model = "m-2"}},
		{.name = "third", .ops = &ops}};
	const struct plane_options options = {
		.agent = &ops, .agents = others, .agent_count = 2};
	struct roster roster;
	char names[64];

	CU_ASSERT_EQUAL_FATAL(roster_init(&roster, NULL, &options, NULL), CG_OK);
	CU_ASSERT_EQUAL(living, 3);
	CU_ASSERT_STRING_EQUAL(roster_find(&roster, "default")->name, "default");
	CU_ASSERT_STRING_EQUAL(roster_find(&roster, "second")->model, "m-2");
	CU_ASSERT_PTR_NULL(roster_find(&roster, "third")->model);
	CU_ASSERT_PTR_NULL(roster_find(&roster, "fourth"));
	CU_ASSERT_PTR_NULL(roster_find(&roster, NULL));
	roster_names(&roster, names, sizeof(names));
	CU_ASSERT_STRING_EQUAL(names, "default, second and third");
	roster_names(&roster, names, 10);
	CU_ASSERT_STRING_EQUAL(names, "default, ");
	/* The names outlive the agents: the writer thread may still look them up. */
	roster_stop(&roster);
	CU_ASSERT_EQUAL(living, 0);
	CU_ASSERT_PTR_NOT_NULL(roster_find(&roster, "second"));
	roster_finish(&roster);
	CU_ASSERT_EQUAL(living, 0);
	roster_finish(&roster);
}

static void what_cannot_be_made_leaves_nothing(void)
{
	const struct plane_agent twice[] = {{.name = "default", .ops = &ops}};
	struct plane_agent many[ROSTER_MOST] = {{.name = "x", .ops = &ops}};
	struct plane_options options = {.agent = &ops, .agents = twice, .agent_count = 1};
	struct roster roster;
	struct cg_error err;

	CU_ASSERT_EQUAL(roster_init(&roster, NULL, &options, &err), CG_CONFLICT);
	CU_ASSERT_STRING_EQUAL(err.text, "there are two agents called default");
	CU_ASSERT_EQUAL(living, 0);
	CU_ASSERT_EQUAL(roster.count, 0);
	options.agents = many;
	options.agent_count = ROSTER_MOST;
	made = 0;
	CU_ASSERT_EQUAL(roster_init(&roster, NULL, &options, &err), CG_LIMIT);
	CU_ASSERT_EQUAL(made, 0);
	refuses = true;
	options.agent_count = 0;
	CU_ASSERT_EQUAL(roster_init(&roster, NULL, &options, &err), CG_INVALID);
	CU_ASSERT_STRING_EQUAL(err.text, "it wants a model");
	refuses = false;
	CU_ASSERT_EQUAL(living, 0);
}

UNIT_SUITE(roster, UNIT_TEST(names_are_found),
	UNIT_TEST(what_cannot_be_made_leaves_nothing));
