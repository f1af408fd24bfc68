/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a webhook's sender and receiver may say: requests are mapped or refused with a reason,
 * what was mapped keeps to the limits, contents that came along become files of their size.
 */
#include "providers/webhook/wire.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/spool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ATTACHMENT 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static enum cg_status spool_create(const struct cg_host *host, uint64_t limit,
	int *ret_fd, char *ret_path, size_t path_size, struct cg_error *err)
{
	(void)host, (void)limit, (void)err;
	cg_text_copy(ret_path, path_size, "/tmp/cowgate-fuzz-XXXXXX");
	*ret_fd = mkstemp(ret_path);
	return *ret_fd < 0 ? CG_IO : CG_OK;
}

static void check_files(struct json_object *body, struct webhook_message *message)
{
	static const struct cg_host host = {
		.size = sizeof(host), .spool_create = spool_create};
	struct cg_spool_inline *files = calloc(1, sizeof(*files));

	require(files != NULL);
	require(cg_spool_inline_open(files, &host, body, &message->parts, NULL) == CG_OK);
	cg_spool_inline_write(files);
	require(files->status == CG_OK);
	for (size_t i = 0; i < message->inbound.attachment_count; i++) {
		const struct cg_attachment *attachment = &message->inbound.attachments[i];
		struct stat file;

		if (attachment->spool_path == NULL)
			continue;
		require(stat(attachment->spool_path, &file) == 0);
		require(file.st_size == attachment->bytes);
		require(file.st_size <= MAX_ATTACHMENT);
	}
	cg_spool_inline_finish(files, false);
	free(files);
}

static void check_message(const struct cg_inbound *inbound)
{
	const char *ids[] = {inbound->target.chat_id, inbound->target.thread_id,
		inbound->target.user_id, inbound->sender.user_id, inbound->message_id};

	require(inbound->target.chat_id != NULL && inbound->sender.user_id != NULL);
	require(inbound->text != NULL);
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		require(ids[i] == NULL || cg_text_clean(ids[i], strlen(ids[i]), 512));
	require(inbound->event_id == NULL ||
		cg_text_clean(inbound->event_id, strlen(inbound->event_id), 256));
	require(inbound->attachment_count <= CG_INBOUND_ATTACHMENTS);
	require((inbound->type == CG_EVENT_INTERACTION) ==
		(inbound->interaction != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct json_object *body = NULL;
	struct webhook_message message;
	struct cg_error err = {.text = ""};
	char receipt[CG_INBOUND_ID + 1];

	webhook_wire_receipt((const char *)bytes, length, receipt);
	require(receipt[0] == '\0' ||
		cg_text_clean(receipt, strlen(receipt), CG_INBOUND_ID));
	if (cg_json_parse((const char *)bytes, length, &body, NULL) != CG_OK)
		return 0;
	if (webhook_wire_read(body, MAX_ATTACHMENT, &message, &err) == CG_OK) {
		check_message(&message.inbound);
		if (cg_spool_inline_any(body))
			check_files(body, &message);
	} else {
		require(err.text[0] != '\0');
	}
	cg_json_free(body);
	return 0;
}
