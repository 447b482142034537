/** A request to a cloud as a value: what is sent, what `--dry-run` prints, and the command of the cloud's own program. */

export interface CloudRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the address of the service, with its version; for AWS queries the name of the action. */
  readonly path: string;
  readonly body: object | null;
  /** The same by `gcloud` or `aws`, as an argument array: no shell reads it. `null`: they have no such command. */
  readonly command: readonly string[] | null;
  /** What the command cannot say and the request does. */
  readonly unsaid: readonly string[];
}
