/** What this machine can reach: an NVIDIA GPU, a Kubernetes cluster, a Prometheus. Only looks, and only briefly. */
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Surroundings {
  /** The trace that the GPU's driver left; `null`: no NVIDIA driver. */
  readonly gpu: string | null;
  readonly kubeconfig: string | null;
  readonly prometheus: string | null;
}

export async function lookAround(
  env: Readonly<Record<string, string | undefined>>,
  timeoutMs = 400,
): Promise<Surroundings> {
  const [gpu, kubeconfig, prometheus] = await Promise.all([
    firstThere(['/dev/nvidia0', '/proc/driver/nvidia']),
    firstThere(kubeconfigsOf(env)),
    prometheusAt(env['PROMETHEUS_URL'] ?? 'http://localhost:9090', timeoutMs),
  ]);
  return { gpu, kubeconfig, prometheus };
}

/** Where kubectl looks; a pod finds its cluster by its service account. */
function kubeconfigsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config');
  return [...(named.length > 0 ? named : [home]), '/var/run/secrets/kubernetes.io/serviceaccount/token'];
}

async function firstThere(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

/** Asks for what every Prometheus answers, so that another server on that port is not taken for one. */
async function prometheusAt(url: string, timeoutMs: number): Promise<string | null> {
  try {
    const answer = await fetch(new URL('/-/ready', url), { signal: AbortSignal.timeout(timeoutMs) });
    return answer.ok && (await answer.text()).startsWith('Prometheus') ? url : null;
  } catch {
    return null;
  }
}
