import { SETTINGS, type Setting } from './setting.js';

/** The settings as a table of Markdown: that of docs/serve.md. */
export function settingsTable(): string {
  return [
    '| file | flag | environment | default | what |',
    '| --- | --- | --- | --- | --- |',
    ...SETTINGS.map(tableRow),
  ].join('\n');
}

function tableRow({ name, flag, variable, fallback, values, description, usedBy }: Setting): string {
  const only = usedBy.length === 1 ? ` (\`${usedBy[0]}\`)` : '';
  const bounds = values === '' ? '' : `; ${values}`;
  const cells = [
    `\`${name}\``,
    flag === undefined ? '' : `\`${flag}\``,
    `\`${variable}\``,
    fallback === undefined ? '' : `\`${fallback}\``,
    `${description}${bounds}${only}`,
  ];
  return `| ${cells.join(' | ')} |`;
}
