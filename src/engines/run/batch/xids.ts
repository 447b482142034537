/** Which Xids are a program's own, and which are of everybody on the GPU. */

/**
 * Xids that a program causes by a mistake of its own, and that leave the GPU as it was: the job fails, its slice stays.
 * The list that NVIDIA's Kubernetes device plugin leaves out of its health check (NVIDIA/k8s-device-plugin,
 * internal/rm/health.go).
 */
const ofApplications: ReadonlySet<number> = new Set([
  13, // graphics engine exception
  31, // page fault
  43, // stopped processing
  45, // cleaned up after earlier errors
  68, // video processor exception
  109, // context switch timed out
]);

export function isOfApplication(xid: number): boolean {
  return ofApplications.has(xid);
}

/** After which nothing on the GPU works, whatever instance it is in: the GPU is not on the bus any more. */
export function isOfWholeGpu(xid: number): boolean {
  return xid === 79;
}
