/** Loaded before a program (`node --import`): its time runs MICA_TEST_SPEED times as fast, so that minutes of waiting pass in seconds. */
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

const speed = Number(process.env.MICA_TEST_SPEED);
const startMs = Date.now();
const now = Date.now.bind(Date);
const wait = timers.setTimeout;

globalThis.Date = class extends Date {
  constructor(...said) {
    super(...(said.length === 0 ? [globalThis.Date.now()] : said));
  }
  static now() {
    return Math.floor(startMs + (now() - startMs) * speed);
  }
};
// What Mica waits with; time limits of connections stay as they are.
timers.setTimeout = (ms, ...rest) => wait(ms / speed, ...rest);
syncBuiltinESMExports();
