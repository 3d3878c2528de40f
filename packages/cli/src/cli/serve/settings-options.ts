import { type Command, Option } from 'commander';
import { SETTINGS } from './setting.js';
import type { ServiceName } from './settings-schema.js';

/** Adds the flags of the settings that a command uses; their values are read with the other sources, by `readSettings`. */
export function addSettingOptions(command: Command, service: ServiceName): Command {
  command.option('--config <file>', 'JSON file with settings (VIBE_CONFIG)');
  for (const { flag, kind, variable, values, fallback, description, usedBy } of SETTINGS) {
    if (flag === undefined || !usedBy.includes(service)) continue;
    const notes = [values, fallback === undefined ? '' : `default: ${fallback}`, variable].filter(
      (note) => note !== '',
    );
    const help = `${description} (${notes.join('; ')})`;
    if (kind === 'boolean') {
      command.addOption(new Option(flag, help));
      command.addOption(new Option(flag.replace('--', '--no-'), `not ${flag}`));
    } else {
      command.addOption(new Option(`${flag} <${kind === 'number' ? 'n' : kind === 'list' ? 'a,b' : 'text'}>`, help));
    }
  }
  return command;
}
