/** A moment as ISO 8601 in UTC. Core has no clock, and writing a given moment down needs none. */

const dayMs = 86_400_000;

/** `isoTime(0)` is `1970-01-01T00:00:00.000Z`. Years 0 to 9999. */
export function isoTime(timeMs: number): string {
  const days = Math.floor(timeMs / dayMs);
  const ofDay = Math.floor(timeMs - days * dayMs);
  const [year, month, day] = civil(days);
  const [hour, minute, second, ms] = [
    Math.floor(ofDay / 3_600_000),
    Math.floor(ofDay / 60_000) % 60,
    Math.floor(ofDay / 1000) % 60,
    ofDay % 1000,
  ];
  const date = [padded(year, 4), padded(month, 2), padded(day, 2)].join('-');
  return `${date}T${[hour, minute, second].map((part) => padded(part, 2)).join(':')}.${padded(ms, 3)}Z`;
}

/** Counted in years that begin in March, so that the leap day is the last of its year. */
function civil(daysSince1970: number): readonly [year: number, month: number, day: number] {
  const days = daysSince1970 + 719_468;
  const era = Math.floor(days / 146_097);
  const ofEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
