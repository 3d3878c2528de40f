import { throwIfAborted } from '../errors/aborted-error.js';
import type { Hook, Plugin, PluginContext, PluginHooks } from './plugin.js';

/** The value a hook takes. */
type HookValue<Name extends keyof PluginHooks> =
  NonNullable<PluginHooks[Name]> extends Hook<infer Value> ? Value : never;

/** Hands a value to one hook of every plugin in turn; each gets what the one before it returned. */
export async function runHooks<Name extends keyof PluginHooks>(
  plugins: readonly Plugin[],
  name: Name,
  value: HookValue<Name>,
  context: PluginContext,
): Promise<HookValue<Name>> {
  let current = value;
  for (const { hooks } of plugins) {
    throwIfAborted(context.signal);
    const hook = hooks[name] as Hook<HookValue<Name>> | undefined;
    if (hook === undefined) continue;
    const replaced = await hook.call(hooks, current, context);
    if (replaced !== undefined) current = replaced as HookValue<Name>;
  }
  return current;
}
