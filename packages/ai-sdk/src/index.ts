export { createVibe, type VibeEditorOptions, type VibeHttpOptions, type VibeProvider } from './create-vibe.js';
export type { VibeImageOptions } from './image-options.js';
