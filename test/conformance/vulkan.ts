import { join } from 'node:path';
import { createProcessBackend } from '@vibe-edit/core';
import { type BackendDescription, BackendUnavailableError } from '@vibe-edit/core/runtime';
import { loadConformanceData } from '@vibe-edit/core/testing';

/** Environment for a child process that is to find a Vulkan device, or why there is none. */
export type Vulkan = { readonly env: Readonly<Record<string, string>> } | { readonly missing: string };

/**
 * Tries the machine's own device, then SwiftShader, Vulkan in software, from the folder that `VIBE_SWIFTSHADER` names: that of a
 * Chromium or Chrome, e.g. `/usr/lib/chromium`, with `vk_swiftshader_icd.json` and `libvulkan.so.1` in it. It is not looked for, since
 * it takes minutes.
 */
export async function findVulkan(description: BackendDescription): Promise<Vulkan> {
  const folder = process.env.VIBE_SWIFTSHADER;
  const software = { LD_LIBRARY_PATH: `${folder}`, VK_ICD_FILENAMES: join(`${folder}`, 'vk_swiftshader_icd.json') };
  const environments = folder === undefined ? [{}] : [{}, software];
  const { checkpoint } = await loadConformanceData();
  let missing = '';
  for (const env of environments) {
    const backend = createProcessBackend(description, { env });
    try {
      await backend.open('connector', checkpoint);
      return { env };
    } catch (error) {
      if (!(error instanceof BackendUnavailableError)) throw error;
      missing = error.message;
    } finally {
      await backend.close();
    }
  }
  return { missing: `${missing}. VIBE_SWIFTSHADER may name a folder with SwiftShader, e.g. /usr/lib/chromium` };
}
