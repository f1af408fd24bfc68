// SPDX-License-Identifier: Apache-2.0
// A bot by grammy, at the API root that its third argument names: it repeats what people write,
// fetches their pictures, sends a file, offers a button, and tells errors as {"failed":text}.
// {"ready":true} goes out when it polls.  Ends with its stdin.
'use strict';
const path = require('path');
const { createRequire } = require('module');

const installed = createRequire(path.join(process.argv[2], 'package.json'));
const { Bot, InlineKeyboard, InputFile } = installed('grammy');
const apiRoot = process.argv[4];
const bot = new Bot(process.argv[3], { client: { apiRoot } });

function tell(line) {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}

bot.on('message:photo', async (context) => {
	const file = await context.getFile();
	const answer = await fetch(`${apiRoot}/file/bot${process.argv[3]}/${file.file_path}`);
	const bytes = await answer.arrayBuffer();

	await context.react('👀');
	await context.reply(`fetched ${bytes.byteLength}`);
});
bot.on('message:text', async (context) => {
	const keyboard = new InlineKeyboard().text('Yes', 'yes').text('No', 'no');
	const sent = await context.reply(`grammy: ${context.message.text}`, {
		entities: [{ type: 'bold', offset: 0, length: 6 }],
		reply_markup: keyboard,
	});

	await context.replyWithChatAction('typing');
	await context.api.editMessageText(context.chat.id, sent.message_id, 'edited');
	await context.replyWithDocument(new InputFile(Buffer.from('a file'), 'a.txt'), {
		caption: 'below',
	});
});
bot.on('callback_query:data', (context) => context.answerCallbackQuery('seen'));
bot.catch((error) => tell({ failed: String(error.error) }));

bot.start({ onStart: () => tell({ ready: true }) }).then(
	() => process.exit(0),
	(error) => {
		tell({ failed: String(error) });
		process.exit(1);
	},
);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
