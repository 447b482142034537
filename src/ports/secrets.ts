/** What is hard to guess, and what can be told of it without saying it. */
export interface Secrets {
  /** Fresh random bytes for a key, nobody's to foresee. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** SHA-256 of the text as UTF-8, in hexadecimal. */
  readonly digest: (text: string) => string;
  /** Whether two texts are equal, in a time that does not tell where they differ. */
  readonly isSame: (one: string, other: string) => boolean;
}
