/**
 * Edits a photo by several instructions with the embedded checkpoint and puts the results beside the original: demo.png.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createEditor } from 'vibe-edit';
import { contactSheet, type SheetEntry } from './contact-sheet.ts';

const PHOTO = fileURLToPath(new URL('../photos/chelsea.jpg', import.meta.url));
const RESULT = fileURLToPath(new URL('../../demo.png', import.meta.url));
const INSTRUCTIONS = [
  'make it warmer',
  'make it much cooler',
  'black and white',
  'add a strong vignette',
  'make it look like night',
];

const entries: SheetEntry[] = [{ picture: await readFile(PHOTO), label: 'the photo' }];
const editor = await createEditor();
try {
  for (const instruction of INSTRUCTIONS) {
    const started = performance.now();
    const { image } = await editor.edit({ image: PHOTO, instruction });
    console.log(`${instruction}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    entries.push({ picture: await image.toBuffer('png'), label: instruction });
  }
} finally {
  await editor.close();
}
await writeFile(RESULT, await contactSheet({ entries, columns: 3, width: 420 }));
console.log(`Wrote ${RESULT}`);
