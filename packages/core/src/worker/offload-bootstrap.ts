/**
 * What a worker thread runs: it imports the module, calls the functions it is asked for, one after the other, and moves the
 * buffers of the results back.
 *
 * It is a string, not a file, so that it is found from the sources, from the built package and from a bundle alike. It uses
 * `process.getBuiltinModule`, which works whether Node takes evaluated code for CommonJS or for a module.
 */
export const OFFLOAD_BOOTSTRAP = `
const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');

// Buffers that a view covers in full; the rest (e.g. slices of Node's buffer pool) is copied.
function collectBuffers(value, found, depth) {
  if (value === null || typeof value !== 'object' || depth > 8) return;
  if (value instanceof ArrayBuffer) found.add(value);
  else if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === value.byteLength) found.add(buffer);
  } else if (Array.isArray(value)) {
    for (const item of value) collectBuffers(item, found, depth + 1);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collectBuffers(item, found, depth + 1);
  }
}

function describe(error) {
  if (!(error instanceof Error)) return { message: String(error) };
  const described = { name: error.name, message: error.message, stack: error.stack };
  if (typeof error.code === 'string') described.code = error.code;
  return described;
}

parentPort.on('message', async ({ id, name, args }) => {
  try {
    const exported = await import(workerData.module);
    if (typeof exported[name] !== 'function') throw new TypeError('the module exports no function ' + name);
    const value = await exported[name](...args);
    const buffers = new Set();
    collectBuffers(value, buffers, 0);
    parentPort.postMessage({ id, value }, [...buffers]);
  } catch (error) {
    parentPort.postMessage({ id, error: describe(error) });
  }
});
`;
