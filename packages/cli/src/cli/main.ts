import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { type CliIo, write } from './cli-io.js';
import type { CommandOutcome } from './command-outcome.js';
import { describeDoctor, doctor } from './commands/doctor.js';
import { describeEdit, edit } from './commands/edit.js';
import { describeGenerate, generate } from './commands/generate.js';
import { describeInspect, inspect } from './commands/inspect.js';
import type { KeysOptions } from './commands/keys.js';
import { describePull, pull } from './commands/pull.js';
import { EXIT_CODES, exitReason } from './exit-codes.js';
import { coloursFor, errorJson, errorText, jsonDocument } from './messages.js';
import { type Services, sdkServices } from './services.js';
import { addCommonOptions, addPictureOptions, type CommonOptions } from './shared-options.js';
import { UsageError } from './usage-error.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** What a command is called with. */
interface CommandCall<Options> {
  readonly args: readonly string[];
  readonly options: Options;
  readonly io: CliIo;
  readonly services: Services;
}

type CommandAction<Options> = (call: CommandCall<Options>) => Promise<CommandOutcome>;

/** Flags of settings, whatever they are. */
type ServiceOptions = CommonOptions & Readonly<Record<string, unknown>>;

type AddAction = <Options extends CommonOptions>(command: Command, action: CommandAction<Options>) => void;

/**
 * The command line: parses arguments, runs a command, reports, and says how it went.
 *
 * @param argv Arguments after the program's name.
 * @returns The exit code, one of `EXIT_CODES`.
 */
export async function main(argv: readonly string[], io: CliIo, services: Services = sdkServices): Promise<number> {
  const program = new Command('vibe-edit')
    .description('Edit pictures by instruction, on this machine.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help shows how it is used)')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .addHelpText('after', `\nExit codes:\n${exitCodeLines()}`);

  let exitCode: number = EXIT_CODES.ok;
  const addAction: AddAction = (command, action) => {
    addCommonOptions(command).action(async () => {
      exitCode = await perform(action, { args: command.args, options: command.opts(), io, services });
    });
  };
  addAction(addPictureOptions(describeEdit(program.command('edit'))), edit);
  addAction(addPictureOptions(describeGenerate(program.command('generate'))), generate);
  addAction(describePull(program.command('pull')), pull);
  addAction(describeInspect(program.command('inspect')), inspect);
  addAction(describeDoctor(program.command('doctor')), doctor);
  await addServiceCommands(program, addAction, argv);

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // What is wrong, or the help that was asked for, has been written.
    if (error.exitCode === 0) return EXIT_CODES.ok;
    if (argv.includes('--json'))
      await write(io.stdout, jsonDocument({ error: errorJson(new UsageError(error.message)) }));
    return EXIT_CODES.usage;
  }
}

/** Adds the commands of the server. What their options are made from is only loaded when one of them is meant. */
async function addServiceCommands(program: Command, addAction: AddAction, argv: readonly string[]): Promise<void> {
  const serve = program.command('serve').description('answer over HTTP: jobs, the API of OpenAI, a page');
  const worker = program.command('worker').description('carry out jobs of a queue on Redis');
  const keys = program.command('keys').description('make, list and remove API keys of a server');
  if (![serve, worker, keys].some((command) => argv.includes(command.name()))) return;
  const describe = await import('./serve/describe-services.js');
  addAction<ServiceOptions>(describe.describeServeOptions(serve), async (call) =>
    (await import('./commands/serve.js')).serve(call),
  );
  addAction<ServiceOptions>(describe.describeWorkerOptions(worker), async (call) =>
    (await import('./commands/worker.js')).worker(call),
  );
  const addKeysAction = (command: Command, action: CommandAction<KeysOptions>): void =>
    addAction(describe.addKeysOptions(command), action);
  const create = keys.command('create').description('make a key and print it').argument('<name>', 'who gets it');
  const list = keys.command('list').description('list names and limits');
  const remove = keys.command('remove').description('refuse a key from now on').argument('<name>', 'who has it');
  const load = () => import('./commands/keys.js');
  addKeysAction(describe.addKeyLimitOptions(create), async (call) => (await load()).createKey(call));
  addKeysAction(list, async (call) => (await load()).listKeys(call));
  addKeysAction(remove, async (call) => (await load()).removeKey(call));
}

/** Runs a command and turns whatever comes of it into messages and an exit code. */
async function perform<Options extends CommonOptions>(
  action: CommandAction<Options>,
  call: CommandCall<Options>,
): Promise<number> {
  const { io, options } = call;
  const outcome = await action(call).catch((error: unknown): CommandOutcome => ({ document: {}, error }));
  const { document, error } = outcome;
  try {
    if (error !== undefined) {
      const { red } = coloursFor(io.stderr, io.environment);
      await write(io.stderr, `${red('vibe-edit:')} ${errorText(error, options.debug === true)}\n`);
    }
    if (options.json) {
      await write(io.stdout, jsonDocument(error === undefined ? document : { ...document, error: errorJson(error) }));
    }
  } catch {
    // Whoever read our output has gone, and with it the way to say so.
    return EXIT_CODES.output;
  }
  if (error === undefined) return EXIT_CODES[outcome.reason ?? 'ok'];
  return EXIT_CODES[io.signal.aborted ? 'cancelled' : (outcome.reason ?? exitReason(error))];
}

function exitCodeLines(): string {
  const meanings: Readonly<Record<keyof typeof EXIT_CODES, string>> = {
    ok: 'all went well',
    unexpected: 'something unexpected went wrong',
    usage: 'arguments or options are wrong',
    input: 'a picture cannot be read',
    checkpoint: 'the checkpoint cannot be found or run',
    backend: 'the backend cannot be used here, or failed',
    cancelled: 'cancelled',
    output: 'a result cannot be written',
    download: 'a download failed',
    service: 'the server cannot listen, or the queue cannot be reached',
  };
  return Object.entries(meanings)
    .map(([reason, meaning]) => `  ${EXIT_CODES[reason as keyof typeof EXIT_CODES]}  ${meaning}`)
    .join('\n');
}
