/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/choice.h"

#include "gateway/conversation/card.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>
#include <strings.h>

#define CHOICE_SAID 200 /* code points of an answer on the card */

bool choice_from_press(struct choice *choice, const char *token)
{
	static const enum choice_verb verbs[] = {
		[CARD_ALLOW] = CHOICE_APPROVE,
		[CARD_ALWAYS] = CHOICE_ALWAYS,
		[CARD_DENY] = CHOICE_DENY,
		[CARD_REJECT] = CHOICE_REJECT,
		[CARD_OPTION] = CHOICE_OPTION,
	};
	struct card_press press;

	*choice = (struct choice){.verb = CHOICE_DENY};
	if (token == NULL || !card_read_press(token, &press) ||
		strlen(press.token) > INQUIRY_TOKEN_MAX)
		return false;
	choice->verb = verbs[press.choice];
	choice->option = press.option;
	cg_text_copy(choice->token, sizeof(choice->token), press.token);
	return true;
}

/* The next word of *at, which moves behind it and the blanks that follow. */
static size_t take_word(const char **at, const char **ret)
{
	size_t length;

	*ret = *at + strspn(*at, " \t\r\n");
	length = strcspn(*ret, " \t\r\n");
	*at = *ret + length;
	*at += strspn(*at, " \t\r\n");
	return length;
}

static bool is_word(const char *word, size_t length, const char *text)
{
	return length == strlen(text) && strncasecmp(word, text, length) == 0;
}

void choice_from_command(struct choice *choice, enum choice_verb verb, const char *args)
{
	const char *at = args == NULL ? "" : args, *word;
	size_t length = take_word(&at, &word);

	*choice = (struct choice){.verb = verb, .text = word};
	if (verb == CHOICE_APPROVE && is_word(word, length, "always")) {
		choice->verb = CHOICE_ALWAYS;
		return;
	}
	if (length == 0 || (verb == CHOICE_ANSWER && length > INQUIRY_CODE_MAX))
		return;
	/* A word that is too long is a code that nothing has. */
	memcpy(choice->code, word, length > INQUIRY_CODE_MAX ? INQUIRY_CODE_MAX : length);
	choice->whole = word;
	choice->text = at;
	choice->reason = verb == CHOICE_DENY && *at != '\0';
	length = take_word(&at, &word);
	if (verb == CHOICE_APPROVE && is_word(word, length, "always"))
		choice->verb = CHOICE_ALWAYS;
}

void choice_from_reply(struct choice *choice, const char *text, bool quotes)
{
	*choice = (struct choice){.verb = CHOICE_ANSWER,
		.text = text,
		.from_reply = true,
		.quotes = quotes};
}

bool choice_forget_code(struct choice *choice)
{
	if (choice->code[0] == '\0' || (choice->verb != CHOICE_ANSWER && !choice->reason))
		return false;
	choice->code[0] = '\0';
	choice->text = choice->whole;
	return true;
}

static struct json_object *options_of(const struct inquiry *inquiry)
{
	struct json_object *options = NULL;

	if (inquiry->options == NULL ||
		cg_json_parse(inquiry->options, strlen(inquiry->options), &options,
			NULL) != CG_OK)
		return NULL;
	return options;
}

bool choice_fits(const struct choice *choice, const struct inquiry *inquiry)
{
	struct json_object *options;
	bool fits;

	if (choice->token[0] != '\0' || choice->verb == CHOICE_REJECT)
		return true;
	if (choice->verb != CHOICE_ANSWER)
		return inquiry->kind == INQUIRY_PERMISSION;
	if (inquiry->kind != INQUIRY_QUESTION || !choice->from_reply || choice->quotes)
		return inquiry->kind == INQUIRY_QUESTION;
	options = options_of(inquiry);
	fits = inquiry->is_direct && cg_json_bool(options, "custom", true) &&
	       cg_json_int(options, "questions", 1) == 1;
	cg_json_free(options);
	return fits;
}

static void say(struct choice_result *ret, const char *what, const char *text)
{
	cg_buffer_text(ret->said, what);
	if (text != NULL)
		card_add_plain(ret->said, text, CHOICE_SAID);
}

static void apply_permission(const struct choice *choice,
	const struct choice_powers *powers, struct choice_result *ret)
{
	switch (choice->verb) {
	case CHOICE_APPROVE:
		ret->answer = CLOUD_ANSWER_ALLOW;
		ret->outcome = WORDS_DONE_APPROVED;
		say(ret, "Approved", NULL);
		return;
	case CHOICE_ALWAYS:
		ret->outcome = WORDS_NO_ALWAYS;
		if (!powers->always)
			return;
		ret->answer = CLOUD_ANSWER_ALLOW_ALWAYS;
		ret->outcome = WORDS_DONE_ALWAYS;
		say(ret, "Approved, always", NULL);
		return;
	case CHOICE_DENY:
	case CHOICE_REJECT:
		ret->answer = CLOUD_ANSWER_DENY;
		ret->outcome = !choice->reason   ? WORDS_DONE_DENIED
			       : powers->reasons ? WORDS_DONE_DENIED_WHY
						 : WORDS_DONE_DENIED_BARE;
		say(ret, "Denied", NULL);
		return;
	case CHOICE_ANSWER:
	case CHOICE_OPTION:
		break;
	}
	ret->outcome = WORDS_BUTTON_GONE;
}

/* The option that @text names by its number or its label; NULL: none. */
static const char *find_option(struct json_object *options, const char *text)
{
	struct json_object *labels = cg_json_array(options, "options");
	size_t count = cg_json_count(labels);
	int64_t number = 0;

	if (cg_parse_int(text, &number) && number >= 1 && (size_t)number <= count)
		return cg_json_value_string(cg_json_at(labels, (size_t)number - 1), NULL);
	for (size_t i = 0; i < count; i++) {
		const char *label = cg_json_value_string(cg_json_at(labels, i), NULL);

		if (label != NULL && strcasecmp(label, text) == 0)
			return label;
	}
	return NULL;
}

/* One line a question. */
static void apply_lines(
	const struct choice *choice, int64_t questions, struct choice_result *ret)
{
	struct json_object *answers = cg_json_new_array();
	const char *at = choice->text;

	while (*at != '\0') {
		size_t length = strcspn(at, "\r\n");

		if (length > 0)
			cg_json_append(answers, cg_json_new_string_length(at, length));
		at += length;
		at += strspn(at, "\r\n");
	}
	if ((int64_t)cg_json_count(answers) != questions) {
		cg_json_free(answers);
		ret->outcome = WORDS_ONE_LINE_EACH;
		return;
	}
	ret->answers = answers;
	ret->outcome = WORDS_DONE_ANSWERED;
	say(ret, "Answered: ", choice->text);
}

static void apply_question(const struct choice *choice, struct json_object *options,
	struct choice_result *ret)
{
	int64_t questions = cg_json_int(options, "questions", 1);
	struct json_object *labels = cg_json_array(options, "options");
	const char *label = NULL;

	if (choice->verb == CHOICE_REJECT || choice->verb == CHOICE_DENY) {
		ret->answer = CLOUD_ANSWER_REJECT;
		ret->outcome = WORDS_DONE_REJECTED;
		say(ret, "Rejected", NULL);
		return;
	}
	ret->answer = CLOUD_ANSWER_TEXTS;
	ret->outcome = WORDS_BUTTON_GONE;
	if (choice->verb == CHOICE_OPTION) {
		label = choice->option < cg_json_count(labels)
				? cg_json_value_string(
					  cg_json_at(labels, choice->option), NULL)
				: NULL;
	} else if (choice->verb == CHOICE_ANSWER && cg_text_blank(choice->text)) {
		ret->outcome = WORDS_ANSWER_MISSING;
	} else if (choice->verb == CHOICE_ANSWER && questions > 1) {
		apply_lines(choice, questions, ret);
	} else if (choice->verb == CHOICE_ANSWER) {
		label = find_option(options, choice->text);
		if (label == NULL && cg_json_bool(options, "custom", true))
			label = choice->text;
		ret->outcome = WORDS_NOT_AN_OPTION;
	}
	if (label == NULL)
		return;
	ret->answers = cg_json_new_array();
	cg_json_append(ret->answers, cg_json_new_string(label));
	ret->outcome = WORDS_DONE_ANSWERED;
	say(ret, "Answered: ", label);
}

void choice_apply(const struct choice *choice, const struct inquiry *inquiry,
	const struct choice_powers *powers, struct choice_result *ret)
{
	struct json_object *options;

	ret->answers = NULL;
	if (inquiry->kind == INQUIRY_PERMISSION) {
		apply_permission(choice, powers, ret);
		return;
	}
	options = options_of(inquiry);
	apply_question(choice, options, ret);
	cg_json_free(options);
}
