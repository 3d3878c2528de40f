import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { settingsTable } from './settings-table.js';

const PAGE = fileURLToPath(new URL('../../../../../docs/serve.md', import.meta.url));

it('is the one in the page on serving', async () => {
  const page = await readFile(PAGE, 'utf8');
  const table = page.split('\n').filter((line) => line.startsWith('| `') && line.includes('`VIBE_'));
  expect(table).toEqual(settingsTable().split('\n').slice(2));
  expect(page).toContain(settingsTable());
});
