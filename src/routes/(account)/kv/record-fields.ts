import { escaped } from '$lib/visible-text';

/** Indents JSON for people to read, and returns any other text unchanged. Invisible characters stay escaped. */
export function indented(value: string): string {
  try {
    const lines = JSON.stringify(JSON.parse(value), null, 2).split('\n');
    return lines.map(escaped).join('\n');
  } catch {
    return value;
  }
}

/** `time`: the field's time in epoch milliseconds, or `null` if it holds none. */
type Field = { name: string; json: string; time: number | null };

/** Returns a record's fields for display, or `null` if the value is not JSON and is shown as it is. */
export function fieldsOf(value: string): Field[] | null {
  try {
    const parsed: unknown = JSON.parse(value);
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return null;
    return Object.entries(parsed).map(([name, field]) => ({
      name: escaped(name),
      json: escaped(JSON.stringify(field)),
      time: /_(at|expires)$/.test(name) && typeof field === 'number' ? field : null,
    }));
  } catch {
    return null;
  }
}
