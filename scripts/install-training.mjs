/**
 * `node scripts/install-training.mjs`: the environment that the training and its tests run in, `training/.venv`, with PyTorch for the
 * processor: some 200 MB to fetch. Prints the path of the interpreter; ends with status 1, saying why, where that does not work.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { makeEnvironment, programIn } from './python-environment.mjs';
import { ROOT } from './setup.mjs';

const folder = join(ROOT, 'training/.venv');
const python = programIn(folder, 'python');
const isComplete = spawnSync(python, ['-c', 'import diffusers, torch, torchvision, transformers']).status === 0;
if (!isComplete) {
  const wheels = 'https://download.pytorch.org/whl/cpu';
  const lock = join(ROOT, 'training/requirements.lock');
  makeEnvironment("The training's environment", folder, ['-r', lock, '--extra-index-url', wheels], 600);
}
console.log(python);
