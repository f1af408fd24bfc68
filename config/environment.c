/* SPDX-License-Identifier: Apache-2.0 */
#include "config/environment.h"

#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <string.h>

const struct environment_variable *environment_find(
	const struct environment *environment, const char *name)
{
	for (size_t i = 0; i < environment->count; i++) {
		if (strcmp(environment->items[i].name, name) == 0)
			return &environment->items[i];
	}
	return NULL;
}

const char *environment_get(const struct environment *environment, const char *name)
{
	const struct environment_variable *variable = environment_find(environment, name);

	return variable != NULL ? variable->value : NULL;
}

/* Room for @more variables; the old array stays in the arena. */
static bool environment_grow(struct environment *environment, size_t more)
{
	struct environment_variable *items;

	if (environment->capacity - environment->count >= more)
		return true;
	items = arena_alloc(
		environment->arena, (environment->count + more) * sizeof(*items));
	if (items == NULL)
		return false;
	if (environment->count > 0)
		memcpy(items, environment->items, environment->count * sizeof(*items));
	environment->items = items;
	environment->capacity = environment->count + more;
	return true;
}

void environment_init(struct environment *environment, struct arena *arena,
	char *const *variables, struct config_report *report)
{
	size_t count = 0;

	*environment = (struct environment){.arena = arena};
	while (variables[count] != NULL)
		count++;
	if (count > ENVIRONMENT_VARIABLES) {
		config_report_error(report, "environment", "start the gateway with fewer",
			"more than %d variables", ENVIRONMENT_VARIABLES);
		return;
	}
	if (!environment_grow(environment, count))
		return;
	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(variables[i], '=');
		struct environment_variable variable;

		if (equals == NULL || cg_text_blank(equals + 1))
			continue;
		variable.name =
			arena_copy(arena, variables[i], (size_t)(equals - variables[i]));
		variable.value = arena_text(arena, equals + 1);
		variable.where = variable.name;
		if (variable.name == NULL || variable.value == NULL)
			return;
		environment->items[environment->count++] = variable;
	}
}

/* Where the parser of an environment file stands. */
enum file_state {
	BEFORE_NAME,
	IN_NAME,
	BEFORE_VALUE, /* also after a closing quote */
	IN_VALUE,
	VALUE_ESCAPE,
	SINGLE_QUOTE,
	DOUBLE_QUOTE,
	DOUBLE_ESCAPE,
	IN_COMMENT,
};

struct file_parser {
	struct environment *environment;
	struct config_report *report;
	const char *path;
	size_t line; /* of the character at hand */
	size_t began; /* line on which the assignment began */
	size_t own; /* variables from before this file: they win */
	enum file_state state;
	char *name; /* room for the whole file, as has value */
	size_t name_length;
	char *value;
	size_t value_length;
	size_t trimmed; /* length of the value without unquoted blanks at its end */
};

static bool is_name(const char *name, size_t length)
{
	if (length == 0 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = name[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			    (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

static void parser_refuse(struct file_parser *parser, size_t line, const char *what)
{
	char *where =
		arena_format(parser->environment->arena, "%s:%zu", parser->path, line);

	config_report_error(parser->report, where != NULL ? where : parser->path,
		"write NAME=value, or # before a comment", "%s", what);
}

/* The assignment is complete: keep it unless the real environment has the name. */
static void parser_commit(struct file_parser *parser)
{
	struct environment *environment = parser->environment;
	struct arena *arena = environment->arena;
	struct environment_variable *slot = NULL;
	struct environment_variable made;

	made.name = arena_copy(arena, parser->name, parser->name_length);
	made.value = arena_copy(arena, parser->value, parser->trimmed);
	if (made.name == NULL || made.value == NULL)
		return;
	made.where = arena_format(
		arena, "%s (%s:%zu)", made.name, parser->path, parser->began);
	if (made.where == NULL)
		return;
	for (size_t i = 0; i < environment->count && slot == NULL; i++) {
		if (strcmp(environment->items[i].name, made.name) != 0)
			continue;
		if (i < parser->own)
			return;
		slot = &environment->items[i];
	}
	if (slot == NULL)
		slot = &environment->items[environment->count++];
	*slot = made;
}

/* End of a line: what stood on it so far is a whole assignment, or nothing, or a mistake. */
static void parser_end_line(struct file_parser *parser)
{
	if (parser->state == IN_NAME)
		parser_refuse(parser, parser->began, "a line without '='");
	else if (parser->state == BEFORE_VALUE || parser->state == IN_VALUE)
		parser_commit(parser);
	parser->state = BEFORE_NAME;
	parser->name_length = parser->value_length = parser->trimmed = 0;
}

static void parser_put(struct file_parser *parser, char c, bool keep_blank)
{
	parser->value[parser->value_length++] = c;
	if (keep_blank || (c != ' ' && c != '\t' && c != '\r'))
		parser->trimmed = parser->value_length;
}

static void parser_name(struct file_parser *parser, char c)
{
	if (c == '=') {
		while (parser->name_length > 0 &&
			parser->name[parser->name_length - 1] == ' ')
			parser->name_length--;
		if (is_name(parser->name, parser->name_length)) {
			parser->state = BEFORE_VALUE;
		} else {
			parser_refuse(
				parser, parser->began, "not the name of a variable");
			parser->name_length = 0;
			parser->state = IN_COMMENT;
		}
	} else {
		parser->name[parser->name_length++] = c;
	}
}

/* @c is not a line break that ends the assignment. */
static void parser_value(struct file_parser *parser, char c)
{
	switch (parser->state) {
	case BEFORE_VALUE:
		if (c == '\'')
			parser->state = SINGLE_QUOTE;
		else if (c == '"')
			parser->state = DOUBLE_QUOTE;
		else if (c == '\\')
			parser->state = VALUE_ESCAPE;
		else if (c != ' ' && c != '\t' && c != '\r') {
			parser->state = IN_VALUE;
			parser_put(parser, c, false);
		}
		break;
	case IN_VALUE:
		if (c == '\\')
			parser->state = VALUE_ESCAPE;
		else
			parser_put(parser, c, false);
		break;
	case VALUE_ESCAPE:
		parser->state = IN_VALUE;
		if (c != '\n')
			parser_put(parser, c, true);
		break;
	case SINGLE_QUOTE:
		if (c == '\'')
			parser->state = BEFORE_VALUE;
		else
			parser_put(parser, c, true);
		break;
	case DOUBLE_QUOTE:
		if (c == '"')
			parser->state = BEFORE_VALUE;
		else if (c == '\\')
			parser->state = DOUBLE_ESCAPE;
		else
			parser_put(parser, c, true);
		break;
	default: /* DOUBLE_ESCAPE */
		parser->state = DOUBLE_QUOTE;
		if (c == '\n')
			break;
		if (strchr("\"\\`$", c) == NULL)
			parser_put(parser, '\\', true);
		parser_put(parser, c, true);
		break;
	}
}

static void parser_step(struct file_parser *parser, char c)
{
	switch (parser->state) {
	case BEFORE_NAME:
		if (c == '#' || c == ';') {
			parser->state = IN_COMMENT;
		} else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
			parser->began = parser->line;
			parser->state = IN_NAME;
			parser_name(parser, c);
		}
		break;
	case IN_NAME:
		if (c == '\n')
			parser_end_line(parser);
		else
			parser_name(parser, c);
		break;
	case IN_COMMENT:
		if (c == '\n')
			parser_end_line(parser);
		break;
	case BEFORE_VALUE:
	case IN_VALUE:
		if (c == '\n')
			parser_end_line(parser);
		else
			parser_value(parser, c);
		break;
	default:
		parser_value(parser, c);
		break;
	}
}

/* Most assignments that @text can hold: one a line. */
static size_t count_lines(const char *text, size_t length)
{
	size_t lines = 1;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

static void drop_blank(struct environment *environment, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < environment->count; i++) {
		if (!cg_text_blank(environment->items[i].value))
			environment->items[kept++] = environment->items[i];
	}
	environment->count = kept;
}

void environment_add_file(struct environment *environment, const char *path,
	const char *text, size_t length, struct config_report *report)
{
	struct arena *arena = environment->arena;
	size_t lines = count_lines(text, length);
	struct file_parser parser = {
		.environment = environment,
		.report = report,
		.path = path,
		.line = 1,
		.own = environment->count,
	};

	if (!cg_utf8_valid(text, length) || memchr(text, '\0', length) != NULL) {
		config_report_error(
			report, path, "save it as UTF-8 text", "not a text file");
		return;
	}
	if (lines > ENVIRONMENT_VARIABLES) {
		config_report_error(
			report, path, NULL, "more than %d lines", ENVIRONMENT_VARIABLES);
		return;
	}
	parser.name = arena_alloc(arena, length + 1);
	parser.value = arena_alloc(arena, length + 1);
	if (parser.name == NULL || parser.value == NULL ||
		!environment_grow(environment, lines))
		return;
	for (size_t i = 0; i < length; i++) {
		parser_step(&parser, text[i]);
		parser.line += text[i] == '\n';
	}
	if (parser.state == SINGLE_QUOTE || parser.state == DOUBLE_QUOTE ||
		parser.state == DOUBLE_ESCAPE) {
		parser_refuse(&parser, parser.began, "a quote that is never closed");
	} else {
		if (parser.state == VALUE_ESCAPE)
			parser.state = IN_VALUE;
		parser_end_line(&parser);
	}
	/* Only now: a later blank line takes an earlier value back. */
	drop_blank(environment, parser.own);
}
