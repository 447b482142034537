/** Which of the three kinds of CSV a file is, told by its header, and where its columns are. */
import { MicaError } from '#core/errors';

export type CsvKind = 'workloads' | 'smi-gpus' | 'smi-processes';

export interface Header {
  readonly kind: CsvKind;
  /** By name, in lower case and without units. */
  readonly columns: ReadonlyMap<string, number>;
  readonly cells: number;
}

interface Shape {
  readonly kind: CsvKind;
  /** One of each group, and the first group tells the kind. */
  readonly needs: readonly (readonly string[])[];
  readonly example: string;
}

const shapes: readonly Shape[] = [
  {
    kind: 'workloads',
    needs: [['workload'], ['timestamp'], ['memory_mib']],
    example: 'workload,timestamp,memory_mib[,sm_activity]',
  },
  {
    kind: 'smi-processes',
    needs: [['used_gpu_memory'], ['timestamp'], ['pid'], ['gpu_uuid']],
    example: 'nvidia-smi --query-compute-apps=timestamp,gpu_uuid,pid,process_name,used_memory --format=csv',
  },
  {
    kind: 'smi-gpus',
    needs: [['memory.used'], ['timestamp'], ['uuid', 'index']],
    example:
      'nvidia-smi --query-gpu=timestamp,index,uuid,name,memory.used,utilization.gpu,mig.mode.current --format=csv',
  },
];

/** Throws MicaError `bad-csv`. */
export function readHeader(cells: readonly string[], file: string): Header {
  const names = cells.map(columnName);
  const shape = shapes.find(({ needs }) => needs[0]!.some((name) => names.includes(name)));
  if (shape === undefined) {
    const found = names.filter((name) => name !== '').join(', ');
    throw new MicaError(
      'bad-csv',
      `${file}: the first line is no header of a kind that can be read; it says ${found === '' ? 'nothing' : shortened(found)}`,
      {
        next: `Give the file a header, as in ${shapes[0]!.example}, or the log of ${shapes[2]!.example} -l 10.`,
      },
    );
  }
  const missing = shape.needs.filter((some) => !some.some((name) => names.includes(name)));
  if (missing.length > 0) {
    const columns = missing.map((some) => some.join(' or ')).join(', ');
    throw new MicaError('bad-csv', `${file}: no column ${columns}`, {
      next: `It should be as in ${shape.example}.`,
    });
  }
  const columns = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    if (columns.has(name)) throw new MicaError('bad-csv', `${file}: two columns are called ${name}`);
    if (name !== '') columns.set(name, index);
  }
  return { kind: shape.kind, columns, cells: names.length };
}

/** `memory.used [MiB]` is memory.used; what is asked for as used_memory is printed under another name. */
export function columnName(cell: string): string {
  const name = cell
    .replace(/\s*\[[^\]]*\]$/, '')
    .trim()
    .toLowerCase();
  return name === 'used_memory' ? 'used_gpu_memory' : name;
}

function shortened(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 120)}...`;
}
