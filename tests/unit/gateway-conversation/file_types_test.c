/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/file_types.h"
#include "tests/unit/unit.h"

static enum file_verdict judge(
	const char *const *items, size_t count, const char *type, const char *name)
{
	const struct file_types types = {items, count};

	return file_types_judge(&types, type, name);
}

static void patterns_are_types(void)
{
	static const char *const some[] = {"text/*", "application/pdf"};

	CU_ASSERT_EQUAL(judge(some, 2, "text/plain", "a"), FILE_TAKEN);
	CU_ASSERT_EQUAL(judge(some, 2, "TEXT/x-c; charset=utf-8", "a"), FILE_TAKEN);
	CU_ASSERT_EQUAL(judge(some, 2, "application/PDF", "a"), FILE_TAKEN);
	CU_ASSERT_EQUAL(judge(some, 2, "application/pdf2", "a"), FILE_NO_TYPE);
	CU_ASSERT_EQUAL(judge(some, 2, "application/pd", "a"), FILE_NO_TYPE);
	CU_ASSERT_EQUAL(judge(some, 2, "text", "a"), FILE_NO_TYPE);
	CU_ASSERT_EQUAL(judge(some, 2, "text/", "a"), FILE_NO_TYPE);
	CU_ASSERT_EQUAL(judge(some, 2, "textual/plain", "a"), FILE_NO_TYPE);
	CU_ASSERT_EQUAL(judge(some, 2, "image/png", "a.txt"), FILE_NO_TYPE);
	/* Who says nothing sends bytes. */
	CU_ASSERT_EQUAL(judge(some, 2, NULL, "a.txt"), FILE_NO_TYPE);
	CU_ASSERT_EQUAL(judge(some, 2, " ", NULL), FILE_NO_TYPE);
	CU_ASSERT_EQUAL(judge(some, 0, "image/png", "a"), FILE_TAKEN);
}

static void programs_are_a_type_of_their_own(void)
{
	static const char *const all[] = {"application/*", "text/*"};
	static const char *const more[] = {"text/*", "programs"};
	static const char *const names[] = {
		"setup.exe", "SETUP.EXE", "a.b.msi", "x.exe. .", ".apk", "lib.so"};
	static const char *const others[] = {
		"exe", "a.exe.txt", "a.execute", "run.sh", "x.py", "a.bin", "", "..."};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CU_ASSERT_EQUAL(judge(all, 2, NULL, names[i]), FILE_NO_PROGRAM);
		CU_ASSERT_EQUAL(judge(all, 2, "text/plain", names[i]), FILE_NO_PROGRAM);
		CU_ASSERT_EQUAL(judge(more, 2, NULL, names[i]), FILE_TAKEN);
		CU_ASSERT_EQUAL(judge(all, 0, NULL, names[i]), FILE_TAKEN);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CU_ASSERT_EQUAL(judge(all, 2, NULL, others[i]), FILE_TAKEN);
	CU_ASSERT_EQUAL(judge(all, 2, "application/x-msdownload", "a"), FILE_NO_PROGRAM);
	CU_ASSERT_EQUAL(
		judge(all, 2, "Application/X-DosExec;v=1", NULL), FILE_NO_PROGRAM);
}

UNIT_SUITE(file_types, UNIT_TEST(patterns_are_types),
	UNIT_TEST(programs_are_a_type_of_their_own));
