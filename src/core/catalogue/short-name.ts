/** A GPU's name as it fits beside a drawing: `NVIDIA RTX PRO 6000 Blackwell Server Edition` is `RTX PRO 6000`. */
export function shortName({ name }: { readonly name: string }): string {
  return name
    .replace(/^NVIDIA |^Tesla /, '')
    .replace(/ \(.*\)$| Generation\b| Blackwell\b| Server Edition| Edition/g, '');
}
