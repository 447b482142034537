/** The `--emit` of a plan: which files, and where they go. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { Plan } from '#core/plan/plan';
import { emit, type EmitTarget } from '#engines/emit/emit';
import type { Emission, EmitOptions } from '#engines/emit/emission';
import type { GkeOptions } from '#engines/emit/gke/options';
import { writeFiles } from '#adapters/files/write-files';
import type { Context } from '../command.js';
import type { Inputs } from '../documents/inputs.js';

export interface EmitFlags {
  readonly emit?: EmitTarget;
  readonly out?: string;
  readonly image?: string;
  readonly namespace?: string;
  readonly project?: string;
  readonly cluster?: string;
  readonly location?: string;
  readonly nodeZone?: string;
  readonly attributeSpelling?: '.' | '+';
  readonly strategy?: 'mixed' | 'single';
  readonly operatorNamespace?: string;
}

/** Undefined: nothing is to be emitted. */
export function emissionOf(plan: Plan, { fleet, needs }: Inputs, flags: EmitFlags): Emission | undefined {
  return flags.emit === undefined
    ? undefined
    : emit(flags.emit, plan, { ...optionsFrom(flags), fleet, needs });
}

/** Writes the files, or prints them where no folder is named; remarks go beside the answer. */
export async function deliver(
  { screen, json }: Context,
  emission: Emission,
  folder: string | undefined,
): Promise<void> {
  if (!emission.ok) {
    const { message, instead } = emission.why;
    if (!json) screen.print(`\n${screen.style.red('not emitted')}: ${message}\nWhat to do: ${instead}`);
    return;
  }
  const { files, notes } = emission;
  if (folder !== undefined) {
    await writeFiles(folder, files);
    if (!json) screen.print(`\nwritten to ${folder}:\n${files.map(({ path }) => `  ${path}`).join('\n')}`);
  } else if (!json) {
    // One file is printed as it is, so that it can be piped on; several need their names.
    const [only] = files.length === 1 ? files : [];
    screen.print(
      (only === undefined
        ? files.map(({ path, content }) => `# ==> ${path}\n${content}`).join('\n')
        : only.content
      ).trimEnd(),
    );
  }
  for (const note of notes) screen.note(`note: ${note}`);
}

function optionsFrom(flags: EmitFlags): EmitOptions {
  const {
    image,
    namespace,
    project,
    cluster,
    location,
    nodeZone,
    attributeSpelling,
    strategy,
    operatorNamespace,
  } = flags;
  const gke: GkeOptions = {
    ...(project === undefined ? {} : { project }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(location === undefined ? {} : { location }),
    ...(nodeZone === undefined ? {} : { nodeZone }),
    ...(attributeSpelling === undefined ? {} : { attributeSpelling }),
  };
  return {
    modelOf: modelByKey,
    ...(image === undefined ? {} : { image }),
    ...(namespace === undefined ? {} : { namespace }),
    gke,
    gpuOperator: {
      ...(strategy === undefined ? {} : { strategy }),
      ...(operatorNamespace === undefined ? {} : { operatorNamespace }),
    },
  };
}
