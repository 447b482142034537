/** What names, label keys and label values may look like, in the words of Kubernetes. */
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedPart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

export type NameRule = (name: string) => string | undefined;

export const dnsLabelProblem: NameRule = (name) =>
  name.length > 63
    ? 'must be no more than 63 characters'
    : label.test(name)
      ? undefined
      : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

export const subdomainProblem: NameRule = (name) =>
  name.length > 253
    ? 'must be no more than 253 characters'
    : subdomain.test(name)
      ? undefined
      : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** Roles and bindings may be called `system:node`. */
const pathSegmentProblem: NameRule = (name) =>
  name === '.' || name === '..'
    ? `may not be '${name}'`
    : /[/%]/.test(name)
      ? `may not contain '${name.includes('/') ? '/' : '%'}'`
      : undefined;

export const labelKeyProblem: NameRule = (key) => {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const shape =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  if (parts.length > 2)
    return `a qualified name ${shape} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') return 'prefix part must be non-empty';
    const problem = subdomainProblem(prefix);
    if (problem !== undefined) return `prefix part ${problem}`;
  }
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return 'name part must be no more than 63 characters';
  return qualifiedPart.test(name) ? undefined : `name part ${shape}`;
};

export const labelValueProblem: NameRule = (value) =>
  value.length > 63
    ? 'must be no more than 63 characters'
    : labelValue.test(value)
      ? undefined
      : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** How objects of a resource are named; DNS-1123 subdomains where nothing else is said. */
export function nameRule(plural: string): NameRule {
  switch (plural) {
    case 'namespaces':
    case 'services':
      return dnsLabelProblem;
    case 'roles':
    case 'rolebindings':
    case 'clusterroles':
    case 'clusterrolebindings':
      return pathSegmentProblem;
    default:
      return subdomainProblem;
  }
}
