/** The processes of this machine, by `kill` and `/proc`. */
import { readFileSync } from 'node:fs';
import type { Processes } from '#ports/processes';
import { isOneProcess, isRunning, startTicksOf, surroundings } from './process-identity.js';

export const systemProcesses: Processes = {
  bootId: () => surroundings().bootId,
  pidNamespace: () => surroundings().pidNamespace,
  startOf: startTicksOf,
  signal: (pid, startedAt, signal) => {
    // Pid 1 is the machine, our own is us, and anything below names a group.
    if (!isOneProcess(pid) || pid === 1 || pid === process.pid) return false;
    if (startTicksOf(pid) !== startedAt) return false;
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  },
  isAlive: isRunning,
  nameOf: (pid) => {
    if (!isOneProcess(pid)) return null;
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
    } catch {
      return null;
    }
  },
};
