/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway itself says in a chat, in one table. */
#ifndef COWGATE_GATEWAY_WORDS_H
#define COWGATE_GATEWAY_WORDS_H

enum words {
#define WORDS(name, text) WORDS_##name,
#include "gateway/conversation/words.def"
#undef WORDS
	WORDS_COUNT
};

const char *words_text(enum words words);

#endif
