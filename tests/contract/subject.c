/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/subject.h"

#include "tests/unit/unit.h"

const struct subject *const subjects[] = {
#define SUBJECT(kind) &subject_##kind,
#include "tests/contract/subjects.def"
#undef SUBJECT
};
const size_t subject_count = sizeof(subjects) / sizeof(*subjects);

void subject_settle(const struct subject *subject, struct rig *rig)
{
	if (subject->settle != NULL)
		subject->settle(rig);
}

struct rig *subject_up(const struct subject *subject)
{
	struct rig *rig = module_rig(subject->kind, subject->settings);

	rig_up(rig);
	subject_settle(subject, rig);
	return rig;
}

struct cg_capabilities subject_capabilities(const struct subject *subject)
{
	struct rig *rig = module_rig(subject->kind, subject->settings);
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	CU_ASSERT_EQUAL_FATAL(rig_create(rig, NULL), CG_OK);
	rig->provider->ops->capabilities(rig->self, &capabilities);
	rig_destroy(rig);
	return capabilities;
}
