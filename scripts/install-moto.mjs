/**
 * `node scripts/install-moto.mjs`: a server that speaks S3, for the tests of the blob store, in a Python environment of its own under
 * the cache. Prints the path of the program; ends with status 1, saying why, where that does not work.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { programIn, provideEnvironment } from './python-environment.mjs';
import { CACHE } from './setup.mjs';

const folder = join(CACHE, 'moto');
const server = programIn(folder, 'moto_server');
const isComplete = () => existsSync(server);
const wanted = ['moto[server]>=5,<6'];
if (provideEnvironment({ what: 'moto', folder, wanted, seconds: 300, isComplete })) console.log(server);
