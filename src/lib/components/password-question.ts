/** What asks for the password in a dialog: loaded when an action first asks, as most visits never see it. */
export { default as Dialog } from './PasswordDialog.svelte';
export { default as Field } from './PasswordQuestion.svelte';
