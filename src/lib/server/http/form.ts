import { error, fail } from '@sveltejs/kit';
import * as v from 'valibot';
import { passwordLength } from '$lib/password-characters';
import { form as words } from '$lib/words/form';
import type { ErrorText } from '$lib/words/throttled';
import {
  FORM_MAX_BYTES,
  PASSWORD_MAX_CHARACTERS,
  PASSWORD_MIN_CHARACTERS,
  SESSION_NAME_MAX_CHARACTERS,
  SESSIONS_SHOWN_MAX,
  USERNAME_MAX_CHARACTERS,
  USERNAME_MIN_CHARACTERS,
} from '../policy';
import { judge } from '../sessions/readable';

const text = (missing: string) => v.pipe(v.string(missing), v.minLength(1, missing));

/** A text that others will read, with at most `max` code points. A rejection says why. White space is collapsed and trimmed. */
const readable = (missing: string, max: number) =>
  v.pipe(
    v.string(missing),
    v.rawTransform(({ dataset, addIssue }) => {
      const { shown, fault } = judge(dataset.value, max);
      if (fault) addIssue({ message: words.text[fault](max) });
      return shown ?? '';
    }),
  );

/** Usernames ignore case: `Ada` and `ada` are the same name. */
const username = v.pipe(text(words.username.missing), v.trim(), v.toLowerCase());

const newUsername = v.pipe(
  username,
  v.minLength(USERNAME_MIN_CHARACTERS, words.username.tooShort(USERNAME_MIN_CHARACTERS)),
  v.maxLength(USERNAME_MAX_CHARACTERS, words.username.tooLong(USERNAME_MAX_CHARACTERS)),
  v.regex(/^[a-z0-9][a-z0-9._-]*$/, words.username.characters),
  v.check((name) => judge(name, USERNAME_MAX_CHARACTERS).fault === null, words.username.badge),
);

/**
 * A password is taken as typed: no trimming, no composition rules (ASVS 6.2.5, 6.2.8). Its length is measured on the form that is hashed.
 */
const newPassword = v.pipe(
  text(words.newPassword.missing),
  v.check(
    (password) => passwordLength(password) >= PASSWORD_MIN_CHARACTERS,
    words.newPassword.tooShort(PASSWORD_MIN_CHARACTERS),
  ),
  v.check(
    (password) => passwordLength(password) <= PASSWORD_MAX_CHARACTERS,
    words.newPassword.tooLong(PASSWORD_MAX_CHARACTERS),
  ),
);

/** For checking against the stored hash, whatever rules applied when the password was set. Only the size limit of the form applies. */
const currentPassword = text(words.password.missing);

export const signUpForm = v.object({ username: newUsername, password: newPassword });
export const signInForm = v.object({
  username: v.pipe(username, v.maxLength(USERNAME_MAX_CHARACTERS, words.username.impossible)),
  password: currentPassword,
});
export const changePasswordForm = v.object({ currentPassword, newPassword });
export const deleteAccountForm = v.object({ password: currentPassword });
/** Without `seen`, the answer covers all moves. */
export const moveAnswerForm = v.object({
  seen: v.optional(v.pipe(v.string(), v.toNumber(), v.safeInteger()), String(Number.MAX_SAFE_INTEGER)),
});
export const revokeForm = v.object({ sessionId: text(words.session.missing) });

/** For a form that sends several session ids: at most as many as the page shows. */
const sessionIds = v.pipe(
  v.array(text(words.session.missing)),
  v.minLength(1, words.session.missing),
  v.maxLength(SESSIONS_SHOWN_MAX, words.session.tooMany(SESSIONS_SHOWN_MAX)),
);

/** At most one message per field. `form` holds the message that belongs to no field. */
export type FieldErrors<Field extends string, Text = string> = { [F in Field | 'form']?: Text };

export const renameForm = v.object({
  sessionId: text(words.session.missing),
  name: readable(words.session.nameMissing, SESSION_NAME_MAX_CHARACTERS),
});

type Parsed<S extends v.GenericSchema> =
  | { data: v.InferOutput<S>; errors?: undefined }
  | { data?: undefined; errors: FieldErrors<keyof v.InferOutput<S> & string> };

/** Reads the fields of a request. Throws 400 for a body that is not a form, and 413 for one that is longer than any form here. */
export async function readForm(request: Request): Promise<FormData> {
  const body = await readBody(request);
  try {
    return await new Response(body, { headers: contentTypeOf(request) }).formData();
  } catch {
    error(400, { message: words.unreadable });
  }
}

/**
 * Reads a body to its end, but keeps at most `FORM_MAX_BYTES`. A Worker accepts bodies of 100 MB and has 128 MB of memory for all its
 * requests. The rest is read and dropped, because a client that is cut off while sending may never see the response. Throws 413 for a body
 * that is longer than any form here.
 */
export async function readBody({ body }: Request): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length <= FORM_MAX_BYTES) chunks.push(chunk);
  }
  if (length > FORM_MAX_BYTES) error(413, { message: words.tooLong });
  return new Blob(chunks);
}

function contentTypeOf({ headers }: Request): Record<string, string> {
  return { 'content-type': headers.get('content-type') ?? '' };
}

/** Validates a form's fields. `errors` has one message per invalid field. Fields that the schema does not name are ignored. */
export function parseForm<S extends v.GenericSchema>(schema: S, form: FormData): Parsed<S> {
  const result = v.safeParse(schema, Object.fromEntries(form));
  if (result.success) return { data: result.output };
  const errors: Record<string, string> = {};
  for (const issue of result.issues) errors[v.getDotPath(issue) ?? 'form'] ??= issue.message;
  return { errors: errors as FieldErrors<keyof v.InferOutput<S> & string> };
}

/** Returns the session ids in a form without duplicates, or an error message. */
export function parseSessionIds(
  form: FormData,
): { ids: string[]; error?: undefined } | { ids?: undefined; error: string } {
  const result = v.safeParse(sessionIds, [...new Set(form.getAll('sessionId'))]);
  return result.success ? { ids: result.output } : { error: result.issues[0].message };
}

/** What the sign-in and sign-up pages show again after invalid input. */
export function tryAgain(status: number, form: FormData, errors: FieldErrors<'username' | 'password'>) {
  return fail(status, again(form, errors));
}

/** The same for a message that belongs to no field. */
export function shownAgain(message: ErrorText, form: FormData) {
  return again(form, { form: message });
}

function again(form: FormData, errors: FieldErrors<'username' | 'password', ErrorText>) {
  return { values: { username: typed(form, 'username') }, errors };
}

/** What the visitor typed in a field. Never use it to show a password again. */
export function typed(form: FormData, field: string): string {
  const value = form.get(field);
  return typeof value === 'string' ? value : '';
}
