/** One scrape over HTTP, or why there is none. */
import type { ErrorCode } from '#core/errors';

export type Fetch = (url: string, init: { readonly signal: AbortSignal }) => Promise<Response>;

export type ScrapeAnswer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** A node of 16 GPUs cut in 7 answers with less than 2 MiB. */
const largestAnswer = 64 * 2 ** 20;

export async function scrape(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
  fetch: Fetch,
): Promise<ScrapeAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, timeout]) });
    if (response.status === 401 || response.status === 403) {
      return no('access-refused', `${url} answered ${response.status}`);
    }
    if (!response.ok)
      return no('server-failed', `${url} answered ${response.status} ${response.statusText}`.trim());
    const text = await readBody(response);
    if (text === null)
      return no('not-the-api', `${url} answered with more than ${largestAnswer / 2 ** 20} MiB`);
    const strange = whatElse(text);
    return strange === null
      ? { ok: true, text }
      : no('not-the-api', `${url} answered with ${strange}, not with metrics`);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted)
      return no('server-unreachable', `${url} did not answer within ${timeoutMs / 1000} s`);
    return no('server-unreachable', `${url}: ${reasonOf(error)}`);
  }
}

/** What a text is that has no metrics; `null`: it may have some. */
export function whatElse(text: string): string | null {
  const start = text
    .slice(0, 1000)
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (/^<(!doctype|html|head|\?xml|!--|body)/i.test(start)) return 'a web page';
  if (/^[{[]/.test(start)) return 'JSON';
  return null;
}

async function readBody(response: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > largestAnswer) return null;
  }
  return text + decoder.decode();
}

function no(code: ErrorCode, message: string): ScrapeAnswer {
  return { ok: false, code, message };
}

/** Node puts what happened into the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const { code } = cause as NodeJS.ErrnoException;
  return cause.message || (code ?? error.message);
}
