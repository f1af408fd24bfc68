/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 8259 cut into tokens, strictly: what this lets through is JSON in valid UTF-8 and
 * nothing else.  Knows nothing of nesting and nothing of json-c.  Private to the SDK.
 */
#ifndef COWGATE_SDK_JSON_LEXER_H
#define COWGATE_SDK_JSON_LEXER_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>
#include <stddef.h>

enum cg_token_kind {
	CG_TOKEN_END,
	CG_TOKEN_OBJECT_OPEN,
	CG_TOKEN_OBJECT_CLOSE,
	CG_TOKEN_ARRAY_OPEN,
	CG_TOKEN_ARRAY_CLOSE,
	CG_TOKEN_COMMA,
	CG_TOKEN_COLON,
	CG_TOKEN_STRING,
	CG_TOKEN_INTEGER,
	CG_TOKEN_DOUBLE, /* a number with a fraction or an exponent */
	CG_TOKEN_TRUE,
	CG_TOKEN_FALSE,
	CG_TOKEN_NULL,
	CG_TOKEN_BROKEN, /* problem says why, the lexer stands where */
};

struct cg_token {
	enum cg_token_kind kind;
	const char *text; /* of a number, or of a string between its quotes */
	size_t length;
	bool escaped; /* a string with escapes: see cg_token_unescape() */
	bool has_nul; /* a string with \u0000 */
	const char *problem;
};

struct cg_lexer {
	const char *bytes; /* borrowed */
	size_t length;
	size_t at;
};

/* The next token; after CG_TOKEN_BROKEN the lexer must not be used further. */
struct cg_token cg_lexer_next(struct cg_lexer *lexer);

/* Append the meaning of a string token; a lone surrogate becomes U+FFFD. */
enum cg_status cg_token_unescape(const struct cg_token *token, struct cg_buffer *ret);

/*
 * Turn comments, and commas before a closing bracket, into blanks, in place, so that byte
 * offsets and lines stay what they were.  What is neither is left for the lexer to judge.
 */
void cg_lexer_relax(char *text, size_t length);

#endif
