/** The same look again and again until Ctrl-C: pictures for people, a JSON document per line for programs. */
import { untilInterrupted } from '#adapters/system/interruption';
import { screenOn, type Host, type Screen } from '../../terminal/screen.js';
import { drawFrame, watching, type Watch } from './watch.js';

export interface Frame {
  readonly asJson: () => object;
  /** For a screen that may have another width each time. */
  readonly describe: (screen: Screen) => string;
}

export async function follow(
  host: Host,
  json: boolean,
  rhythm: Omit<Watch, 'signal'>,
  look: () => Promise<Frame>,
): Promise<void> {
  const { signal, release } = untilInterrupted();
  try {
    await watching({ ...rhythm, signal }, async (at) => {
      const frame = await look();
      const screen = screenOn(host);
      if (json) screen.print(JSON.stringify({ at, ...frame.asJson() }));
      else drawFrame(screen, `${screen.style.dim(at)}\n\n${frame.describe(screen)}`);
    });
  } finally {
    release();
  }
}
