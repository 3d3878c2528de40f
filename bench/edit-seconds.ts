/**
 * How long an edit of a 640 x 427 photo takes once the model is loaded, everything at its defaults: each direct wording, each recolouring
 * and each two operations of the evaluation's English instructions on one of the example photos, in turns. Prints one line a kind:
 *
 *     pnpm exec tsx bench/edit-seconds.ts
 *     pnpm exec tsx bench/edit-seconds.ts --checkpoint ../mine --width 1280 --height 853
 */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { createEditor } from 'vibe-edit';
import { readPhrases } from './eval/phrases.ts';
import { median } from './eval/statistics.ts';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    width: { type: 'string', default: '640' },
    height: { type: 'string', default: '427' },
  },
});
const KINDS = ['family', 'recolor', 'together'];

const photos = new URL('../examples/photos/', import.meta.url);
const names = (await readdir(photos)).filter((name) => name.endsWith('.jpg'));
const images = await Promise.all(
  names.map((name) =>
    sharp(fileURLToPath(new URL(name, photos)))
      .resize(Number(values.width), Number(values.height))
      .png()
      .toBuffer(),
  ),
);
const phrases = (await readPhrases(fileURLToPath(new URL('eval/phrases.json', import.meta.url)))).filter(
  ({ kind, style, language }) => language === 'en' && KINDS.includes(kind) && (kind !== 'family' || style === 'direct'),
);
const editor = await createEditor(values.checkpoint === undefined ? {} : { checkpoint: values.checkpoint });
const seconds = new Map<string, number[]>();
try {
  for (const image of images) await editor.edit({ image, instruction: 'make it warmer' });
  for (const [index, { kind, text }] of phrases.entries()) {
    const image = images[index % images.length] as Buffer;
    const started = performance.now();
    await editor.edit({ image, instruction: text });
    seconds.set(kind, [...(seconds.get(kind) ?? []), (performance.now() - started) / 1000]);
  }
} finally {
  await editor.close();
}
for (const [kind, taken] of seconds) {
  const [least, middle, most] = [Math.min(...taken), median(taken), Math.max(...taken)].map((value) =>
    value.toFixed(2),
  );
  process.stdout.write(`${kind.padEnd(10)}${taken.length} edits: median ${middle} s, ${least} to ${most} s\n`);
}
