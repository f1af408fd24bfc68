/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define STEP_MAX 64

static const struct {
	const char *name;
	enum cg_outcome_class class;
	bool lost;
} words[] = {
	{"sent", CG_OUTCOME_SENT, false},
	{"not_dispatched", CG_OUTCOME_NOT_DISPATCHED, true},
	{"refused", CG_OUTCOME_REFUSED, true},
	{"rate_limited", CG_OUTCOME_RATE_LIMITED, true},
	{"ambiguous", CG_OUTCOME_AMBIGUOUS, false},
	{"lost", CG_OUTCOME_AMBIGUOUS, true},
};

/* One word, blanks around it dropped; changes @text. */
static bool parse_step(char *text, struct fake_step *ret)
{
	char *colon = strchr(text, ':');

	ret->number = -1;
	if (colon != NULL) {
		*colon = '\0';
		if (!cg_parse_int(colon + 1, &ret->number) || ret->number < 0)
			return false;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(text, words[i].name) != 0)
			continue;
		ret->class = words[i].class;
		ret->lost = words[i].lost;
		return true;
	}
	return false;
}

enum cg_status fake_script_parse(
	const char *text, struct fake_script *ret, struct cg_error *err)
{
	struct fake_script script = {.count = 0};

	while (!cg_text_blank(text)) {
		char step[STEP_MAX];
		size_t length, used;

		text += strspn(text, " ");
		length = used = strcspn(text, ",");
		while (used > 0 && text[used - 1] == ' ')
			used--;
		if (script.count == FAKE_STEPS)
			return cg_error_set(err, CG_LIMIT,
				"faults has more than %d steps", FAKE_STEPS);
		if (used >= sizeof(step))
			return cg_error_set(
				err, CG_INVALID, "faults has a step that is too long");
		memcpy(step, text, used);
		step[used] = '\0';
		if (!parse_step(step, &script.steps[script.count]))
			return cg_error_set(
				err, CG_INVALID, "faults: there is no step \"%s\"", step);
		script.count++;
		text += length;
		text += *text == ',';
	}
	*ret = script;
	return CG_OK;
}

struct fake_step fake_script_next(struct fake_script *script)
{
	struct fake_step step = {.class = CG_OUTCOME_SENT, .number = -1};

	if (script->count == 0)
		return step;
	step = script->steps[script->next];
	script->next = (script->next + 1) % script->count;
	return step;
}
