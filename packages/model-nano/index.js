import { fileURLToPath } from 'node:url';

/** Folder of the checkpoint, in the published diffusers layout. */
export const checkpointPath = fileURLToPath(new URL('./checkpoint/', import.meta.url));
