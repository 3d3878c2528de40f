/**
 * Who may import whom. Imports between packages go downwards only and through the package's name; what must run in a
 * browser reaches no Node module.
 */
const { readdirSync } = require('node:fs');

/** Packages of this workspace that the source of each package may import. The umbrella may import all. */
const MAY_IMPORT = {
  core: [],
  compiler: ['core'],
  adapters: ['compiler', 'core'],
  plugins: ['core'],
  bots: ['core'],
  jobs: ['core'],
  'ai-sdk': ['core'],
  playground: [],
  'model-nano': [],
};
const UMBRELLA = 'cli';

const packages = readdirSync(`${__dirname}/packages`).filter((name) => name !== UMBRELLA);
const unknown = packages.filter((name) => !Object.hasOwn(MAY_IMPORT, name));
if (unknown.length > 0)
  throw new Error(`No import rule for packages/${unknown.join(', packages/')}: add it to MAY_IMPORT`);

/** Node's own modules, and packages with native code. */
const NODE_ONLY = { dependencyTypesNot: ['type-only'], path: '^(node:)?sharp$|node_modules/(sharp|onnxruntime-node)/' };
const CORE_MODULE = { dependencyTypes: ['core'] };
const BROWSER_FOLDERS = '^packages/core/src/(pipeline|scheduler|random|plugin|errors|backend)/|^packages/compiler/src/';
const TESTS = '\\.test\\.ts$|/testing/|/testdata/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...packages.map((name) => ({
      name: `${name}-imports-downwards-only`,
      comment: `packages/${name} may import: ${MAY_IMPORT[name].join(', ') || 'no other package'}`,
      severity: 'error',
      from: { path: `^packages/${name}/` },
      to: { path: '^packages/', pathNot: [name, ...MAY_IMPORT[name]].map((allowed) => `^packages/${allowed}/`) },
    })),
    {
      name: 'packages-meet-by-name',
      comment: "Another package's files are its own: import what its package.json exports",
      severity: 'error',
      from: { path: '^(packages/[^/]+|test|bench|examples)/' },
      to: { path: '^packages/[^/]+/src/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'packages-stand-alone',
      comment: 'Published code uses nothing of test, bench, examples or scripts',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: { path: '^(test|bench|examples|scripts)/' },
    },
    {
      name: 'browser-safe-folders-use-no-node-module',
      comment: 'The pipeline, schedulers, random numbers, plugin contract, errors and compiler run in a browser',
      severity: 'error',
      from: { path: BROWSER_FOLDERS, pathNot: TESTS },
      to: CORE_MODULE,
    },
    {
      name: 'browser-safe-folders-use-no-native-package',
      severity: 'error',
      from: { path: BROWSER_FOLDERS, pathNot: TESTS },
      to: NODE_ONLY,
    },
    {
      name: 'no-circular-imports',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'published-code-declares-what-it-uses',
      comment:
        'A devDependency or an undeclared package is missing after an installation; an optional peer is loaded when used',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|^packages/[^/]+/dist/' },
    exclude: { path: '^packages/[^/]+/dist/.*\\.test\\.' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
};
