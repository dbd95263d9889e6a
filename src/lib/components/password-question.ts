/** The components that ask for the password in a dialog. They are loaded when an action first asks, because most visits never see them. */
export { default as Dialog } from './PasswordDialog.svelte';
export { default as Field } from './PasswordQuestion.svelte';
