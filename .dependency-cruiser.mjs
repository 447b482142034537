/** The floors of ARCHITECTURE.md as rules. A rule's comment is what the person who broke it should read. */

const tests = '[.](test|contract)[.]ts$';

/** Files under `from` may import, of our own sources, only what `mayImport` matches. */
const floor = (name, comment, from, mayImport) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: tests },
  to: { path: '^src/', pathNot: mayImport },
});

/** Only the files in these rooms may import the package. */
const door = (packageName, ...rooms) => ({
  name: `${packageName}-has-${rooms.length === 1 ? 'one door' : 'few doors'}`.replaceAll(' ', '-'),
  comment: `Only src/${rooms.join(' and src/')} import ${packageName}; everybody else takes its port as an argument.`,
  severity: 'error',
  from: { path: '^src/', pathNot: rooms.map((room) => `^src/${room}/`) },
  to: { path: `node_modules/${packageName}/` },
});

export default {
  forbidden: [
    {
      name: 'core-imports-only-core',
      comment: 'Core answers questions; what it needs is passed in as a value. No Node, no packages.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: tests },
      to: { pathNot: '^src/core/' },
    },
    floor('ports-know-core', 'A port is a promise in domain words.', '^src/ports/', '^src/(core|ports)/'),
    floor(
      'engines-know-ports',
      'Engines take adapters as arguments.',
      '^src/engines/',
      '^src/(core|ports|engines)/',
    ),
    floor(
      'adapters-stay-apart',
      'Shared and pure? Move it to core. Shared and impure? Make it a port.',
      '^src/adapters/([^/]+)/',
      ['^src/(core|ports)/', '^src/adapters/$1/'],
    ),
    floor(
      'apps-take-ports',
      'Only the CLI wires adapters.',
      '^src/apps/(?!cli/)',
      '^src/(core|ports|engines|apps)/',
    ),
    floor(
      'doors-publish-answers',
      'The library is core, the emitters and the solver that core takes as an argument.',
      '^src/index[.]ts$',
      '^src/(core/|engines/emit/|adapters/highs/)',
    ),
    door('highs', 'adapters/highs'),
    door('koffi', 'adapters/nvml', 'adapters/peer'),
    door('libsql', 'adapters/sqlite'),
    door('fastify', 'apps/server', 'apps/controller'),
    door('prom-client', 'apps/controller'),
    {
      name: 'no-cycles',
      comment: 'A cycle is one module pretending to be two.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-missing',
      comment: 'The import leads nowhere: a typing error, or a package that package.json does not name.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'ships-without-tests',
      comment: 'What users install holds no tests and no development packages.',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'sources-import-no-tests',
      comment: 'A test imports what it tests, never the other way round.',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { path: [tests, '^(test|bench)/'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'types', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
