/**
 * `node scripts/install-openai.mjs`: OpenAI's client for Python, for the tests of the HTTP interface, in an environment of its own under
 * the cache. Prints the path of the interpreter; ends with status 1, saying why, where that does not work.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { programIn, provideEnvironment } from './python-environment.mjs';
import { CACHE } from './setup.mjs';

/** Exact, so that a new version changes nothing by itself. */
const PACKAGE = 'openai==3.54.0';

const folder = join(CACHE, PACKAGE);
const python = programIn(folder, 'python');
const isComplete = () => spawnSync(python, ['-c', 'import openai']).status === 0;
const what = "OpenAI's client for Python";
if (provideEnvironment({ what, folder, wanted: [PACKAGE], seconds: 300, isComplete })) console.log(python);
