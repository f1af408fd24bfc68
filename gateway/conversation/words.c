/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/words.h"

const char *words_text(enum words words)
{
	static const char *const texts[] = {
#define WORDS(name, text) [WORDS_##name] = text,
#include "gateway/conversation/words.def"
#undef WORDS
	};

	return texts[words];
}
