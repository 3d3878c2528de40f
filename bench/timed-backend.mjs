// Plain JavaScript: it is imported in the thread of the child process that runs the models.
import { appendFileSync } from 'node:fs';
import { createBackend as createCpuBackend } from '@vibe-edit/adapters/cpu';

/**
 * One thing that the CPU backend did; seconds by the clock, and of the processor time of its process.
 *
 * @typedef {{ call: 'open' | 'run', component: string, seconds: number, processorSeconds: number }} TimedCall
 */

/**
 * @typedef {object} TimedCpuOptions
 * @property {string} log File that gets a line of JSON, a `TimedCall`, for every component opened and every run.
 * @property {import('@vibe-edit/adapters/cpu').CpuOptions} cpu
 */

/**
 * The CPU backend, which writes down how long it takes: what an edit takes beyond that is the pipeline's own.
 *
 * @param {TimedCpuOptions} options
 * @returns {import('@vibe-edit/core').BackendDescription}
 */
export function timedCpu(options) {
  return { name: 'cpu', module: import.meta.url, options: { ...options } };
}

/**
 * Makes the backend that `timedCpu` describes, in the process where the sessions live.
 *
 * @param {TimedCpuOptions} options
 * @returns {Promise<import('@vibe-edit/core').Backend>}
 */
export async function createBackend({ log, cpu }) {
  const backend = await createCpuBackend(cpu);
  /**
   * @template Result
   * @param {TimedCall['call']} call
   * @param {string} component
   * @param {() => Promise<Result>} work
   */
  async function timed(call, component, work) {
    const [clock, processor] = [performance.now(), process.cpuUsage()];
    const result = await work();
    const { user, system } = process.cpuUsage(processor);
    const seconds = (performance.now() - clock) / 1000;
    /** @type {TimedCall} */
    const entry = { call, component, seconds, processorSeconds: (user + system) / 1e6 };
    appendFileSync(log, `${JSON.stringify(entry)}\n`);
    return result;
  }
  return {
    name: backend.name,
    async open(component, checkpoint, options) {
      const session = await timed('open', component, () => backend.open(component, checkpoint, options));
      return {
        component,
        inputs: session.inputs,
        outputs: session.outputs,
        memoryBytes: session.memoryBytes,
        mapped: session.mapped,
        run: (inputs, runOptions) => timed('run', component, () => session.run(inputs, runOptions)),
        close: () => session.close(),
      };
    },
    close: () => backend.close(),
  };
}
