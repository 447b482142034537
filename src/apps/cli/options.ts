/** Arguments and options that several commands share, each with the one description that help shows. */
import { Option } from 'commander';

export const modelHelp = 'GPU model: key or alias, e.g. h100 or rtx-pro-6000';

export function json(): Option {
  return new Option('--json', 'print the answer as JSON');
}

export function gpu(): Option {
  return new Option('--gpu <model>', 'GPU model, instead of MODEL as the first argument');
}

export function headroom(): Option {
  return new Option(
    '--headroom <share>',
    'added to every memory figure (default: 0.1, or as mica.yaml says)',
  );
}

export function speeds(): Option {
  return new Option(
    '--speeds <list>',
    'relative speeds of cards, to convert compute shares: h100=2,a100-80gb=1',
  );
}

export function assumeMemory(): Option {
  return new Option(
    '--assume-memory <share>',
    'where usable memory is not published, count on this share of the GB in the name, e.g. 0.88',
  );
}

export function withoutMediaEngines(): Option {
  return new Option('--without-media-engines', 'take -me profiles too, for needs without media');
}

export function files(description: string): Option {
  const gather = (file: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    file,
  ];
  return new Option('-f, --file <file>', `${description}; may be repeated`).argParser(gather);
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
