import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileComponent } from '@vibe-edit/compiler';
import { COMPONENTS, openCheckpoint } from '@vibe-edit/core';
import { type Manifest, readManifest, writeSparseCheckpoint } from '../full-size/sparse-checkpoint.js';
import { GoldenFolder } from './golden-folder.js';
import type { Report } from './report.js';
