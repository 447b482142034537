/** The answer as YAML, piece by piece: the same data as its JSON, and never all of it in memory at once. */
import type { AuditAnswer } from '#core/audit/answer';
import { yamlText } from '#engines/emit/yaml-text';

export function* toYaml(answer: AuditAnswer): Generator<string> {
  for (const [key, value] of Object.entries<unknown>({ ...answer })) {
    if (key === 'workloads') yield* workloadsOf(answer);
    else yield yamlText({ [key]: value });
  }
}

function* workloadsOf({ workloads }: AuditAnswer): Generator<string> {
  yield workloads.length === 0 ? 'workloads: []\n' : 'workloads:\n';
  for (const { timeline, ...workload } of workloads) {
    // One line for hundreds of numbers: a timeline is there to be drawn, not to be read.
    yield `${indented(yamlText([workload]))}    timeline: ${JSON.stringify(timeline)}\n`;
  }
}

/** Only a line feed ends a line here: `^` in a pattern would take U+2028 inside a text for an end too. */
function indented(text: string): string {
  return text.replace(/(?<=^|\n)(?=[^\n])/g, '  ');
}
