/* SPDX-License-Identifier: Apache-2.0 */
/* The example provider, built out of the tree by example.sh. */
#include "tests/contract/module.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void a_note_is_written_whole(void)
{
	char path[] = "/tmp/cowgate-notes-XXXXXX", text[256] = "";
	int fd = mkstemp(path);
	const struct settings_pair pairs[] = {{"path", path}, {NULL, NULL}};
	struct cg_outbound outbound = host_fake_text("remember the milk");
	struct rig *rig = module_rig("notes", pairs);
	struct host_fake_sent sent;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	rig_up(rig);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	for (int i = 0; i < 2; i++) {
		rig_send(rig, &outbound, &sent);
		host_fake_pass(rig->host, 0);
		CU_ASSERT_EQUAL(sent.count, 1);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	}
	CU_ASSERT_EQUAL(read(fd, text, sizeof(text) - 1), 38);
	CU_ASSERT_STRING_EQUAL(text, "remember the milk\n\nremember the milk\n\n");
	rig_destroy(rig);
	close(fd);
	unlink(path);
}

static enum cg_outcome_class class_of(const char *path)
{
	const struct settings_pair pairs[] = {{"path", path}, {NULL, NULL}};
	struct cg_outbound outbound = host_fake_text("x");
	struct rig *rig = module_rig("notes", pairs);
	struct host_fake_sent sent;

	rig_up(rig);
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.count, 1);
	rig_destroy(rig);
	return sent.outcome.class;
}

static void a_failure_is_told_by_how_far_it_came(void)
{
	CU_ASSERT_EQUAL(class_of("/nowhere/notes"), CG_OUTCOME_NOT_DISPATCHED);
	/* It opens, and cannot be synced. */
	CU_ASSERT_EQUAL(class_of("/dev/null"), CG_OUTCOME_AMBIGUOUS);
}

static int cancelled_count;

static void count_cancelled(void *arg, const struct cg_outcome *outcome)
{
	(void)arg;
	cancelled_count++;
	CU_ASSERT_EQUAL(outcome->class, CG_OUTCOME_AMBIGUOUS);
}

static void a_cancelled_note_is_told_once(void)
{
	static const struct settings_pair pairs[] = {
		{"path", "/nowhere/notes"}, {NULL, NULL}};
	struct cg_outbound outbound = host_fake_text("x");
	struct rig *rig = module_rig("notes", pairs);
	int name;

	rig_up(rig);
	cancelled_count = 0;
	rig->provider->ops->send(rig->self, &outbound, count_cancelled, &name);
	rig->provider->ops->cancel(rig->self, &name);
	CU_ASSERT_EQUAL(cancelled_count, 1);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(cancelled_count, 1);
	rig_destroy(rig);
}

static void limits_and_settings(void)
{
	static const struct settings_pair relative[] = {{"path", "notes"}, {NULL, NULL}};
	static const struct settings_pair pairs[] = {
		{"path", "/nowhere/notes"}, {NULL, NULL}};
	static char text[16386];
	struct cg_error err = {.text = ""};
	struct rig *rig = module_rig("notes", relative);
	struct cg_outbound outbound;
	struct host_fake_sent sent;

	CU_ASSERT_EQUAL(rig_create(rig, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "path"));
	rig_destroy(rig);
	rig = module_rig("notes", pairs);
	rig_up(rig);
	memset(text, 'x', 16385);
	outbound = host_fake_text(text);
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	rig_destroy(rig);
}

UNIT_SUITE(example, UNIT_TEST(a_note_is_written_whole),
	UNIT_TEST(a_failure_is_told_by_how_far_it_came),
	UNIT_TEST(a_cancelled_note_is_told_once), UNIT_TEST(limits_and_settings));
