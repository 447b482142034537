/** The format of a kubeconfig, with what is left out filled in: strict about types and lenient about the rest, as kubectl is. */
import { z } from 'zod';

/** Go makes no difference between nothing, null and "". */
const text = z
  .string()
  .nullish()
  .transform((said) => said ?? '');

const base64 = text
  .transform((said) => said.replace(/[\r\n]/g, ''))
  .refine((said) => said.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(said), 'must be base64');

const texts = z
  .array(text)
  .nullish()
  .transform((said) => said ?? []);

/** kubectl's YAML is that of version 1.1. */
const flagWords: Readonly<Record<string, boolean>> = {
  y: true,
  yes: true,
  on: true,
  n: false,
  no: false,
  off: false,
};

const flag = z
  .preprocess(
    (said) => (typeof said === 'string' ? (flagWords[said.toLowerCase()] ?? said) : said),
    z.boolean().nullish(),
  )
  .transform((said) => said ?? false);

const cluster = z.object({
  server: text,
  'certificate-authority': text,
  'certificate-authority-data': base64,
  'insecure-skip-tls-verify': flag,
  'tls-server-name': text,
  'proxy-url': text,
});

const exec = z.object({
  command: text,
  args: texts,
  env: z
    .array(z.object({ name: text, value: text }))
    .nullish()
    .transform((said) => said ?? []),
});

const authProvider = z.object({
  name: text,
  config: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((said) => said ?? {}),
});

const user = z.object({
  token: text,
  tokenFile: text,
  'client-certificate': text,
  'client-certificate-data': base64,
  'client-key': text,
  'client-key-data': base64,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': texts,
  'as-user-extra': z
    .record(z.string(), texts)
    .nullish()
    .transform((said) => said ?? {}),
  exec: exec.nullish(),
  'auth-provider': authProvider.nullish(),
});

const context = z.object({ cluster: text, user: text });

export const kubeconfigShape = z.object({
  apiVersion: text,
  kind: text,
  'current-context': text,
  clusters: listOf(z.object({ name: text, cluster: orEmpty(cluster) }), ({ cluster }) => cluster),
  users: listOf(z.object({ name: text, user: orEmpty(user) }), ({ user }) => user),
  contexts: listOf(z.object({ name: text, context: orEmpty(context) }), ({ context }) => context),
});

export type ClusterFields = z.infer<typeof cluster>;
export type UserFields = z.infer<typeof user>;
export type ContextFields = z.infer<typeof context>;

function orEmpty<S extends z.ZodType>(shape: S) {
  return z.preprocess((said) => said ?? {}, shape);
}

/** `[{ name: a, cluster: { ... } }]` as pairs of a name and what it stands for. What has no name cannot be meant. */
function listOf<E extends { readonly name: string }, V>(entry: z.ZodType<E>, valueOf: (entry: E) => V) {
  return z
    .array(entry.nullish())
    .nullish()
    .transform((all) =>
      (all ?? []).flatMap((one): readonly (readonly [string, V])[] =>
        one == null || one.name === '' ? [] : [[one.name, valueOf(one)]],
      ),
    );
}
