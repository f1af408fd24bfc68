/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/card.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define CARD_TEXT_MAX 16384 /* bytes */
#define CARD_WHAT 1200 /* code points of what will run */
#define CARD_LINE 300 /* code points of a description, a question or an option */
#define CARD_OPTIONS 24 /* that are listed; the rest is said to be more */

void card_add_plain(struct cg_buffer *buffer, const char *text, size_t limit)
{
	size_t whole = strlen(text);
	size_t length = cg_text_prefix(text, whole, CG_UNIT_CODE_POINTS, limit);

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if ((unsigned char)c < 0x20 || c == 0x7f || strchr("*_`[]<>~|\\#", c))
			c = ' ';
		cg_buffer_char(buffer, c);
	}
	if (length < whole)
		cg_buffer_text(buffer, "…");
}

/* The longest run of backquotes. */
static size_t longest_run(const char *text, size_t length)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < length; i++) {
		run = text[i] == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* @text as a block of code, whatever it holds. */
static void add_block(struct cg_buffer *buffer, const char *text, size_t limit)
{
	size_t whole = strlen(text);
	size_t length = cg_text_prefix(text, whole, CG_UNIT_CODE_POINTS, limit);
	size_t fence = longest_run(text, length) + 1;

	fence = fence < 3 ? 3 : fence;
	for (size_t i = 0; i < fence; i++)
		cg_buffer_char(buffer, '`');
	cg_buffer_char(buffer, '\n');
	cg_buffer_add(buffer, text, length);
	cg_buffer_text(buffer, length < whole ? "…\n" : "\n");
	for (size_t i = 0; i < fence; i++)
		cg_buffer_char(buffer, '`');
	cg_buffer_char(buffer, '\n');
}

static const char *first_string(
	struct json_object *object, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = cg_json_string(object, keys[i]);

		if (!cg_text_blank(text))
			return text;
	}
	return NULL;
}

const char *card_target(enum inquiry_kind kind, struct json_object *payload)
{
	static const char *const permission[] = {"permissionId", "id"};
	static const char *const question[] = {"requestId", "requestID", "id"};

	return kind == INQUIRY_PERMISSION ? first_string(payload, permission, 2)
					  : first_string(payload, question, 3);
}

static void make_token(struct card *card)
{
	/* No letters that are taken for digits: people read it aloud. */
	static const char letters[32] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	uint8_t bytes[4];

	cg_random_id(card->token, 16);
	cg_random(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		card->code[i] = letters[bytes[i] % sizeof(letters)];
	card->code[sizeof(bytes)] = '\0';
}

static void add_button(struct card *card, const char *label, const char *choice,
	enum cg_button_style style)
{
	size_t at = card->button_count++;

	cg_text_copy(card->labels[at], CARD_LABEL, label);
	snprintf(card->tokens[at], sizeof(card->tokens[at]), "%.3s.%.*s", choice,
		INQUIRY_TOKEN_MAX, card->token);
	card->buttons[at] = (struct cg_button){
		.label = card->labels[at], .token = card->tokens[at], .style = style};
}

/* Labels as long as the platform takes them, rows as many; none at all if they do not fit. */
static void fit_buttons(struct card *card, const struct cg_capabilities *capabilities)
{
	size_t rows = capabilities->max_button_rows, count = card->button_count, row;

	if (count > capabilities->max_buttons || rows == 0 ||
		capabilities->max_button_token < strlen(card->token) + 4) {
		card->button_count = 0;
		return;
	}
	row = (count + rows - 1) / rows;
	if (card->kind == INQUIRY_PERMISSION && row < 3)
		row = count; /* short ones side by side */
	for (size_t i = 0; i < count; i++) {
		char *label = card->labels[i];
		size_t most = capabilities->max_button_label;

		if (most > 0)
			label[cg_text_prefix(
				label, strlen(label), CG_UNIT_CODE_POINTS, most)] = '\0';
		card->buttons[i].starts_row = i % row == 0;
	}
}

/* Permissions. */

/* What will run: the command, or the things that it is about, one a line. */
static void collect_what(struct json_object *input, struct cg_buffer *ret)
{
	static const char *const strings[] = {
		"command", "filePath", "path", "file", "url", "pattern"};
	static const char *const lists[] = {"resources", "patterns", "files", "paths"};
	const char *one = first_string(input, strings, 6);

	if (one != NULL)
		cg_buffer_text(ret, one);
	for (size_t i = 0; one == NULL && i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct json_object *list = cg_json_array(input, lists[i]);

		for (size_t k = 0; k < cg_json_count(list) && k < CARD_OPTIONS; k++) {
			const char *text =
				cg_json_value_string(cg_json_at(list, k), NULL);

			if (text == NULL)
				continue;
			if (ret->length > 0)
				cg_buffer_char(ret, '\n');
			cg_buffer_text(ret, text);
		}
	}
}

static void add_permission(struct card *card, const struct card_request *request)
{
	static const char *const titles[] = {"description", "summary"};
	struct json_object *payload = request->payload;
	const char *tool = cg_json_string(payload, "tool");
	const char *why = first_string(payload, titles, 2);
	const char *title = cg_json_string(payload, "title");
	struct cg_buffer what;
	size_t most = request->capabilities->max_text / 3;

	cg_buffer_init(&what, CARD_TEXT_MAX);
	collect_what(cg_json_object(payload, "input"), &what);
	cg_buffer_text(&card->text, "**Approval needed: ");
	card_add_plain(&card->text,
		tool != NULL ? tool : (title != NULL ? title : "the agent asks"), 120);
	cg_buffer_text(&card->text, "**\n\n");
	/* Often no more than the tool and its command once again. */
	if (why != NULL &&
		(what.length == 0 || strstr(why, cg_buffer_string(&what)) == NULL)) {
		card_add_plain(&card->text, why, CARD_LINE);
		cg_buffer_text(&card->text, "\n\n");
	}
	if (what.length > 0) {
		add_block(&card->text, cg_buffer_string(&what),
			most > 0 && most < CARD_WHAT ? most : CARD_WHAT);
		cg_buffer_char(&card->text, '\n');
	}
	cg_buffer_text(&card->text, "Members of this chat may decide, within 24 hours.");
	cg_buffer_finish(&what);
	add_button(card, "Approve", "y", CG_BUTTON_GOOD);
	if (request->always)
		add_button(card, "Always", "a", CG_BUTTON_PLAIN);
	add_button(card, "Deny", "n", CG_BUTTON_DANGER);
	fit_buttons(card, request->capabilities);
}

/* Questions. */

static const char *option_label(struct json_object *option)
{
	const char *label = cg_json_value_string(option, NULL);

	return label != NULL ? label : cg_json_string(option, "label");
}

static void add_options(struct card *card, struct json_object *options)
{
	size_t count = cg_json_count(options);

	for (size_t i = 0; i < count && i < CARD_OPTIONS; i++) {
		struct json_object *option = cg_json_at(options, i);
		const char *label = option_label(option);
		const char *more = cg_json_string(option, "description");

		cg_buffer_format(&card->text, "%zu\\. ", i + 1);
		card_add_plain(&card->text, label == NULL ? "" : label, CARD_LINE / 3);
		if (!cg_text_blank(more)) {
			cg_buffer_text(&card->text, ": ");
			card_add_plain(&card->text, more, CARD_LINE / 3);
		}
		cg_buffer_char(&card->text, '\n');
	}
	if (count > CARD_OPTIONS)
		cg_buffer_text(&card->text, "…\n");
}

/* @list: buttons do not say it all. */
static void add_question(struct card *card, struct json_object *question, bool list)
{
	static const char *const texts[] = {"question", "prompt", "text"};
	const char *text = first_string(question, texts, 3);
	const char *header = cg_json_string(question, "header");

	cg_buffer_text(&card->text, "**");
	card_add_plain(&card->text, cg_text_blank(header) ? "Question" : header, 120);
	cg_buffer_text(&card->text, "**\n\n");
	if (text != NULL) {
		card_add_plain(&card->text, text, 2 * CARD_LINE);
		cg_buffer_text(&card->text, "\n\n");
	}
	if (list)
		add_options(card, cg_json_array(question, "options"));
	if (cg_json_bool(question, "multiple", false))
		cg_buffer_text(&card->text, "(several may be chosen)\n");
	cg_buffer_char(&card->text, '\n');
}

static void keep_options(
	struct card *card, struct json_object *question, size_t questions)
{
	struct json_object *options = cg_json_array(question, "options");
	struct json_object *kept = cg_json_new_object(), *labels = cg_json_new_array();

	for (size_t i = 0; i < cg_json_count(options) && i < CARD_OPTIONS; i++) {
		const char *label = option_label(cg_json_at(options, i));

		cg_json_append(labels, cg_json_new_string(label == NULL ? "" : label));
	}
	cg_json_put(kept, "options", labels);
	cg_json_put_bool(kept, "custom", cg_json_bool(question, "custom", true));
	cg_json_put_int(kept, "questions", (int64_t)questions);
	cg_buffer_text(&card->options, cg_json_text(kept, NULL));
	cg_json_free(kept);
}

/* A button for each option, where one question has one answer. */
static void add_choices(struct card *card, struct json_object *question, size_t questions)
{
	struct json_object *options = cg_json_array(question, "options");

	if (questions > 1 || cg_json_bool(question, "multiple", false) ||
		cg_json_count(options) == 0 || cg_json_count(options) > CARD_OPTIONS)
		return;
	for (size_t i = 0; i < cg_json_count(options); i++) {
		const char *label = option_label(cg_json_at(options, i));
		char choice[4];

		snprintf(choice, sizeof(choice), "%u", (unsigned)i % 100);
		add_button(card, cg_text_blank(label) ? "?" : label, choice,
			CG_BUTTON_PLAIN);
	}
	add_button(card, "Reject", "r", CG_BUTTON_DANGER);
}

/* Do the buttons say all that there is to be said of the options? */
static bool is_said_by_buttons(const struct card *card, struct json_object *question)
{
	struct json_object *options = cg_json_array(question, "options");

	if (card->button_count == 0)
		return false;
	for (size_t i = 0; i < cg_json_count(options); i++) {
		struct json_object *option = cg_json_at(options, i);
		const char *label = option_label(option);

		if (!cg_text_blank(cg_json_string(option, "description")) ||
			cg_text_blank(label) || strcmp(label, card->labels[i]) != 0)
			return false;
	}
	return true;
}

static void add_questions(struct card *card, const struct card_request *request)
{
	struct json_object *list = cg_json_array(request->payload, "questions");
	size_t count = cg_json_count(list);
	struct json_object *first = count > 0 ? cg_json_at(list, 0) : request->payload;

	add_choices(card, first, count);
	fit_buttons(card, request->capabilities);
	if (count <= 1)
		add_question(card, first, !is_said_by_buttons(card, first));
	for (size_t i = 0; count > 1 && i < count && i < CARD_OPTIONS; i++)
		add_question(card, cg_json_at(list, i), true);
	keep_options(card, first, count == 0 ? 1 : count);
	while (card->text.length > 0 && card->text.bytes[card->text.length - 1] == '\n')
		cg_buffer_truncate(&card->text, card->text.length - 1);
}

/* How it is answered by typing. */
static void add_hint(struct card *card)
{
	const char *code = card->code;

	if (card->kind == INQUIRY_PERMISSION) {
		if (card->button_count == 0)
			cg_buffer_format(
				&card->hint, "\n\n/approve %s\n/deny %s", code, code);
	} else if (card->button_count == 0) {
		cg_buffer_format(&card->hint,
			"\n\n/answer %s and your answer\n/reject %s", code, code);
	}
}

enum cg_status card_make(const struct card_request *request, struct card *ret)
{
	const char *target = card_target(request->kind, request->payload);
	enum cg_status status;

	*ret = (struct card){.kind = request->kind};
	cg_buffer_init(&ret->text, CARD_TEXT_MAX);
	cg_buffer_init(&ret->hint, 256);
	cg_buffer_init(&ret->options, INQUIRY_OPTIONS_MAX);
	if (target == NULL || strlen(target) >= sizeof(ret->target_id))
		return CG_INVALID;
	cg_text_copy(ret->target_id, sizeof(ret->target_id), target);
	make_token(ret);
	if (request->kind == INQUIRY_PERMISSION)
		add_permission(ret, request);
	else
		add_questions(ret, request);
	add_hint(ret);
	status = cg_buffer_status(&ret->text);
	return status == CG_OK ? cg_buffer_status(&ret->options) : status;
}

void card_finish(struct card *card)
{
	cg_buffer_finish(&card->text);
	cg_buffer_finish(&card->hint);
	cg_buffer_finish(&card->options);
}

bool card_read_press(const char *text, struct card_press *ret)
{
	static const struct {
		char letter;
		enum card_choice choice;
	} letters[] = {{'y', CARD_ALLOW}, {'a', CARD_ALWAYS}, {'n', CARD_DENY},
		{'r', CARD_REJECT}};
	const char *dot = strchr(text, '.');
	size_t length = dot == NULL ? 0 : (size_t)(dot - text);

	if (length == 0 || length > 2 || dot[1] == '\0')
		return false;
	*ret = (struct card_press){.choice = CARD_OPTION, .token = dot + 1};
	for (size_t i = 0; length == 1 && i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (text[0] == letters[i].letter) {
			ret->choice = letters[i].choice;
			return true;
		}
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		ret->option = 10 * ret->option + (unsigned)(text[i] - '0');
	}
	return true;
}
