/** The lines of a watch, as they come: one JSON object each. The rest of a line that never ended is nothing. */
import { MicaError } from '#core/errors';

/** An object is 1.5 MiB at most in etcd; as JSON it is somewhat more. */
const longestLineBytes = 8 * 1024 * 1024;

const lineFeed = 10;

export async function* linesOf(stream: AsyncIterable<Uint8Array>, shown: string): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString('utf8').trim();
      parts = [];
      length = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > longestLineBytes)
      throw new MicaError('not-the-api', `${shown} sends a line that is longer than any object.`);
  }
}
