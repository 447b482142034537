import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeCsv, readOpenb } from './openb.js';
import { describeProblems } from './problem.js';

const header =
  'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time';
const pod = (gpus: string, milli: string): string => `p,1000,2048,${gpus},${milli},,LS,Running,0,9,0`;

function complaintsOf(text: string): string {
  const answer = readOpenb(text, 'pods.csv');
  return answer.ok ? 'nothing' : describeProblems(answer.problems);
}

describe('readOpenb', () => {
  it('groups equal requests, and leaves out what asks for no GPU', () => {
    const text = [
      header,
      pod('1', '460'),
      pod('0', '0'),
      pod('8', '1000'),
      pod('1', '460'),
      pod('1', '1000'),
    ].join('\n');
    const answer = readOpenb(text, 'pods.csv');
    if (!answer.ok) throw new Error(describeProblems(answer.problems));
    expect(answer.needs.map(({ name, count, gpus, compute }) => ({ name, count, gpus, compute }))).toEqual([
      { name: 'share-460', count: 2, gpus: 1, compute: { share: 0.46 } },
      { name: 'gpus-1', count: 1, gpus: 1, compute: { share: 1 } },
      { name: 'gpus-8', count: 1, gpus: 8, compute: { share: 8 } },
    ]);
    expect(answer.needs.every((need) => need.memoryMiB === undefined)).toBe(true);
  });

  it('says what it left out and which rule it used', () => {
    const answer = readOpenb([header, pod('1', '460'), pod('0', '0')].join('\n'), 'pods.csv');
    const said = answer.ok ? answer.notes.join('\n') : '';
    for (const fact of [
      '2 pods, 1 of them use a GPU',
      'times',
      'rounded up to compute slices',
      'memory is not in the trace',
    ])
      expect(said).toContain(fact);
  });

  it('needs only three of the columns, in any order, and skips remarks and empty lines', () => {
    const answer = readOpenb(
      '\uFEFF# a remark\ngpu_milli,name,num_gpu\r\n\r\n500,a,1\r\n# another\r\n"500",b,1\r\n',
      '-',
    );
    expect(answer).toMatchObject({ ok: true, needs: [{ name: 'share-500', count: 2 }] });
  });

  it.each([
    [
      'name,num_gpu,cpu_milli\np,1,1',
      'pods.csv:1:1: has no column gpu_milli; it has name, num_gpu, cpu_milli',
    ],
    ['', 'has no column name and no column num_gpu and no column gpu_milli; it has no header'],
    [
      [header, pod('1', '460'), pod('-1', '0')].join('\n'),
      "pods.csv:3:1 num_gpu: must be a whole number from 0 to 16, got '-1'",
    ],
    [
      `# remark\n\n${[header, pod('1', '0')].join('\n')}`,
      "pods.csv:4:1 gpu_milli: must be a whole number from 1 to 1000, got '0'",
    ],
    [[header, pod('1', '1e3')].join('\n'), "got '1e3'"],
    [[header, pod('1', '460'), 'a,b'].join('\n'), 'pods.csv:3:1: Invalid Record Length'],
    [`${header}\n"unclosed`, 'Quote Not Closed'],
    [[header, pod('0', '0')].join('\n'), 'holds no pod that uses a GPU (1 pods)'],
    [header, 'holds no pod that uses a GPU (0 pods)'],
  ])('refuses %j', (text, complaint) => {
    expect(complaintsOf(text)).toContain(complaint);
  });

  it('stops at the tenth bad line of a long list', () => {
    const text = [header, ...Array<string>(5000).fill(pod('x', '0'))].join('\n');
    expect(complaintsOf(text).split('\n')).toHaveLength(10);
  });

  it('whatever the text is, the answer is a value', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(header, pod('1', '5'), ',', '"', '\n', '#')).map((some) => some.join('')),
    );
    fc.assert(fc.property(text, (some) => typeof readOpenb(some, 'pods.csv').ok === 'boolean'));
  });
});

describe('looksLikeCsv', () => {
  it.each([
    ['a.CSV', 'anything', true],
    ['-', header, true],
    ['-', '# remark\nname,num_gpu,gpu_milli', true],
    ['fleet.yaml', 'apiVersion: mica/v1', false],
    ['-', '', false],
  ])('%s with %j: %s', (file, text, wanted) => {
    expect(looksLikeCsv(text, file)).toBe(wanted);
  });
});
