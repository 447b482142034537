/** Emits one bash script per node that cuts its GPUs with nvidia-smi: checks first, then changes, then verifies. */
import type { EmittedFile, Emitter } from '../emission.js';
import { NameBook } from '../kubernetes-names.js';
import { grouped, nodesOf, occupantsOf } from '../plan-nodes.js';
import { vmScript } from './script.js';

export const emitVm: Emitter = (plan, options) => {
  const found = nodesOf(plan, options);
  if (!found.ok) return found;
  const fileNames = new NameBook();
  const occupants = occupantsOf(plan);
  const steps = grouped(plan.steps, (step) => step.node);
  const files: EmittedFile[] = [];
  const notes = [
    'Run each script as root on its node; with --dry-run first. MIG slices do not survive a reboot: run it again at boot.',
  ];
  for (const node of found.nodes) {
    files.push({
      path: `${fileNames.take(node.name)}.sh`,
      content: vmScript(node, steps.get(node.name) ?? [], occupants, options),
      mode: 0o755,
    });
    if (node.gpus.some((gpu) => modelNeedsDisplayMode(gpu.model, options))) {
      notes.push(
        `Node ${node.name}: workstation cards ship in graphics mode. Set them to compute with displaymodeselector and reboot before running the script.`,
      );
    }
  }
  return { ok: true, files, notes };
};

function modelNeedsDisplayMode(key: string, options: Parameters<Emitter>[1]): boolean {
  const model = options.modelOf(key);
  return model?.kind === 'mig' && model.migEnable.needsComputeDisplayMode === true;
}
