/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/prompt_copy.h"

#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

static bool copy_file(const struct agent_file *file, struct agent_file *ret)
{
	*ret = (struct agent_file){
		.filename = copy_text(file->filename),
		.mime_type = copy_text(file->mime_type),
		.path = copy_text(file->path),
		.bytes = file->bytes,
	};
	return ret->filename != NULL && ret->path != NULL &&
	       (ret->mime_type != NULL || file->mime_type == NULL);
}

enum cg_status prompt_copy_init(
	struct prompt_copy *copy, const struct agent_prompt *prompt)
{
	*copy = (struct prompt_copy){
		.command_id = copy_text(prompt->command_id),
		.text = copy_text(prompt->text),
		.agent = copy_text(prompt->agent),
		.files = calloc(prompt->file_count + 1, sizeof(*copy->files)),
	};
	copy->view = (struct agent_prompt){
		.command_id = copy->command_id,
		.text = copy->text,
		.agent = copy->agent,
		.attempt = prompt->attempt,
		.files = copy->files,
	};
	if (copy->command_id == NULL || copy->text == NULL || copy->files == NULL ||
		(copy->agent == NULL && prompt->agent != NULL))
		return CG_NOMEM;
	while (copy->view.file_count < prompt->file_count) {
		size_t i = copy->view.file_count++;

		if (!copy_file(&prompt->files[i], &copy->files[i]))
			return CG_NOMEM;
	}
	return CG_OK;
}

void prompt_copy_finish(struct prompt_copy *copy)
{
	for (size_t i = 0; copy->files != NULL && i < copy->view.file_count; i++) {
		/* Allocated here, const only in the shape that agents see. */
		free((void *)(uintptr_t)copy->files[i].filename);
		free((void *)(uintptr_t)copy->files[i].mime_type);
		free((void *)(uintptr_t)copy->files[i].path);
	}
	free(copy->files);
	free(copy->agent);
	free(copy->text);
	free(copy->command_id);
	*copy = (struct prompt_copy){0};
}
