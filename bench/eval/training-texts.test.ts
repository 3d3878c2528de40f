import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTrainingTexts } from './training-texts.ts';

test('texts are known word for word, whatever their capitals and their end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'texts-'));
  try {
    await writeFile(join(folder, 'tone.en.txt'), '= brighten 1\nBrighter, please!\n\n= grayscale 1\nb&w\n');
    await writeFile(join(folder, 'all.ru.txt'), '= warm 1\nсделай теплее\r\n');
    await writeFile(join(folder, 'notes.md'), 'sepia\n');
    const texts = await readTrainingTexts(folder);
    for (const text of ['brighter, please', 'B&W', 'Сделай теплее.']) expect(texts.has(text), text).toBe(true);
    for (const text of ['brighter please', 'sepia', '= brighten 1', 'b&w photo']) {
      expect(texts.has(text), text).toBe(false);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('those of the project are found', async () => {
  const texts = await readTrainingTexts();
  expect(texts.has('brighter')).toBe(true);
  expect(texts.has('a wording that nobody wrote down yet')).toBe(false);
});
