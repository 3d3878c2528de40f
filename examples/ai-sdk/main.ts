/**
 * Edits a photo through Vercel's AI SDK, in this process or on a server of vibe-edit, and writes warmer.png.
 *
 *     npm start
 *     VIBE_SERVER=http://localhost:8080/v1 VIBE_KEY=... npm start
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createVibe } from '@vibe-edit/ai-sdk';
import { generateImage } from 'ai';
import { createEditor } from 'vibe-edit';

const { VIBE_SERVER: baseURL, VIBE_KEY: apiKey } = process.env;
const vibe =
  baseURL === undefined
    ? createVibe({ editor: () => createEditor() })
    : createVibe({ baseURL, ...(apiKey !== undefined && { apiKey }) });

const { image, providerMetadata } = await generateImage({
  model: vibe.image(),
  prompt: {
    images: [await readFile(new URL('../photos/chelsea.jpg', import.meta.url))],
    text: 'make it warmer',
  },
  seed: 7,
});
await writeFile('warmer.png', image.uint8Array);
console.log('Wrote warmer.png', providerMetadata.vibe?.images);
await vibe.close();
