/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/host_fake_private.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct host_fake_submission *new_submission(
	struct host_fake *fake, cg_submit_done done, void *arg)
{
	struct host_fake_submission *submission =
		&fake->submissions[fake->submission_count++ % HOST_FAKE_SLOTS];

	CU_ASSERT_FALSE(submission->open);
	*submission = (struct host_fake_submission){
		.open = done != NULL, .done = done, .arg = arg};
	return submission;
}

static void keep_message(
	struct host_fake_submission *ret, const struct cg_inbound *inbound)
{
	COPY(ret->event_id, inbound->event_id);
	COPY(ret->fallback_key, inbound->fallback_key);
	COPY(ret->message_id, inbound->message_id);
	COPY(ret->chat_id, inbound->target.chat_id);
	COPY(ret->thread_id, inbound->target.thread_id);
	COPY(ret->user_id, inbound->target.user_id);
	COPY(ret->sender_id, inbound->sender.user_id);
	COPY(ret->username, inbound->sender.username);
	COPY(ret->name, inbound->sender.display_name);
	COPY(ret->text, inbound->text);
	COPY(ret->command, inbound->command);
	COPY(ret->args, inbound->command_args);
	ret->type = inbound->type;
	ret->has_raw = inbound->raw != NULL;
	ret->is_direct = inbound->target.is_direct;
	ret->is_bot = inbound->sender.is_bot;
	ret->attachments = inbound->attachment_count;
	if (inbound->attachment_count > 0) {
		COPY(ret->filename, inbound->attachments[0].filename);
		ret->file_bytes = inbound->attachments[0].bytes;
	}
	for (size_t i = 0; i < inbound->attachment_count && i < HOST_FAKE_FILES; i++) {
		const struct cg_attachment *attachment = &inbound->attachments[i];

		CU_ASSERT_EQUAL(attachment->size, sizeof(*attachment));
		COPY(ret->files[i].filename, attachment->filename);
		COPY(ret->files[i].mime_type, attachment->mime_type);
		COPY(ret->files[i].file_id, attachment->file_id);
		COPY(ret->files[i].spool_path, attachment->spool_path);
		ret->files[i].bytes = attachment->bytes;
	}
	if (inbound->interaction != NULL) {
		COPY(ret->press, inbound->interaction->id);
		COPY(ret->token, inbound->interaction->token);
		ret->pressed_by_command = inbound->interaction->is_command;
	}
	if (inbound->checkpoint != NULL) {
		COPY(ret->checkpoint_key, inbound->checkpoint->key);
		COPY(ret->checkpoint, inbound->checkpoint->value);
	}
}

void host_fake_submit(const struct cg_host *host, const struct cg_inbound *inbound,
	cg_submit_done done, void *arg)
{
	CU_ASSERT_EQUAL(inbound->size, sizeof(*inbound));
	CU_ASSERT_PTR_NOT_NULL(inbound->target.chat_id);
	CU_ASSERT_PTR_NOT_NULL(inbound->sender.user_id);
	CU_ASSERT_TRUE(inbound->event_id != NULL || inbound->fallback_key != NULL);
	keep_message(new_submission(host_fake_of(host), done, arg), inbound);
}

const char *host_fake_kept(const struct host_fake *fake, const char *key)
{
	for (size_t i = 0; i < fake->kept_count; i++) {
		if (strcmp(fake->kept[i].key, key) == 0)
			return fake->kept[i].value;
	}
	return NULL;
}

void host_fake_keep(struct host_fake *fake, const char *key, const char *value)
{
	size_t at = 0;

	while (at < fake->kept_count && strcmp(fake->kept[at].key, key) != 0)
		at++;
	if (at == HOST_FAKE_KEPT)
		abort();
	if (at == fake->kept_count)
		fake->kept_count++;
	COPY(fake->kept[at].key, key);
	COPY(fake->kept[at].value, value);
	COPY(fake->stored_key, key);
	COPY(fake->stored, value);
}

void host_fake_checkpoint(const struct cg_host *host,
	const struct cg_checkpoint *checkpoint, cg_submit_done done, void *arg)
{
	struct host_fake *fake = host_fake_of(host);

	fake->checkpoints++;
	host_fake_keep(fake, checkpoint->key, checkpoint->value);
	if (done != NULL)
		new_submission(fake, done, arg);
}

bool host_fake_checkpoint_load(
	const struct cg_host *host, const char *key, char *ret_value, size_t size)
{
	const char *value = host_fake_kept(host_fake_of(host), key);

	if (value == NULL)
		return false;
	host_fake_copy(ret_value, size, value);
	return true;
}

void host_fake_verdict(struct host_fake *fake, enum cg_verdict verdict)
{
	for (size_t i = 0; i < fake->submission_count && i < HOST_FAKE_SLOTS; i++) {
		struct host_fake_submission *submission = &fake->submissions[i];

		if (!submission->open)
			continue;
		submission->open = false;
		if (submission->checkpoint_key[0] != '\0' &&
			(verdict == CG_VERDICT_COMMITTED ||
				verdict == CG_VERDICT_DUPLICATE)) {
			host_fake_keep(
				fake, submission->checkpoint_key, submission->checkpoint);
		}
		submission->done(submission->arg, verdict);
		return;
	}
	CU_FAIL("nothing waits for a verdict");
}

size_t host_fake_open_submissions(const struct host_fake *fake)
{
	size_t count = 0;

	for (size_t i = 0; i < HOST_FAKE_SLOTS; i++)
		count += fake->submissions[i].open;
	return count;
}

struct host_fake_submission *host_fake_last(struct host_fake *fake)
{
	if (fake->submission_count == 0)
		abort();
	return &fake->submissions[(fake->submission_count - 1) % HOST_FAKE_SLOTS];
}
