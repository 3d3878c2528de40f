import type { Plugin } from '@vibe-edit/core';
import { inTurn } from '@vibe-edit/plugins/in-turn';
import { preserve } from '@vibe-edit/plugins/preserve';

/** The plugins of an editor that is given none. */
export function defaultPlugins(): Plugin[] {
  return [preserve(), inTurn()];
}
