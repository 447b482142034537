/** `mica controller`: keeps the slices of a cluster as its MigPolicies say, until it is told to end. */
import { runController } from '#engines/reconcile/controller';
import type { AnswerExit, Context } from '../../command.js';
import { serveController, type ControllerFlags } from './serve-controller.js';

export function controllerCommand(
  context: Context,
  _positional: readonly never[],
  flags: ControllerFlags,
): Promise<AnswerExit> {
  return serveController(context, flags, runController);
}
