/** Says what a body has that the API's message has not: unknown fields, wrong types, 64-bit numbers that are no strings. */
import { readFileSync } from 'node:fs';

/** JSON as it came: a field that is not there fails the expectation. */
export type Json = ReturnType<typeof JSON.parse>;

export type Messages = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A file with what a cloud's own client library knows. */
export function factsFrom(file: string): Json {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
}

export function mistakesIn(
  messages: Messages,
  value: unknown,
  message: string,
  at = message,
): readonly string[] {
  const fields = messages[message];
  if (fields === undefined) throw new Error(`no message ${message}`);
  if (!isObject(value)) return [`${at} is no object`];
  return Object.entries(value).flatMap(([name, field]) => {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (type === undefined) {
      return [`Invalid JSON payload received. Unknown name "${name}" at '${at}': Cannot find field.`];
    }
    return mistakesOf(messages, field, type, `${at}.${name}`);
  });
}

function mistakesOf(messages: Messages, value: unknown, type: string, at: string): readonly string[] {
  if (type.startsWith('[]')) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((one, index) => mistakesOf(messages, one, type.slice(2), `${at}[${index}]`));
  }
  const wrong = [`${at}: ${JSON.stringify(value)} is no ${type}`];
  if (type.startsWith('enum:')) return type.slice(5).split('|').includes(String(value)) ? [] : wrong;
  switch (type) {
    case 'string':
      return typeof value === 'string' ? [] : wrong;
    case 'int64':
      return typeof value === 'string' && /^-?\d+$/.test(value) ? [] : wrong;
    case 'int32':
      return Number.isInteger(value) ? [] : wrong;
    case 'double':
      return typeof value === 'number' ? [] : wrong;
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong;
    case 'map':
      return isObject(value) && Object.values(value).every((one) => typeof one === 'string') ? [] : wrong;
    default:
      return mistakesIn(messages, value, type, at);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
