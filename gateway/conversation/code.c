/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/code.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/split.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CODE_EXTENSION 8 /* letters of a language that names its files itself */

static bool takes_files(const struct cg_capabilities *capabilities)
{
	return capabilities->chat && capabilities->text_form != CG_FORM_SOURCE &&
	       capabilities->max_file > 0 && capabilities->max_text > 0;
}

/* How files of that language end; @ret has CODE_EXTENSION + 1 bytes. */
static void find_extension(const char *language, size_t length, char *ret)
{
	static const struct {
		const char *name, *extension;
	} known[] = {
#define CODE_LANGUAGE(name, extension) {name, extension},
#include "gateway/conversation/code.def"
#undef CODE_LANGUAGE
	};

	snprintf(ret, CODE_EXTENSION + 1, "txt");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) == length &&
			strncasecmp(known[i].name, language, length) == 0) {
			snprintf(ret, CODE_EXTENSION + 1, "%s", known[i].extension);
			return;
		}
	}
	if (length == 0 || length > CODE_EXTENSION)
		return;
	for (size_t i = 0; i < length; i++) {
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789", language[i] | 0x20) ==
			NULL)
			return;
	}
	for (size_t i = 0; i <= length; i++)
		ret[i] = i < length ? (char)(language[i] | 0x20) : '\0';
}

/* The first word behind the marks. */
static void name_file(
	const char *source, const struct cg_fenced *block, size_t number, char *ret)
{
	const char *info = source + block->info;
	size_t length = 0;
	char extension[CODE_EXTENSION + 1];

	while (length < block->info_length && strchr(" \t\r{,:", info[length]) == NULL)
		length++;
	find_extension(info, length, extension);
	if (number == 0)
		snprintf(ret, CODE_NAME, "code.%s", extension);
	else
		snprintf(ret, CODE_NAME, "code-%zu.%s", number + 1, extension);
}

/* The lines of @block, each without the blanks that the fence itself has before it.  NULL: no
 * memory. */
static char *copy_code(
	const char *source, const struct cg_fenced *block, size_t *ret_lines)
{
	char *text = malloc(block->code_end - block->code + 1);
	size_t length = 0;

	*ret_lines = 0;
	for (size_t at = block->code; text != NULL && at < block->code_end;) {
		const char *end = memchr(source + at, '\n', block->code_end - at);
		size_t next = end == NULL ? block->code_end : (size_t)(end - source) + 1;

		for (size_t i = 0; i < block->indent && at < next &&
				   (source[at] == ' ' || source[at] == '\t');
			i++)
			at++;
		memcpy(text + length, source + at, next - at);
		length += next - at;
		at = next;
		(*ret_lines)++;
	}
	if (text != NULL)
		text[length] = '\0';
	return text;
}

static bool is_long(const struct outlet *outlet, const char *instance,
	const struct cg_capabilities *capabilities, const char *source,
	const struct cg_fenced *block)
{
	return block->code_end - block->code <= capabilities->max_file &&
	       outlet->measure(outlet->self, instance, source + block->at,
		       block->end - block->at) >
		       (uint64_t)CODE_MESSAGES * capabilities->max_text;
}

/* Where the block was, the file is named. */
static enum cg_status take_block(const char *source, const struct cg_fenced *block,
	struct cg_buffer *text, struct code *ret)
{
	struct code_file *file = &ret->files[ret->count];
	size_t lines;

	file->text = copy_code(source, block, &lines);
	if (file->text == NULL)
		return CG_NOMEM;
	name_file(source, block, ret->count, file->name);
	ret->count++;
	cg_buffer_add(text, source + block->at, block->indent);
	return cg_buffer_format(text, "📎 `%s` (%zu lines)", file->name, lines);
}

enum cg_status code_take(const struct outlet *outlet, const char *instance,
	const char *source, struct code *ret)
{
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	size_t length = strlen(source), from = 0, kept = 0;
	struct cg_fenced block;
	struct cg_buffer text;
	enum cg_status status = CG_OK;

	*ret = (struct code){.count = 0};
	if (outlet->capabilities(outlet->self, instance, &capabilities) == CG_NOT_FOUND ||
		!takes_files(&capabilities))
		return CG_OK;
	cg_buffer_init(&text, length + CODE_FILES * 128);
	while (status == CG_OK && ret->count < CODE_FILES &&
		cg_fenced_next(source, length, from, &block)) {
		from = block.end;
		if (!is_long(outlet, instance, &capabilities, source, &block))
			continue;
		cg_buffer_add(&text, source + kept, block.at - kept);
		status = take_block(source, &block, &text, ret);
		kept = block.end;
	}
	if (status == CG_OK && ret->count > 0) {
		cg_buffer_add(&text, source + kept, length - kept);
		ret->text = cg_buffer_take(&text, NULL);
		status = ret->text == NULL ? CG_NOMEM : CG_OK;
	}
	cg_buffer_finish(&text);
	if (status != CG_OK)
		code_finish(ret);
	return status;
}

void code_finish(struct code *code)
{
	for (size_t i = 0; i < code->count; i++)
		free(code->files[i].text);
	free(code->text);
	*code = (struct code){.count = 0};
}
