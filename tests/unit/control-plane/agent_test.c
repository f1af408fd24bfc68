/* SPDX-License-Identifier: Apache-2.0 */
/* The backends by their names. */
#include "control-plane/agents/agent.h"

#include "tests/unit/unit.h"

#include <stddef.h>
#include <string.h>

static void backends_are_found_by_name(void)
{
	static const char *const names[] = {"acp", "echo", "openai", "opencode"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct agent_ops *ops = agent_find(names[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(ops);
		CU_ASSERT_STRING_EQUAL(ops->name, names[i]);
		/* What every backend must have. */
		CU_ASSERT_TRUE(ops->create != NULL && ops->destroy != NULL &&
			       ops->start != NULL && ops->cancel != NULL &&
			       ops->repeatable != NULL && ops->health != NULL);
		ops->destroy(NULL);
	}
	CU_ASSERT_PTR_NULL(agent_find("oracle"));
	CU_ASSERT_PTR_NULL(agent_find(""));
}

UNIT_SUITE(agent, UNIT_TEST(backends_are_found_by_name));
