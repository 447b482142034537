#!/usr/bin/env node
/**
 * A container engine for tests, called as `docker` or `podman`: what `run`, `ps`, `kill` and `rm` do with the flags that
 * Mica gives, as docker/cli (cli/command/container/create.go, run.go) and podman's manual pages (podman-run.1,
 * podman-ps.1, podman-kill.1) describe them, read 2026-11-23; anything else is refused. A container is a process that
 * is no child of its client; its state is files under $FAKE_ENGINE. $FAKE_ENGINE_DOWN: no daemon answers.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const tool = basename(process.argv[1]);
const home = process.env.FAKE_ENGINE;
const [verb, ...args] = process.argv.slice(2);
mkdirSync(home, { recursive: true });

function fail(message, code) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

const down = () => existsSync(join(home, 'down'));
const containers = () =>
  readdirSync(home)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(home, name), 'utf8')));
function save(container) {
  const path = join(home, `${container.id}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(container));
  renameSync(`${path}.new`, path);
}
function remove({ id, cidfile }) {
  rmSync(join(home, `${id}.json`), { force: true });
  if (tool === 'podman' && cidfile) rmSync(cidfile, { force: true });
}
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
const stateOf = ({ pid }) => (pid === null ? 'created' : isAlive(pid) ? 'running' : 'exited');

if (down())
  fail(
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    1,
  );

const verbs = { run, ps, kill, rm };
if (!Object.hasOwn(verbs, verb)) fail(`${tool}: '${verb}' is not a ${tool} command`, 1);
await verbs[verb]();

async function run() {
  const flags = new Set(['--rm', '--detach']);
  const valued = new Set(['--cidfile', '--label', '--env', tool === 'docker' ? '--gpus' : '--device']);
  const given = { '--label': [], '--env': [], '--device': [] };
  let at = 0;
  for (; args[at]?.startsWith('--'); at += 1) {
    if (flags.has(args[at])) given[args[at]] = true;
    else if (!valued.has(args[at])) fail(`unknown flag: ${args[at]}`, 125);
    else if (Array.isArray(given[args[at]])) given[args[at]].push(args[(at += 1)]);
    else given[args[at]] = args[(at += 1)];
  }
  const [image, ...command] = args.slice(at);
  if (image === undefined || command.length === 0) fail(`"${tool} run" requires at least 1 argument.`, 125);
  const cidfile = given['--cidfile'];
  if (cidfile !== undefined && existsSync(cidfile)) {
    fail(
      `${tool}: container ID file found, make sure the other container isn't running or delete ${cidfile}`,
      125,
    );
  }
  // The file is there, empty, before the container is.
  if (cidfile !== undefined) writeFileSync(cidfile, '', { flag: 'wx' });
  if (image === 'no-such-image') {
    if (tool === 'docker') rmSync(cidfile, { force: true });
    fail(`${tool}: image not known`, 125);
  }
  const id = randomBytes(32).toString('hex');
  const container = { id, labels: given['--label'], pid: null, cidfile };
  save(container);
  if (cidfile !== undefined) writeFileSync(cidfile, id);
  if (image === 'slow-to-start') await wait(60_000);
  // Only what is given goes into it, and no signal to the client's group reaches it.
  const env = Object.fromEntries([
    ['PATH', process.env.PATH],
    ...given['--env'].map((line) => line.split(/=(.*)/s, 2)),
  ]);
  if (process.env.FAKE_ENGINE_HIDES === '1') delete env.MICA_LEASE;
  const child = spawn(command[0], command.slice(1), {
    detached: true,
    env,
    stdio: given['--detach'] ? 'ignore' : 'inherit',
  });
  save({ ...container, pid: child.pid });
  if (given['--detach']) {
    process.stdout.write(`${id}\n`);
    child.unref();
    return;
  }
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => isAlive(child.pid) && process.kill(child.pid, signal));
  const [code, signal] = await new Promise((resolve) => child.on('exit', (...end) => resolve(end)));
  if (given['--rm']) remove(container);
  process.exit(signal === null ? code : 128 + { SIGKILL: 9, SIGTERM: 15, SIGINT: 2 }[signal]);
}

function ps() {
  let [labels, states, isAll] = [[], [], false];
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === '--all') isAll = true;
    else if (args[at] === '--filter') {
      const [key, value] = args[(at += 1)].split(/=(.*)/s, 2);
      if (key === 'label') labels.push(value);
      else if (key === 'status' && ['created', 'running', 'paused', 'exited'].includes(value))
        states.push(value);
      else fail(`invalid filter '${key}=${value}'`, 125);
    } else if (!['--quiet', '--no-trunc'].includes(args[at])) fail(`unknown flag: ${args[at]}`, 125);
  }
  if (!args.includes('--quiet') || !args.includes('--no-trunc')) fail('the tests read full ids', 2);
  // Labels must all be there; of states one will do.
  for (const one of containers()) {
    const state = stateOf(one);
    const isWanted = states.length === 0 ? isAll || state === 'running' : states.includes(state);
    if (isWanted && labels.every((label) => one.labels.includes(label))) process.stdout.write(`${one.id}\n`);
  }
}

function find(id) {
  return (
    containers().find((one) => one.id === id) ??
    fail(`Error response from daemon: No such container: ${id}`, 1)
  );
}

function kill() {
  const [id] = args;
  const one = find(id);
  if (stateOf(one) !== 'running')
    fail(`Error response from daemon: cannot kill container: ${id}: is not running`, 1);
  process.kill(-one.pid, 'SIGKILL');
  while (isAlive(one.pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  process.stdout.write(`${id}\n`);
}

function rm() {
  const [force, id] = args;
  const one = find(id);
  if (force !== '--force') fail('the tests remove what may run', 2);
  if (stateOf(one) === 'running') process.kill(-one.pid, 'SIGKILL');
  remove(one);
  process.stdout.write(`${id}\n`);
}
