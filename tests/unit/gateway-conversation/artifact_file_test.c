/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/artifact_file.h"

#include "tests/unit/gateway-conversation/conversation_rig.h"

#include <dirent.h>

struct written {
	unsigned count;
	enum cg_status status;
	uint64_t bytes;
	char path[256];
};

static void on_written(void *arg, enum cg_status status, const char *path, uint64_t bytes)
{
	struct written *written = arg;

	written->count++;
	written->status = status;
	written->bytes = bytes;
	snprintf(written->path, sizeof(written->path), "%s", path);
}

/* Files that are not the journal's. */
static int left_behind(const struct talk *talk)
{
	DIR *directory = opendir(talk->yard.rig.directory);
	const struct dirent *entry;
	int count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.' &&
			 strstr(entry->d_name, "journal") == NULL;
	closedir(directory);
	return count;
}

static struct artifact_file *write_text(
	struct talk *talk, const char *base64, struct written *written)
{
	struct artifact_file *file = NULL;
	struct cloud_artifact artifact = {.record = cg_json_new_object()};

	cg_json_put_string(artifact.record, "dataBase64", base64);
	artifact.data_base64 = cg_json_value_string(
		cg_json_member(artifact.record, "dataBase64"), &artifact.data_length);
	*written = (struct written){.count = 0};
	CU_ASSERT_EQUAL_FATAL(artifact_file_write(talk->conversation, &artifact,
				      on_written, written, &file),
		CG_OK);
	cg_json_free(artifact.record); /* the answer goes; its text stays */
	CU_ASSERT_EQUAL(written->count, 0);
	return file;
}

static void bytes_are_on_the_disk_when_it_is_told(void)
{
	struct written written;
	struct talk talk;

	talk_init(&talk);
	write_text(&talk, "aGVs\nbG8=", &written);
	TALK_UNTIL(&talk, written.count == 1);
	CU_ASSERT_EQUAL(written.status, CG_OK);
	CU_ASSERT_EQUAL(written.bytes, 5);
	CU_ASSERT_EQUAL(left_behind(&talk), 1);
	unlink(written.path);
	CU_ASSERT(LIST_EMPTY(&talk.conversation->files));
	talk_finish(&talk);
}

static void what_makes_no_sense_leaves_nothing(void)
{
	struct written written;
	struct talk talk;

	talk_init(&talk);
	write_text(&talk, "aGVsbG8", &written);
	TALK_UNTIL(&talk, written.count == 1);
	CU_ASSERT_EQUAL(written.status, CG_INVALID);
	CU_ASSERT_EQUAL(left_behind(&talk), 0);
	talk_finish(&talk);
}

static void what_nobody_waits_for_leaves_nothing(void)
{
	struct written written;
	struct talk talk;

	talk_init(&talk);
	artifact_file_cancel(write_text(&talk, "aGVsbG8=", &written));
	artifact_file_cancel(NULL);
	TALK_UNTIL(&talk, LIST_EMPTY(&talk.conversation->files));
	CU_ASSERT_EQUAL(written.count, 0);
	CU_ASSERT_EQUAL(left_behind(&talk), 0);
	talk_finish(&talk);
}

static void a_place_that_is_not_there_is_an_error(void)
{
	struct written written;
	struct talk talk;

	talk_init(&talk);
	talk.conversation->options.spool_dir = "/nonexistent/spool";
	write_text(&talk, "aGVsbG8=", &written);
	TALK_UNTIL(&talk, written.count == 1);
	CU_ASSERT_EQUAL(written.status, CG_IO);
	talk_finish(&talk);
}

UNIT_SUITE(artifact_file, UNIT_TEST(bytes_are_on_the_disk_when_it_is_told),
	UNIT_TEST(what_makes_no_sense_leaves_nothing),
	UNIT_TEST(what_nobody_waits_for_leaves_nothing),
	UNIT_TEST(a_place_that_is_not_there_is_an_error));
