/** Events are stored as core/v1 knows them and shown by events.k8s.io/v1 under its own field names. */
import { compact, type Json } from './json.js';

const renamed: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
  reportingComponent: 'reportingController',
};
const names = Object.entries(renamed);

export function asEventsV1(event: Json): Json {
  const out = Object.fromEntries(Object.entries(event).map(([key, value]) => [renamed[key] ?? key, value]));
  return { ...out, apiVersion: 'events.k8s.io/v1' };
}

export function fromEventsV1(event: Json): Json {
  const back = new Map(names.map(([core, later]) => [later, core]));
  const out: Json = Object.fromEntries(
    Object.entries(event).map(([key, value]) => [back.get(key) ?? key, value]),
  );
  return compact({ ...out, apiVersion: 'v1', involvedObject: out.involvedObject ?? {} });
}
