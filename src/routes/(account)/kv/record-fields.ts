import { escaped } from '$lib/visible-text';

/** For people; what is no JSON as it is. What cannot be seen stays escaped. */
export function indented(value: string): string {
  try {
    const lines = JSON.stringify(JSON.parse(value), null, 2).split('\n');
    return lines.map(escaped).join('\n');
  } catch {
    return value;
  }
}

/** `time`: epoch milliseconds, of a field that is one. */
type Field = { name: string; json: string; time: number | null };

/** Line by line, to be read; `null` for what is not JSON and is shown as it is. */
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
