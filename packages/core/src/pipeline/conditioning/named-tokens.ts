/**
 * The tokens that `tokenizer_config.json` gives a role, e.g. `pad_token`, by that name. A token is a string there or an object with
 * its `content`.
 */
export function namedTokens(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    if (!name.endsWith('_token')) continue;
    if (typeof value === 'string') tokens[name] = value;
    else if (isObject(value) && typeof value.content === 'string') tokens[name] = value.content;
  }
  return tokens;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
