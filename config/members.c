/* SPDX-License-Identifier: Apache-2.0 */
#include "config/members.h"

#include <cowgate/sdk/json.h>
#include <string.h>

void members_begin(struct members *members, struct json_object *object)
{
	members->next = cg_json_is_object(object) ? cg_json_text(object, NULL) : NULL;
	members->name[0] = '\0';
	if (members->next != NULL)
		members->next += strspn(members->next, " \n{");
}

/* The first byte behind the string that begins at @text; NULL: it does not end. */
static const char *skip_string(const char *text)
{
	for (text++; *text != '"'; text++) {
		if (*text == '\\')
			text++;
		if (*text == '\0')
			return NULL;
	}
	return text + 1;
}

/* The comma or the bracket behind the value that begins at @text. */
static const char *skip_value(const char *text)
{
	int depth = 0;

	while (text != NULL && *text != '\0') {
		if (depth == 0 && (*text == ',' || *text == '}' || *text == ']'))
			return text;
		if (*text == '"') {
			text = skip_string(text);
			continue;
		}
		if (*text == '{' || *text == '[')
			depth++;
		else if (*text == '}' || *text == ']')
			depth--;
		text++;
	}
	return NULL;
}

/* Unescape the name between @text and @end.  False: too long, or with a NUL. */
static bool read_name(const char *text, const char *end, char ret[MEMBERS_NAME])
{
	struct json_object *value = NULL;
	const char *name;
	size_t length;
	bool fits;

	if (cg_json_parse(text, (size_t)(end - text), &value, NULL) != CG_OK)
		return false;
	name = cg_json_value_string(value, &length);
	fits = name != NULL && length < MEMBERS_NAME && strlen(name) == length;
	if (fits)
		memcpy(ret, name, length + 1);
	cg_json_free(value);
	return fits;
}

bool members_next(struct members *members)
{
	while (members->next != NULL && *members->next == '"') {
		const char *name = members->next;
		const char *end = skip_string(name);
		const char *behind =
			end != NULL && *end == ':' ? skip_value(end + 1) : NULL;

		members->next = behind != NULL && *behind == ',' ? behind + 1 : NULL;
		if (behind != NULL && read_name(name, end, members->name))
			return true;
	}
	return false;
}

static bool is_prototype(const char *name)
{
	return strcmp(name, "__proto__") == 0 || strcmp(name, "constructor") == 0 ||
	       strcmp(name, "prototype") == 0;
}

void members_merge(struct json_object *base, struct json_object *over)
{
	struct members members;

	for (members_begin(&members, over); members_next(&members);) {
		struct json_object *theirs = cg_json_member(over, members.name);
		struct json_object *ours = cg_json_object(base, members.name);

		if (is_prototype(members.name))
			continue;
		if (!cg_json_is_object(theirs)) {
			cg_json_put(base, members.name, cg_json_copy(theirs));
			continue;
		}
		if (ours == NULL) {
			ours = cg_json_new_object();
			cg_json_put(base, members.name, ours);
		}
		members_merge(ours, theirs);
	}
}
