/** What went wrong between us and a Prometheus, said so that its user knows what to do. */
import { MicaError } from '#core/errors';

/** Of a connection that failed before an answer began. */
export function connectionFailure(shown: string, cause: unknown): MicaError {
  const code = codeOf(cause);
  if (/ALERT/.test(code))
    return new MicaError(
      'access-refused',
      `${shown} does not accept our client certificate, or wants one (${code}).`,
      {
        cause,
      },
    );
  if (/CERT|SELF_SIGNED|TLS|SSL|ALTNAME/.test(code))
    return new MicaError('server-unreachable', `The certificate of ${shown} is not accepted (${code}).`, {
      cause,
      next: 'Name the certificate authority with --ca-file FILE.',
    });
  if (/RESET|UND_ERR_SOCKET|EPIPE/.test(code))
    return new MicaError('server-unreachable', `${shown} hangs up each time it is asked (${code}).`, {
      cause,
      next: 'Check whether it speaks HTTPS or HTTP, and whether it wants a client certificate.',
    });
  return new MicaError('server-unreachable', `Nothing answers at ${shown} (${code}).`, { cause });
}

/** The system's or undici's own code, also where it lies under other errors. */
export function codeOf(cause: unknown): string {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined) return code;
    if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  }
  return cause instanceof Error ? cause.message : String(cause);
}

/** Whether half the time is a better part of the question than half the hosts. */
export function isAboutTime(message: string): boolean {
  return /time range|query length|max[-_ ]query[-_ ]length/i.test(message);
}

/** Of an answer whose status is not 200; `said`: the server's own words, as far as it spoke. */
export function statusFailure(shown: string, status: number, said: string): MicaError {
  const words = said === '' ? '' : `: ${said}`;
  if (status === 401 || status === 407)
    return new MicaError('access-refused', `${shown} wants to know who asks (${status}${words}).`);
  if (status === 403)
    return new MicaError('access-refused', `${shown} does not let this user ask (${status}${words}).`);
  if (status === 404)
    return new MicaError('not-the-api', `There is no Prometheus API at ${shown} (404).`, {
      next: 'Check the path of the URL: Mimir wants /prometheus, others the path under which their /api/v1 is.',
    });
  if (status >= 300 && status < 400)
    return new MicaError(
      'not-the-api',
      `${shown} sends its callers elsewhere (${status}), as a log-in page does.`,
      {
        next: 'Name the address that it leads to, or give the credentials that it wants.',
      },
    );
  return new MicaError('server-failed', `${shown} answers with an error (${status}${words}).`);
}

export function notTheApi(shown: string, what: string): MicaError {
  return new MicaError('not-the-api', `${shown} answers, but not as Prometheus does: ${what}.`);
}

/**
 * Whether a smaller question would be answered: a limit on samples, series, bytes or time was hit. In the words of
 * Prometheus, Thanos, Cortex, Mimir and VictoriaMetrics.
 */
export function isTooLarge(status: number, errorType: string, message: string): boolean {
  if (status === 413 || status === 414) return true;
  // Who asks too often is told of a limit too, and smaller questions are more of them.
  if (status === 429 || (status > 300 && status < 400) || (status > 400 && status < 405)) return false;
  if (errorType === 'timeout') return true;
  return /too many (samples|series|points|chunks|bytes)|timed out|timeout expired|deadline exceeded|limit|exceed|maximum (allowed )?number|-maxMemoryPerQuery|search\.max/i.test(
    message,
  );
}
