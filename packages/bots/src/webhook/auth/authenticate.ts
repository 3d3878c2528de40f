import { ApiError } from '../api-error.js';
import type { Caller, WebhookAuth } from '../webhook-options.js';
import { checkApiKeyRecord, findApiKey } from './api-key.js';
import { isLoopbackHost } from './check-listen-address.js';

/** Tells who sent a request. */
export type Authenticate = (request: Request) => Promise<Caller>;

/** Everybody on this machine is one caller. */
const LOCAL: Caller = { name: 'local' };

/**
 * @param corsOrigins Sites whose pages may call.
 * @throws {InvalidArgumentError} when a key's record is not what it should be.
 */
export function createAuthenticate(auth: WebhookAuth, corsOrigins: readonly string[] = []): Authenticate {
  if ('local' in auth) {
    const hosts = auth.hosts ?? [];
    return async (request) => {
      checkLocal(request, hosts, corsOrigins);
      return LOCAL;
    };
  }
  if ('authenticate' in auth) {
    return async (request) => {
      const caller = await auth.authenticate(request);
      if (caller === undefined) throw unauthorized('Expected a signed-in caller');
      return caller;
    };
  }
  const { keys } = auth;
  if (typeof keys !== 'function') keys.forEach(checkApiKeyRecord);
  return async (request) => {
    const header = request.headers.get('authorization');
    const key = /^bearer +(\S{1,512}) *$/i.exec(header ?? '')?.[1];
    if (key === undefined) throw unauthorized('Expected an API key as "Authorization: Bearer KEY" but received none');
    const record = findApiKey(typeof keys === 'function' ? await keys() : keys, key);
    if (record === undefined)
      throw unauthorized('Expected a valid API key but received another one', 'invalid_api_key');
    return { name: record.name, ...(record.limits !== undefined && { limits: record.limits }) };
  };
}

function unauthorized(message: string, code = 'missing_api_key'): ApiError {
  return new ApiError({ status: 401, type: 'authentication_error', code, message });
}

/**
 * Without keys any page that the person at this machine visits could send requests here. Browsers tell where those come from; and a
 * page whose own name was made to point here (DNS rebinding) calls the server by that name.
 */
function checkLocal(request: Request, hosts: readonly string[], corsOrigins: readonly string[]): void {
  const refuse = (message: string): never => {
    throw new ApiError({ status: 403, type: 'permission_error', code: 'not_local', message });
  };
  // As the caller named the server: frameworks around may write another name into the URL.
  const host = request.headers.get('host') ?? new URL(request.url).host;
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
  if (!isLoopbackHost(name) && !hosts.includes(name)) refuse('Without API keys the server is called as localhost only');
  const origin = request.headers.get('origin');
  if (origin === null || corsOrigins.includes(origin)) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    refuse('Without API keys the server takes no requests from pages of other sites');
  }
}
