/**
 * Type-checks the examples that readers copy: every `@example` in the packages' sources and every TypeScript block of README.md and
 * docs. An `@example` sees what its own file exports, without an import; a block of a page must import what it uses.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

interface Example {
  /** Where the compiler believes it lies: decides what its imports mean. */
  readonly path: string;
  readonly code: string;
  /** Where it stands for a reader. */
  readonly file: string;
  readonly line: number;
}

/** Fenced TypeScript blocks among lines; `line` counts from 0. */
function fencedBlocks(lines: readonly string[]): { line: number; code: string }[] {
  const blocks: { line: number; code: string }[] = [];
  let fence: { line: number; language: string } | undefined;
  lines.forEach((text, index) => {
    const mark = text.match(/^\s*```(\S*)/);
    if (!mark) return;
    if (fence === undefined) {
      fence = { line: index + 1, language: mark[1] ?? '' };
    } else {
      if (['ts', 'typescript'].includes(fence.language)) {
        blocks.push({ line: fence.line, code: lines.slice(fence.line, index).join('\n') });
      }
      fence = undefined;
    }
  });
  return blocks;
}

/** Code under the `@example` tags of one doc comment, its stars removed. */
function exampleTags(lines: readonly string[]): { line: number; code: string }[] {
  const blocks: { line: number; code: string }[] = [];
  lines.forEach((text, start) => {
    if (!/^@example\b/.test(text)) return;
    let end = start + 1;
    let fenced = false;
    while (end < lines.length && (fenced || !/^@[a-z]/.test(lines[end] ?? ''))) {
      if (/^\s*```/.test(lines[end] ?? '')) fenced = !fenced;
      end++;
    }
    const body = lines.slice(start + 1, end);
    if (body.some((line) => /^\s*```/.test(line))) {
      for (const block of fencedBlocks(body)) blocks.push({ line: start + 1 + block.line, code: block.code });
    } else {
      blocks.push({ line: start + 1, code: body.join('\n') });
    }
  });
  return blocks;
}

/** Names that a source file exports. */
function exportedNames(path: string, text: string): string[] {
  const names: string[] = [];
  for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.ESNext).statements) {
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
      names.push(...statement.exportClause.elements.map((element) => element.name.text));
      continue;
    }
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) continue;
    if (ts.isVariableStatement(statement)) {
      for (const declaration of statement.declarationList.declarations) {
        if (ts.isIdentifier(declaration.name)) names.push(declaration.name.text);
      }
    } else if (
      (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) &&
      statement.name !== undefined
    ) {
      names.push(statement.name.text);
    } else if (
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      ts.isEnumDeclaration(statement)
    ) {
      names.push(statement.name.text);
    }
  }
  return [...new Set(names)];
}

/** Names that a piece of code imports or declares itself at its top level. */
function ownNames(code: string): Set<string> {
  const names = new Set<string>();
  for (const statement of ts.createSourceFile('example.ts', code, ts.ScriptTarget.ESNext).statements) {
    if (ts.isImportDeclaration(statement)) {
      const clause = statement.importClause;
      if (clause?.name) names.add(clause.name.text);
      const bindings = clause?.namedBindings;
      if (bindings && ts.isNamedImports(bindings))
        for (const element of bindings.elements) names.add(element.name.text);
      if (bindings && ts.isNamespaceImport(bindings)) names.add(bindings.name.text);
    } else if (ts.isVariableStatement(statement)) {
      const visit = (name: ts.BindingName): void => {
        if (ts.isIdentifier(name)) names.add(name.text);
        else for (const element of name.elements) if (ts.isBindingElement(element)) visit(element.name);
      };
      for (const declaration of statement.declarationList.declarations) visit(declaration.name);
    } else if (
      (ts.isFunctionDeclaration(statement) ||
        ts.isClassDeclaration(statement) ||
        ts.isInterfaceDeclaration(statement)) &&
      statement.name
    ) {
      names.add(statement.name.text);
    }
  }
  return names;
}

/** In the test folder, which depends on every package, as a reader who follows an example does. */
function examplePath(path: string, index: number): string {
  return join(ROOT, 'test', `${relative(ROOT, path).replaceAll(/[/\\.]/g, '-')}-${index + 1}.ts`);
}

function examplesOfSource(path: string): Example[] {
  const text = readFileSync(path, 'utf8');
  const examples: Example[] = [];
  const exported = exportedNames(path, text);
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const firstLine = text.slice(0, comment.index).split('\n').length - 1;
    const lines = comment[0]
      .split('\n')
      .map((line) => line.replace(/^\s*(\/\*\*|\*\/|\*(?!\/)) ?/, '').replace(/\s*\*\/$/, ''));
    for (const block of exampleTags(lines)) {
      const own = ownNames(block.code);
      const visible = exported.filter((name) => !own.has(name));
      const prefix =
        visible.length === 0
          ? 'export {}; '
          : `import { ${visible.join(', ')} } from '../${relative(ROOT, path).replaceAll('\\', '/').replace(/\.ts$/, '.js')}'; `;
      examples.push({
        path: examplePath(path, examples.length),
        code: prefix + block.code,
        file: relative(ROOT, path),
        line: firstLine + block.line + 1,
      });
    }
  }
  return examples;
}

function examplesOfPage(path: string): Example[] {
  return fencedBlocks(readFileSync(path, 'utf8').split('\n')).map((block, index) => ({
    path: examplePath(path, index),
    code: `export {}; ${block.code}`,
    file: relative(ROOT, path),
    line: block.line + 1,
  }));
}

function filesUnder(folder: string, wanted: (name: string) => boolean): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && wanted(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function compilerOptions(): ts.CompilerOptions {
  const path = join(ROOT, 'tsconfig.check.json');
  const file = ts.readConfigFile(path, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(file.config, ts.sys, ROOT, undefined, path);
  return {
    ...options,
    // An example names things that it only shows.
    noUnusedLocals: false,
    noUnusedParameters: false,
    // The imports put in front of an example mix types and values.
    verbatimModuleSyntax: false,
    isolatedModules: false,
  };
}

/** Type errors, one line each, at the place where a reader finds the example. */
function check(examples: readonly Example[]): string[] {
  const byPath = new Map(examples.map((example) => [example.path, example]));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => byPath.has(path) || fileExists(path);
  host.readFile = (path) => byPath.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, language, ...rest) => {
    const example = byPath.get(path);
    return example ? ts.createSourceFile(path, example.code, language, true) : getSourceFile(path, language, ...rest);
  };
  const program = ts.createProgram([...byPath.keys()], options, host);
  return examples.flatMap((example) => {
    const source = program.getSourceFile(example.path);
    const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return diagnostics.map((diagnostic) => {
      const line = source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
      const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n  ');
      return `${example.file}:${example.line + line}: ${message}`;
    });
  });
}

const sources = filesUnder(
  join(ROOT, 'packages'),
  (name) => /\.ts$/.test(name) && !/\.(d|test)\.ts$/.test(name),
).filter((path) => relative(ROOT, path).split(/[/\\]/).includes('src'));
const pages = [...filesUnder(join(ROOT, 'docs'), (name) => name.endsWith('.md'))];
if (existsSync(join(ROOT, 'README.md'))) pages.unshift(join(ROOT, 'README.md'));

const examples = [...sources.flatMap(examplesOfSource), ...pages.flatMap(examplesOfPage)];
const errors = check(examples);
for (const error of errors) console.error(error);
console.log(`${examples.length} examples, ${errors.length} errors`);
if (errors.length > 0) process.exitCode = 1;
