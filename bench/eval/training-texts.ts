import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WRITTEN = fileURLToPath(new URL('../../training/vibe_training/phrases/written', import.meta.url));

/** The instructions that people wrote for training the small checkpoint. */
export class TrainingTexts {
  readonly #texts: ReadonlySet<string>;

  constructor(texts: Iterable<string>) {
    this.#texts = new Set([...texts].map(plain));
  }

  /** Whether a text is among them word for word, but for capitals and what ends a sentence. */
  has(text: string): boolean {
    return this.#texts.has(plain(text));
  }
}

/** Reads them out of the files of a folder: one a line; a line that starts with `= ` says what those after it mean. */
export async function readTrainingTexts(folder: string = WRITTEN): Promise<TrainingTexts> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.txt'));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const lines = files.flatMap((file) => file.split('\n')).filter((line) => line.trim() !== '');
  return new TrainingTexts(lines.filter((line) => !line.startsWith('= ')));
}

function plain(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[\s.!?]+$/, '');
}
