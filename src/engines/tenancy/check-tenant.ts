/** What a tenant may be called, be given, and have to itself. */
import type { Quota } from '#core/run/quota';
import type { TenantRecord } from '#ports/run-store';
import { refused, type Refused } from './ports.js';
import { quoted } from './tokens.js';

/** A DNS label: nothing that a shell, a path, a CSV or a terminal reads as more than a name. */
export function nameRefusal(name: string): Refused | null {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return null;
  const rule = 'a-z, 0-9 and - inside, at most 63 characters';
  return refused('bad-name', `${quoted(name)} cannot be the name of a tenant: ${rule}`);
}

const mostSlices = 100_000;
const mostMiB = 2 ** 40;

export function quotaRefusal({ slices, memoryMiB, share }: Quota): Refused | null {
  if (slices !== null && !(Number.isInteger(slices) && slices >= 0 && slices <= mostSlices)) {
    return refused('bad-quota', `a quota of slices is a whole number from 0 to ${mostSlices}`);
  }
  if (memoryMiB !== null && !(Number.isInteger(memoryMiB) && memoryMiB > 0 && memoryMiB <= mostMiB)) {
    return refused('bad-quota', 'a quota of memory is more than none, in whole MiB');
  }
  if (share !== null && !(share > 0 && share <= 1)) {
    return refused('bad-quota', 'a quota by share is more than 0 and at most 1');
  }
  return null;
}

const placeForm = /^GPU-[0-9A-Za-z-]{1,64}(\/[0-9a-z.+-]{1,40}:[0-9]{1,3})?$/;
const mostPlaces = 1000;

/** Whether all of these places can be this tenant's alone. */
export function dedicationRefusal(
  tenants: readonly TenantRecord[],
  name: string,
  places: readonly string[],
): Refused | null {
  if (places.length > mostPlaces) {
    return refused('too-many', `at most ${mostPlaces} slices are dedicated to one tenant`);
  }
  const bad = places.find((place) => !placeForm.test(place));
  if (bad !== undefined) return refused('bad-place', `${quoted(bad)} is not the place of a slice`);
  for (const other of tenants) {
    if (other.name === name) continue;
    for (const place of places) {
      const theirs = other.dedicated.find((one) => isWithin(one, place) || isWithin(place, one));
      if (theirs !== undefined) {
        return refused('dedicated-elsewhere', `${place} is dedicated to ${other.name} (${theirs})`);
      }
    }
  }
  return null;
}

/** A whole GPU covers the slices that it is cut into. */
function isWithin(place: string, other: string): boolean {
  return place === other || place.startsWith(`${other}/`);
}
