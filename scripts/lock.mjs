/** One process at a time: two that install or build at once would pull files from under each other. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;
/** Longer than any install takes: an older lock is left over, whoever has its process number now. */
const abandonedAfterMs = 20 * 60_000;

/** Runs `work` while holding the lock file; waits for another holder, and takes over from one that died. */
export async function withLock(lockFile, work, onWait = () => {}) {
  mkdirSync(dirname(lockFile), { recursive: true });
  for (let waited = false; !take(lockFile); waited = true) {
    if (!waited) onWait();
    removeIfAbandoned(lockFile);
    await sleep(pollMs);
  }
  const release = () => rmSync(lockFile, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/** A link appears with its content or not at all, so that nobody reads a lock without an owner. */
function take(lockFile) {
  const mine = `${lockFile}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, lockFile);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function removeIfAbandoned(lockFile) {
  try {
    const owner = readFileSync(lockFile, 'utf8');
    if (isAlive(Number(owner)) && Date.now() - statSync(lockFile).mtimeMs < abandonedAfterMs) return;
    // Of several who see the dead owner, one renames its file; a live owner's file that slipped in goes back.
    const removed = `${lockFile}.${process.pid}.removed`;
    renameSync(lockFile, removed);
    if (readFileSync(removed, 'utf8') !== owner) linkSync(removed, lockFile);
    rmSync(removed, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
