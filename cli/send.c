/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/operator_call.h"
#include "gateway/journal/outbox.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct send {
	char *to;
	const char *key, *text;
	bool json;
};

static bool parse(int argc, char **argv, struct send *ret)
{
	*ret = (struct send){.to = NULL};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ret->json = true;
		else if (strcmp(argv[i], "--to") == 0 && i + 1 < argc)
			ret->to = argv[++i];
		else if (strcmp(argv[i], "--idempotency-key") == 0 && i + 1 < argc)
			ret->key = argv[++i];
		else if ((argv[i][0] != '-' || argv[i][1] == '\0') && ret->text == NULL)
			ret->text = argv[i];
		else
			return false;
	}
	return ret->to != NULL && ret->text != NULL;
}

/* INSTANCE:CHAT[:THREAD]; a chat's id may begin with a sign and has no colon. */
static bool put_target(struct json_object *body, char *to)
{
	struct json_object *target = cg_json_new_object();
	char *chat = strchr(to, ':'), *thread;

	cg_json_put(body, "target", target);
	if (chat == NULL)
		return false;
	*chat++ = '\0';
	thread = strchr(chat, ':');
	if (thread != NULL)
		*thread++ = '\0';
	cg_json_put_string(body, "provider", to);
	cg_json_put_string(target, "chatId", chat);
	if (thread != NULL)
		cg_json_put_string(target, "threadId", thread);
	return to[0] != '\0' && chat[0] != '\0';
}

/* All of stdin without its last line break.  False: too much, or no text. */
static bool read_text(struct cg_buffer *text)
{
	char bytes[4096];
	size_t got;

	while ((got = fread(bytes, 1, sizeof(bytes), stdin)) > 0)
		cg_buffer_add(text, bytes, got);
	if (text->length > 0 && text->bytes[text->length - 1] == '\n')
		cg_buffer_truncate(text, text->length - 1);
	return cg_buffer_status(text) == CG_OK &&
	       strlen(cg_buffer_string(text)) == text->length;
}

static int hand_over(const char *word, const struct send *send, struct json_object *body)
{
	struct json_object *answer;
	int code = operator_call(word, "POST", "/deliveries", body, &answer);

	if (code != CLI_OK)
		return code;
	if (send->json)
		printf("%s\n", cg_json_text(answer, NULL));
	else
		printf("%s%s\n", cg_json_string_or(answer, "deliveryId", "?"),
			cg_json_bool(answer, "repeated", false)
				? "  (it had been said: nothing was done)"
				: "");
	cg_json_free(answer);
	return CLI_OK;
}

int cli_send(int argc, char **argv)
{
	struct json_object *body;
	struct cg_buffer text;
	struct send send;
	int code;

	if (!parse(argc, argv, &send))
		return cli_usage(argv[0], "it takes --to and one text, or - for stdin");
	body = cg_json_new_object();
	cg_buffer_init(&text, OUTBOX_TEXT_MAX);
	if (!put_target(body, send.to)) {
		code = cli_usage(argv[0], "--to takes INSTANCE:CHAT or "
					  "INSTANCE:CHAT:THREAD");
	} else if (strcmp(send.text, "-") == 0 && !read_text(&text)) {
		fprintf(stderr, "cowgate send: stdin is no text, or longer than a "
				"message may be\n");
		code = CLI_FAILED;
	} else {
		cg_json_put_string(body, "text",
			strcmp(send.text, "-") == 0 ? cg_buffer_string(&text)
						    : send.text);
		if (send.key != NULL)
			cg_json_put_string(body, "idempotencyKey", send.key);
		code = hand_over(argv[0], &send, body);
	}
	cg_buffer_finish(&text);
	cg_json_free(body);
	return code;
}
