/** What may be said in three places: a flag beats the environment, the environment beats `mica.yaml`. */
import { findModel } from '#core/catalogue/find-model';
import { MicaError } from '#core/errors';
import type { Speeds } from '#core/sizing/compute';
import { defaultHeadroom } from '#core/sizing/memory';
import type { SizingOptions } from '#core/sizing/wants';
import { modelNamed, numberBetween } from './arguments.js';
import type { Config } from './documents/config.js';

type Env = Readonly<Record<string, string | undefined>>;

/** The options of every command that sizes needs. */
export interface SizingFlags {
  readonly headroom?: string;
  readonly speeds?: string;
  readonly assumeMemory?: string;
  readonly withoutMediaEngines?: boolean;
}

export async function sizingFrom(flags: SizingFlags, env: Env): Promise<SizingOptions> {
  const { withoutMediaEngines = false } = flags;
  const config = await configOf(env);
  const speeds = flags.speeds === undefined ? speedsOf(config) : parseSpeeds(flags.speeds);
  const assumed = flags.assumeMemory;
  return {
    headroom: headroomFrom(flags.headroom, env, config),
    withoutMediaEngines,
    ...(speeds === undefined ? {} : { speeds }),
    ...(assumed === undefined ? {} : { assumeFromName: numberBetween('--assume-memory', assumed, 0.5, 1) }),
  };
}

/** The file of Prices documents: `--prices`, `$MICA_PRICES`, mica.yaml; undefined: none. */
export async function pricesFileFrom(flag: string | undefined, env: Env): Promise<string | undefined> {
  return flag ?? env['MICA_PRICES'] ?? (await configOf(env)).prices;
}

/** Where metrics are: `--prometheus`, `$PROMETHEUS_URL`, mica.yaml; undefined: nobody said. */
export async function prometheusUrlFrom(flag: string | undefined, env: Env): Promise<string | undefined> {
  return flag ?? env['PROMETHEUS_URL'] ?? (await configOf(env)).prometheusUrl;
}

function headroomFrom(flag: string | undefined, env: Env, config: Config): number {
  if (flag !== undefined) return numberBetween('--headroom', flag, 0, 2);
  const stated = env['MICA_HEADROOM'];
  if (stated !== undefined) return numberBetween('MICA_HEADROOM', stated, 0, 2);
  return config.headroom ?? defaultHeadroom;
}

/** `h100=2,a100-80gb=1`. */
function parseSpeeds(text: string): Speeds {
  const pairs = text.split(',').map((pair) => {
    const [name = '', speed = ''] = pair.split('=');
    return [modelNamed(name).key, numberBetween(`--speeds ${name}`, speed, 0.001, 1e6)] as const;
  });
  return Object.fromEntries(pairs);
}

function speedsOf({ speeds }: Config): Speeds | undefined {
  if (speeds === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(speeds).map(([name, speed]) => {
      const found = findModel(name);
      if (!found.ok) throw new MicaError('bad-document', `mica.yaml: speeds: ${found.why.message}`);
      return [found.model.key, speed] as const;
    }),
  );
}

/** Read on demand: most commands have no use for it, and checking it loads a YAML reader. */
async function configOf(env: Env): Promise<Config> {
  const { readConfig } = await import('./documents/config.js');
  return readConfig(env);
}
