import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AuditAnswer } from '#core/audit/answer';
import { hostileName, sampleAudit } from '../../../../test/support/sample-audit.js';
import { toHtml } from './page.js';
import { script, scriptHash } from './script.js';
import { style, styleHash } from './style.js';

const page = toHtml(sampleAudit);

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** Tags that were opened and not closed, or closed and not opened. */
function unbalanced(source: string): readonly string[] {
  const text = source.replace(/<(script|style)>[\s\S]*?<\/\1>/g, '').replace(/<!doctype html>/, '');
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, close, name = '', , selfClosed] of text.matchAll(
    /<(\/?)([a-zA-Z0-9]+)((?:[^<>"]|"[^"]*")*?)(\/?)>/g,
  )) {
    if (selfClosed === '/' || /^(meta|input|br|img|link|hr)$/.test(name)) continue;
    if (close === '') open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

describe('toHtml', () => {
  it('runs no script and no style but its own', () => {
    expect([scriptHash, styleHash]).toEqual([sha256(script), sha256(style)]);
    expect(page).toContain(`<script>${script}</script>`);
    expect(page).toContain(`<style>${style}</style>`);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/ (style|on\w+)="/);
    expect(page.match(/<script/g)).toHaveLength(1);
  });

  it('names nothing outside of itself', () => {
    const references = [...page.matchAll(/\b(?:href|src|action|xlink:href|data)="([^"]*)"/g)];
    expect(references.length).toBeGreaterThan(5);
    expect(references.map(([, target = '']) => target).filter((target) => !target.startsWith('#'))).toEqual(
      [],
    );
    expect(style).not.toMatch(/@import|url\((?!#)/);
  });

  it('is well-formed, each id once, each reference to an id that is there', () => {
    expect(unbalanced(page)).toEqual([]);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id);
    expect(ids).toEqual([...new Set(ids)]);
    const wanted = [...page.matchAll(/ (?:href="#|aria-labelledby="|aria-describedby=")([^"]+)"/g)];
    const missing = wanted.flatMap(([, list = '']) => list.split(' ')).filter((id) => !ids.includes(id));
    expect(missing).toEqual([]);
  });

  it('takes hostile names as names', () => {
    expect(page).not.toContain(hostileName);
    expect(page).not.toMatch(/<img|<\/table>[^<]*quotes/);
    expect(page).toContain('&lt;script&gt;globalThis.pwned=1&lt;/script&gt;');
  });

  it('says what is not known, and never NaN or undefined', () => {
    const { workloads, totals } = sampleAudit;
    const unknown: AuditAnswer = {
      ...sampleAudit,
      workloads: workloads.map((workload) => ({
        ...workload,
        ...{ memoryMiB: null, compute: null, recommended: null, current: { model: null, profile: null } },
        ...{ usdPerMonth: { now: null, after: null }, timeline: { startMs: 0, stepMs: 60_000, max: [] } },
      })),
      totals: { ...totals, usdPerMonth: null, score: 0 },
      ...{ before: [], after: [], notes: [], isolation: { gives: [], takes: [] } },
    };
    for (const text of [toHtml(unknown), toHtml({ ...unknown, workloads: [] }), page]) {
      expect(text.replace(script, '')).not.toMatch(/NaN|undefined|Infinity|\[object/);
      expect(unbalanced(text)).toEqual([]);
    }
    expect(toHtml(unknown)).toContain('No price is known');
  });

  it('stays small where there are thousands of workloads', () => {
    const count = 5_000;
    const many = Array.from({ length: count }, (_, index) => {
      const workload = sampleAudit.workloads[index % sampleAudit.workloads.length];
      if (workload === undefined) throw new Error('the sample has no workloads');
      const max = Array.from({ length: 512 }, (__, at) => (at * 7919 * (index + 3)) % 24_000);
      return {
        ...workload,
        workload: `${workload.workload}-${index}`,
        timeline: { ...workload.timeline, max },
      };
    });
    const card = sampleAudit.before[0];
    if (card === undefined) throw new Error('the sample has no GPUs');
    const before = many.map(({ workload }) => ({
      ...card,
      slices: card.slices.map((slice) => ({ ...slice, workloads: [workload] })),
    }));
    const large = toHtml({ ...sampleAudit, workloads: many, before });
    expect(large.length).toBeLessThan(15e6);
    expect(large.match(/<tr data-row/g)).toHaveLength(count);
    expect(large.match(/<details/g)).toHaveLength(250);
  });
});
