/** A patch of any of the three kinds that change an object in place, on the object that it was sent for. */
import type { Json } from '../json.js';
import type { Resource } from '../resources.js';
import type { Schema } from '../schema.js';
import { ApiError, badRequest, unknownMediaType, unsupportedMediaType } from '../status.js';
import { jsonPatch } from './json-patch.js';
import { mergePatch } from './merge-patch.js';
import { strategicMerge } from './strategic.js';

export const applyType = 'application/apply-patch+yaml';
const jsonType = 'application/json-patch+json';
const mergeType = 'application/merge-patch+json';
const strategicType = 'application/strategic-merge-patch+json';

/** Custom resources have no strategic merge. */
export function checkPatchType(type: string, resource: Resource): void {
  const known = [jsonType, mergeType, applyType];
  if (resource.custom === undefined) known.push(strategicType);
  if (known.includes(type)) return;
  throw resource.custom === undefined ? unknownMediaType() : unsupportedMediaType(known);
}

export function patched(type: string, live: Json, patch: Json, schema: Schema): Json {
  if (type === jsonType) {
    try {
      return jsonPatch(live, patch);
    } catch (error) {
      throw new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {
        causes: [{ reason: 'UnexpectedServerResponse', message: (error as Error).message }],
      });
    }
  }
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw badRequest('json: cannot unmarshal array into Go value of type map[string]interface {}');
  }
  if (type === mergeType) return mergePatch(live, patch);
  try {
    return strategicMerge(live, patch, schema);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}
