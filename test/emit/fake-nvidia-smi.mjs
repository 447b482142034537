#!/usr/bin/env node
/**
 * A strict stand-in for nvidia-smi: knows the calls that Mica's scripts make and refuses every other one. The machine
 * that it pretends to be is in the JSON file FAKE_NVIDIA_SMI (see smi-machine.ts), where it also notes what was changed.
 * Tables and messages are laid out as nvidia-smi 550 to 610 print them, 59 columns for -lgi.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = process.env['FAKE_NVIDIA_SMI'] ?? '';
const machine = JSON.parse(readFileSync(file, 'utf8'));
const args = process.argv.slice(2);
const line = args.join(' ');

class Answer extends Error {
  constructor(text, code = 0) {
    super(text);
    this.code = code;
  }
}

try {
  throw new Answer(answer());
} catch (given) {
  if (!(given instanceof Answer)) throw given;
  writeFileSync(file, JSON.stringify(machine));
  if (given.message !== '') process.stdout.write(`${given.message}\n`);
  process.exitCode = given.code;
}

function answer() {
  let found;
  if (line === '-L') return listAll();
  if ((found = /^-i (\d+) --query-gpu=([a-z_.,]+) --format=csv,noheader$/.exec(line)))
    return query(found[1], found[2]);
  if ((found = /^-i (\d+) --query-compute-apps=pid,process_name --format=csv,noheader$/.exec(line)))
    return gpuAt(found[1]).apps.join('\n');
  if ((found = /^-i (\d+) -mig ([01])$/.exec(line)))
    return setMode(found[1], found[2] === '1' ? 'Enabled' : 'Disabled');
  if ((found = /^--gpu-reset -i (\d+)$/.exec(line))) return reset(found[1]);
  if ((found = /^mig -i (\d+) -lgi$/.exec(line))) return listInstances(found[1]);
  if ((found = /^mig -i (\d+) -gi (\d+) -dci$/.exec(line))) return destroyCompute(found[1], found[2]);
  if ((found = /^mig -i (\d+) -gi (\d+) -dgi$/.exec(line))) return destroyInstance(found[1], found[2]);
  if ((found = /^mig -i (\d+) -cgi (\S+) -C$/.exec(line))) return create(found[1], found[2]);
  throw new Answer(
    `Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n${line}`,
    2,
  );
}

function gpuAt(index) {
  const gpu = machine.gpus[Number(index)];
  if (gpu === undefined) throw new Answer('No devices were found', 6);
  return gpu;
}

function query(index, fields) {
  const gpu = gpuAt(index);
  const values = {
    name: gpu.name,
    driver_version: machine.driver,
    vbios_version: gpu.vbios,
    'pci.device_id': `0x${gpu.pciId}10DE`,
    'mig.mode.current': gpu.mode,
    'mig.mode.pending': gpu.pending,
  };
  return fields
    .split(',')
    .map((field) => values[field])
    .join(', ');
}

function setMode(index, mode) {
  const gpu = gpuAt(index);
  machine.changes.push(line);
  const bus = `0000000${index}:01:00.0`;
  gpu.pending = mode;
  if (gpu.needsReset || gpu.stuck || gpu.apps.length > 0) {
    const why = gpu.stuck ? 'Not Supported' : 'In use by another client';
    return `Warning: MIG mode is in pending enable state for GPU ${bus}:${why}\nReboot the system or try nvidia-smi --gpu-reset to make MIG mode effective on GPU ${bus}\nAll done.`;
  }
  gpu.mode = mode;
  return `${mode} MIG Mode for GPU ${bus}\nAll done.`;
}

function reset(index) {
  const gpu = gpuAt(index);
  machine.changes.push(line);
  if (gpu.stuck) throw new Answer(`Resetting GPU 0000000${index}:01:00.0 is not supported.`, 3);
  gpu.mode = gpu.pending;
  gpu.instances = [];
  return `GPU 0000000${index}:01:00.0 was successfully reset.\nAll done.`;
}

function listInstances(index) {
  const gpu = gpuAt(index);
  if (gpu.mode !== 'Enabled') throw new Answer('No MIG-enabled devices found.', 6);
  if (gpu.instances.length === 0) throw new Answer('No GPU instances found: Not Found', 6);
  const edge = `+${'-'.repeat(57)}+`;
  const rows = [...gpu.instances]
    .sort((a, b) => a.profile.localeCompare(b.profile) || a.gi - b.gi)
    .map(({ profile, start, gi }) => {
      const { id, size } = gpu.profiles[profile];
      const place = `${String(start).padStart(11)}:${String(size).padEnd(6)}`;
      return `|${index.padStart(4)}  MIG ${profile.padEnd(18)}${String(id).padStart(2)}${String(gi).padStart(9)}${place}|\n${edge}`;
    });
  return [
    edge,
    '| GPU instances:                                          |',
    '| GPU   Name               Profile  Instance   Placement  |',
    '|                            ID       ID       Start:Size |',
    `|${'='.repeat(57)}|`,
    ...rows,
  ].join('\n');
}

function instanceAt(gpu, gi, what) {
  const instance = gpu.instances.find((one) => one.gi === Number(gi));
  if (instance === undefined) throw new Answer(`No ${what} found: Not Found`, 6);
  return instance;
}

function destroyCompute(index, gi) {
  const gpu = gpuAt(index);
  const instance = instanceAt(gpu, gi, 'compute instances');
  machine.changes.push(line);
  if (!instance.compute) throw new Answer('No compute instances found: Not Found', 6);
  if (instance.busy)
    throw new Answer(
      `Unable to destroy compute instance ID  0 from GPU  ${index} GPU instance ID  ${gi}: In use by another client\nFailed to destroy compute instances: In use by another client`,
      19,
    );
  instance.compute = false;
  return `Successfully destroyed compute instance ID  0 from GPU  ${index} GPU instance ID  ${gi}`;
}

function destroyInstance(index, gi) {
  const gpu = gpuAt(index);
  const instance = instanceAt(gpu, gi, 'GPU instances');
  machine.changes.push(line);
  if (instance.compute)
    throw new Answer(
      `Unable to destroy GPU instance ID  ${gi} from GPU  ${index}: In use by another client\nFailed to destroy GPU instances: In use by another client`,
      19,
    );
  gpu.instances = gpu.instances.filter((one) => one !== instance);
  return `Successfully destroyed GPU instance ID  ${gi} from GPU  ${index}`;
}

/** Made one by one: what was made before a failure stays, as on the real tool. */
function create(index, list) {
  const gpu = gpuAt(index);
  machine.changes.push(line);
  const said = [];
  for (const tuple of list.split(',')) {
    const [profile, start] = tuple.split(':');
    const kind = gpu.profiles[profile];
    const refuse = (why) => {
      const text = `Unable to create a GPU instance on GPU  ${index} using profile ${profile}: ${why}\nFailed to create GPU instances: ${why}`;
      throw new Answer([...said, text].join('\n'), 19);
    };
    if (gpu.mode !== 'Enabled') refuse('Not Supported');
    if (kind === undefined || start === undefined || !kind.starts.includes(Number(start)))
      refuse('Invalid Argument');
    const end = Number(start) + kind.size;
    const taken = gpu.instances.some(
      (one) => one.start < end && Number(start) < one.start + gpu.profiles[one.profile].size,
    );
    if (taken || gpu.failsAt === tuple) refuse('Insufficient Resources');
    // Ids in an order that nobody could guess from the places.
    const gi = [5, 3, 9, 1, 7, 11, 13, 2].find((id) => gpu.instances.every((one) => one.gi !== id));
    gpu.instances.push({ profile, start: Number(start), gi, compute: !gpu.losesCompute, busy: false });
    said.push(
      `Successfully created GPU instance ID  ${gi} on GPU  ${index} using profile MIG ${profile} (ID ${kind.id})`,
      `Successfully created compute instance ID  0 on GPU  ${index} GPU instance ID  ${gi} using profile MIG ${profile} (ID  0)`,
    );
  }
  return said.join('\n');
}

function listAll() {
  return machine.gpus
    .flatMap((gpu, index) => [
      `GPU ${index}: ${gpu.name} (UUID: GPU-00000000-0000-0000-0000-00000000000${index})`,
      ...[...gpu.instances]
        .filter((one) => one.compute)
        .sort((a, b) => a.gi - b.gi)
        .map(
          ({ profile, gi }, device) =>
            `  MIG ${profile.padEnd(11)} Device ${String(device).padStart(2)}: (UUID: MIG-00000000-0000-5000-000${index}-0000000000${String(gi).padStart(2, '0')})`,
        ),
    ])
    .join('\n');
}
