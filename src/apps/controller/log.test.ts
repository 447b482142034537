import { describe, expect, it } from 'vitest';
import { logTo, type LogEntry } from './log.js';

function said(json: boolean, ...entries: readonly LogEntry[]): readonly string[] {
  const lines: string[] = [];
  const log = logTo(
    (line) => lines.push(line),
    json,
    () => new Date('2026-11-23T12:00:00Z'),
  );
  entries.forEach(log);
  return lines;
}

const ended: LogEntry = {
  ...{ kind: 'change-ended', node: 'gpu-1', policy: 'inference', outcome: 'rolled-back' },
  ...{ message: 'mig-manager failed', tookMs: 123_400, evicted: 2 },
};

describe('the log of a controller', () => {
  it('says each news in words, a line each', () => {
    expect(
      said(
        false,
        { kind: 'started', identity: 'a-1', server: 'https://10.0.0.1', listens: 'nothing listens' },
        { kind: 'following', holder: 'b-2' },
        { kind: 'leading' },
        { kind: 'planned', tookMs: 123, verdict: '1 node to cut' },
        { kind: 'change-began', node: 'gpu-1', policy: 'inference', to: '7 x 1g.10gb' },
        { kind: 'progress', node: 'gpu-1', says: 'cordoned' },
        ended,
        { kind: 'advice', policy: 'inference', says: 'cut gpu-1' },
        { kind: 'trouble', message: 'no answer' },
        { kind: 'stepped-down', why: 'it was told to end' },
        { kind: 'stopped', why: 'SIGTERM' },
      ).map((line) => line.replace('2026-11-23T12:00:00.000Z ', '')),
    ).toEqual([
      'info started as a-1 for https://10.0.0.1; nothing listens\n',
      'info following b-2, which leads\n',
      'info leading\n',
      'info planned in 0.1 s: 1 node to cut\n',
      'info gpu-1: begins, for policy inference, to become 7 x 1g.10gb\n',
      'info gpu-1: cordoned\n',
      'warn gpu-1: rolled-back after 123 s, 2 pods evicted: mig-manager failed\n',
      'info policy inference: cut gpu-1\n',
      'warn no answer\n',
      'info stepped down: it was told to end\n',
      'info stopped: SIGTERM\n',
    ]);
  });

  it('says a turn only where it shows something else than the one before', () => {
    const turn = (waitingPods: number): LogEntry => ({
      kind: 'turn',
      changing: 0,
      policies: [{ policy: 'inference', nodes: 4, waitingPods, stuckNodes: 1 }],
    });
    expect(said(false, turn(1), turn(1), turn(0), { kind: 'turn', changing: 0, policies: [] })).toEqual([
      expect.stringContaining('looked: inference: 4 nodes, 1 pods wait, 1 nodes are stuck'),
      expect.stringContaining('0 pods wait'),
      expect.stringContaining('looked: no policies'),
    ]);
  });

  it('is a line of JSON with time, level and kind where that is wanted', () => {
    const [line = ''] = said(true, ended);
    expect(JSON.parse(line)).toEqual({ time: '2026-11-23T12:00:00.000Z', level: 'warn', ...ended });
    expect(line.endsWith('}\n')).toBe(true);
  });

  it.each([true, false])('lets nobody write lines or commands of their own (JSON: %s)', (json) => {
    const message = `a\n2026 info fine\r\u001b[31m\u009b31m\u202egpj.exe\u2028x${'y'.repeat(5_000)}`;
    const [line = '', ...more] = said(json, { kind: 'trouble', message });
    expect(more).toEqual([]);
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
    expect(line.length).toBeLessThan(2_200);
    if (json) expect(JSON.parse(line).message).toBe(`${message.slice(0, 2_000)}…`);
  });
});
