import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createProcessBackend } from '@vibe-edit/core';
import { type BackendDescription, BackendUnavailableError } from '@vibe-edit/core/runtime';
import { loadConformanceData } from '@vibe-edit/core/testing';

/** Environment for a child process that is to find a Vulkan device, or why there is none. */
export type Vulkan = { readonly env: Readonly<Record<string, string>> } | { readonly missing: string };

/** Chromium and Chrome ship SwiftShader, a Vulkan device in software, with the loader beside it. */
function softwareDevices(): string[] {
  const cache = join(homedir(), '.cache/ms-playwright');
  const playwright = existsSync(cache) ? readdirSync(cache).map((name) => join(cache, name, 'chrome-linux')) : [];
  const folders = [process.env.VIBE_SWIFTSHADER, '/usr/lib/chromium', '/opt/google/chrome', ...playwright];
  return folders.filter(
    (folder) => folder !== undefined && existsSync(join(folder, 'vk_swiftshader_icd.json')),
  ) as string[];
}

/** Tries the machine's own device, then SwiftShader. */
export async function findVulkan(description: BackendDescription): Promise<Vulkan> {
  const environments = [
    {},
    ...softwareDevices().map((folder) => ({
      LD_LIBRARY_PATH: folder,
      VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
    })),
  ];
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
  return { missing };
}
