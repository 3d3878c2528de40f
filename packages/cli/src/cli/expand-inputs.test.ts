import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandInputs } from './expand-inputs.js';

let cwd = '';

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'vibe-edit-inputs-'));
  await mkdir(join(cwd, 'holiday'));
  for (const name of ['a.jpg', 'b.jpg', 'c.png', 'odd[1].jpg', 'holiday/d.jpg']) await writeFile(join(cwd, name), '');
});

afterAll(() => rm(cwd, { recursive: true }));

describe('expandInputs', () => {
  it('keeps the order of paths and sorts what a pattern finds', async () => {
    expect(await expandInputs({ inputs: ['c.png', '*.jpg'], cwd })).toEqual(['c.png', 'a.jpg', 'b.jpg', 'odd[1].jpg']);
    expect(await expandInputs({ inputs: ['**/*.jpg'], cwd })).toContain('holiday/d.jpg');
  });

  it('takes a file once, however often it is named', async () => {
    const inputs = ['a.jpg', './a.jpg', join(cwd, 'a.jpg'), '[ab].jpg'];
    expect(await expandInputs({ inputs, cwd })).toEqual(['a.jpg', 'b.jpg']);
  });

  it('takes a name that looks like a pattern for the file it names', async () => {
    expect(await expandInputs({ inputs: ['odd[1].jpg'], cwd })).toEqual(['odd[1].jpg']);
  });

  it('says what is not there', async () => {
    await expect(expandInputs({ inputs: ['x.jpg'], cwd })).rejects.toThrow(
      'a picture file for x.jpg but received no such file',
    );
    await expect(expandInputs({ inputs: ['*.gif'], cwd })).rejects.toThrow(
      'a matching file for *.gif but received none',
    );
    await expect(expandInputs({ inputs: ['holiday/'], cwd })).rejects.toThrow('a folder. Did you mean holiday/*.jpg?');
    await expect(expandInputs({ inputs: ['make'], cwd })).rejects.toThrow('needs quotes');
    await expect(expandInputs({ inputs: ['-', '-'], cwd })).rejects.toThrow('once');
  });
});
