/** EC2's query form: `TagSpecification.1.Tag.1.Key=x` as an object, typed by the shapes of its API model. */
import type { Json, Messages } from './message-check.js';

/** A key that the action has not, or a value of another type, is a mistake. */
export function queryBody(
  form: URLSearchParams,
  messages: Messages,
  message: string,
): { readonly body: Json; readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const body: Json = {};
  for (const [key, value] of form) {
    if (key === 'Action' || key === 'Version') continue;
    put(body, key.split('.'), value, message, key);
  }
  return { body, mistakes };

  function put(into: Json, path: readonly string[], value: string, of: string, key: string): void {
    const [name = '', ...rest] = path;
    const type = messages[of]?.[name];
    if (type === undefined) return void mistakes.push(`The parameter ${key} is not recognized`);
    if (!type.startsWith('[]')) {
      set(into, name, rest, value, type, key);
      return;
    }
    const [index = '', ...inside] = rest;
    if (!/^[1-9]\d*$/.test(index)) return void mistakes.push(`${key}: a list counts from 1`);
    into[name] ??= [];
    set(into[name], String(Number(index) - 1), inside, value, type.slice(2), key);
  }

  function set(
    into: Json,
    name: string,
    rest: readonly string[],
    value: string,
    type: string,
    key: string,
  ): void {
    if (messages[type] !== undefined) {
      into[name] ??= {};
      put(into[name], rest, value, type, key);
      return;
    }
    if (rest.length > 0) return void mistakes.push(`The parameter ${key} is not recognized`);
    if (type === 'int32' && !/^-?\d+$/.test(value)) mistakes.push(`${key} is no number`);
    if (type.startsWith('enum:') && !type.slice(5).split('|').includes(value))
      mistakes.push(`${key}: no ${value}`);
    into[name] = type === 'int32' ? Number(value) : type === 'boolean' ? value === 'true' : value;
  }
}

/** As EC2 spells answers: `launchTemplateId`, lists with `item`. */
export function asXml(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => `<item>${asXml(one)}</item>`).join('');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, one]) => `<${key}>${asXml(one)}</${key}>`)
      .join('');
  }
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
