import { MissingPackageError } from '@vibe-edit/core';

/**
 * Loads something that stands on packages which not everybody installs.
 * @throws {MissingPackageError} when one of them is not there.
 */
export async function loadOptional<Module>(
  load: () => Promise<Module>,
  details: { what: string; packages: readonly string[] },
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ERR_MODULE_NOT_FOUND') throw new MissingPackageError({ ...details, cause });
    throw cause;
  }
}
