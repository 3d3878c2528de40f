/**
 * `node scripts/install-training.mjs`: the environment that the training and its tests run in, `training/.venv`, with PyTorch for the
 * processor: some 200 MB to fetch. Prints the path of the interpreter; ends with status 1, saying why, where that does not work.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { programIn, provideEnvironment } from './python-environment.mjs';
import { ROOT } from './setup.mjs';

const folder = join(ROOT, 'training/.venv');
const python = programIn(folder, 'python');
const lock = join(ROOT, 'training/requirements.lock');
const wanted = ['-r', lock, '--extra-index-url', 'https://download.pytorch.org/whl/cpu'];
const isComplete = () => spawnSync(python, ['-c', 'import diffusers, torch, torchvision, transformers']).status === 0;
const what = "The training's environment";
if (provideEnvironment({ what, folder, wanted, seconds: 600, isComplete })) console.log(python);
