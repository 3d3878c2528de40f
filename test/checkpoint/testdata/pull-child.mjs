/** A pull in a process of its own, to be killed. */
import { pullCheckpoint } from '@vibe-edit/core';

const [repo, endpoint, cacheDir] = process.argv.slice(2);
await pullCheckpoint({ repo, endpoint, cacheDir, retryDelay: 1 });
