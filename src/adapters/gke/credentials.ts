/** Application Default Credentials: a key file, a log-in of gcloud, workload identity, or the metadata server. */
import { MicaError } from '#core/errors';

/** Loaded when it is needed: the library is not small, and a local endpoint needs none. */
export async function applicationDefaultCredentials(): Promise<
  () => Promise<Readonly<Record<string, string>>>
> {
  const { GoogleAuth } = await import('google-auth-library');
  const auth = new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] });
  return async () => {
    try {
      const client = await auth.getClient();
      return Object.fromEntries((await client.getRequestHeaders()).entries());
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MicaError('access-refused', `Google Cloud's credentials cannot be had: ${why}`, {
        cause,
        next: 'Run `gcloud auth application-default login`, or name a key with $GOOGLE_APPLICATION_CREDENTIALS.',
      });
    }
  };
}
