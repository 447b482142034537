/** The Prometheus of the command line: its address, how it lets us in, and how its pods find their owners. */
import { readText } from '#adapters/files/read-text';
import { prometheusSource, type PrometheusSource } from '#adapters/prometheus/source';
import type { PrometheusAuth, PrometheusTls } from '#adapters/prometheus/endpoint';
import { systemClock } from '#adapters/system/clock';
import { MicaError } from '#core/errors';
import type { AuditFlags } from './flags.js';

type Env = Readonly<Record<string, string | undefined>>;

const longestSecretBytes = 2 ** 16;

export async function prometheusFrom(url: string, flags: AuditFlags, env: Env): Promise<PrometheusSource> {
  return prometheusSource({
    url,
    auth: await authFrom(flags, env),
    headers: headersFrom(flags.header ?? []),
    tls: tlsFrom(flags),
    clock: systemClock,
  });
}

/** Secrets come from files and the environment: what stands on a command line, every process of the machine can read. */
async function authFrom(flags: AuditFlags, env: Env): Promise<PrometheusAuth> {
  const { bearerTokenFile, basicAuthFile } = flags;
  if (bearerTokenFile !== undefined && basicAuthFile !== undefined) {
    throw new MicaError('bad-usage', '--bearer-token-file and --basic-auth-file exclude each other');
  }
  const token = await secret(
    bearerTokenFile,
    basicAuthFile === undefined ? env['MICA_PROMETHEUS_TOKEN'] : undefined,
  );
  if (token !== undefined) return { kind: 'bearer', token };
  const basic = await secret(basicAuthFile, env['MICA_PROMETHEUS_BASIC_AUTH']);
  if (basic === undefined) return { kind: 'none' };
  const [, user = '', password = ''] = /^([^:]+):(.*)$/s.exec(basic) ?? [];
  if (user !== '') return { kind: 'basic', user, password };
  throw new MicaError(
    'bad-usage',
    `${basicAuthFile ?? 'MICA_PROMETHEUS_BASIC_AUTH'} does not hold USER:PASSWORD`,
  );
}

async function secret(file: string | undefined, fromEnv: string | undefined): Promise<string | undefined> {
  const text = file === undefined ? fromEnv : await readText(file, longestSecretBytes);
  const trimmed = text?.trim();
  if (trimmed === '')
    throw new MicaError('bad-usage', `${file ?? 'the credential in the environment'} is empty`);
  return trimmed;
}

function headersFrom(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] =
        /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/.exec(line) ?? [];
      if (name !== '') return [name.toLowerCase(), value.trim()] as const;
      throw new MicaError('bad-usage', `--header takes 'Name: value', as in 'X-Scope-OrgID: team-a'`);
    }),
  );
}

function tlsFrom({ caFile, clientCert, clientKey, insecureSkipVerify }: AuditFlags): PrometheusTls {
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new MicaError('bad-usage', '--client-cert and --client-key go together');
  }
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(clientCert === undefined ? {} : { certFile: clientCert }),
    ...(clientKey === undefined ? {} : { keyFile: clientKey }),
    insecure: insecureSkipVerify === true,
  };
}
