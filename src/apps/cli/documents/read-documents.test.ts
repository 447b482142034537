import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeProblems } from './problem.js';
import { readDocuments, type ReadDocument } from './read-documents.js';

function read(text: string): readonly ReadDocument[] {
  const answer = readDocuments(text, 'f.yaml');
  if (!answer.ok) throw new Error(describeProblems(answer.problems));
  return answer.value;
}

function complaintsOf(text: string): string {
  const answer = readDocuments(text, 'f.yaml');
  return answer.ok ? 'nothing' : describeProblems(answer.problems);
}

const head = (kind: string): string => `apiVersion: mica/v1\nkind: ${kind}\nspec:\n`;

describe('what it reads', () => {
  it('fills the defaults in', () => {
    const [needs] = read(`${head('Needs')}  needs: [{ name: bert, memory: 9GiB }]`);
    expect(needs).toMatchObject({
      kind: 'Needs',
      spec: {
        needs: [
          {
            name: 'bert',
            count: 1,
            memory: '9GiB',
            gpus: 1,
            p2p: false,
            media: false,
            graphics: false,
            isolation: 'hardware',
            priority: 0,
            movable: true,
          },
        ],
      },
    });
  });

  it('takes several documents of one file, and JSON with tabs as well as YAML', () => {
    const fleet = '{\n\t"apiVersion": "mica/v1",\n\t"kind": "Fleet",\n\t"spec": { "nodes": [] }\n}';
    expect(read(`${fleet}\n---\n${head('Needs')}  needs: []\n---\n`).map(({ kind }) => kind)).toEqual([
      'Fleet',
      'Needs',
    ]);
  });

  it('follows an alias to the place where the value stands', () => {
    const text = `${head('Fleet')}  nodes:\n    - &a { name: a, model: h100, gpus: 0 }\n    - *a`;
    expect(complaintsOf(text)).toContain(
      'f.yaml:5:40 spec.nodes[0].gpus: must be a whole number from 1 to 16, got 0',
    );
  });
});

describe('what it refuses, with the place', () => {
  it.each([
    [
      '  nodes: [{ name: a, model: h100, gpus: -2 }]',
      'f.yaml:4:41 spec.nodes[0].gpus: must be a whole number from 1 to 16, got -2',
    ],
    ['  nodes: [{ name: a, model: h100, gpus: 1.5 }]', 'from 1 to 16, got 1.5'],
    ["  nodes: [{ name: a, model: h100, gpus: '4' }]", "from 1 to 16, got '4'"],
    ['  nodes: [{ name: a, gpus: 1 }]', 'f.yaml:4:11 spec.nodes[0].model: is missing; it must be text'],
    [
      '  nodes: [{ name: a, mdoel: h100, gpus: 1 }]',
      'f.yaml:4:22 spec.nodes[0].mdoel: unknown key; did you mean model?',
    ],
    [
      '  nodes: [{ name: 7, model: h100, gpus: 1 }]',
      'spec.nodes[0].name: must be text (put a number in quotes), got 7',
    ],
    ['  nodes: [{ name: "a b", model: h100, gpus: 1 }]', 'spec.nodes[0].name: must be 1 to 63 letters'],
    [
      '  nodes: [{ name: a, model: h100, gpus: 1, usdPerHour: -1 }]',
      'must be an amount in dollars, 0 or more, got -1',
    ],
    [
      '  nodes: [{ name: a, model: h100, gpus: 1, layouts: [[{ profile: x, start: 0, bsy: true }]] }]',
      'layouts[0][0].bsy: unknown key; did you mean busy?',
    ],
    ['  nodes: 3', 'f.yaml:4:10 spec.nodes: must be a list, got 3'],
    ['  nodes: []\n  nodes: []', 'f.yaml:5:3 spec.nodes: is stated twice in the same map'],
    ['  nodes: [', 'f.yaml:4:'],
    ['  nodes: [*nowhere]', 'f.yaml:4:11 spec.nodes[0]: refers to *nowhere, which is not defined above'],
  ])('%j', (spec, complaint) => {
    expect(complaintsOf(head('Fleet') + spec)).toContain(complaint);
  });

  it.each([
    ['', 'is empty'],
    ['# a remark\n', 'is empty'],
    ['hello', "a document starts with 'apiVersion: mica/v1'"],
    [
      'apiVersion: mica/v1\nkind: Need\nspec: {}',
      "kind: must be one of Fleet, Needs, Layout, Prices, got 'Need'; did you mean Needs?",
    ],
    ['spec: {}', 'kind: is missing'],
    [
      'apiVersion: mica/v2\nkind: Needs\nspec: { needs: [] }',
      "f.yaml:1:13 apiVersion: must be mica/v1, got 'mica/v2'",
    ],
    ['a\0b', 'NUL'],
  ])('%j', (text, complaint) => {
    expect(complaintsOf(text)).toContain(complaint);
  });

  it('everything at once, ten of them in words', () => {
    const bad = Array.from({ length: 13 }, () => '{ name: a, model: h100, gpus: 0 }').join(', ');
    const complaints = complaintsOf(`${head('Fleet')}  nodes: [${bad}]`).split('\n');
    expect(complaints).toHaveLength(11);
    expect(complaints.at(-1)).toBe('and 3 more');
  });
});

describe('what would eat time or memory', () => {
  const laughs = Array.from('bcdefghij').reduce(
    (text, name, index) =>
      `${text}${name}: &${name} [${Array(9)
        .fill(`*${String.fromCharCode(97 + index)}`)
        .join()}]\n`,
    'a: &a [x]\n',
  );

  it.each([
    ['brackets', '['.repeat(500_000), 'nested more than 32 levels'],
    ['brackets with values between them', '[a, '.repeat(20_000), ''],
    [
      'indentation',
      Array.from({ length: 800 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      'nested more than 32 levels',
    ],
    ['aliases of aliases', laughs, 'Excessive alias count'],
    [
      'many different keys',
      Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`).join('\n'),
      'kind: is missing',
    ],
    ['one key again and again', 'a: b\n'.repeat(50_000), 'is stated twice'],
  ])('%s', (_, text, complaint) => {
    expect(complaintsOf(text)).toContain(complaint);
  });

  it('whatever the text is, the answer is a value', () => {
    const scraps = [
      'apiVersion: mica/v1',
      'kind: Fleet',
      'kind: Needs',
      'spec:',
      '  nodes:',
      '- ',
      '{',
      '[',
      '&a',
      '*a',
      '---',
      '\n',
      '\t',
      ': ',
      '"',
      '|',
      '? ',
      '!!',
      '%YAML 1.1',
      '__proto__: 1',
    ];
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...scraps)).map((some) => some.join('')),
      fc.json(),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        const answer = readDocuments(text, 'f.yaml');
        if (!answer.ok) expect(answer.problems.length).toBeGreaterThan(0);
      }),
    );
  });
});
